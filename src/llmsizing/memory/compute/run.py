"""One step of computing, run through layer by layer: what lies in memory at its widest moment."""

from collections.abc import Mapping
from functools import lru_cache

from llmsizing.architecture import Attention, LatentAttention, Model
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.memory.cache import cells_per_stream, padded, streams, used_window, widest_values
from llmsizing.memory.compute import mixers, workers
from llmsizing.memory.compute.arena import Moment
from llmsizing.memory.compute.plan import Place, Plan, plan
from llmsizing.memory.compute.step import HALF, RESULT, STREAMS, Step, X
from llmsizing.memory.settings import Settings

INDEX = 8  # bytes of a token's place in a cache
POSITION = 4  # bytes of its number in the text
TABLES = "embeddings per layer"
TOP_K = 2048  # tokens that DeepSeek's indexer picks for each token

Masks = tuple[tuple[int | None, int], ...]  # each window, None for the whole context, and its cells


def widest_moment(model: Model, settings: Settings, *, grouped: bool,
                  copies: Mapping[str, int] | None = None) -> Moment:
    """The moment of a step at which its results reach farthest.

    Matrix products of one input may be grouped, as Vulkan does, or taken as they come. ``copies``
    are the bytes of matrices that lie in RAM, by tensor name.
    """
    rotated = any(kind not in ("f32", "f16", "bf16") for kind in settings.kv_cache)
    return _run(model, tokens_at_once(settings), masks(model, settings), settings.sequences,
                streams(settings), settings.flash_attention, rotated, settings.logits == "all",
                settings.backend == "cpu", grouped, tuple(sorted((copies or {}).items())))


def tokens_at_once(settings: Settings) -> int:
    """Tokens of one step."""
    return min(settings.ubatch, padded(settings.context_tokens))


def masks(model: Model, settings: Settings) -> Masks:
    """The windows in use, and how many cells the mask of each covers."""
    windows = dict.fromkeys(used_window(model, window, settings) for window in plan(model).windows)
    return tuple((window, cells_per_stream(window, settings)) for window in windows)


def place_inputs(step: Step, model: Model, cells: Masks) -> None:
    """What is there before the first layer: embedded tokens, their places in caches, masks."""
    arena, tokens = step.arena, step.tokens
    step.make(X, model.hidden_size)
    arena.make("positions", tokens * POSITION)
    # Without flash attention values lie transposed: each number has a place of its own.
    places = 1 + (1 if step.flash else widest_values(model))
    for window, have in cells:
        arena.make(f"places{_of(window)}", tokens * INDEX * places)
        arena.make(f"mask{_of(window)}", tokens * have * (HALF if step.flash else RESULT))
    if plan(model).indexed:
        arena.make("mask of the indexer", tokens * max(have for _, have in cells) * HALF)


@lru_cache(maxsize=512)
def _run(model: Model, tokens: int, cells: Masks, sequences: int, streams: int, flash: bool,
         rotated: bool, every_logit: bool, cpu: bool, grouped: bool,
         copies: tuple[tuple[str, int], ...]) -> Moment:
    step = Step(tokens, model.hidden_size, sequences=sequences, streams=streams, flash=flash,
                grouped=grouped, rotated=rotated, copies=dict(copies))
    run, arena = plan(model), step.arena
    if run.indexed:
        picked = min(TOP_K, max(have for _, have in cells))
        step.make("tokens picked in each layer", model.num_hidden_layers * picked)
    if cpu:
        step.make("embedding's input", model.hidden_size)
    place_inputs(step, model, cells)
    if run.tables:
        step.make("tables, read", run.tables)
        step.make("tables, scaled", run.tables, "tables, read")
        step.make("tables, made", run.tables)
    if run.streams:
        step.make(STREAMS, run.streams * model.hidden_size)
    for number, place in enumerate(run.path):
        _layer(step, place, run, dict(cells))
        if run.tables and number == 0:
            step.make("tables, summed", run.tables, "tables, made")
            arena.free("tables, scaled")
            step.make(TABLES, run.tables, "tables, summed")
    if every_logit:
        _end(step, run, dict(cells), model.vocab_size)
    elif run.only_once:
        _mix(step, run.last, dict(cells))
    return arena.widest


def _end(step: Step, run: Plan, cells: dict[int | None, int], vocab_size: int) -> None:
    """The last layer for all tokens, and their logits; what is not needed any more has left."""
    needed = _window(run.last, cells) if _looks_back(run.last) else ...
    step.arena.free(*(f"mask{_of(window)}" for window in cells if window != needed))
    step.last = True
    if needed is not ...:
        step.leaving = (f"mask{_of(needed)}",)
    _mix(step, run.last, cells)
    _work(step, run.last)
    if run.streams:
        step.arena.free(STREAMS)
        step.picked(X)
    if TABLES in step.arena:
        step.arena.free(TABLES)
    step.make("logits", vocab_size, X)


def _layer(step: Step, place: Place, run: Plan, cells: dict[int | None, int]) -> None:
    if run.streams:
        step.predict(run.streams)
    _mix(step, place, cells)
    _work(step, place)


def _mix(step: Step, place: Place, cells: dict[int | None, int]) -> None:
    """The parts that mix tokens: attention, a recurrent mixer, or both side by side."""
    if not place.mixers:
        return
    if place.normed:
        step.norm()
    for number, part in enumerate(place.mixers):
        if number:
            step.arena.rename("mixed", "mixed first")
        match part:
            case Attention():
                mixers.attention(step, part, cells[_window(place, cells)],
                                 keep_norm=part is not place.mixers[-1],
                                 beside=place.dense if place.beside else None)
            case LatentAttention() if part.latent_cache:
                mixers.latent_attention(step, part, cells[_window(place, cells)])
            case LatentAttention():
                mixers.unfolded_latent_attention(step, part, cells[_window(place, cells)])
            case Mamba2() | PlamoMamba():
                mixers.mamba(step, part)
            case GatedDeltaNet():
                mixers.delta(step, part)
            case KimiDelta():
                mixers.kimi(step, part)
            case ShortConvolution():
                mixers.convolution(step, part)
        if number:
            step.arena.free("mixed first")
    if step.last:
        step.pick()
    if not place.beside:
        step.add("mixed")


def _work(step: Step, place: Place) -> None:
    """The parts that work on each token alone."""
    if not place.routed and not place.dense:
        return
    if place.normed and not place.beside:
        step.norm()
    if place.routed:
        workers.experts(step, place.routed, place.shared)
    if place.dense and not place.routed:
        workers.feed_forward(step, place.dense)
    elif place.dense:
        step.norm()
        workers.feed_forward(step, place.dense, "fed forward, too")
        step.arena.free("fed forward, too")
    if place.beside:
        step.arena.free("mixed")
    step.add("fed forward")


def _looks_back(place: Place) -> bool:
    return any(isinstance(part, Attention | LatentAttention) for part in place.mixers)


def _window(place: Place, cells: dict[int | None, int]) -> int | None:
    """The window that the engine uses for a layer."""
    return place.window if place.window in cells else None


def _of(window: int | None) -> str:
    return f" of the window of {window:,}" if window else " of the context"
