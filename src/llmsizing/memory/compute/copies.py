"""Matrices that stay in RAM and are copied to the device while it computes many tokens."""

from functools import lru_cache
from types import MappingProxyType

from llmsizing.architecture import Model
from llmsizing.memory.settings import ALL, Settings
from llmsizing.memory.weights import stored_bytes, stored_tensors

EXPERTS = "_exps."


def copied_weights(model: Model, weights: str | None, settings: Settings) -> MappingProxyType[str, int]:
    """By tensor name, the bytes of the largest such matrix that lies in RAM.

    llama.cpp's -ngl counts layers from the last one, the output layer among them; --n-cpu-moe
    counts them from the first. One matrix is copied at a time, and for steps of 32 tokens or more.

    References
    ----------
    llama.cpp@0c1e57098: src/llama-model.cpp, load_tensors (i_gpu_start); common/common.h,
    LLM_FFN_EXPS_REGEX; ggml/src/ggml-backend.cpp, ggml_backend_sched_split_graph.
    """
    if settings.backend == "cpu":
        return MappingProxyType({})
    in_ram = 0 if settings.offload == ALL else max(model.num_hidden_layers + 1 - settings.offload, 0)
    return _largest(model, weights, in_ram, settings.experts_on_cpu)


@lru_cache(maxsize=256)
def _largest(model: Model, weights: str | None, layers: int, expert_layers: int) -> MappingProxyType[str, int]:
    found: dict[str, int] = {}
    if layers or expert_layers:
        for number, tensor, kind in stored_tensors(model, weights):
            if number is None or not tensor.is_matrix:
                continue
            if number < layers or (number < expert_layers and EXPERTS in tensor.name):
                found[tensor.name] = max(found.get(tensor.name, 0), stored_bytes(tensor, kind))
    return MappingProxyType(found)
