"""transformers: a cache that grows with the tokens, and a prompt computed in one step."""

from collections import Counter
from fractions import Fraction

from llmsizing.architecture import Attention, Experts, FeedForward, Layer, Model
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.errors import InvalidInput
from llmsizing.memory.other_engines.checkpoint import checkpoint_tensors, is_plain
from llmsizing.memory.runtime import allocator_term, driver_term, workspace_term
from llmsizing.memory.settings import Settings, conversations

RESULT = 2  # bytes of an intermediate result: BF16
HIDDEN_COPIES = (2, 4, 6)  # of a token's state: residual, norm and what norms compute in F32
STATE = (2, 4)  # bytes of a recurrent state: BF16 or F32


def transformers_terms(model: Model, weights: str | None, settings: Settings) -> list[Term]:
    """What lies on the device at the peak, which the prompt makes.

    References
    ----------
    transformers==5.23.0: cache_utils.py (DynamicLayer, DynamicSlidingWindowLayer),
    generation/utils.py (logits_to_keep).
    """
    return [weights_on_device(model, weights, settings), grown_cache_term(model, settings),
            prompt_term(model, settings, settings.conversation_tokens),
            sum_of("runtime", driver_term("driver"),
                   workspace_term(quantized=not is_plain(model, weights)),
                   allocator_term())]


def weights_on_device(model: Model, weights: str | None, settings: Settings) -> Term:
    """All tensors, a tied embedding once."""
    if settings.device_count > 1:
        raise InvalidInput(f"{settings.engine} is sized on one device: leave devices out.")
    size = sum(bytes_ for _, bytes_ in checkpoint_tensors(model, weights, settings.engine))
    where = "as in its file" if weights is None else f"in {weights}"
    return product("weights", Factor(size, f"bytes {where}"))


def grown_cache_term(model: Model, settings: Settings, step: int = 1) -> Term:
    """A cache as long as the tokens, rounded up to ``step``; sliding layers keep their window."""
    kept: Counter[tuple[int, Fraction]] = Counter()
    states: Counter[int] = Counter()
    tokens = -(-settings.conversation_tokens // step) * step
    for layer in model.layers:
        mixer = layer.attention
        if mixer and mixer.keys_per_token:
            here = min(tokens, mixer.window or tokens)
            kept[here, settings.cell_bytes(mixer.keys_per_token, mixer.values_per_token)] += 1
        if layer.state_numbers:
            states[layer.state_numbers] += 1
    each = Factor(settings.sequences, conversations(settings))
    terms = [product(f"{count} layers of {here:,} tokens", Factor(count, "layers"), each,
                     Factor(here, "tokens"), Factor(size, "bytes"))
             for (here, size), count in kept.items()]
    terms += [product(f"state of {count} layers", Factor(count, "layers"), each,
                      Factor(numbers, "numbers"), Factor(STATE[1], "bytes", STATE[0], STATE[1]))
              for numbers, count in states.items()]
    return sum_of("KV cache", *terms)


def prompt_term(model: Model, settings: Settings, tokens: int) -> Term:
    """What the widest layer computes for the tokens of a step.

    In words: gate, up and their product in the feed-forward part, and a few copies of each
    token's state. The copies are a range: PyTorch frees them as it goes along.
    """
    wide = max(_wide(layer) for layer in model.layers)
    low, usual, high = HIDDEN_COPIES
    at_once = Factor(tokens * settings.sequences, "tokens at once")
    return sum_of(
        "compute buffer",
        product("feed-forward part", at_once, Factor(wide, "numbers"), Factor(RESULT, "bytes")),
        product("states of the tokens", at_once, Factor(model.hidden_size, "numbers"),
                Factor(usual, "copies", low, high), Factor(RESULT, "bytes")),
        product("logits", Factor(settings.sequences, conversations(settings)),
                Factor(model.vocab_size, "logits"), Factor(4, "bytes")),
    )


def _wide(layer: Layer) -> int:
    """Numbers per token of the widest part of a layer, beside copies of the token's state."""
    widths = [0]
    for part in layer.parts:
        if isinstance(part, FeedForward):
            widths.append(3 * part.intermediate_size)
        elif isinstance(part, Experts):
            widths.append(3 * part.num_experts_per_tok * part.moe_intermediate_size)
        elif isinstance(part, Attention):
            heads = part.num_attention_heads + part.num_key_value_heads
            widths.append(2 * heads * part.head_dim)
    return max(widths)
