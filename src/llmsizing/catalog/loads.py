"""What engines reported of real loads: data/gpu_loads.csv, vllm_loads.csv, transformers_loads.csv."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.catalog.tables import DATA, read_table


@dataclass(frozen=True, kw_only=True)
class GpuLoad:
    """The buffers of one load in llama.cpp or an engine made from it, in MiB, from a thread."""

    model: str
    weights: str
    device: str
    context_tokens: int
    sequences: int
    unified_kv: str
    flash_attention: str
    kv_cache: str
    ubatch: int
    logits: str
    backend: str
    weights_mib: Fraction | None = None
    host_weights_mib: Fraction | None = None
    kv_cache_mib: Fraction | None = None
    compute_buffer_mib: Fraction | None = None
    engine: str
    source: str
    source_url: str
    accessed: str
    notes: str = ""

    @property
    def settings(self) -> dict[str, object]:
        """The load's settings, as `vram_budget` takes them."""
        return {"context_tokens": self.context_tokens, "sequences": self.sequences,
                "unified_kv": self.unified_kv == "yes", "kv_cache": self.kv_cache,
                "flash_attention": self.flash_attention == "yes", "ubatch": self.ubatch,
                "logits": self.logits, "backend": self.backend}


@dataclass(frozen=True, kw_only=True)
class VllmLoad:
    """What vLLM printed when it started, in GiB on each device, from a thread."""

    model: str
    weights: str
    device: str
    devices: int
    context_tokens: int | None = None
    max_num_batched_tokens: int | None = None
    kv_cache: str
    memory_gib: Fraction | None = None
    utilization: Fraction | None = None
    weights_gib: Fraction | None = None
    libraries_gib: Fraction | None = None
    step_gib: Fraction | None = None
    graphs_gib: Fraction | None = None
    cache_gib: Fraction | None = None
    cache_tokens: int | None = None
    engine: str
    source: str
    source_url: str
    accessed: str
    notes: str = ""


@dataclass(frozen=True, kw_only=True)
class TransformersLoad:
    """Memory that PyTorch had allocated, in MiB, as a model's makers published it."""

    model: str
    weights: str
    input_tokens: int
    total_tokens: int
    memory_mib: Fraction
    measured: str
    device: str
    engine: str
    source: str
    source_url: str
    accessed: str


@cache
def gpu_loads() -> tuple[GpuLoad, ...]:
    """Loads in llama.cpp, in the order of data/gpu_loads.csv."""
    return read_table(DATA / "gpu_loads.csv", GpuLoad, key=("source", "context_tokens"))


@cache
def vllm_loads() -> tuple[VllmLoad, ...]:
    """Loads in vLLM, in the order of data/vllm_loads.csv."""
    return read_table(DATA / "vllm_loads.csv", VllmLoad,
                      key=("source", "devices", "context_tokens"))


@cache
def transformers_loads() -> tuple[TransformersLoad, ...]:
    """Loads in transformers, in the order of data/transformers_loads.csv."""
    return read_table(DATA / "transformers_loads.csv", TransformersLoad,
                      key=("model", "weights", "input_tokens", "measured"))
