"""What must be read from memory to make one token: bytes that set the pace, not a speed."""

from collections import Counter
from fractions import Fraction
from typing import Any

from llmsizing.architecture import Experts, Model
from llmsizing.breakdown import Breakdown, Factor, Term, product, sum_of
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput
from llmsizing.memory.cache import cache_term
from llmsizing.memory.placement import RAM, Placement, placement
from llmsizing.memory.settings import LLAMA_CPP, settings_of
from llmsizing.memory.weights import layout_of, loaded_tensors, stored_bytes, table_is_output, titled

EVERY = (1, 1)  # of a tensor that serves every token


def device_reads(model: Model, *, weights: str | None = None, **settings: Any) -> Breakdown:
    """What is read from the device, or from all devices together, for one token.

    In words: each matrix once, of the experts only those that the router picks, and the KV cache
    of a context that is filled to its end. The input embedding is left out: one row of it is
    looked up. How long the reading takes depends on the memory; this is no speed.

    Parameters
    ----------
    model, weights, **settings
        As in `vram_budget`, for one conversation.

    Returns
    -------
    Breakdown
        In bytes, with the terms "weights" and "KV cache".

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does, and if there is more than one conversation: they share what is
        read in ways that depend on their tokens.

    Examples
    --------
    >>> from llmsizing import format_bytes, load_model
    >>> reads = device_reads(load_model("Qwen3-30B-A3B"), weights="Q4_K_M")
    >>> format_bytes(reads["weights"].bytes, "GiB")
    '1.79 GiB'

    References
    ----------
    `Model.read_parameters` counts the same parameters.
    """
    return _reads(model, weights, settings, "Read from the device for each token", ram=False)


def host_reads(model: Model, *, weights: str | None = None, **settings: Any) -> Breakdown:
    """What is read from RAM for one token: the same arguments as `device_reads`.

    Parameters
    ----------
    model, weights, **settings
        As in `vram_budget`, for one conversation.

    Returns
    -------
    Breakdown
        In bytes, with the terms "weights" and "KV cache": those of layers and experts that stay
        in RAM.

    Raises
    ------
    InvalidInput, UnknownName
        As `device_reads` does.

    Examples
    --------
    >>> from llmsizing import format_bytes, load_model
    >>> reads = host_reads(load_model("Qwen3-30B-A3B"), weights="Q4_K_M", experts_on_cpu=24)
    >>> format_bytes(reads.total_bytes, "GiB")
    '0.51 GiB'
    """
    return _reads(model, weights, settings, "Read from RAM for each token", ram=True)


def _reads(model: Model, weights: str | None, settings: dict[str, Any], title: str, *,
           ram: bool) -> Breakdown:
    given = settings_of(settings)
    if load_engine(given.engine).family != LLAMA_CPP:
        raise InvalidInput(f"What is read for a token is counted for llama.cpp, not for {given.engine}:"
                           " leave engine out.")
    if given.sequences > 1:
        raise InvalidInput("What is read for a token is counted for one conversation:"
                           " leave sequences=1.")
    placed = placement(model, given, layout_of(model, weights))
    layers = [number for number, place in enumerate(placed.layers) if (place == RAM) == ram]
    return Breakdown(
        f"{title}: {model.name} {titled(weights)}, {given.context_tokens:,} tokens of context",
        (_read_weights(model, weights, placed, ram=ram), cache_term(model, given, layers)))


def _read_weights(model: Model, weights: str | None, placed: Placement, *, ram: bool) -> Term:
    tied = table_is_output(model, weights)
    sizes: Counter[tuple[int, int]] = Counter()
    for number, tensor, name in loaded_tensors(model, weights):
        is_output = tied and tensor.role == "embedding"
        if tensor.role in ("embedding", "per-layer embedding") and not is_output:
            continue
        (place,) = {placed.output} if is_output else placed.places_of(number, tensor)
        if (place == RAM) == ram:
            used = _chosen(model, number) if tensor.role == "experts" else EVERY
            sizes[used] += stored_bytes(tensor, name)
    parts = [product("serve every token" if used == EVERY else "experts",
                     Factor(size, "bytes"), *_share(used)) for used, size in sorted(sizes.items())]
    return sum_of("weights", *parts) if parts else product("weights", Factor(0, "bytes"))


def _share(used: tuple[int, int]) -> list[Factor]:
    if used == EVERY:
        return []
    picked, among = used
    return [Factor(Fraction(picked, among), f"({picked} of {among} experts)")]


def _chosen(model: Model, number: int) -> tuple[int, int]:
    """How many experts of a layer serve a token, and among how many."""
    part = next(part for part in model.layers[number].parts if isinstance(part, Experts))
    return part.num_experts_per_tok, part.num_experts
