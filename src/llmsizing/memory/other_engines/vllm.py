"""vLLM: weights and cache split over devices, and what it keeps free for a step."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from llmsizing.architecture import Attention, Experts, FeedForward, Layer, Model, Tensor
from llmsizing.breakdown import Factor, Term, maximum_of, product, sum_of
from llmsizing.catalog import Device
from llmsizing.errors import InvalidInput, expect
from llmsizing.memory.other_engines.checkpoint import checkpoint_tensors
from llmsizing.memory.other_engines.vllm_cache import blocks_of, blocks_term, cache_share
from llmsizing.memory.runtime import cuda_graphs_term, driver_term, vllm_library_term
from llmsizing.memory.settings import Settings, settings_of

RESULT = 2  # bytes of an intermediate result: BF16
SAMPLER_BYTES = (4, 16, 24)  # of a logit: F32; sorted with its number; and the steps between
WHOLE = ("attn_q_a", "attn_kv_a_mqa", "indexer", "ffn_gate_inp", "exp_probs_b")


@dataclass(frozen=True)
class CacheRoom:
    """What vLLM has left for its KV cache. Make one with `vllm_room`.

    Parameters
    ----------
    bytes : tuple of int
        Low, usual and high, on each device; negative where it does not start.
    tokens : tuple of int
        Low, usual and high: what vLLM's log calls the GPU KV cache size.
    """

    bytes: tuple[int, int, int]
    tokens: tuple[int, int, int]


def vllm_terms(model: Model, weights: str | None, settings: Settings) -> list[Term]:
    """What must lie on each device.

    References
    ----------
    vllm@002f10e0c: vllm/config/cache.py; vllm/v1/worker/gpu_worker.py
    (determine_available_memory).
    """
    terms = [_weights(model, weights, settings), blocks_term(model, settings),
             _step(model, settings)]
    terms += [] if settings.enforce_eager else [cuda_graphs_term()]
    return [*terms, sum_of("runtime", driver_term("driver"), vllm_library_term(settings.device_count))]


def vllm_room(model: Model, device: Device, *, weights: str | None = None, **settings: Any) -> CacheRoom:
    """How many tokens of KV cache vLLM has room for on a device, or on several alike.

    It takes ``gpu_memory_utilization`` of each device's memory, whatever it needs, and gives to
    the KV cache what weights, libraries, a step and CUDA graphs leave. The driver's own part lies
    in the rest.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    device : Device
        From `load_device`; of several, one of them.
    weights : str
        A format that vLLM runs: "BF16", "AWQ 4-bit g128".
    **settings
        As in `vram_budget`; ``context_tokens`` is vLLM's max_model_len.

    Returns
    -------
    CacheRoom

    Raises
    ------
    InvalidInput, UnknownName
        If a setting makes no sense.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> room = vllm_room(load_model("Qwen3-8B"), load_device("RTX 4090"), weights="BF16")
    >>> room.tokens[1] > 30_000
    True
    """
    expect("device", device, Device, "write load_device('RTX 4090')")
    made = settings_of({"engine": "vLLM", **settings})
    if made.engine != "vLLM":
        raise InvalidInput("vllm_room answers for vLLM: leave engine out.")
    used = [_weights(model, weights, made), _step(model, made), vllm_library_term(made.device_count)]
    used += [] if made.enforce_eager else [cuda_graphs_term()]
    least, most = device.visible_range
    taken = made.gpu_memory_utilization
    room = (int(least * taken - sum(term.high for term in used)),
            int(least * taken - sum(term.usual for term in used)),
            int(most * taken - sum(term.low for term in used)))
    low, usual, high = (cached_tokens(model, made, size) for size in room)
    return CacheRoom(room, (low, usual, high))


def cached_tokens(model: Model, settings: Settings, cache_bytes: int) -> int:
    """Tokens that a KV cache of so many bytes on each device holds, as vLLM's log counts them.

    Conversations of the whole context that fit, times that context: kinds of layers that keep
    a window or a state take blocks, too.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> made = settings_of({"engine": "vllm", "context_tokens": 16384})
    >>> cached_tokens(load_model("Qwen3-8B"), made, 6_837_239_808)
    46368
    """
    blocks = blocks_of(model, settings)
    whole = max(0, cache_bytes) // blocks.block_bytes
    return whole * settings.conversation_tokens // blocks.per_conversation(settings)


def _weights(model: Model, weights: str | None, settings: Settings) -> Term:
    """A device's part of the tensors, and a table of positions."""
    devices = settings.device_count
    parts: dict[Fraction, int] = {}
    for tensor, size in checkpoint_tensors(model, weights, settings.engine):
        share = _share(tensor, model, devices)
        parts[share] = parts.get(share, 0) + size
    terms = [product("whole tensors" if share == 1 else f"1/{share.denominator} of the others",
                     Factor(size, "bytes"), *([] if share == 1 else [Factor(share, "of them")]))
             for share, size in sorted(parts.items())]
    return sum_of("weights", *terms, *_positions(model))


def _share(tensor: Tensor, model: Model, devices: int) -> Fraction:
    """The part of a tensor that each device holds: matrices are split, vectors are not."""
    if not tensor.is_matrix or tensor.name.startswith(WHOLE):
        return Fraction(1)
    if tensor.name.startswith(("attn_k.", "attn_v.")):
        mixer = next(layer.attention for layer in model.layers if layer.attention)
        return cache_share(mixer, devices)
    return Fraction(1, devices)


def _positions(model: Model) -> list[Term]:
    """The table of sines and cosines that vLLM keeps for the model's whole native context."""
    mixer = next((layer.attention for layer in model.layers if layer.attention), None)
    native = model.max_position_embeddings
    if mixer is None or native is None:
        return []
    turned = mixer.head_dim if isinstance(mixer, Attention) else mixer.qk_rope_head_dim
    return [product("table of positions", Factor(native, "positions"), Factor(turned, "numbers"),
                    Factor(RESULT, "bytes"))]


def _step(model: Model, settings: Settings) -> Term:
    """What a step computes: the widest layer for its tokens, or the choice of the next ones."""
    devices = settings.device_count
    wide = max(_wide(model.hidden_size, layer, devices) for layer in model.layers)
    low, usual, high = SAMPLER_BYTES
    return maximum_of(
        "compute buffer",
        product("widest layer", Factor(settings.max_num_batched_tokens, "tokens"),
                Factor(wide, "numbers", wide, 2 * wide), Factor(RESULT, "bytes")),
        product("choice of tokens", Factor(settings.max_num_seqs, "conversations"),
                Factor(model.vocab_size, "logits"), Factor(usual, "bytes", low, high)),
    )


def _wide(hidden: int, layer: Layer, devices: int) -> Fraction:
    """Numbers per token of the widest part of a layer on one device."""
    widths = [Fraction(2 * hidden)]
    for part in layer.parts:
        if isinstance(part, FeedForward):
            widths.append(2 * hidden + Fraction(3 * part.intermediate_size, devices))
        elif isinstance(part, Experts):
            inner = Fraction(part.moe_intermediate_size, devices)
            widths.append(2 * hidden + part.num_experts_per_tok * (max(2 * inner, hidden) + inner))
    return max(widths)
