"""How far predictions of one kind are off, in four numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

from llmsizing.errors import InvalidInput
from llmsizing.evidence.comparison import Comparison


@dataclass(frozen=True)
class Accuracy:
    """How far predictions of one kind are off, in shares of what was measured: 0.01 is 1 %.

    Parameters
    ----------
    kind : str
        What was predicted.
    fitted : bool
        Whether our rule, or its range, was made with these rows in view.
    rows : int
        How many.
    median, p90, worst : float
        Half of the errors and 90 % of them are no larger; the worst keeps its sign.
    inside : float or None
        The share that lies in the predicted range, of the rows for which we predict one.
    """

    kind: str
    fitted: bool
    rows: int
    median: float
    p90: float
    worst: float
    inside: float | None


def summary(kind: str, comparisons: Iterable[Comparison]) -> Accuracy:
    """Summarise comparisons of one kind by the size of their errors.

    The median of an even number is the mean of the two in the middle; the 90th percentile is the
    smallest error that at least 90 % of the rows do not exceed. The worst keeps its sign.

    Raises
    ------
    InvalidInput
        If there are none.

    Examples
    --------
    >>> rows = [Comparison(kind="weights", model="A", setting="F16", measured=100, rounding=0,
    ...                    low=99 + off, usual=100 + off, high=101 + off, fitted=False,
    ...                    source="a log", source_url="")
    ...         for off in (0, 1, -2, 4)]
    >>> found = summary("weights", rows)
    >>> found.rows, found.median, found.p90, found.worst, found.inside
    (4, 0.015, 0.04, 0.04, 0.5)
    """
    rows = list(comparisons)
    if not rows:
        raise InvalidInput(f"There is nothing to compare for {kind}.")
    sizes = sorted(abs(row.error) for row in rows)
    ranged = [row for row in rows if row.low < row.high]
    middle = (sizes[(len(rows) - 1) // 2] + sizes[len(rows) // 2]) / 2
    return Accuracy(
        kind, any(row.fitted for row in rows), len(rows), round(middle, 12),
        round(sizes[-(-9 * len(rows) // 10) - 1], 12),
        round(max((row.error for row in rows), key=abs), 12),
        sum(row.inside for row in ranged) / len(ranged) if ranged else None,
    )

def percent(share: float, *, sign: bool = False) -> str:
    """A share in percent: two digits that count, or 0 below a ten-thousandth of a percent.

    The number and its sign do not part at the end of a line.

    >>> print(percent(0.123), percent(-0.0256, sign=True), percent(0.00001), percent(0.0000001))
    12 % -2.6 % 0.001 % 0 %
    """
    value = 100 * share
    size = abs(value)
    decimals = next((places for least, places in ((9.95, 0), (0.995, 1), (0.0995, 2), (0.00095, 3))
                     if size >= least), 4)
    text = f"{value:{'+' if sign else ''}.{decimals}f}"
    return "0\u00a0%" if float(text) == 0 else f"{text}\u00a0%"
