"""What further conversations cost: one constant, fitted after all others."""

from collections.abc import Sequence
from functools import cache

from llmsizing.speed.check import Case, case_of, constants_of_all, seconds_of
from llmsizing.speed.check_prompts import prompt_constants
from llmsizing.speed.runs import decode_runs

FURTHER = "further conversation"


@cache
def batches() -> tuple[Case, ...]:
    """The published runs of several conversations at once that are no outliers."""
    return tuple(case_of(run) for run in decode_runs() if run.sequences > 1 and not run.outlier)


@cache
def batch_constants() -> dict[str, float]:
    """The constants of decoding and of prompts, and what a further conversation costs."""
    known = {**constants_of_all(), **prompt_constants(), FURTHER: 0.0}
    return {**known, FURTHER: _further(batches(), known)}


def unseen_devices() -> list[tuple[Case, float]]:
    """Each run with its measured over its predicted speed; the one constant has not seen its device."""
    found = []
    for chip in dict.fromkeys(case.chip for case in batches()):
        others = [case for case in batches() if case.chip != chip]
        values = {**batch_constants(), FURTHER: 0.0}
        values[FURTHER] = _further(others, values)
        found += [(case, seconds_of(case, values) / case.seconds) for case in batches() if case.chip == chip]
    return found


def _further(among: Sequence[Case], known: dict[str, float]) -> float:
    """The constant that makes the sum of absolute relative errors least.

    With one constant left that is a median of what each run asks for, in which a run counts by
    how much the constant bears on it.
    """
    asked = sorted(((case.seconds - seconds_of(case, known)) / case.amounts[FURTHER],
                    case.amounts[FURTHER] / case.seconds) for case in among)
    half = sum(weight for _, weight in asked) / 2
    for value, weight in asked:
        half -= weight
        if half <= 0:
            return max(0.0, value)
    return 0.0
