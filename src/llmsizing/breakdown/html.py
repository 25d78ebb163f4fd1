"""Breakdowns as HTML that needs no other file: a bar, and a table with the working.

Everything neutral is drawn in the page's own text colour, so the same fragment stands in the
book, in JupyterLab and in Colab, light and dark.
"""

from collections.abc import Collection
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING

from llmsizing.breakdown.colours import coloured
from llmsizing.breakdown.text import amount_text, total_text, working_rows

if TYPE_CHECKING:
    from llmsizing.breakdown.total import Breakdown

STYLE = """<style>
.sizing{max-width:40rem;margin:.5rem 0;font-size:1rem;line-height:1.45;color:inherit}
.sizing p{margin:.35rem 0}
.sizing-title{font-weight:600}
.sizing-bar{display:flex;position:relative;height:1.75rem;margin:.35rem 0;
 background:color-mix(in srgb,currentColor 10%,transparent)}
.sizing-bar span{min-width:2px;box-shadow:inset -1px 0 0 #fff8}
.sizing-bar,.sizing-bar *,.sizing-chip{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.sizing-edge{position:absolute;top:-.4rem;bottom:-.4rem;width:3px;margin-left:-1.5px;
 background:currentColor}
.sizing-gap{background:repeating-linear-gradient(45deg,currentColor 0 2px,transparent 2px 6px)}
.sizing-labels{display:flex;flex-wrap:wrap;gap:.15rem 1rem;margin:.2rem 0 .9rem;padding:0;
 list-style:none;font-size:.9rem}
.sizing-labels li{margin:0}
.sizing-chip{display:inline-block;width:.8em;height:.8em;margin-right:.4em}
.sizing table{width:100%;margin:.5rem 0;border-collapse:collapse;font-size:1rem}
.sizing table th,.sizing table td{padding:.35rem 0;border:0;background:none;color:inherit;
 border-top:1px solid color-mix(in srgb,currentColor 25%,transparent);
 text-align:left;vertical-align:top;white-space:normal;font-weight:400}
.sizing table td:last-child{padding-left:1rem;text-align:right;white-space:nowrap}
.sizing table tr:last-child>*{font-weight:600}
.sizing .sizing-plain tr:last-child>*{font-weight:400}
.sizing small{display:block;font-size:.85rem;font-weight:400;opacity:.85;overflow-wrap:anywhere}
</style>"""


def breakdown_html(breakdown: "Breakdown") -> str:
    """Draw a breakdown as its title, one bar, and a table of terms with their working."""
    rows = "".join(
        _row_html(row, colour if row[0] == 0 else None)
        for term, colour in coloured(breakdown.terms)
        for row in working_rows(term, breakdown.unit)
    )
    total = breakdown.total
    note = f"<p>{escape(breakdown.note)}</p>" if breakdown.note else ""
    return (
        f"{STYLE}<div class='sizing'><p class='sizing-title'>{escape(breakdown.title)}</p>"
        f"{_bar(breakdown, total.usual)}<table>{rows}"
        f"<tr><th scope='row' style='text-align:left'>{total.name}</th>"
        f"<td>{amount_text(total.usual, breakdown.unit)}<small>{total_text(breakdown)}</small></td>"
        f"</tr></table>{note}</div>"
    )


def chip_html(colour: str, *more: str) -> str:
    """A square of a colour for a legend; ``more`` are further declarations of CSS.

    >>> chip_html("#808080", "border-radius:50%")
    "<span class='sizing-chip' style='background:#808080;border-radius:50%'></span>"
    """
    return f"<span class='sizing-chip' style='{';'.join((f'background:{colour}', *more))}'></span>"


def _row_html(row: tuple[int, str, str, str], colour: str | None) -> str:
    depth, name, amount, working = row
    chip = chip_html(colour) if colour else ""
    return (
        f"<tr><th scope='row' style='text-align:left;padding-left:{1.2 * depth:.1f}rem'>"
        f"{chip}{escape(name)}<small>{escape(working)}</small></th><td>{amount}</td></tr>"
    )


