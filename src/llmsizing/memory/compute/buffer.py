"""The compute buffer of a model: a step of computing is run through in an arena."""

from functools import lru_cache

from llmsizing.architecture import (
    Attention,
    Experts,
    FeedForward,
    LatentAttention,
    Layer,
    Model,
)
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.memory.cache import cells_per_stream, padded, streams, used_window, widest_values
from llmsizing.memory.compute.arena import Arena
from llmsizing.memory.compute.step import HALF, RESULT, STREAMS, Step, X
from llmsizing.memory.settings import Settings, conversations

INDEX = 8  # bytes of a token's place in a cache
POSITION = 4  # bytes of its number in the text
TOP_K = 2048  # tokens that DeepSeek's indexer picks for each token


def widest_moment(model: Model, settings: Settings, *, grouped: bool) -> Arena:
    """The arena after one step: how far it reaches, and what lay in it then."""
    return _run(model, tokens_at_once(settings), _cells(model, settings), settings.sequences,
                streams(settings), settings.flash_attention, _rotated(settings),
                settings.logits == "all", settings.backend == "cpu", grouped)


def tokens_at_once(settings: Settings) -> int:
    """Tokens of one step."""
    return min(settings.ubatch, padded(settings.context_tokens))


def _cells(model: Model, settings: Settings) -> tuple[tuple[int | None, int], ...]:
    """Each window in use, None for the whole context, and the cells of its cache."""
    windows = dict.fromkeys(used_window(model, layer.attention.window, settings)
                            for layer in model.layers if layer.attention)
    return tuple((window, cells_per_stream(window, settings)) for window in windows)


def _rotated(settings: Settings) -> bool:
    return any(kind not in ("f32", "f16", "bf16") for kind in settings.kv_cache)


@lru_cache(maxsize=1024)
def _run(model: Model, tokens: int, cells: tuple[tuple[int | None, int], ...], sequences: int,
         streams: int, flash: bool, rotated: bool, every_logit: bool, cpu: bool,
         grouped: bool) -> Arena:
    step = Step(tokens, model.hidden_size, sequences=sequences, flash=flash, grouped=grouped,
                rotated=rotated)
    of_window = dict(cells)
    _inputs(step, model, of_window, cpu)
    tables = _per_layer_numbers(model)
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
            step.make("embeddings per layer", tables, "sum")
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


def _per_layer_numbers(model: Model) -> int:
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


def _inputs(step: Step, model: Model, cells: dict[int | None, int], cpu: bool) -> None:
    """What is there before the first layer: embedded tokens, places in caches, masks."""
    arena, tokens = step.arena, step.tokens
    if cpu:
        step.make("embedding's input", model.hidden_size)
    _picks(step, model, cells)
    step.make(X, model.hidden_size)
    arena.make("positions", tokens * POSITION)
    for window, have in cells.items():
        arena.make(f"places{_in(window)}", tokens * INDEX * (1 + (1 if step.flash else widest_values(model))))
        arena.make(f"mask{_in(window)}", tokens * have * (HALF if step.flash else RESULT))


def _window(layer: Layer, cells: dict[int | None, int]) -> int | None:
    """The window that the engine uses for a layer."""
    return layer.attention.window if layer.attention.window in cells else None


def _picks(step: Step, model: Model, cells: dict[int | None, int]) -> None:
    """DeepSeek's indexer: a mask of its own, and room for what each layer picks."""
    mixers = [layer.attention for layer in model.layers]
    if any(isinstance(mixer, LatentAttention) and mixer.index_n_heads for mixer in mixers):
        have = max(cells.values())
        step.make("tokens picked in each layer", len(mixers) * min(TOP_K, have))
        step.arena.make("mask of the indexer", step.tokens * have * HALF)


def _in(window: int | None) -> str:
    return f" of the window of {window:,}" if window else " of the context"


