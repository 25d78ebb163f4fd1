"""The compute buffer as terms, on a device and in RAM beside it."""

from collections.abc import Mapping
from fractions import Fraction

from llmsizing.architecture import Model
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.memory.cache import cells_per_stream, streams, used_window
from llmsizing.memory.compute.arena import Moment
from llmsizing.memory.compute.copies import EXPERTS
from llmsizing.memory.compute.plan import plan
from llmsizing.memory.compute.run import (
    TABLES,
    masks,
    place_inputs,
    tokens_at_once,
    widest_moment,
)
from llmsizing.memory.compute.step import HALF, RESULT, Step
from llmsizing.memory.placement import RAM, Placement
from llmsizing.memory.settings import Settings, conversations

OVERLAPPING = ("cuda", "rocm", "vulkan")  # backends that copy while they compute
COPY = 2  # bytes: F16
PLACES = 20  # bytes of a token's position and its places among keys and values
PIPELINED = 4  # copies of each input
#: What Vulkan's order may add for recurrent layers, whose gaps add up from layer to layer: up to
#: two thirds in Granite 4 H and Nemotron 3, as the engine reports. (Without flash attention it
#: doubles the buffer of Nemotron-3-Nano, which this does not cover.)
SCATTER = Fraction(2, 3)
SMALL = 100  # the share of the buffer below which parts are shown together: a hundredth


def compute_term(model: Model, settings: Settings, *,
                 copies: Mapping[str, int] | None = None) -> Term:
    """The compute buffer on a device, or in RAM if the backend is the CPU.

    In words: all that lies in memory at the widest moment of a step, and the gaps between, which
    were too small for what came. The figures are those of a Vulkan device, which computes matrix
    products of one input together, and for "cpu" those of the CPU. The range covers a device that
    takes each product as it comes, and builds of 2025. Matrices that stay in RAM, as
    `copied_weights` lists them, pass through the buffer, too. On NVIDIA and AMD cards an F16 copy
    of one layer's cache may lie there, too, if it is not kept in F16.

    References
    ----------
    llama.cpp@0c1e57098: src/llama-graph.cpp, src/models; ggml/src/ggml-alloc.c;
    ggml/src/ggml-cuda/fattn.cu, ggml_cuda_flash_attn_ext_get_alloc_size.
    """
    device = settings.backend != "cpu"
    split = any(EXPERTS not in name for name in copies or {})  # one product at a time
    widest = widest_moment(model, settings, grouped=device and not split, copies=copies)
    low = high = Fraction(widest.end)
    if settings.backend == "vulkan" and any(layer.state_numbers for layer in model.layers):
        high *= 1 + SCATTER
    elif settings.backend != "vulkan" and device:
        other = widest_moment(model, settings, grouped=False, copies=copies).end
        low, high = min(low, other) - _less_in_older_builds(model, settings), max(high, other)
    terms = _shown(widest, tokens_at_once(settings), low, high)
    if settings.backend in ("cuda", "rocm") and settings.flash_attention:
        terms += _copy(model, settings)
    return sum_of("compute buffer", *terms)


def _less_in_older_builds(model: Model, settings: Settings) -> int:
    """What builds of 2025 did without: a token's places in the caches, a stream beside all logits.

    Read off two logs: 307.00 MiB of Qwen2.5-Coder-32B (ggml-org/llama.cpp#11337), 353.01 of Phi-4
    (ollama/ollama#13552).
    """
    numbers = model.hidden_size * RESULT if settings.logits == "all" else 0
    return tokens_at_once(settings) * (PLACES + numbers)


def host_compute_term(model: Model, settings: Settings) -> Term:
    """What lies in RAM beside the device for a step: embeddings of its tokens, and the masks.

    llama.cpp makes them there and copies them to the device.
    """
    tokens = tokens_at_once(settings)
    step = Step(tokens, model.hidden_size, flash=settings.flash_attention)
    step.make("embedding's input", model.hidden_size)
    place_inputs(step, model, masks(model, settings))
    if plan(model).tables:
        step.make(TABLES, plan(model).tables)
    widest = step.arena.widest
    return sum_of("compute buffer", *_shown(widest, tokens, widest.end, widest.end))


def is_pipeline(settings: Settings, placed: Placement) -> bool:
    """Whether several devices hold all layers, and copy while they compute."""
    several = settings.device_count > 1 and settings.backend in OVERLAPPING
    return several and RAM not in placed.layers


def pipeline_term(model: Model, settings: Settings, *, first: bool) -> Term:
    """What each of several devices keeps beside its compute buffer, all layers being on them.

    While one computes, others are at earlier and later steps: of each input there are four copies.
    The first device gets embedded tokens, the others two results of the device before. If some
    layers stay in RAM, llama.cpp takes the devices in turn and keeps no copies.

    References
    ----------
    llama.cpp@0c1e57098: ggml/src/ggml-backend.cpp, GGML_SCHED_MAX_COPIES; src/llama-context.cpp.
    """
    tokens = Factor(tokens_at_once(settings), "tokens at a time")
    number = HALF if settings.flash_attention else RESULT
    handed = PIPELINED if first else 2 * PIPELINED
    return sum_of(
        "copies for a pipeline",
        *(product(f"mask of {cells:,} cells", Factor(PIPELINED - 1, "copies more"), tokens,
                  Factor(cells, "cells"), Factor(number, "bytes"))
          for _, cells in masks(model, settings)),
        product("results handed over", Factor(handed, "copies"), tokens,
                Factor(model.hidden_size, "numbers"), Factor(RESULT, "bytes")),
    )


def output_term(model: Model, settings: Settings) -> Term:
    """The logits that a program reads, in RAM: of one token for each conversation.

    It grows when a program asks for the logits of more tokens.
    """
    return product("output buffer", Factor(settings.sequences, conversations(settings)),
                   Factor(model.vocab_size, "logits"), Factor(RESULT, "bytes"))


def _shown(widest: Moment, tokens: int, low: Fraction, high: Fraction) -> list[Term]:
    """The parts of the widest moment, and the gaps, which make up for a range."""
    terms, rest = [], widest.end
    for name, size in sorted(widest.tensors.items(), key=lambda part: -part[1]):
        if size * SMALL >= widest.end:
            rest -= size
            terms.append(product(name, Factor(tokens, "tokens at a time"),
                                 Factor(Fraction(size, tokens), "bytes")))
    gaps = Factor(rest, "bytes", max(rest + low - widest.end, 0), rest + high - widest.end)
    return [*terms, product("gaps and small parts", gaps)] if gaps.high else terms


def _copy(model: Model, settings: Settings) -> list[Term]:
    """Keys and values of one layer, the widest, that the cache does not keep in F16."""
    keys, values = (kind != "f16" for kind in settings.kv_cache)
    if not keys and not values:
        return []
    copied = max(
        (mixer.keys_per_token * keys + mixer.values_per_token * values)
        * streams(settings) * cells_per_stream(used_window(model, mixer.window, settings), settings)
        for mixer in (layer.attention for layer in model.layers) if mixer)
    return [product("copy of one layer's cache", Factor(copied, "numbers"),
                    Factor(0, "bytes (up to 2 on NVIDIA and AMD)", 0, COPY))]
