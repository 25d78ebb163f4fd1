"""Matrices that stay in RAM and are copied to the device while it computes many tokens."""

from functools import lru_cache
from types import MappingProxyType

from llmsizing.architecture import Model
from llmsizing.memory.placement import RAM, Placement
from llmsizing.memory.weights import loaded_tensors, stored_bytes

EXPERTS = "_exps."


@lru_cache(maxsize=256)  # a search for the longest context asks for the same copies again
def copied_weights(model: Model, weights: str | None, placed: Placement) -> MappingProxyType[str, int]:
    """By tensor name, the bytes of the largest such matrix of a layer that lies in RAM.

    One matrix is copied at a time, and for steps of 32 tokens or more.

    References
    ----------
    llama.cpp@0c1e57098: common/common.h, LLM_FFN_EXPS_REGEX; ggml/src/ggml-backend.cpp,
    ggml_backend_sched_split_graph.
    """
    found: dict[str, int] = {}
    if RAM in placed.layers or placed.experts_in_ram:
        for number, tensor, kind in loaded_tensors(model, weights):
            if number is not None and tensor.is_matrix and RAM in placed.places_of(number, tensor):
                found[tensor.name] = max(found.get(tensor.name, 0), stored_bytes(tensor, kind))
    return MappingProxyType(found)
