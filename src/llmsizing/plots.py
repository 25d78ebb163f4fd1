"""Matplotlib views of the package's numbers: one message each, labelled directly.

A figure draws everything neutral in the page's text colour, so it reads in light and in dark,
and it scales with the page. It is an ordinary matplotlib figure all the same: save it, edit it.
"""

import io
import itertools
import re
import textwrap
from fractions import Fraction
from html import escape

import matplotlib
from matplotlib.figure import Figure

from llmsizing.architecture import Model
from llmsizing.breakdown.colours import LINE_COLOURS, coloured
from llmsizing.breakdown.text import amount_text
from llmsizing.breakdown.total import Breakdown
from llmsizing.catalog import engine_contexts
from llmsizing.errors import InvalidInput
from llmsizing.memory import OVERHEAD, engine_report, native_contexts, rule_of_thumb_gap
from llmsizing.units import GIB, KIB

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

    def svg(self) -> str:
        """The figure as SVG text that takes its neutral colour and its width from the page."""
        file = io.StringIO()
        with matplotlib.rc_context(_STYLE):
            self.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
        return _page_svg(file.getvalue(), self.alt)

    def _repr_html_(self) -> str:
        return f"<div class='sizing-figure'>{self.svg()}</div>"


def plot_breakdown(breakdown: Breakdown, *, limit: int | None = None) -> BookFigure:
    """Draw a breakdown as steps that add up to its total, against a limit if there is one.

    Parameters
    ----------
    breakdown : Breakdown
        In any unit; bytes are drawn in GiB. A term with a range gets a line from low to high.
    limit : int, optional
        What must not be exceeded, in the same unit.
    """
    scale, unit = (GIB, "GiB") if breakdown.unit == "bytes" else (1, breakdown.unit)
    steps = (*breakdown.terms, breakdown.total)
    alt = ", ".join(f"{step.name} {amount_text(step.usual, breakdown.unit)}" for step in steps)
    edge = "" if limit is None else f"; limit {amount_text(Fraction(limit), breakdown.unit)}"
    figure = BookFigure(f"{breakdown.title}: {alt}{edge}.", height=1.3 + 0.36 * len(steps))
    with matplotlib.rc_context(_STYLE):
        axes = figure.subplots()
        colours = [colour for _, colour in coloured(breakdown.terms)]
        starts = itertools.accumulate((term.usual for term in breakdown.terms[:-1]), initial=0)
        for place, (step, start, colour) in enumerate(
            zip(steps, (*starts, 0), (*colours, "none"), strict=True)
        ):
            left, end = float(start / scale), float((start + step.usual) / scale)
            axes.barh(place, end - left, left=left, height=0.7, color=colour, edgecolor=INK)
            if step.low < step.high:
                reach = [float((start + step.low) / scale), float((start + step.high) / scale)]
                axes.plot(reach, [place] * 2, color=INK)
        if limit is not None:
            _edge(axes, limit / scale, f"limit {limit / scale:,.2f}")
        _name_bars(axes, [f"{step.name}  {float(step.usual / scale):,.2f}" for step in steps])
        axes.set_xlabel(unit)
        figure.suptitle(textwrap.fill(breakdown.title, 48), x=0.01, ha="left", weight="bold",
                        fontsize=12)
    return figure


def plot_contexts(model: str, *, weights: str, contexts: list[int], limit: int) -> BookFigure:
    """Draw one model file at several contexts as stacked bars, against a card's edge.

    Parameters
    ----------
    model : str
        A model of the catalog.
    weights : str
        A llama.cpp file type.
    contexts : list of int
        Tokens, a bar each.
    limit : int
        Bytes that the card has.
    """
    reports = [engine_report(model, weights=weights, context_tokens=tokens) for tokens in contexts]
    totals = ", ".join(f"{tokens:,} tokens {amount_text(report.total.usual, 'bytes')}"
                       for tokens, report in zip(contexts, reports, strict=True))
    rule = rule_of_thumb_gap(model, weights=weights, context_tokens=contexts[0]).rule
    title = f"One file, {len(contexts)} contexts: it is the context that decides"
    figure = BookFigure(
        f"{model} at {weights}: {totals}. The card has {amount_text(Fraction(limit), 'bytes')}; "
        f"the rule of thumb says {amount_text(rule.total.usual, 'bytes')} for all.", height=2.9)
    with matplotlib.rc_context(_STYLE):
        axes = figure.subplots()
        for place, report in enumerate(reports):
            _stack(axes, place, report, label=place == len(reports) - 1)
        _name_bars(axes, [f"{tokens:,}\ntokens" for tokens in contexts])
        for value, text, line in ((limit, "card", "-"), (rule.total_bytes, "rule of thumb", "--")):
            _edge(axes, value / GIB, f"{text}: {value / GIB:.1f} GiB", line)
        axes.set_xlabel(f"GiB that llama.cpp reserves for {model} at {weights}")
        axes.set_title(title, pad=22)
    return figure


