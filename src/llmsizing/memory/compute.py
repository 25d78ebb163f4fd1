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
from llmsizing.memory.cache import cells_per_stream, padded, streams, used_window
from llmsizing.memory.settings import Settings

RESULT, MASK, COPY = 4, 2, 2  # bytes: results are F32, masks and copies F16
SHORT = Fraction(1, 5)  # what this may lack: at most 16 % of the buffer in 306 loads of 27 models


def compute_term(model: Model, settings: Settings) -> Term:
    """The compute buffer on a device, with flash attention and the logits of one token.

    In words: what the widest layer computes for the tokens of one step; a mask with one number
    for each of them and each cell; and on NVIDIA and AMD cards, if the KV cache is not in F16,
    an F16 copy of one layer's cache. The results are fitted on what llama.cpp reports for 27
    models; for some they are too little, which the range says. The copy stands at the high end
    of the range only: other devices make none, and part of it lies where results lay before.

    References
    ----------
    llama.cpp@0c1e57098: ggml/src/ggml-cuda/fattn.cu, ggml_cuda_flash_attn_ext_get_alloc_size.
    """
    windows = {used_window(model, layer.attention.window, settings)
               for layer in model.layers if layer.attention}
    masks = [cells_per_stream(window, settings) for window in sorted(windows, key=lambda w: w or 0)]
    tokens = Factor(min(settings.ubatch, padded(settings.context_tokens)), "tokens at a time")
    widest = max(_width(model.hidden_size, layer) for layer in model.layers)
    copied = max(_copied_numbers(model, layer, settings) for layer in model.layers)
    terms = [product("results of the widest layer", tokens,
                     Factor(widest, "numbers", widest, widest * (1 + SHORT)),
                     Factor(RESULT, "bytes"))]
    terms += [product(f"mask of {cells:,} cells", tokens, Factor(cells, "cells"),
                      Factor(MASK, "bytes")) for cells in masks]
    if copied:
        terms.append(product("copy of one layer's cache", Factor(copied, "numbers"),
                             Factor(0, "bytes (up to 2 on NVIDIA and AMD)", 0, COPY)))
    return sum_of("compute buffer", *terms)


def _copied_numbers(model: Model, layer: Layer, settings: Settings) -> int:
    """Keys and values of one layer that the cache does not keep in F16."""
    mixer = layer.attention
    if not mixer:
        return 0
    window = used_window(model, mixer.window, settings)
    sides = zip(settings.kv_cache, (mixer.keys_per_token, mixer.values_per_token), strict=True)
    per_cell = sum(numbers for kind, numbers in sides if kind != "f16")
    return per_cell * streams(settings) * cells_per_stream(window, settings)


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
