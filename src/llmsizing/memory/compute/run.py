"""One step of computing, run through layer by layer: what lies in memory at its widest moment."""

from functools import lru_cache

from llmsizing.architecture import Attention, Experts, FeedForward, LatentAttention, Layer, Model
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.memory.cache import cells_per_stream, padded, streams, used_window, widest_values
from llmsizing.memory.compute import mixers, workers
from llmsizing.memory.compute.arena import Arena
from llmsizing.memory.compute.step import HALF, RESULT, STREAMS, Step, X
from llmsizing.memory.settings import Settings

INDEX = 8  # bytes of a token's place in a cache
POSITION = 4  # bytes of its number in the text
TABLES = "embeddings per layer"
TOP_K = 2048  # tokens that DeepSeek's indexer picks for each token


def widest_moment(model: Model, settings: Settings) -> Arena:
    """The arena after one step: how far it reaches, and what lay in it then."""
    return _run(model, tokens_at_once(settings), masks(model, settings), settings.sequences,
                streams(settings), settings.flash_attention, _rotated(settings),
                settings.logits == "all", settings.backend == "cpu")


@lru_cache(maxsize=1000)
def _run(model: Model, tokens: int, cells: tuple[tuple[int | None, int], ...], sequences: int,
         streams: int, flash: bool, rotated: bool, every_logit: bool, cpu: bool) -> Arena:
    step = Step(tokens, model.hidden_size, sequences=sequences, flash=flash, grouped=not cpu,
                rotated=rotated)
    of_window = dict(cells)
    if _indexed(model):
        step.make("tokens picked in each layer", len(model.layers) * min(TOP_K, max(of_window.values())))
    place_inputs(step, model, of_window, cpu=cpu)
    tables = per_layer_numbers(model)
    if tables:
        step.make("embeddings per layer, read", tables)
        step.make("embeddings per layer, scaled", tables, "embeddings per layer, read")
        step.make("embeddings per layer, made", tables)
    streams_beside = _streams_beside(model)
    if streams_beside:
        step.make(STREAMS, streams_beside * model.hidden_size)
    for number, layer in enumerate(_path(model)):
        if streams_beside:
            step.streams(streams_beside)
        _mix(step, layer, of_window, streams)
        _feed_forward(step, layer)
        if tables and number == 0:
            step.make("sum", tables, "embeddings per layer, made")
            step.arena.free("embeddings per layer, scaled")
            step.make(TABLES, tables, "sum")
    last = model.layers[-1]
    if not every_logit:
        if last not in model.layers[:-1]:
            _mix(step, last, of_window, streams)
        return step.arena
    _forget_masks(step, of_window, last)
    step.last = True
    if last.attention:
        step.leaving = (f"mask{_in(_window(last, of_window))}",)
    _mix(step, last, of_window, streams)
    _feed_forward(step, last)
    if streams_beside:
        step.arena.free(STREAMS)
        step.picked(X)
    if tables:
        step.arena.free(TABLES)
    step.make("logits", model.vocab_size, X)
    return step.arena


def _forget_masks(step: Step, cells: dict[int | None, int], last: Layer) -> None:
    """Masks that the last layer does not need have left before it."""
    needed = _window(last, cells) if last.attention else ...
    step.arena.free(*(f"mask{_in(window)}" for window in cells if window != needed))


def _streams_beside(model: Model) -> int:
    """How many streams Gemma 3n carries; 0 elsewhere."""
    return next((tensor.shape[0] + 1 for tensor in model.others
                 if tensor.name == "altup_proj.weight"), 0)


def per_layer_numbers(model: Model) -> int:
    """Numbers that Gemma 3n and 4 keep for each token: an embedding of its own for each layer."""
    return next((tensor.shape[1] for tensor in model.others
                 if tensor.role == "per-layer embedding"), 0)


@lru_cache(maxsize=256)
def _path(model: Model) -> tuple[Layer, ...]:
    """Layers but the last, in their order, without those that follow a layer as others did."""
    numbers: dict[Layer, int] = {}
    steps: dict[tuple[int, int], Layer] = {}
    before = 0
    for layer in model.layers[:-1]:
        number = numbers.setdefault(layer, len(numbers) + 1)
        steps.setdefault((before, number), layer)
        before = number
    return tuple(steps.values())


