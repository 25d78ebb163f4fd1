"""The compute buffer as terms, on a device and in RAM beside it."""

from fractions import Fraction

from llmsizing.architecture import Layer, Model
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.memory.cache import cells_per_stream, streams, used_window
from llmsizing.memory.compute.arena import Arena
from llmsizing.memory.compute.run import (
    masks,
    per_layer_numbers,
    place_inputs,
    tokens_at_once,
    widest_moment,
)
from llmsizing.memory.compute.step import RESULT, Step
from llmsizing.memory.settings import Settings, conversations

COPY = 2  # bytes: F16
#: What another order of computing changes, as a share of the buffer. Vulkan computes matrix
#: products of one input together; undone, the buffer of 139 of 151 models changes by 8 % at most.
ORDER = Fraction(8, 100)
#: What Vulkan's order adds at most for recurrent layers, whose gaps add up from layer to layer.
SCATTER = Fraction(2, 3)
SMALL = 100  # the share of the buffer below which parts are shown together: a hundredth


def compute_term(model: Model, settings: Settings) -> Term:
    """The compute buffer on a device, or in RAM if the backend is the CPU.

    In words: all that lies in memory at the widest moment of a step, and the gaps between, which
    were too small for what came. The figures are those of a Vulkan device and, for "cpu", of the
    CPU. Other devices compute in another order, which the range covers. On NVIDIA and AMD cards
    an F16 copy of one layer's cache may lie there, too, if it is not kept in F16.

    References
    ----------
    llama.cpp@0c1e57098: src/llama-graph.cpp, src/models; ggml/src/ggml-alloc.c;
    ggml/src/ggml-cuda/fattn.cu, ggml_cuda_flash_attn_ext_get_alloc_size.
    """
    arena = widest_moment(model, settings)
    less = more = ORDER if settings.backend not in ("vulkan", "cpu") else Fraction(0)
    if settings.backend != "cpu" and any(layer.state_numbers for layer in model.layers):
        more = SCATTER
    terms = _shown(arena, tokens_at_once(settings), less * arena.end, more * arena.end)
    copied = 0
    if settings.backend in ("cuda", "rocm") and settings.flash_attention:
        copied = max(_copied_numbers(model, layer, settings) for layer in model.layers)
    if copied:
        terms.append(product("copy of one layer's cache", Factor(copied, "numbers"),
                             Factor(0, "bytes (up to 2 on NVIDIA and AMD)", 0, COPY)))
    return sum_of("compute buffer", *terms)


def host_compute_term(model: Model, settings: Settings) -> Term:
    """What lies in RAM beside the device for a step: embeddings of its tokens, and the masks.

    llama.cpp makes them there and copies them to the device.
    """
    tokens = tokens_at_once(settings)
    step = Step(tokens, model.hidden_size, flash=settings.flash_attention)
    step.make("embedding's input", model.hidden_size)
    place_inputs(step, model, dict(masks(model, settings)), cpu=False)
    tables = per_layer_numbers(model)
    if tables:
        step.make("embeddings per layer", tables)
    return sum_of("compute buffer", *_shown(step.arena, tokens))


def output_term(model: Model, settings: Settings) -> Term:
    """The logits that a program reads, in RAM: of one token for each conversation.

    It grows when a program asks for the logits of more tokens.
    """
    return product("output buffer", Factor(settings.sequences, conversations(settings)),
                   Factor(model.vocab_size, "logits"), Factor(RESULT, "bytes"))


def _shown(arena: Arena, tokens: int, less: Fraction = Fraction(0),
           more: Fraction = Fraction(0)) -> list[Term]:
    """The parts of the widest moment, and the gaps, which may be smaller or larger."""
    terms, rest = [], arena.end
    for name, size in sorted(arena.widest.items(), key=lambda part: -part[1]):
        if size * SMALL >= arena.end:
            rest -= size
            terms.append(product(name, Factor(tokens, "tokens at a time"),
                                 Factor(Fraction(size, tokens), "bytes")))
    gaps = Factor(rest, "bytes", max(Fraction(0), rest - less), rest + more)
    return [*terms, product("gaps and small parts", gaps)] if gaps.high else terms


def _copied_numbers(model: Model, layer: Layer, settings: Settings) -> int:
    """Keys and values of one layer that the cache does not keep in F16."""
    mixer = layer.attention
    if not mixer:
        return 0
    window = used_window(model, mixer.window, settings)
    sides = zip(settings.kv_cache, (mixer.keys_per_token, mixer.values_per_token), strict=True)
    per_cell = sum(numbers for kind, numbers in sides if kind != "f16")
    return per_cell * streams(settings) * cells_per_stream(window, settings)
