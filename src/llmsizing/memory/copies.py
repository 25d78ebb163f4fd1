"""What a device needs beside its own work where a model is split: copies of weights and inputs."""

from fractions import Fraction
from functools import lru_cache

from llmsizing.architecture import Model
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.memory.compute.run import masks, tokens_at_once
from llmsizing.memory.compute.step import HALF, RESULT
from llmsizing.memory.placement import RAM, Placement
from llmsizing.memory.settings import ALL, Settings
from llmsizing.memory.weights import loaded_tensors, stored_bytes

PIPELINED = ("cuda", "rocm", "vulkan")  # backends that compute and copy at the same time
LEAST_COPIED = Fraction(2, 5)  # the rest lies where results lay before
MORE_MASKS = 3  # llama.cpp keeps 4 steps' inputs where one device keeps 1
FIRST, LATER = 4, 8  # copies of a step's hidden states on the first device and on those behind it


def copied_weights_term(model: Model, weights: str | None, settings: Settings, placed: Placement) -> Term | None:
    """Room on a device for one matrix at a time of those that lie in RAM, or None.

    In words: long prompts are computed on the device even where a layer's weights lie in RAM. For
    32 tokens and more llama.cpp copies each matrix to the device, and its place is reserved. The
    largest counts, for experts the whole stack of a layer. Part of it lies where results lay
    before, so it may take less.

    References
    ----------
    llama.cpp@0c1e57098: ggml/src/ggml-backend.cpp (op_offload). Asked of v0.5.0 with layers or
    experts in RAM: for Qwen3-30B-A3B at Q4_K_M 98 % of the largest stack with layers there and 85 %
    with experts, for Llama-3.1-8B 47 %.
    """
    largest = 0 if settings.backend == "cpu" else _largest_in_ram(model, weights, placed)
    if not largest:
        return None
    return product("copy of a matrix in RAM", Factor(largest, "bytes of the largest"),
                   Factor(1, "time at most", LEAST_COPIED, 1))


@lru_cache(maxsize=512)
def _largest_in_ram(model: Model, weights: str | None, placed: Placement) -> int:
    """Bytes of the largest matrix in RAM, tables of the input aside; 0 if there is none."""
    return max((stored_bytes(tensor, kind) for number, tensor, kind in loaded_tensors(model, weights)
                if tensor.is_matrix and tensor.role not in ("embedding", "per-layer embedding")
                and placed.places_of(number, tensor, serves_as_output=False) == {RAM}), default=0)


def pipeline_term(model: Model, settings: Settings, device: int, devices: int) -> Term | None:
    """What one of several devices keeps so that all compute at the same time, or None.

    In words: the masks of three further steps, and the hidden states that come in and go out. It
    is so only where all layers lie on devices.

    References
    ----------
    llama.cpp@0c1e57098: src/llama-context.cpp (pipeline_parallel), GGML_SCHED_MAX_COPIES. Asked of
    v0.5.0 with two devices: exact to 0.1 MiB for Llama-3.1-8B, Gemma-3-4B and Qwen3-30B-A3B.
    """
    everything = settings.offload == ALL or settings.offload > model.num_hidden_layers
    if devices == 1 or not everything or settings.backend not in PIPELINED:
        return None
    tokens = Factor(tokens_at_once(settings), "tokens at a time")
    states = product("hidden states", Factor(LATER if device else FIRST, "copies"), tokens,
                     Factor(model.hidden_size, "numbers"), Factor(RESULT, "bytes"))
    mask = HALF if settings.flash_attention else RESULT
    further = [product(f"masks of {cells:,} cells", Factor(MORE_MASKS, "further steps"), tokens,
                       Factor(cells, "cells"), Factor(mask, "bytes"))
               for cells in sorted({cells for _, cells in masks(model, settings)})]
    return sum_of("copies for a pipeline", states, *further)
