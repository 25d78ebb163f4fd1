"""Plan: what of a model's shape decides how a step of computing runs."""

from dataclasses import dataclass
from functools import lru_cache

from llmsizing.architecture import Attention, Experts, FeedForward, LatentAttention, Layer, Model
from llmsizing.architecture.model import Part


@dataclass(frozen=True)
class Place:
    """One layer as it is run.

    Parameters
    ----------
    mixers : tuple
        Its parts that mix tokens; Falcon H1 has two, side by side.
    window : int or None
        As its attention has it.
    normed : bool
        Whether a norm stands before its parts; OLMo 2 and EXAONE 4 have them behind.
    routed, dense, shared : Experts, FeedForward or None
        Its parts that work on each token alone.
    beside : bool
        Whether the dense one works on the same norm as attention, as in Command R.
    """

    mixers: tuple[Part, ...]
    window: int | None
    normed: bool
    routed: Experts | None
    dense: FeedForward | None
    shared: FeedForward | None
    beside: bool


@dataclass(frozen=True)
class Plan:
    """A model as it is run.

    Parameters
    ----------
    path : tuple of Place
        Its layers but the last, without those that follow a layer as others like them did.
    last : Place
        The last layer.
    only_once : bool
        Whether no other layer is like the last.
    windows : tuple of int or None
        The windows of its attention, each once.
    tables : int
        Numbers of the embeddings that Gemma 3n and 4 read for each layer; 0 elsewhere.
    streams : int
        Streams that Gemma 3n carries; 0 elsewhere.
    indexed : bool
        Whether DeepSeek's indexer picks the tokens that attention looks at.
    """

    path: tuple[Place, ...]
    last: Place
    only_once: bool
    windows: tuple[int | None, ...]
    tables: int
    streams: int
    indexed: bool


@lru_cache(maxsize=256)
def plan(model: Model) -> Plan:
    """Look once at a model's layers; steps for many settings follow."""
    *before, last = model.layers
    mixers = [layer.attention for layer in model.layers if layer.attention]
    return Plan(
        path=tuple(_place(layer) for layer in _different(before)),
        last=_place(last),
        only_once=last not in before,
        windows=tuple(dict.fromkeys(mixer.window for mixer in mixers)),
        tables=next((tensor.shape[1] for tensor in model.others
                     if tensor.role == "per-layer embedding"), 0),
        streams=next((tensor.shape[0] + 1 for tensor in model.others
                      if tensor.name == "altup_proj.weight"), 0),
        indexed=any(isinstance(mixer, LatentAttention) and mixer.index_n_heads for mixer in mixers),
    )


def _different(layers: list[Layer]) -> list[Layer]:
    numbers: dict[Layer, int] = {}
    found: dict[tuple[int, int], Layer] = {}
    before = 0
    for layer in layers:
        number = numbers.setdefault(layer, len(numbers) + 1)
        found.setdefault((before, number), layer)
        before = number
    return list(found.values())


def _place(layer: Layer) -> Place:
    workers = {part.role if isinstance(part, FeedForward) else "experts": part
               for part in layer.parts if isinstance(part, FeedForward | Experts)}
    mixers = tuple(part for part in layer.parts if not isinstance(part, FeedForward | Experts))
    norms = [tensor.name for tensor in layer.others if tensor.name.endswith("norm.weight")]
    return Place(
        mixers=mixers,
        window=layer.attention.window if layer.attention else None,
        normed="attn_norm.weight" in norms,
        routed=workers.get("experts"),
        dense=workers.get("feed-forward"),
        shared=workers.get("shared expert"),
        beside=(len(mixers) == 1 and isinstance(mixers[0], Attention)
                and norms == ["attn_norm.weight"] and "feed-forward" in workers),
    )