def place_inputs(step: Step, model: Model, cells: dict[int | None, int], *, cpu: bool) -> None:
    """What is there before the first layer: embedded tokens, places in caches, masks."""
    arena, tokens = step.arena, step.tokens
    if cpu:
        step.make("embedding's input", model.hidden_size)
    step.make(X, model.hidden_size)
    arena.make("positions", tokens * POSITION)
    for window, have in cells.items():
        arena.make(f"places{_in(window)}", tokens * INDEX * (1 + (1 if step.flash else widest_values(model))))
        arena.make(f"mask{_in(window)}", tokens * have * (HALF if step.flash else RESULT))
    if _indexed(model):
        arena.make("mask of the indexer", tokens * max(cells.values()) * HALF)


def _window(layer: Layer, cells: dict[int | None, int]) -> int | None:
    """The window that the engine uses for a layer."""
    return layer.attention.window if layer.attention.window in cells else None


def _indexed(model: Model) -> bool:
    """Whether DeepSeek's indexer picks the tokens that attention looks at."""
    return any(isinstance(layer.attention, LatentAttention) and layer.attention.index_n_heads
               for layer in model.layers)


def _in(window: int | None) -> str:
    return f" of the window of {window:,}" if window else " of the context"


def _mix(step: Step, layer: Layer, cells: dict[int | None, int], streams: int) -> None:
    """The parts that mix tokens: attention, a recurrent mixer, or both side by side."""
    parts = [part for part in layer.parts if not isinstance(part, FeedForward | Experts)]
    if not parts:
        return
    if _has(layer, "attn_norm.weight"):
        step.norm()
    have = cells[_window(layer, cells)] if layer.attention else 0
    for number, part in enumerate(parts):
        if number:
            step.arena.rename("mixed", "mixed first")
        match part:
            case Attention():
                mixers.attention(step, part, have, keep_norm=part is not parts[-1],
                                 beside=_beside(layer))
            case LatentAttention() if part.latent_cache:
                mixers.latent_attention(step, part, have, streams)
            case LatentAttention():
                mixers.unfolded_latent_attention(step, part, have)
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
    if not _beside(layer):
        step.add("mixed")


def _feed_forward(step: Step, layer: Layer) -> None:
    """The parts that work on each token alone."""
    routed = next((part for part in layer.parts if isinstance(part, Experts)), None)
    plain = {part.role: part for part in layer.parts if isinstance(part, FeedForward)}
    if not routed and not plain:
        return
    parallel = _beside(layer)
    if not parallel and _has(layer, "attn_norm.weight"):
        step.norm()
    if routed:
        workers.experts(step, routed, plain.get("shared expert"))
    if "feed-forward" in plain and not routed:
        workers.feed_forward(step, plain["feed-forward"])
    elif "feed-forward" in plain:
        step.norm()
        workers.feed_forward(step, plain["feed-forward"], "fed forward, too")
        step.arena.free("fed forward, too")
    if parallel:
        step.arena.free("mixed")
    step.add("fed forward")


def _has(layer: Layer, name: str) -> bool:
    return any(tensor.name == name for tensor in layer.others)


def _beside(layer: Layer) -> FeedForward | None:
    """The feed-forward part that works on the same norm as attention, as in Command R."""
    norms = [tensor.name for tensor in layer.others if tensor.name.endswith("norm.weight")]
    if not isinstance(layer.parts[0], Attention) or norms != ["attn_norm.weight"]:
        return None
    return next((part for part in layer.parts if isinstance(part, FeedForward)), None)


def tokens_at_once(settings: Settings) -> int:
    """Tokens of one step."""
    return min(settings.ubatch, padded(settings.context_tokens))


def masks(model: Model, settings: Settings) -> tuple[tuple[int | None, int], ...]:
    """Each window in use, None for the whole context, and the cells that its mask covers."""
    windows = dict.fromkeys(used_window(model, window, settings) for window in _windows(model))
    return tuple((window, cells_per_stream(window, settings)) for window in windows)


@lru_cache(maxsize=256)
def _windows(model: Model) -> tuple[int | None, ...]:
    return tuple(dict.fromkeys(layer.attention.window for layer in model.layers if layer.attention))


def _rotated(settings: Settings) -> bool:
    return any(kind not in ("f32", "f16", "bf16") for kind in settings.kv_cache)
