"""The panels of chapter 6: more parameters or more bits, and one file type on many models."""

import math
from dataclasses import replace
from functools import cache
from html import escape

import ipywidgets

from llmsizing.breakdown.colours import LINE_COLOURS
from llmsizing.breakdown.html import STYLE
from llmsizing.catalog import load_model
from llmsizing.memory import vram_budget
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CONTEXTS
from llmsizing.quality import Measurement, Point, best_within, front, quality_rows, sized_scores
from llmsizing.units import GIB

BUDGETS = tuple((f"{gib} GiB", gib) for gib in (3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48))
#: What was measured on several models, as files and formats are called.
SHARED = ("Q8_0", "Q6_K", "Q4_K_M", "Q4_K_S", "Q4_0", "IQ3_M", "Q3_K_M", "Q2_K", "FP8", "NVFP4")
#: Of five matrices from more or less of one text, which hardly differ, one is enough.
REPEATED = tuple(f"Wikitext, {size} tokens" for size in ("1k", "10k", "100k", "1m"))
MEASURES = (("KL divergence", "KLD"), ("same top token", "same top"))
WIDE, HIGH, LEAST, MOST = 320, 170, 20, 85  # of the drawing, and of its scores in percent


def budget_panel() -> Panel:
    """A budget of memory: the best model and file type that was measured within it.

    Returns
    -------
    Panel
        With the controls "budget" (GiB) and "context_tokens".

    Examples
    --------
    >>> panel = budget_panel()
    >>> panel.controls["budget"].value = 24
    >>> "Llama-3-70B-Instruct at IQ2_M" in panel.result
    True
    """
    return Panel(
        "More parameters or more bits?",
        budget_html,
        {
            "budget": ipywidgets.SelectionSlider(options=BUDGETS, value=8, description="Memory"),
            "context_tokens": ipywidgets.SelectionSlider(options=CONTEXTS[:3], value=2048,
                                                         description="Context"),
        },
    )


def budget_html(*, budget: int, context_tokens: int) -> str:
    """Draw all points, the budget as a line, and say which is best within it."""
    points = _with_cache(context_tokens)
    best = best_within(points, budget)
    if best is None:
        said = f"<p>Nothing fits into {budget} GiB: the smallest takes {points[0].size_gib:.1f}.</p>"
    else:
        said = (f"<p><b>{_called(best)}</b> is best: {_score(best)}, {best.size_gib:.1f} GiB in all."
                f"{_next(points, best)}</p>")
        said += "".join(f"<p>{_rival(points, name, budget)}</p>"
                        for name in ("Llama-3-8B", "Llama-3-70B") if name != best.model)
    return f"{STYLE}{_drawing(points, best, budget)}<div class='sizing'>{said}</div>"


@cache
def _with_cache(context_tokens: int) -> list[Point]:
    """The points with KV cache, compute buffer and runtime beside their weights, by size."""
    return sorted((replace(point, size_gib=point.size_gib + _beside_gib(point.model, context_tokens))
                   for point in sized_scores()), key=lambda point: point.size_gib)


@cache
def _beside_gib(model: str, context_tokens: int) -> float:
    budget = vram_budget(load_model(model), weights="Q4_K_M", context_tokens=context_tokens)
    return (budget.total_bytes - budget["weights"].bytes) / GIB


def _called(point: Point) -> str:
    return f"{point.model}-Instruct at {point.weights}"


def _score(point: Point) -> str:
    return f"{point.score:.1f} % of MMLU (± {point.error:.1f})"


def _next(points: list[Point], best: Point) -> str:
    after = [point for point in front(points) if point.size_gib > best.size_gib]
    if not after:
        return " More memory buys nothing that was measured."
    gain = after[0].score - best.score
    noise = ", which is within the sampling error" if gain < math.hypot(best.error, after[0].error) else ""
    return (f" The next step up is {_called(after[0])}: {gain:+.1f} points{noise}, for"
            f" {after[0].size_gib - best.size_gib:.1f} GiB more.")


def _rival(points: list[Point], model: str, budget: int) -> str:
    rival = best_within([point for point in points if point.model == model], budget)
    if rival is None:
        return f"{model}-Instruct does not fit at any number of bits."
    return f"{model}-Instruct does at best {_score(rival)}, at {rival.weights}."