def _mix(step: Step, layer: Layer, cells: dict[int | None, int], streams: int) -> None:
    mixers = [part for part in layer.parts if not isinstance(part, FeedForward | Experts)]
    if not mixers:
        return
    names = {tensor.name for tensor in layer.others}
    if "attn_norm.weight" in names:
        step.norm()
    first = True
    for part in mixers:
        keep = len(mixers) > 1 and first or _parallel(layer)
        if not first:
            step.arena.rename("mixed", "mixed first")
        match part:
            case Attention():
                step.attention(part, cells[_window(layer, cells)], keep_norm=keep)
            case LatentAttention() if part.latent_cache:
                step.latent(part, cells[_window(layer, cells)], streams)
            case LatentAttention():
                step.latent_unfolded(part, cells[_window(layer, cells)])
            case Mamba2() | PlamoMamba():
                step.mamba(part, keep_norm=keep)
            case GatedDeltaNet():
                step.delta(part)
            case KimiDelta():
                step.kimi(part)
            case ShortConvolution():
                step.convolution(part)
        if not first:
            step.arena.free("mixed first")
        first = False
    if step.last:
        step.pick()
    if not _parallel(layer):
        step.add("mixed")


def _parallel(layer: Layer) -> bool:
    """Whether attention and feed-forward work on the same norm, as in Command R."""
    names = [tensor.name for tensor in layer.others if tensor.name.endswith("norm.weight")]
    return isinstance(layer.parts[0], Attention) and len(layer.parts) > 1 and names == ["attn_norm.weight"]


def _feed_forward(step: Step, layer: Layer) -> None:
    routed = next((part for part in layer.parts if isinstance(part, Experts)), None)
    plain = [part for part in layer.parts if isinstance(part, FeedForward)]
    if not routed and not plain:
        return
    names = {tensor.name for tensor in layer.others}
    parallel = _parallel(layer)
    post = names.isdisjoint({"attn_norm.weight"})
    if not parallel and not post:
        step.norm()
    dense = next((part for part in plain if part.role != "shared expert"), None)
    shared = next((part for part in plain if part.role == "shared expert"), None)
    if routed:
        step.experts(routed, shared)
    if dense:
        if routed:
            step.norm()
        step.feed_forward(dense, "fed forward" if not routed else "fed forward, dense")
        if routed:
            step.arena.free("fed forward, dense")
    if parallel:
        step.arena.free("mixed")
    step.add("fed forward")


def compute_term(model: Model, settings: Settings) -> Term:
    """The compute buffer on a device, or in RAM if the backend is the CPU.

    In words: all that lies in memory at the widest moment of a step, gaps between them included.

    References
    ----------
    llama.cpp@0c1e57098: src/llama-graph.cpp, src/models, ggml/src/ggml-alloc.c.
    """
    return _shown("compute buffer", widest_moment(model, settings, grouped=settings.backend != "cpu"))


def host_compute_term(model: Model, settings: Settings) -> Term:
    """What lies in RAM beside the device for a step: the tokens' embeddings, and the masks.

    llama.cpp makes them there and copies them to the device. On the CPU backend nothing lies
    beside it.
    """
    tokens, flash = tokens_at_once(settings), settings.flash_attention
    arena = Step(tokens, model.hidden_size, flash=flash)
    arena.make("embedding's input", model.hidden_size)
    _inputs(arena, model, dict(_cells(model, settings)), cpu=False)
    tables = _per_layer_numbers(model)
    if tables:
        arena.make("embeddings per layer", tables)
    return _shown("compute buffer", arena.arena)


def output_term(model: Model, settings: Settings) -> Term:
    """The logits that the program reads, in RAM: of one token for each conversation.

    It grows when a program asks for the logits of more tokens.
    """
    return product("output buffer", Factor(settings.sequences, conversations(settings)),
                   Factor(model.vocab_size, "logits"), Factor(RESULT, "bytes"))


def _shown(name: str, arena: Arena) -> Term:
    terms = [product(part, Factor(size, "bytes")) for part, size in arena.widest.items()]
    gaps = arena.end - sum(arena.widest.values())
    return sum_of(name, *terms, *([product("gaps between them", Factor(gaps, "bytes"))] if gaps else []))
