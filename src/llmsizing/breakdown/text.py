"""Numbers, terms and breakdowns as plain text."""

from fractions import Fraction
from typing import TYPE_CHECKING

from llmsizing.breakdown.terms import Factor, Term
from llmsizing.units import format_bytes

if TYPE_CHECKING:
    from llmsizing.breakdown.total import Breakdown


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
    """Write a value of a breakdown in its unit; bytes as GiB."""
    if unit == "bytes":
        return format_bytes(number, "GiB")
    return f"{number_text(Fraction(round(number, 3)))} {unit}"


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


def breakdown_text(breakdown: "Breakdown") -> str:
    """Write a breakdown as aligned lines: name, amount, working; then the total."""
    rows = [row for term in breakdown.terms for row in _rows(term, breakdown.unit, indent=2)]
    total = breakdown.total
    also = total_text(breakdown)
    rows.append(("  total", amount_text(total.usual, breakdown.unit), also))
    name_width = max(len(name) for name, _, _ in rows)
    amount_width = max(len(amount) for _, amount, _ in rows)
    lines = [f"{n:<{name_width}}  {a:>{amount_width}}  {w}".rstrip() for n, a, w in rows]
    return "\n".join([breakdown.title, *lines, *([breakdown.note] if breakdown.note else [])])


def total_text(breakdown: "Breakdown") -> str:
    """Write what stands beside a total: GB for bytes, and the range if there is one."""
    parts = [format_bytes(breakdown.total.bytes, "GB")] if breakdown.unit == "bytes" else []
    parts += [text for text in [range_text(breakdown.total, breakdown.unit)] if text]
    return ", ".join(parts)


def _rows(term: Term, unit: str, indent: int) -> list[tuple[str, str, str]]:
    spread = range_text(term, unit)
    notes = [working_text(term), *([spread] if spread else []), *([term.source] if term.source else [])]
    rows = [(" " * indent + term.name, amount_text(term.usual, unit), "; ".join(notes))]
    if term.rule != "product":
        rows += [row for part in term.members for row in _rows(part, unit, indent + 2)]
    return rows


def _factor_text(factor: Factor) -> str:
    return f"{number_text(factor.usual)} {factor.name}".strip()
