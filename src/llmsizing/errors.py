"""The two exceptions a user meets, and the checks that raise them."""

import difflib
import math
import numbers
import re
import reprlib
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

SHOWN = 40  #: names that a message lists at most
LONGEST_NAME = 300  #: letters of a name for which near ones are sought
LARGEST = 10**300  #: up to here a whole number needs no look at floats
MOST_NEAR = 6  #: near names that a message lists at most

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _brief.maxlong = 80


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

    Returns
    -------
    Fraction

    Raises
    ------
    InvalidInput
        If the value is no finite number between the bounds, or is larger or nearer to 0 than
        any float.

    Examples
    --------
    >>> exact_number("overhead", 1.2, at_least=1, at_most=10)
    Fraction(6, 5)
    """
    if type(value) is int and at_least <= value <= at_most and abs(value) < LARGEST:
        return Fraction(value)  # the usual case, and by far the quickest
    ending = f" {hint}" if hint else ""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, Decimal)):
        raise InvalidInput(f"{name} must be a finite number, not {shown(value)}.{ending}")
    rounded = _as_float(value)
    if not math.isfinite(rounded) or (rounded == 0 and value != 0):
        beyond = not math.isnan(rounded) and abs(value) != math.inf
        size = " from 1e-308 to 1e308 in size" if beyond else ""
        raise InvalidInput(f"{name} must be a finite number{size}, not {shown(value)}.{ending}")
    exact = isinstance(value, (numbers.Rational, Decimal))
    number = Fraction(value) if exact else Fraction(repr(rounded))
    if not at_least <= number <= at_most:
        bounds = f"from {float(at_least):,g} to {at_most:,}".removesuffix(" to inf")
        raise InvalidInput(f"{name} must be {bounds}, but is {shown(value)}.{ending}")
    return number


def whole_number(name: str, value: object, *, at_least: int = 1, at_most: float = math.inf,
                 hint: str = "") -> int:
    """Return ``value`` as an int, or say what is wrong with it; as `exact_number` otherwise.

    Examples
    --------
    >>> whole_number("prompt_tokens", 1.5, hint="It counts tokens.")
    Traceback (most recent call last):
    llmsizing.errors.InvalidInput: prompt_tokens must be a whole number, not 1.5. It counts tokens.
    """
    number = exact_number(name, value, at_least=at_least, at_most=at_most, hint=hint)
    if number.denominator != 1:
        raise InvalidInput(f"{name} must be a whole number, not {shown(value)}.{f' {hint}' if hint else ''}")
    return int(number)


def expect(name: str, value: object, kind: type, hint: str = "") -> None:
    """Refuse a value of another kind than the one that is needed.

    Parameters
    ----------
    name : str
        What the value is called, for the message.
    value : object
        The value to check.
    kind : type
        What it must be: Model, str.
    hint : str
        What to do, as the sentence goes on after a colon: "write load_model('Llama-3.1-8B')".

    Raises
    ------
    InvalidInput
        If the value is of another kind.

    Examples
    --------
    >>> expect("unit", 5, str, "write 'GiB'")
    Traceback (most recent call last):
    llmsizing.errors.InvalidInput: unit must be a str, not the int 5: write 'GiB'.
    """
    if not isinstance(value, kind):
        needed = f"{'an' if kind.__name__[0] in 'AEIOUaeiou' else 'a'} {kind.__name__}"
        given = "None" if value is None else f"the {type(value).__name__} {shown(value)}"
        ending = f": {hint}" if hint else ""
        raise InvalidInput(f"{name} must be {needed}, not {given}{ending}.")


def nearest(kind: str, name: object, known: Iterable[str], *, like: str = "") -> UnknownName:
    """Make the exception for an unknown name, with the nearest known names in it.

    Names with a word that starts so come first, then those that differ in few letters and share
    most words.

    Parameters
    ----------
    kind : str
        What was looked for, for the message: "model".
    name : object
        What was given; anything at all, for people make mistakes.
    known : iterable of str
        The names that there are.
    like : str
        What to compare them with, if not the name itself.

    Returns
    -------
    UnknownName
        To be raised by the caller.

    Examples
    --------
    >>> print(nearest("fruit", "aple", ["apple", "kiwi"]))
    No fruit is called 'aple'. Nearest: apple.
    """
    known = list(known)
    wanted = like or (name if isinstance(name, str) else shown(name))
    near = _near(wanted, known) if len(wanted) <= LONGEST_NAME else []
    if near:
        hint = "Nearest: " + ", ".join(near)
    else:
        more = f" and {len(known) - SHOWN:,} more" if len(known) > SHOWN else ""
        hint = "Known: " + ", ".join(known[:SHOWN]) + more
    return UnknownName(f"No {kind} is called {shown(name)}. {hint}.")


@lru_cache(maxsize=4096)  # a budget looks the same few names up a thousand times
def fold(name: str) -> str:
    """Reduce a name to its letters and digits, so that "llama 3.1 8b" finds "Llama-3.1-8B".

    Letters of full width, as Japanese keyboards write them, count as the plain ones.

    >>> fold("Llama-3.1-8B"), fold("Ｌｌａｍａ")
    ('llama318b', 'llama')
    """
    plain = unicodedata.normalize("NFKC", name)
    return "".join(letter for letter in plain.casefold() if letter.isalnum())


def shown(value: object) -> str:
    """Write a value for a message: as Python does, but a long one cut in its middle.

    >>> shown("Llama-3.1-8B"), len(shown("x" * 100_000))
    ("'Llama-3.1-8B'", 80)
    """
    try:
        return _brief.repr(value)
    except ValueError:  # Python writes no number of over 4,300 digits
        return "one of thousands of digits"


def _near(wanted: str, known: list[str]) -> list[str]:
    """The known names that are like one that is not known."""
    folded, asked = fold(wanted), set(_words(wanted))
    starting = [entry for entry in known if len(folded) > 1 and _starts_a_word(folded, entry)]
    by_folded = {fold(entry): entry for entry in known}
    close = [by_folded[match] for match in
             difflib.get_close_matches(folded, by_folded, n=SHOWN, cutoff=0.4)]
    close.sort(key=lambda entry: -len(asked & set(_words(entry))))
    near = dict.fromkeys([*starting[:MOST_NEAR], *close])
    return list(near)[:max(3, min(len(starting), MOST_NEAR))]


def _starts_a_word(folded: str, entry: str) -> bool:
    words = _words(entry)
    return any("".join(words[place:]).startswith(folded) for place in range(len(words)))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _as_float(value: numbers.Real | Decimal) -> float:
    """The nearest float: infinite for a number beyond all floats, NaN for a signalling NaN."""
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan
