"""The two exceptions a user meets, and the checks that raise them."""

import difflib
import math
import numbers
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction


SHOWN = 40  #: names that a message lists at most


class InvalidInput(ValueError):
    """A value makes no sense; the message says which one and what would be right."""


class UnknownName(LookupError):
    """A name is not known; the message lists the nearest ones that are."""


def exact_number(
    name: str,
    value: object,
    *,
    at_least: Fraction | float = -math.inf,
    at_most: float = math.inf,
    hint: str = "",
) -> Fraction:
    """Return ``value`` as an exact fraction, or say what is wrong with it.

    A float counts as the decimal number it prints: 1.2 is 6/5, not the nearest binary fraction.

    Parameters
    ----------
    name : str
        What the value is called, for the message.
    value : int, float, Fraction or Decimal
        The value to check.
    at_least, at_most : int, Fraction or float
        The bounds, both allowed; none by default.
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
        bounds = f"from {float(at_least):,g} to {at_most:,}".removesuffix(" to inf")
        raise InvalidInput(f"{name} must be {bounds}, but is {value!r}.{ending}")
    return number


def nearest(kind: str, name: object, known: Iterable[str]) -> UnknownName:
    """Return the exception for an unknown ``name``, with the nearest known names in it."""
    known = list(known)
    by_folded = {fold(entry): entry for entry in known}
    matches = difflib.get_close_matches(fold(str(name)), by_folded, n=3, cutoff=0.4)
    if matches:
        hint = "Nearest: " + ", ".join(by_folded[match] for match in matches)
    else:
        more = f" and {len(known) - SHOWN:,} more" if len(known) > SHOWN else ""
        hint = "Known: " + ", ".join(known[:SHOWN]) + more
    return UnknownName(f"No {kind} is called {name!r}. {hint}.")


def fold(name: str) -> str:
    """Reduce a name to its letters and digits, so that "llama 3.1 8b" finds "Llama-3.1-8B"."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _as_fraction(value: object) -> Fraction | None:
    """Convert any real number, those of other libraries too, or return None."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, Decimal)):
        return None
    if not math.isfinite(value):
        return None
    if isinstance(value, (numbers.Rational, Decimal)):
        return Fraction(value)
    return Fraction(repr(float(value)))
