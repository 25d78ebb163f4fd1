"""Comparison: one number that we predict beside the same number as measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from llmsizing.errors import InvalidInput

FITTED = ("derived", "fitted", "never seen")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A prediction beside what was measured, in bytes.

    Parameters
    ----------
    kind : str
        What is compared: "weights", "KV cache and state", "device total".
    model : str
        A model of the catalog.
    setting : str
        File type, context and what else was set, for people.
    measured : Fraction
        Bytes, as the source prints them.
    usual : Fraction
        Bytes that we predict.
    low, high : Fraction, optional
        The ends of the predicted range; the usual value where there is none.
    rounding : Fraction
        Bytes by which the printed number may be off, half of its last digit.
    rule : str
        "derived": nothing in the rule was fitted. "fitted": the rule was fitted on this
        evidence. "never seen": the rule was fitted, but on other models.
    source : str
        What was read.

    Raises
    ------
    InvalidInput
        If the measured value is not positive, the range is none, or the rule is none of these.

    Examples
    --------
    >>> one = Comparison(kind="weights", model="A", setting="F16", measured=Fraction(200),
    ...                  usual=Fraction(202), high=Fraction(210), rule="derived", source="log")
    >>> one.error, one.inside
    (0.01, False)
    """

    kind: str
    model: str
    setting: str
    measured: Fraction
    usual: Fraction
    low: Fraction | None = None
    high: Fraction | None = None
    rounding: Fraction = Fraction(0)
    rule: str
    source: str

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, self.usual)
        if self.measured <= 0 or not self.low <= self.usual <= self.high or self.rule not in FITTED:
            raise InvalidInput(
                f"{self.kind}, {self.model}, {self.setting}: the measured value is positive, the"
                f" range runs from low to high, and the rule is one of {', '.join(FITTED)}."
            )

    @property
    def error(self) -> float:
        """The prediction's error as a share of what was measured; 0.01 is 1 % too much."""
        return float(self.usual / self.measured - 1)

    @property
    def inside(self) -> bool:
        """Whether the measured value lies in the predicted range, as exactly as it was printed."""
        return self.low - self.rounding <= self.measured <= self.high + self.rounding


@dataclass(frozen=True)
class Accuracy:
    """How far predictions of one kind are off: shares of what was measured, as in 0.01 for 1 %.

    Make one with `summary`.
    """

    kind: str
    rule: str
    rows: int
    median: float
    p90: float
    worst: float
    inside: float


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
    >>> rows = [Comparison(kind="weights", model="A", setting="F16", measured=Fraction(100),
    ...                    usual=Fraction(100 + off), rule="derived", source="log")
    ...         for off in (0, 1, -2, 4)]
    >>> found = summary("weights", rows)
    >>> found.rows, found.median, found.p90, found.worst, found.inside
    (4, 0.015, 0.04, 0.04, 0.25)
    """
    rows = list(comparisons)
    if not rows:
        raise InvalidInput(f"There is nothing to compare for {kind}.")
    sizes = sorted(abs(row.error) for row in rows)
    middle = (sizes[(len(rows) - 1) // 2] + sizes[len(rows) // 2]) / 2
    rules = dict.fromkeys(row.rule for row in rows)
    return Accuracy(
        kind, ", ".join(rules), len(rows), round(middle, 12),
        round(sizes[-(-9 * len(rows) // 10) - 1], 12),
        round(max((row.error for row in rows), key=abs), 12),
        sum(row.inside for row in rows) / len(rows),
    )

def percent(share: float, *, sign: bool = False) -> str:
    """A share in percent: two digits that count, or 0 below a ten-thousandth of a percent.

    >>> percent(0.123), percent(-0.0256, sign=True), percent(0.00001), percent(0.0000001)
    ('12 %', '-2.6 %', '0.001 %', '0 %')
    """
    value = 100 * share
    size = abs(value)
    decimals = next((places for least, places in ((9.95, 0), (0.995, 1), (0.0995, 2), (0.00095, 3))
                     if size >= least), 4)
    text = f"{value:{'+' if sign else ''}.{decimals}f}"
    return "0 %" if float(text) == 0 else f"{text} %"
