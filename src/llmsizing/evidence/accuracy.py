"""accuracy: how far every kind of prediction is off, in one table."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from llmsizing.evidence.comparison import Comparison
from llmsizing.evidence.files import published_comparisons, weight_comparisons
from llmsizing.evidence.loads import load_comparisons
from llmsizing.evidence.logs import log_comparisons
from llmsizing.evidence.summary import Accuracy, percent, summary
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


def accuracy(*, broad: bool = True) -> list[Accuracy]:
    """How far each kind of prediction is off.

    Evidence that a rule was fitted on and evidence that it never saw are rows of their own.

    Parameters
    ----------
    broad : bool
        Whether to take loads together whatever their settings, and all terms of an engine's
        real loads; otherwise each setting and each term has its row.

    Returns
    -------
    list of Accuracy
        In the order of the evidence.

    Examples
    --------
    >>> accuracy()[0].kind, accuracy()[0].rows
    ("weights, llama.cpp's quantizer", 427)
    >>> len(accuracy()) < len(accuracy(broad=False))
    True
    """
    kinds: dict[str, dict[bool, list[Comparison]]] = {}
    for one in comparisons():
        same = kinds.setdefault(_broad(one.kind) if broad else one.kind, {})
        same.setdefault(one.fitted, []).append(one)
    return [summary(kind, same[fitted]) for kind, same in kinds.items() for fitted in sorted(same)]


def _broad(kind: str) -> str:
    """A kind up to its second comma, and a real load up to its engine."""
    if kind.startswith(REAL):
        return " ".join(kind.split()[:3]).rstrip(",")
    return ", ".join(kind.split(", ")[:2])


def accuracy_table(*, broad: bool = True) -> Table:
    """The same as a table that prints, in percent of what was measured.

    "seen" says whether a rule or its range was made with the rows in view; "in range" is the
    share in our range, of the rows for which we give one.

    Examples
    --------
    >>> print(accuracy_table().columns)
    ('what', 'seen', 'rows', 'median', '90 %', 'worst', 'in range')
    """
    return table(
        {"what": row.kind, "seen": "yes" if row.fitted else "no", "rows": row.rows,
         "median": percent(row.median), "90 %": percent(row.p90),
         "worst": percent(row.worst, sign=True),
         "in range": "–" if row.inside is None else f"{100 * row.inside:.0f} %"}
        for row in accuracy(broad=broad)
    )
