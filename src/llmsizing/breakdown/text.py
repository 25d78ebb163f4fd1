"""Numbers, terms and breakdowns as plain text."""

from fractions import Fraction
from typing import TYPE_CHECKING

from llmsizing.breakdown.terms import Factor, Term
from llmsizing.units import format_bytes

if TYPE_CHECKING:
    from llmsizing.breakdown.total import Breakdown


SHORT = Fraction(1, 10)  #: times below it, in seconds, are written in milliseconds


def number_text(number: Fraction) -> str:
    """Write an exact number: whole, with up to four decimals, or as a fraction.

    >>> [number_text(Fraction(n)) for n in (70_000_000_000, "1.2", "1/32")]
    ['70,000,000,000', '1.2', '1/32']
    """
    if number.denominator == 1:
        return f"{number.numerator:,}"
    if 10_000 % number.denominator == 0:
        return f"{float(number):,.4f}".rstrip("0")
    return f"{number.numerator:,}/{number.denominator:,}"


def amount_text(number: Fraction, unit: str) -> str:
    """Write a value of a breakdown in its unit; bytes as GiB, short times in milliseconds.

    >>> amount_text(Fraction(1, 80), "seconds"), amount_text(Fraction(3), "seconds")
    ('12.50 ms', '3 seconds')
    """
    if unit == "bytes":
        return format_bytes(number, "GiB")
    if unit == "parameters":
        return number_text(number)
    if 0 < number < SHORT:
        return f"{float(1000 * number):.2f} ms"
    return f"{number_text(Fraction(round(number, 3)))} {unit}"


def spare_text(left: Fraction, unit: str) -> str:
    """Write what is left of a limit, or what is beyond it.

    >>> spare_text(2**30, "bytes"), spare_text(-(2**30), "bytes")
    ('1.00 GiB to spare', '1.00 GiB too much')
    """
    return f"{amount_text(abs(left), unit)} {'to spare' if left >= 0 else 'too much'}"


def working_text(term: Term) -> str:
    """Write what a term is computed from, in one line.

    >>> from llmsizing.breakdown import product
    >>> working_text(product("KV cache", Factor(2, "for K and V"), Factor(32, "layers")))
    '2 for K and V × 32 layers'
    """
    if term.rule == "product":
        return " × ".join(_factor_text(factor) for factor in term.members)
    names = [part.name for part in term.members]
    return " + ".join(names) if term.rule == "sum" else f"the largest of {', '.join(names)}"


def range_text(term: Term, unit: str) -> str:
    """Write the range of a term that has one, else nothing."""
    if term.low == term.high:
        return ""
    lowest, _, _ = amount_text(term.low, unit).partition(" ")
    return f"{lowest} to {amount_text(term.high, unit)}"


def working_rows(term: Term, unit: str, depth: int = 0) -> list[tuple[int, str, str, str]]:
    """List a term and its parts, as deep as they go: depth, name, amount, and the working."""
    notes = (working_text(term), range_text(term, unit), term.source)
    row = (depth, term.name, amount_text(term.usual, unit), "; ".join(filter(None, notes)))
    parts = () if term.rule == "product" else term.members
    return [row, *(below for part in parts for below in working_rows(part, unit, depth + 1))]


def breakdown_text(breakdown: "Breakdown") -> str:
    """Write a breakdown as aligned lines: name, amount, working; then the total."""
    unit, total = breakdown.unit, breakdown.total
    rows = [row for term in breakdown.terms for row in working_rows(term, unit)]
    rows.append((0, total.name, amount_text(total.usual, unit), total_text(breakdown)))
    names = ["  " * (depth + 1) + name for depth, name, _, _ in rows]
    name_width = max(map(len, names))
    amount_width = max(len(amount) for _, _, amount, _ in rows)
    lines = [
        f"{name:<{name_width}}  {amount:>{amount_width}}  {working}".rstrip()
        for name, (_, _, amount, working) in zip(names, rows, strict=True)
    ]
    return "\n".join(filter(None, [breakdown.title, *lines, breakdown.note]))


def total_text(breakdown: "Breakdown") -> str:
    """Write what stands beside a total: GB for bytes, and the range if there is one."""
    in_gb = format_bytes(breakdown.total.bytes, "GB") if breakdown.unit == "bytes" else ""
    return ", ".join(filter(None, (in_gb, range_text(breakdown.total, breakdown.unit))))


def _factor_text(factor: Factor) -> str:
    return f"{number_text(factor.usual)} {factor.name}".strip()
