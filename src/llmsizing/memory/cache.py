"""Bytes of the KV cache and of recurrent states, layer by layer."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from llmsizing.architecture import Model, expect_model
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.engines import WINDOW_NOT_USED, load_engine
from llmsizing.errors import InvalidInput
from llmsizing.memory.settings import Settings, conversations

PAD = 256  # llama.cpp rounds the cells of a cache up to a multiple of this
STATE_BYTES = 4  # llama.cpp keeps recurrent states in F32


def kv_cache_bytes(model: Model, *, context_tokens: int = 8192, kv_cache: str | tuple[str, str] = "f16",
                   sequences: int = 1, unified_kv: bool = True, swa_full: bool = False,
                   ubatch: int = 512, flash_attention: bool = True) -> int:
    r"""Bytes that llama.cpp reserves for keys and values, and for recurrent states.

    In words: for every layer, the cells that it keeps, times the numbers per cell, times the
    bytes per number; with h heads for keys and values of length d

    .. math:: \sum_{layers} cells \cdot h \cdot (d_K \cdot b_K + d_V \cdot b_V)

    A layer that looks back at all keeps a cell for each token of the context. A sliding layer
    keeps its window and the tokens computed at a time. MLA keeps one short vector and no values.
    Without flash attention values lie transposed, in every layer as many as in the widest one.
    A recurrent layer keeps a state of fixed size for each conversation. Cells are rounded up to
    256, as llama.cpp does.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    context_tokens : int
        Tokens in all, as llama.cpp's -c counts them: conversations share them.
    kv_cache : str or (str, str)
        Type of keys and values, "f16", "q8_0", "q4_0" and others.
    sequences : int
        Conversations at once.
    unified_kv, swa_full, ubatch, flash_attention
        As in `vram_budget`.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    InvalidInput, UnknownName
        If a setting makes no sense.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> kv_cache_bytes(load_model("Llama-3.1-8B"), context_tokens=8192)
    1073741824

    References
    ----------
    llama.cpp@0c1e57098: src/llama-kv-cache.cpp, llama-kv-cache-iswa.cpp, llama-memory-recurrent.cpp.
    """
    return cache_term(model, Settings(
        context_tokens=context_tokens, kv_cache=kv_cache, sequences=sequences,
        unified_kv=unified_kv, swa_full=swa_full, ubatch=ubatch,
        flash_attention=flash_attention)).bytes


def cache_term(model: Model, settings: Settings, layers: Iterable[int] | None = None) -> Term:
    """The KV cache and the recurrent states as one term, of all layers or of those numbered."""
    expect_model(model)
    kept: Counter[tuple[int, int, int | None]] = Counter()
    kinds, states = _kinds(model, None if layers is None else tuple(layers))
    for (keys, values, window), count in kinds:
        stored = values if settings.flash_attention or not values else widest_values(model)
        kept[keys, stored, used_window(model, window, settings)] += count
    terms = [_cached(count, *what, settings) for what, count in kept.items()]
    terms += [_state(count, numbers, settings) for numbers, count in states]
    if not terms and layers is None:
        raise InvalidInput(f"{model.name} has no layer that keeps anything: its config is wrong.")
    return sum_of("KV cache", *terms) if terms else product("KV cache", Factor(0, "bytes"))


@lru_cache(maxsize=512)
def _kinds(model: Model, numbers: tuple[int, ...] | None) -> tuple[
        tuple[tuple[tuple[int, int, int | None], int], ...], tuple[tuple[int, int], ...]]:
    """Keys, values and window of each kind of layer, and states, with how many have them."""
    layers = model.layers if numbers is None else [model.layers[number] for number in numbers]
    mixers = [layer.attention for layer in layers if layer.attention]
    kept = Counter((mixer.keys_per_token, mixer.values_per_token, mixer.window)
                   for mixer in mixers if mixer.keys_per_token)
    states = Counter(layer.state_numbers for layer in layers if layer.state_numbers)
    return tuple(kept.items()), tuple(states.items())


@lru_cache(maxsize=256)
def widest_values(model: Model) -> int:
    """The most numbers per token that any layer caches as values."""
    return max((layer.attention.values_per_token for layer in model.layers if layer.attention),
               default=0)


def used_window(model: Model, window: int | None, settings: Settings) -> int | None:
    """The window that the engine uses for a layer."""
    return None if model.model_type in WINDOW_NOT_USED.get(load_engine(settings.engine).family, ()) else window


def _cached(layers: int, keys: int, values: int, window: int | None, settings: Settings) -> Term:
    cells = streams(settings) * cells_per_stream(window, settings)
    kind = f"sliding by {window:,}" if window else "that look back at every token"
    return product(
        f"{layers} layer{'s' if layers > 1 else ''} {kind}",
        Factor(layers, "layers"),
        Factor(cells, "cells"),
        Factor(settings.cell_bytes(keys, values), f"bytes per cell ({keys:,} + {values:,} numbers)"),
    )


def streams(settings: Settings) -> int:
    """How many caches there are: one, or one for each conversation."""
    return 1 if settings.unified_kv else settings.sequences


def cells_per_stream(window: int | None, settings: Settings) -> int:
    """Cells of a layer in one of the caches, for a window or the whole context (None)."""
    each = padded(max(1, padded(settings.context_tokens) // streams(settings)))
    if window is None or settings.swa_full:
        return each
    shared = settings.sequences if settings.unified_kv else 1
    return padded(min(each, window * shared + settings.ubatch))


def padded(cells: int) -> int:
    """Cells rounded up as llama.cpp does.

    >>> padded(5000)
    5120
    """
    return PAD * -(-cells // PAD)


def _state(layers: int, numbers: int, settings: Settings) -> Term:
    return product(
        f"state of {layers} layers",
        Factor(layers, "layers"),
        Factor(settings.sequences, conversations(settings)),
        Factor(numbers, "numbers"),
        Factor(STATE_BYTES, "bytes (F32)"),
    )
