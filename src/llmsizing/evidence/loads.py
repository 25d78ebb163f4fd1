"""KV cache, compute buffer and device total against what llama.cpp itself reports of a load."""

from fractions import Fraction

from llmsizing.architecture import Model
from llmsizing.breakdown import Term, sum_of
from llmsizing.catalog import (
    engine_context,
    engine_contexts,
    engine_file_types,
    engine_weights,
    reported_models,
)
from llmsizing.memory import Comparison, vram_budget
from llmsizing.units import MIB

PRINTED = MIB // 2000 + 1  # the reports have three decimals of a MiB


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
    budgets = {name: vram_budget(model, weights=name, context_tokens=tokens)
               for name in engine_file_types(model.name)}
    first = next(iter(budgets.values()))

    def beside(kind: str, mib: Fraction, terms: list[Term], *, of: str = "", digits: int = 1,
               fitted: bool) -> Comparison:
        term = sum_of(kind, *terms)
        return Comparison(
            kind=kind, model=model.name, setting=of + setting, measured=int(mib * MIB),
            rounding=digits * PRINTED, low=int(term.low), usual=int(term.usual), high=int(term.high),
            fitted=fitted, source=reported.source, source_url="")

    found = [
        beside("KV cache and state", reported.kv_cache_mib, [first["KV cache"]], fitted=False),
        beside("compute buffer", reported.compute_buffer_mib, [first["compute buffer"]], fitted=True),
    ]
    for name, budget in budgets.items():
        total = (engine_weights(model.name, name).weights_mib + reported.kv_cache_mib
                 + reported.compute_buffer_mib)
        terms = [term for term in budget.terms if term.name != "runtime"]
        found.append(beside("device total", total, terms, of=f"{name}, ", digits=3, fitted=True))
    return found
