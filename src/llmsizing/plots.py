"""Matplotlib views of the package's numbers: one message each, labelled directly.

A figure draws everything neutral in the page's text colour, so it reads in light and in dark,
and it scales with the page. It is an ordinary matplotlib figure all the same: save it, edit it.
"""

import io
import re
from fractions import Fraction
from html import escape

import matplotlib
from matplotlib.figure import Figure

from llmsizing.breakdown.colours import term_colours
from llmsizing.breakdown.terms import Term
from llmsizing.breakdown.text import amount_text
from llmsizing.breakdown.total import Breakdown
from llmsizing.units import GIB

INK = "#010203"  # stands for the page's text colour until the figure is written
WIDTH_INCHES = 5.4  # 389 points: about a phone's width, so that text keeps its size there

_STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "svg.fonttype": "none",
    "svg.hashsalt": "llmsizing",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


class BookFigure(Figure):
    """A matplotlib figure that a notebook shows as an inline picture with a text alternative.

    Parameters
    ----------
    alt : str
        What the figure says, for a reader who cannot see it.
    height : float
        Inches.
    """

    def __init__(self, alt: str, height: float) -> None:
        with matplotlib.rc_context(_STYLE):
            super().__init__(figsize=(WIDTH_INCHES, height))
        self.alt = alt

    def _repr_html_(self) -> str:
        file = io.StringIO()
        with matplotlib.rc_context(_STYLE):
            self.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
        return f"<div class='sizing-figure'>{_page_svg(file.getvalue(), self.alt)}</div>"


def plot_breakdown(breakdown: Breakdown, *, limit: int | None = None) -> BookFigure:
    """Draw a breakdown of bytes as one stacked bar, against the card's edge if there is one.

    Parameters
    ----------
    breakdown : Breakdown
        In bytes.
    limit : int, optional
        Bytes that the card has.
    """
    total = breakdown.total
    left_over = "" if limit is None else f"; the limit is {amount_text(Fraction(limit), 'bytes')}"
    alt = f"{breakdown.title}: " + ", ".join(
        f"{term.name} {amount_text(term.usual, 'bytes')}" for term in (*breakdown.terms, total)
    )
    figure = BookFigure(alt + left_over, height=1.0 + 0.3 * len(breakdown.terms))
    with matplotlib.rc_context(_STYLE):
        axes = figure.subplots()
        _stacked_bar(axes, breakdown.terms)
        if limit is not None:
            _edge(axes, limit)
        axes.set_title(f"{breakdown.title}", wrap=True)
        axes.set_xlabel("GiB")
    return figure


def plot_lines(
    series: dict[str, list[tuple[float, float]]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    reference: tuple[float, str],
) -> BookFigure:
    """Draw named lines over a doubling axis, each labelled at its end, against one level.

    Parameters
    ----------
    series : dict of str to list of (x, y)
        The lines, by the name that is written at the end of each.
    title, x_label, y_label : str
        The message, and the axes with their units.
    reference : (float, str)
        The y value to hold the lines against, and its name.
    """
    ends = ", ".join(f"{name} {points[-1][1]:.2f}" for name, points in series.items())
    figure = BookFigure(f"{title}. At the right end: {ends}; {reference[1]}", height=4.2)
    with matplotlib.rc_context(_STYLE):
        axes = figure.subplots()
        for (name, points), colour in zip(series.items(), _LINE_COLOURS, strict=False):
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=colour, linewidth=2.2, marker="o", markersize=4)
            axes.annotate(f" {name}", (x[-1], y[-1]), color=colour, va="center", weight="bold")
        axes.axhline(reference[0], color=INK, linewidth=1.2, linestyle="--")
        axes.annotate(reference[1], (x[0], reference[0]), va="bottom", xytext=(0, 3),
                      textcoords="offset points")
        axes.set_xscale("log", base=2)
        axes.set_xticks(x, [f"{value // 1024}k" for value in x])
        axes.set_title(title)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
    return figure


_LINE_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#B5579A", "#808080")


def _stacked_bar(axes, terms: tuple[Term, ...]) -> None:
    start = 0.0
    for place, (term, colour) in enumerate(
        zip(terms, term_colours(tuple(term.name for term in terms)), strict=True)
    ):
        width = float(term.usual / GIB)
        axes.barh(0, width, left=start, height=0.9, color=colour)
        axes.annotate(
            f"{term.name} {amount_text(term.usual, 'bytes')}",
            (start + width / 2, -0.45), xytext=(0, -14 - 16 * place), textcoords="offset points",
            color=colour, weight="bold", va="top", ha="center",
        )
        start += width
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _edge(axes, limit: int) -> None:
    axes.axvline(limit / GIB, color=INK, linewidth=2)
    axes.annotate(f"limit {amount_text(Fraction(limit), 'bytes')}", (limit / GIB, 0.45))


def _page_svg(svg: str, alt: str) -> str:
    svg = svg[svg.index("<svg"):].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # names that repeat from figure to figure
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    frame = f'<svg role="img" aria-label="{escape(alt)}" style="width:100%;max-width:35rem;height:auto"'
    return svg.replace("<svg", frame, 1).replace("'DejaVu Sans'", "system-ui, 'DejaVu Sans'").strip()
