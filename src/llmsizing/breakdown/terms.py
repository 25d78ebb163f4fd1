"""Factor and Term: numbers that are computed from exactly what they show."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from llmsizing.errors import InvalidInput, exact_number, expect, nearest


@dataclass(frozen=True)
class Factor:
    """One number of a product, with the words that stand behind it.

    Parameters
    ----------
    usual : int, float or Fraction
        The number, 0 or more; kept as an exact fraction.
    name : str
        What it counts, as it is read after the number: "layers", "bytes per value".
    low, high : int, float or Fraction, optional
        The range of a number that nobody can derive; by default both are ``usual``.

    Raises
    ------
    InvalidInput
        If a value is no finite number, or not low <= usual <= high.

    Examples
    --------
    >>> Factor(0.1, "GiB per card").usual
    Fraction(1, 10)
    """

    usual: Fraction
    name: str
    low: Fraction | None = None
    high: Fraction | None = None

    def __post_init__(self) -> None:
        expect("the name of a factor", self.name, str, "say what it counts")
        for field in ("usual", "low", "high"):
            value = getattr(self, field)
            same = value is None and field != "usual"
            exact = self.usual if same else exact_number(f"{self.name}, {field},", value, at_least=0)
            object.__setattr__(self, field, exact)
        if not self.low <= self.usual <= self.high:
            raise InvalidInput(
                f"Factor {self.name!r} needs low <= usual <= high, "
                f"but has {self.low}, {self.usual}, {self.high}."
            )


RULES: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "product": math.prod,
    "sum": sum,
    "maximum": max,
}


@dataclass(frozen=True)
class Term:
    """One part of a total: a product of factors, or the sum or maximum of other terms.

    Its value is computed from ``members``, which are also what is printed, so explanation and
    number cannot drift apart. Make one with `product`, `sum_of`, `maximum_of` or `allowance`.

    Parameters
    ----------
    name : str
        What the part is called: "weights", "KV cache".
    rule : str
        "product", "sum" or "maximum".
    members : tuple of Factor, or tuple of Term
        What is multiplied, added or compared.
    source : str
        Where the number was read, if it was read and not derived.

    Raises
    ------
    InvalidInput, UnknownName
        If there are no members, or of the wrong kind, or the rule is none of the three.

    Examples
    --------
    >>> weights = Term("weights", "product", (Factor(8e9, "parameters"), Factor(2, "bytes")))
    >>> weights.bytes
    16000000000
    """

    name: str
    rule: str
    members: "tuple[Factor | Term, ...]"
    source: str = ""

    def __post_init__(self) -> None:
        expect("the name of a term", self.name, str)
        expect(f"the rule of term {self.name!r}", self.rule, str, "write 'product'")
        expect(f"members of term {self.name!r}", self.members, tuple, "put them into brackets")
        expect(f"the source of term {self.name!r}", self.source, str)
        if self.rule not in RULES:
            raise nearest("rule of a term", self.rule, RULES)
        if not self.members:
            raise InvalidInput(f"Term {self.name!r} has nothing to compute its value from.")
        kind = Factor if self.rule == "product" else Term
        for member in self.members:
            expect(f"each member of term {self.name!r}, a {self.rule},", member, kind)

    @property
    def low(self) -> Fraction:
        """The least it can be, in the breakdown's unit."""
        return RULES[self.rule]([member.low for member in self.members])

    @property
    def usual(self) -> Fraction:
        """What to count with, in the breakdown's unit."""
        return RULES[self.rule]([member.usual for member in self.members])

    @property
    def high(self) -> Fraction:
        """The most it can be, in the breakdown's unit."""
        return RULES[self.rule]([member.high for member in self.members])

    @property
    def bytes(self) -> int:
        """The usual value in whole bytes, rounded up."""
        return math.ceil(self.usual)


def product(name: str, *factors: Factor, source: str = "") -> Term:
    """A term that multiplies named factors.

    Parameters
    ----------
    name : str
        What the part is called.
    *factors : Factor
        What is multiplied; the units of their product are the breakdown's.
    source : str
        Where the number was read, if it was not derived.

    Returns
    -------
    Term

    Raises
    ------
    InvalidInput
        If there are no factors, or one of another kind.

    Examples
    --------
    >>> product("KV cache", Factor(8192, "tokens"), Factor(131072, "bytes per token")).bytes
    1073741824
    """
    return Term(name, "product", factors, source)


def sum_of(name: str, *terms: Term) -> Term:
    """A term that adds other terms.

    Parameters
    ----------
    name : str
        What the sum is called.
    *terms : Term
        What is added, all in one unit.

    Returns
    -------
    Term

    Raises
    ------
    InvalidInput
        If there are no terms, or one of another kind.

    Examples
    --------
    >>> k, v = product("K", Factor(512, "bytes")), product("V", Factor(256, "bytes"))
    >>> sum_of("KV cache", k, v).bytes
    768
    """
    return Term(name, "sum", terms)


def maximum_of(name: str, *terms: Term) -> Term:
    """A term as large as the largest of other terms.

    Parameters
    ----------
    name : str
        What the maximum is called.
    *terms : Term
        What is compared, all in one unit.

    Returns
    -------
    Term

    Raises
    ------
    InvalidInput
        If there are no terms, or one of another kind.

    Examples
    --------
    >>> logits, rest = product("logits", Factor(9, "bytes")), product("rest", Factor(7, "bytes"))
    >>> maximum_of("compute buffer", logits, rest).bytes
    9
    """
    return Term(name, "maximum", terms)


def allowance(name: str, unit: str, *, low: float, usual: float, high: float, source: str) -> Term:
    """A term that nobody can derive: a range with the source it was read from.

    Parameters
    ----------
    name : str
        What the part is called.
    unit : str
        What its number counts, as it is read after it.
    low, usual, high : int, float or Fraction
        The range, in the breakdown's unit.
    source : str
        Where the range was read.

    Returns
    -------
    Term

    Raises
    ------
    InvalidInput
        If there is no source, or not low <= usual <= high.

    Examples
    --------
    >>> context = allowance("runtime", "bytes", low=1, usual=2, high=5, source="three logs")
    >>> int(context.low), context.bytes, int(context.high)
    (1, 2, 5)
    """
    if not source:
        raise InvalidInput(f"Allowance {name!r} needs a source: it is an observation.")
    return product(name, Factor(usual, unit, low, high), source=source)
