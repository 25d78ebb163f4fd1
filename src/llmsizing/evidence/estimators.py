"""The bake-off: what estimators answered in the same cases, ours among them, beside the engine."""

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
from llmsizing.evidence.comparison import Comparison
from llmsizing.evidence.summary import Accuracy, percent, summary
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

    estimator: Estimator
    case: EstimatorCase
    total: Fraction
    weights: Fraction | None = None
    kv_cache: Fraction | None = None

    @property
    def measured(self) -> int:
        """What the engine reserves of that which the estimator counts."""
        return self.case.total_bytes(self.estimator.scope)

    @property
    def error(self) -> float:
        """The answer's error as a share of what the engine reserves; -0.1 is a tenth too little."""
        return float(self.total / self.measured - 1)

    @property
    def gaps(self) -> dict[str, Fraction]:
        """By how many bytes each part is off; what the estimator does not tell apart is one part.

        Together they are the error of the total.
        """
        case, whole = self.case, self.estimator.scope == "all"
        parts = {
            "weights": (self.weights, case.file_bytes if whole else case.weights_bytes),
            "KV cache": (self.kv_cache, case.kv_cache_bytes),
        }
        gaps = {name: given - true for name, (given, true) in parts.items() if given is not None}
        unnamed = [name for name, (given, _) in parts.items() if given is None]
        rest = self.total - self.measured - sum(gaps.values())
        return {**gaps, (", ".join(unnamed) + " and the rest" if unnamed else "buffers"): rest}


@dataclass(frozen=True)
class Score:
    """An estimator, and how far it is off in the cases that it answered."""

    estimator: Estimator
    answers: tuple[Answer, ...]
    accuracy: Accuracy

    @property
    def mean(self) -> float:
        """The mean of the errors' sizes."""
        return sum(abs(answer.error) for answer in self.answers) / len(self.answers)


def contestants() -> tuple[Estimator, ...]:
    """Everything that estimates: the table's programs, the rule of thumb, and this package."""
    return (OURS, RULE, *estimators())


def answers(case: EstimatorCase) -> list[Answer]:
    """What everybody answers in a case, from the smallest error; some have no answer.

    Ours and the rule of thumb are computed here; the others' answers stand in a table.

    Examples
    --------
    >>> found = {answer.estimator.name: answer for answer in answers(estimator_cases()[6])}
    >>> found["ggufit"].case.name, float(found["ggufit"].weights / GIB)
    ('Llama-3.1-8B at Q4_K_M, 2,048 tokens', 4.4873)
    >>> found["llmsizing"].error < 0.0001
    True
    """
    found = [_ours(case), _rule(case), *_in_table()[case.model, case.file_type, case.context_tokens]]
    return sorted(found, key=lambda answer: abs(answer.error))


@cache
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
    given: dict[str, list[Answer]] = {estimator.name: [] for estimator in contestants()}
    for case in estimator_cases():
        for answer in answers(case):
            given[answer.estimator.name].append(answer)
    scores = [Score(own[0].estimator, tuple(own), summary(name, map(_compared, own)))
              for name, own in given.items()]
    return tuple(sorted(scores, key=lambda score: score.mean))


def bake_off_table() -> Table:
    """The scores as a table that prints; errors in percent of what the engine reserves."""
    return table(
        {"estimator": score.estimator.name, "cases": score.accuracy.rows,
         "median": percent(score.accuracy.median), "mean": percent(score.mean),
         "worst": percent(score.accuracy.worst, sign=True)}
        for score in bake_off()
    )


def _compared(answer: Answer) -> Comparison:
    case, total = answer.case, round(answer.total)
    return Comparison(kind="estimators", model=case.model, setting=case.name, measured=answer.measured,
                      rounding=0, low=total, usual=total, high=total, fitted=False,
                      source=answer.estimator.source, source_url="")


def _ours(case: EstimatorCase) -> Answer:
    budget = vram_budget(load_model(case.model), weights=case.file_type,
                         context_tokens=case.context_tokens)
    return Answer(OURS, case, budget.total.usual - budget["runtime"].usual,
                  budget["weights"].usual, budget["KV cache"].usual)


def _rule(case: EstimatorCase) -> Answer:
    parameters = load_model(case.model).parameters
    rule = rule_of_thumb(parameters=parameters, bits=nominal_bits(case.file_type))
    return Answer(RULE, case, rule.total.usual, rule["weights"].usual)


@cache
def _in_table() -> dict[tuple[str, str, int], list[Answer]]:
    by_name = {estimator.name: estimator for estimator in estimators()}
    cases = {(case.model, case.file_type, case.context_tokens): case for case in estimator_cases()}
    found: dict[tuple[str, str, int], list[Answer]] = {key: [] for key in cases}
    for row in estimator_answers():
        key = row.model, row.file_type, row.context_tokens
        found[key].append(Answer(by_name[row.estimator], cases[key], row.total_gib * GIB,
                                 _bytes(row.weights_gib), _bytes(row.kv_cache_gib)))
    return found


def _bytes(gib: Fraction | None) -> Fraction | None:
    return None if gib is None else gib * GIB
