"""Weights, KV cache, compute buffer and total against what llama.cpp itself reports of a load."""

from fractions import Fraction

from llmsizing.breakdown import Term, sum_of
from llmsizing.catalog import EngineLoad, engine_loads, load_model
from llmsizing.evidence.comparison import Comparison
from llmsizing.memory import vram_budget
from llmsizing.units import MIB

PRINTED = MIB // 2000 + 1  # the reports have three decimals of a MiB
BACKENDS = {"vulkan": "device", "cpu": "CPU"}


def load_comparisons() -> list[Comparison]:
    """Our terms, and their totals, beside what llama.cpp reports of loads that it does not do.

    The engine's figures hold no driver, so our total stands without the runtime. Weights and KV
    cache are never fitted; the total is as the compute buffer in it.

    Returns
    -------
    list of Comparison
        Of the kinds "weights" by backend, "KV cache and state", and "compute buffer" and "total"
        by backend, flash attention and logits.

    Examples
    --------
    >>> len(load_comparisons()) == 4 * len(engine_loads())
    True
    """
    return [one for load in engine_loads() for one in _of_load(load)]


def _of_load(load: EngineLoad) -> list[Comparison]:
    budget = vram_budget(load_model(load.model), weights=load.file_type, **load.settings)
    terms = [term for term in budget.terms if term.name != "runtime"]
    where = BACKENDS[load.backend]
    how = f"flash attention {load.flash_attention}, logits of {_tokens(load)}"
    return [
        _beside(load, f"weights, {where}", load.weights_mib, [budget["weights"]], fitted=False),
        _beside(load, "KV cache and state", load.kv_cache_mib, [budget["KV cache"]], fitted=False),
        _beside(load, f"compute buffer, {where}, {how}", load.compute_buffer_mib,
                [budget["compute buffer"]]),
        _beside(load, f"total, {where}, {how}", load.device_mib, terms, digits=3),
    ]


def _tokens(load: EngineLoad) -> str:
    return "one token" if load.logits == "last" else "all tokens"


def _beside(load: EngineLoad, kind: str, mib: Fraction, terms: list[Term], *, digits: int = 1,
            fitted: bool | None = None) -> Comparison:
    term = sum_of(kind, *terms)
    slots = f", {load.sequences} conversations" if load.sequences > 1 else ""
    return Comparison(
        kind=kind, model=load.model,
        setting=f"{load.file_type}, {load.context_tokens:,} tokens{slots}, ubatch {load.ubatch:,}",
        measured=int(mib * MIB), rounding=digits * PRINTED, low=int(term.low),
        usual=int(term.usual), high=int(term.high),
        fitted=load.fitted == "yes" if fitted is None else fitted,
        source=load.source, source_url="")
