"""The panel of chapter 12: guess the memory of a case, and see who errs as you do."""

from fractions import Fraction
from html import escape

import ipywidgets

from llmsizing.breakdown import Breakdown, Factor, product
from llmsizing.breakdown.colours import ACCENT, LINE_COLOURS
from llmsizing.breakdown.html import STYLE, bars_html, chip_html
from llmsizing.breakdown.text import amount_text
from llmsizing.catalog import load_model
from llmsizing.catalog.evidence import EstimatorCase, estimator_cases
from llmsizing.evidence import Answer, answers, percent
from llmsizing.panels.panel import Panel
from llmsizing.units import BILLION, GIB

GUESSES = (*(step / 2 for step in range(4, 60)), *range(30, 81), *range(82, 162, 2))  # GiB
FIRST = "Gemma-2-9B at Q4_K_M, 32,768 tokens"
YOURS = LINE_COLOURS[0]
EDGE = Fraction(3, 4)  # errors beyond it stand at the edge of the strip


def guess_panel() -> Panel:
    """Guess what a model needs on a card, reveal the engine's log, and meet the estimators.

    Returns
    -------
    Panel
        With the controls "guess" (GiB), "log" and "case".

    Examples
    --------
    >>> panel = guess_panel()
    >>> "11.49 GiB" in panel.result
    False
    >>> panel.controls["log"].value = "reveal"
    >>> "11.49 GiB" in panel.result
    True
    """
    return Panel(
        "Guess the memory, then reveal the log",
        guess_html,
        {
            "guess": ipywidgets.SelectionSlider(
                options=[(f"{size:g} GiB", size) for size in GUESSES], value=8,
                description="Your guess"),
            "log": ipywidgets.ToggleButtons(options=["hide", "reveal"], value="hide",
                                            description="The log"),
            "case": ipywidgets.Dropdown(options=list(_cases()), value=FIRST, description="Case"),
        },
    )


def guess_html(*, guess: float, log: str, case: str) -> str:
    """Ask for a guess, or show it beside the engine's report and everybody's error."""
    chosen = _cases()[case]
    billions = load_model(chosen.model).parameters / BILLION
    asked = (f"<p><b>{escape(chosen.name)} of context</b>, one conversation, KV cache in 16 bits."
             f" The model has {billions:.1f} billion parameters. How much must lie on the card?</p>")
    if log == "hide":
        return (f"{STYLE}<div class='sizing'>{asked}<p>Your guess: <b>{guess:.2f} GiB</b>."
                " Move it, then reveal the log.</p></div>")
    yours = Fraction(guess) * GIB
    report = _report(chosen)
    short = yours - report.total.usual
    found = answers(chosen)
    near = sorted(found, key=lambda answer: abs(answer.error - float(short / report.total.usual)))
    return (
        f"{STYLE}<div class='sizing'>{asked}</div>" + bars_html([report, _guessed(yours)])
        + f"<div class='sizing'>{_strip(float(short / report.total.usual), found)}"
        f"<p>{_your_error(short, report, found)}</p>"
        f"<p>Nearest to your error:</p><table class='sizing-plain'>"
        f"{''.join(_neighbour(answer) for answer in near[:3])}</table></div>"
    )


def _cases() -> dict[str, EstimatorCase]:
    return {case.name: case for case in estimator_cases()}


def _report(case: EstimatorCase) -> Breakdown:
    terms = (("weights", case.weights_bytes), ("KV cache", case.kv_cache_bytes),
             ("compute buffer", case.compute_buffer_bytes))
    return Breakdown("llama.cpp reserves",
                     tuple(product(name, Factor(size, "bytes")) for name, size in terms))


def _guessed(yours: Fraction) -> Breakdown:
    return Breakdown("Your guess", (product("guess", Factor(yours, "bytes")),))


def _your_error(short: Fraction, report: Breakdown, found: list[Answer]) -> str:
    share = float(short / report.total.usual)
    better = sum(abs(answer.error) > abs(share) for answer in found)
    words = (f"Your error: <b>{percent(share, sign=True)}</b>. Of {len(found)} answers,"
             f" {better} are further off.")
    term = min(report.terms, key=lambda term: abs(term.usual + short))
    if abs(term.usual + short) < term.usual / 4:
        words += (f" You lack {amount_text(-short, 'bytes')}, which is about the {term.name}:"
                  f" {amount_text(term.usual, 'bytes')}.")
    return words


def _strip(yours: float, found: list[Answer]) -> str:
    """Everybody's error as a dot on a line from too little to too much; 0 is the engine."""
    dots = "".join(_dot(answer.error, "currentColor", .55) for answer in found)
    ours = next(answer for answer in found if answer.estimator.name == "llmsizing")
    return (
        "<div aria-hidden='true'><div style='position:relative;height:1.9rem;margin:.6rem .5rem 0'>"
        "<i style='position:absolute;left:0;right:0;top:.95rem;height:1px;background:currentColor'></i>"
        "<i style='position:absolute;left:50%;top:.2rem;bottom:.2rem;width:2px;background:currentColor'>"
        f"</i>{dots}{_dot(ours.error, ACCENT, .8)}{_dot(yours, YOURS, 1.1)}</div>"
        "<div style='display:flex;justify-content:space-between;font-size:.85rem'>"
        f"<span>{percent(-float(EDGE), sign=True)} and less</span><span>llama.cpp</span>"
        f"<span>{percent(float(EDGE), sign=True)} and more</span></div></div>"
        "<ul class='sizing-labels'>"
        f"<li>{_chip(YOURS)}your guess</li><li>{_chip(ACCENT)}llmsizing</li>"
        f"<li>{_chip('currentColor')}other estimators</li></ul>"
    )


def _dot(error: float, colour: str, size: float) -> str:
    place = 50 * (1 + max(-1.0, min(1.0, error / float(EDGE))))
    return (f"<i style='position:absolute;left:{place:.1f}%;top:.95rem;width:{size}rem;height:{size}rem;"
            f"border-radius:50%;transform:translate(-50%,-50%);background:{colour};opacity:.75'></i>")


def _chip(colour: str) -> str:
    return chip_html(colour, "border-radius:50%")


def _neighbour(answer: Answer) -> str:
    part, gap = max(answer.gaps.items(), key=lambda item: abs(item[1]))
    word = "too much" if gap > 0 else "too little"
    return (f"<tr><th scope='row'><b>{escape(answer.estimator.name)}</b>"
            f" {percent(answer.error, sign=True)}<small>{escape(part)}: {amount_text(abs(gap), 'bytes')}"
            f" {word}. In general: {escape(answer.estimator.cause)}.</small></th></tr>")
