"""Bytes that llama.cpp reserves for the intermediate results of one step."""

from fractions import Fraction

from llmsizing.architecture import (
    Attention,
    Experts,
    FeedForward,
    LatentAttention,
    Layer,
    Model,
)
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.memory.cache import padded, used_window
from llmsizing.memory.settings import Settings

RESULT, MASK = 4, 2  # bytes: results are F32, masks F16
SHORT = Fraction(1, 5)  # what this may lack: at most 16 % of the buffer in 306 loads of 27 models


def compute_term(model: Model, settings: Settings) -> Term:
    """The compute buffer on a device, with flash attention and the logits of one token.

    In words: what the widest layer computes for the tokens of one step, and a mask with one
    number for each of them and each cell. Fitted on what llama.cpp reports for 27 models; for
    some it is too little, which the range says.
    """
    windows = {used_window(model, layer.attention.window, settings)
               for layer in model.layers if layer.attention}
    context = padded(settings.context_tokens)
    masks = [context] if None in windows else []
    masks += [padded(min(context, window + settings.ubatch)) for window in windows if window]
    tokens = Factor(settings.ubatch, "tokens at a time")
    widest = max(_width(model.hidden_size, layer) for layer in model.layers)
    return sum_of(
        "compute buffer",
        product("results of the widest layer", tokens,
                Factor(widest, "numbers", widest, widest * (1 + SHORT)),
                Factor(RESULT, "bytes")),
        *(product(f"mask of {cells:,} cells", tokens, Factor(cells, "cells"),
                  Factor(MASK, "bytes")) for cells in masks),
    )


def _width(hidden: int, layer: Layer) -> int:
    """Numbers that a layer computes per token and that lie in memory at the same time."""
    return max(_part_width(hidden, part, layer) for part in layer.parts)


def _part_width(hidden: int, part: object, layer: Layer) -> int:
    if isinstance(part, FeedForward):
        return 3 * part.intermediate_size + 2 * hidden + _wide_heads(hidden, layer)
    if isinstance(part, Experts):
        used, wide = part.num_experts_per_tok, part.moe_intermediate_size
        return max(3 * used * wide, used * wide + 2 * used * hidden) + 2 * hidden
    if isinstance(part, LatentAttention):
        head = part.qk_nope_head_dim + part.qk_rope_head_dim
        return part.num_attention_heads * (2 * part.kv_lora_rank + part.qk_rope_head_dim + 2 * head)
    return 2 * hidden


def _wide_heads(hidden: int, layer: Layer) -> int:
    """What all heads make together, where that is more than the hidden size."""
    mixer = layer.attention
    queries = mixer.num_attention_heads * mixer.head_dim if isinstance(mixer, Attention) else 0
    return queries if queries > hidden else 0
