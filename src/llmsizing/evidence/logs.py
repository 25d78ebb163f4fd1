"""Our figures beside what engines reported of real loads."""

import math
from collections.abc import Iterator
from fractions import Fraction

from llmsizing.breakdown import Term, maximum_of, sum_of
from llmsizing.catalog import load_model
from llmsizing.catalog.loads import (
    GpuLoad,
    TransformersLoad,
    VllmLoad,
    gpu_loads,
    transformers_loads,
    vllm_loads,
)
from llmsizing.evidence.comparison import Comparison
from llmsizing.memory.budget import host_budget, vram_budget
from llmsizing.memory.other_engines import engine_terms
from llmsizing.memory.other_engines.transformers import (
    grown_cache_term,
    prompt_term,
    weights_on_device,
)
from llmsizing.memory.other_engines.vllm_cache import blocks_of
from llmsizing.memory.runtime import workspace_term
from llmsizing.memory.settings import settings_of
from llmsizing.units import GIB, MIB

#: Half of the last digit that is printed: "14.96 GiB", "8148.38 MiB", "15947 MB", "14.38 GB".
HALF_OF = {"GiB": Fraction(GIB, 200), "MiB": Fraction(MIB, 200),
           "allocated": Fraction(MIB, 2), "peak": Fraction(GIB, 200)}

#: Logs that the low end of the compute buffer's range was read off.
SEEN_BY_COMPUTE = ("ggml-org/llama.cpp#11337", "ollama/ollama#13552")


def log_comparisons() -> list[Comparison]:
    """Hold our figures against every real load that we know of.

    Returns
    -------
    list of Comparison
        Loads in llama.cpp, then in vLLM, then in transformers, in the order of their tables.

    Examples
    --------
    >>> rows = [row for row in log_comparisons() if row.kind == "llama.cpp weights"]
    >>> sum(row.inside for row in rows), len(rows)
    (3, 3)
    """
    return [*(row for load in gpu_loads() for row in _gpu(load)),
            *(row for load in vllm_loads() for row in _vllm(load)),
            *(_transformers(load) for load in transformers_loads())]


def _gpu(load: GpuLoad) -> Iterator[Comparison]:
    model = load_model(load.model)
    budget = vram_budget(model, weights=load.weights, **load.settings)
    host = host_budget(model, weights=load.weights, **load.settings)
    setting = f"{load.weights}, {load.context_tokens:,} tokens, {load.engine}"
    for kind, mib, term in (
        ("weights", load.weights_mib, budget["weights"]),
        ("weights in RAM", load.host_weights_mib, host["weights"]),
        ("KV cache", load.kv_cache_mib, budget["KV cache"]),
        ("compute buffer", load.compute_buffer_mib, budget["compute buffer"]),
    ):
        if mib is not None:
            fitted = kind == "compute buffer" and load.source in SEEN_BY_COMPUTE
            yield _beside(f"llama.cpp {kind}", load, setting, mib * MIB, HALF_OF["MiB"], term, fitted)


def _vllm(load: VllmLoad) -> Iterator[Comparison]:
    model = load_model(load.model)
    native = load.context_tokens or model.max_position_embeddings
    settings = settings_of({
        "engine": "vllm", "devices": load.devices, "kv_cache": load.kv_cache,
        "context_tokens": native, "max_num_batched_tokens": load.max_num_batched_tokens or 2048})
    setting = f"{load.weights}, {load.devices} × {load.device}, vLLM {load.engine}"
    terms = {term.name: term for term in engine_terms(model, load.weights, settings)}
    for kind, gib, term, fitted in (
        ("weights", load.weights_gib, terms["weights"], False),
        ("libraries", load.libraries_gib, terms["runtime"].members[1], True),
        ("compute buffer", load.step_gib, terms["compute buffer"], False),
        ("CUDA graphs", load.graphs_gib, terms["CUDA graphs"], True),
    ):
        if gib is not None:
            yield _beside(f"vLLM {kind}", load, setting, gib * GIB, HALF_OF["GiB"], term, fitted)
    if load.cache_gib is not None and load.cache_tokens is not None:
        blocks = blocks_of(model, settings)
        each = blocks.per_conversation(settings)
        whole = round(Fraction(load.cache_tokens * each, settings.conversation_tokens))
        size = whole * blocks.block_bytes
        yield _compared("vLLM KV cache", load, setting, load.cache_gib * GIB, HALF_OF["GiB"],
                        size, size, size + blocks.block_bytes)  # what is left is less than a block


def _transformers(load: TransformersLoad) -> Comparison:
    model = load_model(load.model)
    prompt, whole = (settings_of({"engine": "transformers", "context_tokens": tokens})
                     for tokens in (load.input_tokens, load.total_tokens))
    held = grown_cache_term(model, whole)
    if load.measured == "peak":  # the prompt's, or that of the whole cache at the end
        held = maximum_of("cache and prompt", held, sum_of(
            "with the prompt", grown_cache_term(model, prompt),
            prompt_term(model, prompt, load.input_tokens)))
    total = sum_of("total", weights_on_device(model, load.weights, whole), held,
                   workspace_term(quantized=load.weights != "BF16"))
    setting = f"{load.weights}, {load.input_tokens:,} of {load.total_tokens:,} tokens, {load.engine}"
    return _beside(f"transformers, {load.measured}", load, setting, load.memory_mib * MIB,
                   HALF_OF[load.measured], total,
                   fitted=_in_view(load))


def _in_view(load: TransformersLoad) -> bool:
    """Whether the range of the work space or of the prompt's copies was read off this row."""
    return (load.input_tokens == 1 or load.model == "Qwen2.5-7B"
            or (load.measured, load.weights) == ("allocated", "BF16"))


def _beside(kind: str, load: GpuLoad | VllmLoad | TransformersLoad, setting: str, measured: Fraction,
            rounding: Fraction, term: Term, fitted: bool = False) -> Comparison:
    return _compared(kind, load, setting, measured, rounding, term.low, term.usual, term.high, fitted)


def _compared(kind: str, load: GpuLoad | VllmLoad | TransformersLoad, setting: str,
              measured: Fraction, rounding: Fraction, low: Fraction | int, usual: Fraction | int,
              high: Fraction | int, fitted: bool = False) -> Comparison:
    return Comparison(kind=kind, model=load.model, setting=setting, measured=int(measured),
                      rounding=math.ceil(rounding), low=int(low), usual=int(usual), high=int(high),
                      fitted=fitted, source=load.source, source_url=load.source_url)