def bar_to_edge_html(breakdown: "Breakdown", *, edge: int, edge_name: str,
                     lit: Collection[str] | None = None) -> str:
    """Draw a breakdown as one labelled bar against a limit, on one scale with it.

    Parameters
    ----------
    breakdown : Breakdown
        In any unit.
    edge : int
        What must not be exceeded, in the same unit.
    edge_name : str
        What the edge is called: the device.
    lit : collection of str, optional
        The names of the terms to light up: the others are drawn faint. By default all are alike.

    Returns
    -------
    str
        HTML. The scale is the longer of the two and a fiftieth, so that the edge stays in sight.
    """
    scale = max(breakdown.total.usual, Fraction(edge)) * Fraction(51, 50)
    line = f"<i class='sizing-edge' style='left:{_percent(Fraction(edge), scale)}'></i>"
    total = amount_text(breakdown.total.usual, breakdown.unit)
    return (
        f"{STYLE}<div class='sizing'><p><span class='sizing-title'>{escape(breakdown.title)}</span>"
        f"<br><b>{total}</b> of <b>{amount_text(Fraction(edge), breakdown.unit)}</b> on the"
        f" {escape(edge_name)} (the line)</p>{_bar(breakdown, scale, line=line, lit=lit)}"
        f"{_labels(breakdown, 0, lit)}</div>"
    )


def bars_html(breakdowns: list["Breakdown"], *, gap: bool = False) -> str:
    """Draw breakdowns of one unit as bars on one scale, each labelled with its terms.

    Parameters
    ----------
    breakdowns : list of Breakdown
        From top to bottom.
    gap : bool
        Whether to hatch what each bar lacks beside the longest.

    Returns
    -------
    str
        HTML.
    """
    scale = max(b.total.usual for b in breakdowns)
    bars = "".join(_labelled_bar(b, scale, gap) for b in breakdowns)
    return f"{STYLE}<div class='sizing'>{bars}</div>"


def _labelled_bar(breakdown: "Breakdown", scale: Fraction, gap: bool) -> str:
    total = breakdown.total.usual
    missing = scale - total if gap else 0
    return (
        f"<p><span class='sizing-title'>{escape(breakdown.title)}</span><br>"
        f"<b>{amount_text(total, breakdown.unit)}</b> {_in_brackets(total_text(breakdown))}</p>"
        f"{_bar(breakdown, scale, missing)}{_labels(breakdown, missing)}"
    )


def _bar(breakdown: "Breakdown", scale: Fraction, missing: Fraction | int = 0,
         line: str = "", lit: Collection[str] | None = None) -> str:
    parts = "".join(
        f"<span style='width:{_percent(term.usual, scale)};background:{colour}{_faint(term.name, lit)}'></span>"
        for term, colour in coloured(breakdown.terms)
    )
    if missing:
        parts += f"<span class='sizing-gap' style='width:{_percent(missing, scale)}'></span>"
    return f"<div class='sizing-bar' aria-hidden='true'>{parts}{line}</div>"


def _labels(breakdown: "Breakdown", missing: Fraction | int, lit: Collection[str] | None = None) -> str:
    items = "".join(
        f"<li>{chip_html(colour)}{_bold(escape(term.name), term.name, lit)}"
        f" {amount_text(term.usual, breakdown.unit)}</li>"
        for term, colour in coloured(breakdown.terms)
    )
    if missing:
        amount = amount_text(missing, breakdown.unit)
        items += f"<li><span class='sizing-chip sizing-gap'></span>gap {amount}</li>"
    return f"<ul class='sizing-labels'>{items}</ul>"


def _faint(name: str, lit: Collection[str] | None) -> str:
    return "" if lit is None or name in lit else ";opacity:.25"


def _bold(text: str, name: str, lit: Collection[str] | None) -> str:
    return f"<b>{text}</b>" if lit is not None and name in lit else text


def _in_brackets(text: str) -> str:
    return f"({text})" if text else ""


def _percent(value: Fraction, scale: Fraction) -> str:
    return f"{float(100 * Fraction(value) / scale) if scale else 0:.2f}%"
