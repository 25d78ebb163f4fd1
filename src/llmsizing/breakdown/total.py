"""Breakdown: a total made of named terms."""

from dataclasses import dataclass, field

from llmsizing.breakdown.html import breakdown_html
from llmsizing.breakdown.terms import Term, sum_of
from llmsizing.breakdown.text import breakdown_text
from llmsizing.errors import InvalidInput, expect, nearest

UNITS = ("bytes", "seconds", "parameters", "USD")


@dataclass(frozen=True, repr=False)
class Breakdown:
    """A total made of named terms, which it prints, draws and adds up.

    Parameters
    ----------
    title : str
        What the total is.
    terms : tuple of Term
        Its parts, in the order in which they are shown. No two share a name.
    unit : str
        "bytes", "seconds", "parameters" or "USD"; by default bytes.
    note : str
        A sentence for the reader of the total.
    asked : object
        What was asked for, where whoever made the total keeps it: `vram_budget` does. It is not
        shown, and two breakdowns are equal without it.

    Raises
    ------
    InvalidInput
        If there are no terms, two have one name, the unit is none of the four, or a value is of
        the wrong kind.
    UnknownName
        If a term is asked for that is not there.

    Examples
    --------
    >>> from llmsizing import Factor, product
    >>> budget = Breakdown("Two parts", (product("weights", Factor(3 * 2**30, "bytes")),
    ...                                  product("KV cache", Factor(2**30, "bytes"))))
    >>> budget.total_bytes, budget["KV cache"].bytes
    (4294967296, 1073741824)
    >>> print(budget)
    Two parts
      weights   3.00 GiB  3,221,225,472 bytes
      KV cache  1.00 GiB  1,073,741,824 bytes
      total     4.00 GiB  4.29 GB
    """

    title: str
    terms: tuple[Term, ...]
    unit: str = "bytes"
    note: str = ""
    asked: object = field(default=None, compare=False)

    def __post_init__(self) -> None:
        expect("the title of a breakdown", self.title, str)
        expect(f"the note of {self.title!r}", self.note, str)
        expect(f"the terms of {self.title!r}", self.terms, tuple, "put them into brackets")
        for term in self.terms:
            expect(f"each term of {self.title!r}", term, Term, "product makes one")
        names = [term.name for term in self.terms]
        if not names or len(set(names)) < len(names):
            raise InvalidInput(f"{self.title!r} needs terms with different names, not {names}.")
        if self.unit not in UNITS:
            raise InvalidInput(f"{self.title!r} can count {', '.join(UNITS)}, not {self.unit!r}.")

    @property
    def total(self) -> Term:
        """The sum of all terms, itself a term."""
        return sum_of("total", *self.terms)

    @property
    def total_bytes(self) -> int:
        """The usual total in whole bytes."""
        if self.unit != "bytes":
            raise InvalidInput(f"{self.title!r} counts {self.unit}, not bytes: use .total.usual.")
        return self.total.bytes

    def __getitem__(self, name: str) -> Term:
        for term in self.terms:
            if term.name == name:
                return term
        raise nearest("term", name, [term.name for term in self.terms])

    def __str__(self) -> str:
        return breakdown_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return breakdown_html(self)

    def plot(self, limit: int | None = None):
        """Draw the steps that add up to the total, and the card's edge; needs matplotlib.

        Parameters
        ----------
        limit : int, optional
            Where the card ends, in the breakdown's unit.

        Returns
        -------
        BookFigure
            A matplotlib figure that a notebook shows as an inline picture.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not there; the message says how to install it.
        """
        try:
            from llmsizing.plots import plot_breakdown
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"{error}. Pictures need it: pip install 'llmsizing[plots]'"
            ) from None
        return plot_breakdown(self, limit=limit)
