"""The bake-off: what estimators answered in the same cases, ours among them, beside the engine."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.catalog import load_model
from llmsizing.catalog.evidence import (
    Estimator,
    EstimatorCase,
    estimator_answers,
    estimator_cases,
    estimators,
)
from llmsizing.errors import UnknownName
from llmsizing.evidence.comparison import Accuracy, Comparison, percent, summary
from llmsizing.memory import rule_of_thumb, vram_budget
from llmsizing.quantization import nominal_bits
from llmsizing.tables import Table, table
from llmsizing.units import GIB

OURS = Estimator(
    name="llmsizing", version="this one", scope="device",
    counts="VRAM with llama.cpp; here without the driver's share, which the reference has not",
    cause="rules read off this engine, its reports among the evidence",
    source="llmsizing.vram_budget",
)
RULE = Estimator(
    name="rule of thumb", version="2023", scope="all", counts="GPU memory for serving",
    cause="nominal bits; no KV cache; a fifth of the weights on top, whatever is asked",
    source="llmsizing.rule_of_thumb",
)


@dataclass(frozen=True)
class Answer:
    """What one estimator answers in one case, in bytes; its parts where it names them."""

    total: Fraction
    weights: Fraction | None = None
    kv_cache: Fraction | None = None


@dataclass(frozen=True)
class Score:
    """An estimator, and how far it is off in the cases that it answered."""

    estimator: Estimator
    accuracy: Accuracy
    mean: float
    comparisons: tuple[Comparison, ...]


def contestants() -> tuple[Estimator, ...]:
    """Everything that estimates: the table's programs, the rule of thumb, and this package."""
    return (OURS, RULE, *estimators())


def answer(name: str, case: EstimatorCase) -> Answer | None:
    """What an estimator answers in a case, or None if it has no answer.

    Ours and the rule of thumb are computed here; the others' answers stand in a table.

    Raises
    ------
    UnknownName
        If there is no such estimator.

    Examples
    --------
    >>> case = estimator_cases()[6]
    >>> case.name, float(answer("ggufit", case).weights / GIB)
    ('Llama-3.1-8B at Q4_K_M, 2,048 tokens', 4.4873)
    """
    if name in _COMPUTED:
        return _COMPUTED[name](case)
    if name not in {one.name for one in contestants()}:
        raise UnknownName(f"No estimator is called {name!r}.")
    return _answers().get((name, case.model, case.file_type, case.context_tokens))


def bake_off() -> tuple[Score, ...]:
    """Every estimator's errors against llama.cpp's own report, from the smallest mean error.

    An estimator is held against what it counts: the device alone if it says so, otherwise the
    whole file with all buffers, those in RAM too. That is the kinder of the two for those that
    do not tell them apart.

    Returns
    -------
    tuple of Score

    Examples
    --------
    >>> len(bake_off()), bake_off()[0].estimator.name
    (23, 'llmsizing')
    """
    scores = []
    for estimator in contestants():
        rows = comparisons_of(estimator)
        mean = sum(abs(row.error) for row in rows) / len(rows)
        scores.append(Score(estimator, summary(estimator.name, rows), mean, tuple(rows)))
    return tuple(sorted(scores, key=lambda score: score.mean))


def bake_off_table() -> Table:
    """The scores as a table that prints; errors in percent of what the engine reserves."""
    return table(
        {"estimator": score.estimator.name, "version": score.estimator.version,
         "cases": score.accuracy.rows, "median": percent(score.accuracy.median),
         "mean": percent(score.mean), "worst": percent(score.accuracy.worst, sign=True)}
        for score in bake_off()
    )


def comparisons_of(estimator: Estimator) -> list[Comparison]:
    """An estimator's answers, each beside what the engine reports of what it counts."""
    answered = [(case, answer(estimator.name, case)) for case in estimator_cases()]
    return [
        Comparison(kind="estimators", model=case.model, rule="derived", source=case.source,
                   setting=f"{case.file_type}, {case.context_tokens:,} tokens",
                   measured=Fraction(case.total_bytes(estimator.scope)), usual=given.total)
        for case, given in answered if given
    ]


def _ours(case: EstimatorCase) -> Answer:
    budget = vram_budget(load_model(case.model), weights=case.file_type,
                         context_tokens=case.context_tokens)
    return Answer(budget.total.usual - budget["runtime"].usual, budget["weights"].usual,
                  budget["KV cache"].usual)


def _rule(case: EstimatorCase) -> Answer:
    parameters = load_model(case.model).parameters
    rule = rule_of_thumb(parameters=parameters, bits=nominal_bits(case.file_type))
    return Answer(rule.total.usual, rule["weights"].usual)


_COMPUTED: dict[str, Callable[[EstimatorCase], Answer]] = {OURS.name: _ours, RULE.name: _rule}


@cache
def _answers() -> dict[tuple[str, str, str, int], Answer]:
    def scaled(gib: Fraction | None) -> Fraction | None:
        return None if gib is None else gib * GIB

    return {(row.estimator, row.model, row.file_type, row.context_tokens):
            Answer(row.total_gib * GIB, scaled(row.weights_gib), scaled(row.kv_cache_gib))
            for row in estimator_answers()}
