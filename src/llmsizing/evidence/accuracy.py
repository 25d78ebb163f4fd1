"""accuracy: how far every kind of prediction is off, in one table."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from llmsizing.evidence.files import published_comparisons, weight_comparisons
from llmsizing.evidence.loads import load_comparisons
from llmsizing.evidence.summary import Accuracy, percent, summary
from llmsizing.memory import Comparison, log_comparisons
from llmsizing.tables import Table, table

REAL = "real load"


def real_load_comparisons() -> list[Comparison]:
    """Our figures beside what engines reported of real loads, as `log_comparisons` has them."""
    return [replace(one, kind=f"{REAL}, {one.kind}") for one in log_comparisons()]


SOURCES: tuple[Callable[[], list[Comparison]], ...] = (
    weight_comparisons, load_comparisons, published_comparisons, real_load_comparisons,
)


@cache
def comparisons() -> tuple[Comparison, ...]:
    """Every prediction that we can hold against a measured number. It takes some seconds, once.

    Returns
    -------
    tuple of Comparison

    Examples
    --------
    >>> len(comparisons()) > 1000
    True
    """
    return tuple(one for source in SOURCES for one in source())


def accuracy(*, broad: bool = False) -> list[Accuracy]:
    """How far each kind of prediction is off.

    Evidence that a rule was fitted on and evidence that it never saw are rows of their own.

    Parameters
    ----------
    broad : bool
        Whether to take all real loads of an engine together, fitted or not.

    Returns
    -------
    list of Accuracy
        In the order of the evidence.

    Examples
    --------
    >>> accuracy()[0].kind, accuracy()[0].rows
    ("weights, llama.cpp's quantizer", 427)
    >>> [row.kind for row in accuracy(broad=True)][-1]
    'real load, transformers'
    """
    order: dict[tuple[str, bool], list[Comparison]] = {}
    for one in comparisons():
        key = (_broad(one.kind), False) if broad else (one.kind, one.fitted)
        order.setdefault(key, []).append(one)
    return [summary(kind, rows) for (kind, _), rows in order.items()]


def _broad(kind: str) -> str:
    """The kind, of a real load with its engine and no more."""
    return " ".join(kind.split()[:3]).rstrip(",") if kind.startswith(REAL) else kind


def accuracy_table() -> Table:
    """The same as a table that prints, in percent of what was measured.

    Examples
    --------
    >>> print(accuracy_table().columns)
    ('what', 'fitted on it', 'rows', 'median', '90 % within', 'worst', 'in range')
    """
    return table(
        {"what": row.kind, "fitted on it": "yes" if row.fitted else "no", "rows": row.rows, "median": percent(row.median),
         "90 % within": percent(row.p90), "worst": percent(row.worst, sign=True),
         "in range": f"{row.inside:.0%}"}
        for row in accuracy()
    )
