"""KV cache, compute buffer and device total against what llama.cpp itself reports of a load."""

from fractions import Fraction

from llmsizing.architecture import Model
from llmsizing.catalog import (
    engine_context,
    engine_contexts,
    engine_file_types,
    engine_weights,
    reported_models,
)
from llmsizing.evidence.comparison import Comparison
from llmsizing.memory import vram_budget
from llmsizing.units import MIB

PRINTED = Fraction(MIB, 2000)  # the reports have three decimals of a MiB


def load_comparisons() -> list[Comparison]:
    """Our terms, and their totals, beside what llama.cpp reports for the models of chapter 2.

    The engine's figures hold no driver, so our total stands without the runtime.

    Returns
    -------
    list of Comparison
        Of the kinds "KV cache and state", "compute buffer" and "device total".

    Examples
    --------
    >>> kinds = [one.kind for one in load_comparisons()]
    >>> kinds.count("KV cache and state"), kinds.count("device total")
    (91, 637)
    """
    return [one for model in reported_models() for tokens in engine_contexts(model.name)
            for one in _of_one_context(model, tokens)]


def _of_one_context(model: Model, tokens: int) -> list[Comparison]:
    reported, setting = engine_context(model.name, tokens), f"{tokens:,} tokens"
    names = engine_file_types(model.name)
    budgets = {name: vram_budget(model, weights=name, context_tokens=tokens) for name in names}
    cache, buffer = budgets[names[0]]["KV cache"], budgets[names[0]]["compute buffer"]
    found = [
        Comparison(kind="KV cache and state", model=model.name, setting=setting, rule="derived",
                   measured=reported.kv_cache_mib * MIB, usual=Fraction(cache.bytes),
                   rounding=PRINTED, source=reported.source),
        Comparison(kind="compute buffer", model=model.name, setting=setting, rule="fitted",
                   measured=reported.compute_buffer_mib * MIB, usual=buffer.usual,
                   low=buffer.low, high=buffer.high, rounding=PRINTED, source=reported.source),
    ]
    for name, budget in budgets.items():
        total, runtime = budget.total, budget["runtime"]
        weights = engine_weights(model.name, name).weights_mib
        found.append(Comparison(
            kind="device total", model=model.name, setting=f"{name}, {setting}", rule="fitted",
            measured=(weights + reported.kv_cache_mib + reported.compute_buffer_mib) * MIB,
            usual=total.usual - runtime.usual, low=total.low - runtime.low,
            high=total.high - runtime.high, rounding=3 * PRINTED, source=reported.source))
    return found