def plot_needed_overhead(models: list[Model], *, weights: str) -> BookFigure:
    """Draw what the rule of thumb's 1.2 would have to be for each model, by context.

    Parameters
    ----------
    models : list of Model
        One to five; each line ends where the model's own context ends.
    weights : str
        A llama.cpp file type.

    Raises
    ------
    InvalidInput
        If there are no models or more than five.
    """
    if not 1 <= len(models) <= len(LINE_COLOURS):
        raise InvalidInput(f"One to {len(LINE_COLOURS)} models can be drawn, not {len(models)}.")
    lines = {
        model.name: [
            (tokens, rule_of_thumb_gap(
                model.name, weights=weights, context_tokens=tokens).needed_overhead)
            for tokens in native_contexts(model)
        ]
        for model in models
    }
    ends = ", ".join(f"{name} {points[-1][1]:.2f} at {points[-1][0]:,} tokens"
                     for name, points in lines.items())
    title = "The factor needed instead of 1.2 grows with the context"
    figure = BookFigure(f"{title}. Needed at {weights}: {ends}.", height=4.0)
    with matplotlib.rc_context(_STYLE):
        axes = figure.subplots()
        for (name, points), colour in zip(lines.items(), LINE_COLOURS, strict=False):
            tokens, needed = zip(*points, strict=True)
            axes.plot(tokens, needed, color=colour, linewidth=2.2, marker="o", markersize=4)
            axes.annotate(f"{name}\n{needed[-1]:.1f}", (tokens[-1], needed[-1]), weight="bold",
                          va="center", xytext=(8, 0), textcoords="offset points")
        axes.axhline(float(OVERHEAD), color=INK, linestyle="--")
        axes.annotate("the formula's 1.2", (2048, float(OVERHEAD)), va="top", xytext=(0, -5),
                      textcoords="offset points")
        contexts = engine_contexts(models[0].name)
        axes.set_xscale("log", base=2)
        axes.set_xlim(right=6 * contexts[-1])  # room for the names
        axes.set_xticks(contexts, [f"{tokens // KIB}k" for tokens in contexts])
        axes.set_ylim(bottom=0)
        axes.set_title(title, pad=16)
        axes.set_xlabel("context, tokens (1k = 1,024)")
        axes.set_ylabel(f"needed instead of 1.2 ({weights})")
    return figure


def _name_bars(axes, names: list[str]) -> None:
    """Write a name before each bar, the first one on top."""
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.spines["left"].set_visible(False)


def _edge(axes, value: float, text: str, linestyle: str = "-") -> None:
    """Draw a line that all bars are held against, with its name above."""
    axes.axvline(value, color=INK, linewidth=1.8, linestyle=linestyle)
    axes.annotate(text, (value, -0.62), ha="center", annotation_clip=False)


def _stack(axes, place: float, breakdown: Breakdown, *, label: bool) -> None:
    start = 0.0
    for term, colour in coloured(breakdown.terms):
        width = float(term.usual / GIB)
        axes.barh(place, width, left=start, height=0.7, color=colour)
        if label and width > 2:
            axes.annotate(f"{term.name}\n{width:.1f}", (start, place), xytext=(6, 0),
                          textcoords="offset points", color="white", weight="bold", va="center")
        elif label:
            axes.annotate(f"{term.name} {width:.1f}", (start + width, place - 0.36), xytext=(0, 3),
                          textcoords="offset points", ha="right")
        start += width
    axes.annotate(f"{start:.1f}", (start, place), xytext=(4, 0), textcoords="offset points",
                  va="center", weight="bold")


def _page_svg(svg: str, alt: str) -> str:
    svg = svg[svg.index("<svg"):].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # names that repeat from figure to figure
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    frame = f'<svg role="img" aria-label="{escape(alt)}" style="width:100%;max-width:35rem;height:auto"'
    return svg.replace("<svg", frame, 1).replace("'DejaVu Sans'", "system-ui, 'DejaVu Sans'").strip()
