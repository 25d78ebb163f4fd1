"""The two exceptions a user meets, and the checks that raise them."""

import difflib
import math
import operator
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction


class InvalidInput(ValueError):
    """A value makes no sense; the message says which one and what would be right."""


class UnknownName(LookupError):
    """A name is not known; the message lists the nearest ones that are."""


def exact_number(
    name: str, value: object, *, at_least: float, at_most: float, hint: str = ""
) -> Fraction:
    """Return ``value`` as an exact fraction, or say what is wrong with it.

    A float counts as the decimal number it prints: 1.2 is 6/5, not the nearest binary fraction.

    Parameters
    ----------
    name : str
        What the value is called, for the message.
    value : int, float, Fraction or Decimal
        The value to check.
    at_least, at_most : float
        The bounds, both allowed.
    hint : str
        A sentence for the message that says what would be right.

    Raises
    ------
    InvalidInput
        If the value is no finite number between the bounds.

    Examples
    --------
    >>> exact_number("overhead", 1.2, at_least=1, at_most=10)
    Fraction(6, 5)
    """
    ending = f" {hint}" if hint else ""
    number = _as_fraction(value)
    if number is None:
        raise InvalidInput(f"{name} must be a finite number, not {value!r}.{ending}")
    if not at_least <= number <= at_most:
        raise InvalidInput(
            f"{name} must lie between {at_least:,} and {at_most:,}, but is {value!r}.{ending}"
        )
    return number


def nearest(kind: str, name: object, known: Iterable[str]) -> UnknownName:
    """Return the exception for an unknown ``name``, with the nearest known names in it."""
    known = list(known)
    by_folded = {fold(entry): entry for entry in known}
    matches = difflib.get_close_matches(fold(str(name)), by_folded, n=3, cutoff=0.4)
    candidates = [by_folded[match] for match in matches] or known[:8]
    return UnknownName(f"No {kind} is called {name!r}. Nearest: {', '.join(candidates)}.")


def fold(name: str) -> str:
    """Reduce a name to its letters and digits, so that "llama 3.1 8b" finds "Llama-3.1-8B"."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _as_fraction(value: object) -> Fraction | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return Fraction(repr(float(value))) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return Fraction(value) if value.is_finite() else None
    if isinstance(value, Fraction):
        return value
    try:
        return Fraction(operator.index(value))  # int, and the integers of other libraries
    except TypeError:
        return None
