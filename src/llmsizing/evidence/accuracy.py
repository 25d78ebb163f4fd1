"""accuracy: how far every kind of prediction is off, in one table."""

from collections.abc import Callable

from llmsizing.evidence.comparison import Accuracy, Comparison, percent, summary
from llmsizing.evidence.files import published_comparisons, weight_comparisons
from llmsizing.evidence.loads import load_comparisons
from llmsizing.tables import Table, table

SOURCES: tuple[Callable[[], list[Comparison]], ...] = (
    weight_comparisons, load_comparisons, published_comparisons,
)


def comparisons() -> list[Comparison]:
    """Every prediction that we can hold against a measured number.

    Returns
    -------
    list of Comparison

    Examples
    --------
    >>> len(comparisons()) > 1000
    True
    """
    return [one for source in SOURCES for one in source()]


def accuracy() -> list[Accuracy]:
    """How far each kind of prediction is off.

    Evidence that a rule was fitted on and evidence that it never saw are rows of their own.

    Returns
    -------
    list of Accuracy
        In the order of the evidence.

    Examples
    --------
    >>> accuracy()[0].kind, accuracy()[0].rows
    ("weights, llama.cpp's quantizer", 427)
    """
    order: dict[tuple[str, str], list[Comparison]] = {}
    for one in comparisons():
        order.setdefault((one.kind, one.rule), []).append(one)
    return [summary(kind, rows) for (kind, _), rows in order.items()]


def accuracy_table() -> Table:
    """The same as a table that prints, in percent of what was measured.

    Examples
    --------
    >>> print(accuracy_table().columns)
    ('what', 'rule', 'rows', 'median', '90 % within', 'worst', 'in range')
    """
    return table(
        {"what": row.kind, "rule": row.rule, "rows": row.rows, "median": percent(row.median),
         "90 % within": percent(row.p90), "worst": percent(row.worst, sign=True),
         "in range": f"{row.inside:.0%}"}
        for row in accuracy()
    )