def _drawing(points: list[Point], best: Point | None, budget: int) -> str:
    """A small chart in the page's own colours: size across, score up."""
    names = list(dict.fromkeys(point.model for point in points))
    least, most = points[0].size_gib * 0.9, max(point.size_gib for point in points) * 1.1

    def across(gib: float) -> float:
        return WIDE * math.log(gib / least) / math.log(most / least)

    def up(score: float) -> float:
        return HIGH * (1 - (score - LEAST) / (MOST - LEAST))

    dots = "".join(
        f"<circle cx='{across(point.size_gib):.1f}' cy='{up(point.score):.1f}'"
        f" r='{6 if point == best else 3}' fill='{LINE_COLOURS[names.index(point.model)]}'"
        f" opacity='{1 if point.size_gib <= budget else 0.35}'/>" for point in points)
    line = min(max(across(budget), 0), WIDE)
    told = f"MMLU against memory; the best within {budget} GiB: {_called(best) if best else 'none'}"
    key = " &nbsp; ".join(f"<span style='color:{LINE_COLOURS[place]}'>●</span> {name}-Instruct"
                          for place, name in enumerate(names))
    return (
        f"<svg viewBox='-30 -8 {WIDE + 40} {HIGH + 28}' role='img' aria-label='{escape(told)}'"
        " style='width:100%;max-width:35rem;font-size:11px' fill='currentColor'>"
        + "".join(f"<text x='-6' y='{up(score) + 4:.1f}' text-anchor='end'>{score}</text>"
                  for score in (25, 50, 65, 80))
        + "".join(f"<text x='{across(gib):.1f}' y='{HIGH + 16}' text-anchor='middle'>{gib}</text>"
                  for gib in (3, 4, 6, 8, 12, 16, 24, 48))
        + f"<line x1='{line:.1f}' x2='{line:.1f}' y1='0' y2='{HIGH}' stroke='currentColor' stroke-width='2'/>"
        f"{dots}</svg><div class='sizing'><small>{key}<br>Across: GiB in all. Up: MMLU, %;"
        " 8B some 14,000 questions, 70B 2,850 of them.</small></div>"
    )


def same_file_panel() -> Panel:
    """One file type or format: what it did to each model on which somebody measured it.

    Returns
    -------
    Panel
        With the controls "method" and "metric".

    Examples
    --------
    >>> panel = same_file_panel()
    >>> panel.controls["method"].value = "Q2_K"
    >>> "Qwen3-0.6B" in panel.result
    True
    """
    return Panel(
        "What does one file type cost different models?",
        same_file_html,
        {
            "method": ipywidgets.SelectionSlider(options=SHARED, value="Q4_K_M",
                                                 description="File type"),
            "metric": ipywidgets.Dropdown(options=MEASURES, value="KLD", description="Measure"),
        },
    )


def same_file_html(*, method: str, metric: str) -> str:
    """List what was measured, with the text that it was measured on."""
    rows = sorted((row for row in quality_rows(quantized="weights", method=method, metric=metric)
                   if row.imatrix not in REPEATED), key=lambda row: row.billions)
    if not rows:
        return f"<p>Nobody whom we know measured it of {escape(method)}.</p>"
    lines = "".join(
        f"<tr><th scope='row'>{escape(row.model)}<small>{escape(_conditions(row))}</small></th>"
        f"<td>{_amount(row)}</td></tr>" for row in rows)
    name = next(label for label, value in MEASURES if value == metric)
    return (f"{STYLE}<div class='sizing'><p class='sizing-title'>{escape(method)}: {name}</p>"
            f"<table class='sizing-plain'>{lines}</table><p>{_span(rows)}</p></div>")


def _amount(row: Measurement) -> str:
    return f"{row.number:.1f} %" if row.metric == "same top" else f"{row.number:#.2g}"


def _conditions(row: Measurement) -> str:
    matrix = {"": "", "no": ", no importance matrix"}.get(row.imatrix, ", importance matrix")
    return f"{row.kind if row.kind != 'not said' else 'version not said'}; text: {row.corpus}{matrix}"


def _span(rows: list[Measurement]) -> str:
    numbers = [row.number for row in rows]
    if rows[0].metric == "same top":
        return f"From {min(numbers):.0f} to {max(numbers):.0f} %: a file type's name promises no quality."
    times = f"The most is {max(numbers) / min(numbers):.2g} times the least. " if len(rows) > 1 else ""
    return (f"{times}These numbers say how much each model changed from its own original, on its own text,"
            " not which one is better.")
