"""Pictures of breakdowns: steps that add up, and one file at several contexts."""

import itertools
from fractions import Fraction

import matplotlib

from llmsizing.breakdown.colours import coloured
from llmsizing.breakdown.text import amount_text
from llmsizing.breakdown.total import Breakdown
from llmsizing.memory import engine_report, rule_of_thumb_gap
from llmsizing.plots.figure import INK, STYLE, BookFigure, edge, name_bars
from llmsizing.units import GIB


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
    limited = "" if limit is None else f"; limit {amount_text(Fraction(limit), breakdown.unit)}"
    figure = BookFigure(f"{breakdown.title}: {alt}{limited}.", height=1.3 + 0.36 * len(steps))
    with matplotlib.rc_context(STYLE):
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
            edge(axes, limit / scale, f"limit {limit / scale:,.2f}")
        name_bars(axes, [f"{step.name}  {float(step.usual / scale):,.2f}" for step in steps])
        axes.set_xlabel(unit)
        figure.headline(breakdown.title)
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
    title = f"One file, {len(contexts)} contexts: context decides"
    figure = BookFigure(
        f"{model} at {weights}: {totals}. The card has {amount_text(Fraction(limit), 'bytes')}; "
        f"the rule of thumb says {amount_text(rule.total.usual, 'bytes')} for all.", height=2.9)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for place, report in enumerate(reports):
            _stack(axes, place, report, label=place == len(reports) - 1)
        name_bars(axes, [f"{tokens:,}\ntokens" for tokens in contexts])
        edge(axes, rule.total_bytes / GIB, f"rule of thumb: {rule.total_bytes / GIB:.2f} GiB", "--")
        # Beginning at its line, so that the two names do not meet.
        edge(axes, limit / GIB, f"card: {limit / GIB:.2f} GiB", align="left")
        axes.set_xlabel(f"GiB that llama.cpp reserves for {model} at {weights}")
        axes.set_title(title, pad=22)
    return figure


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
