"""What the lab of chapter 5 found: fidelity and score against bits per weight."""

import matplotlib

from llmsizing.breakdown.colours import ACCENT, LINE_COLOURS
from llmsizing.catalog import RoundingRun
from llmsizing.errors import InvalidInput
from llmsizing.plots.figure import INK, STYLE, BookFigure


def plot_rounding(runs: list[RoundingRun], whole: RoundingRun) -> BookFigure:
    """Draw cosine, neighbours kept and right answers against bits per weight.

    Parameters
    ----------
    runs : list of RoundingRun
        From the most bits to the fewest.
    whole : RoundingRun
        The weights as published: where the score starts.

    Raises
    ------
    InvalidInput
        If there are no runs.
    """
    if not runs:
        raise InvalidInput("There are no runs to draw.")
    bits = [float(run.bits_per_weight) for run in runs]
    lines = {
        "embeddings: cosine": ([float(run.embedding_cosine) for run in runs], ACCENT),
        "ten nearest kept": ([float(run.top10_overlap) for run in runs], LINE_COLOURS[0]),
        "right answers": ([float(run.recall_at_1) for run in runs], LINE_COLOURS[2]),
    }
    points_below = (-8, 22, 22)  # where the names stand, from the end of each line
    told = "; ".join(f"{name} {', '.join(f'{value:.2f}' for value in values)}"
                     for name, (values, _) in lines.items())
    title = "The neighbours go long before the score"
    figure = BookFigure(f"{title}. At {', '.join(f'{each:g}' for each in bits)} bits per weight: {told}."
                        f" Before rounding {float(whole.recall_at_1):.2f} of the answers are right.",
                        height=3.9)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for (name, (values, colour)), below in zip(lines.items(), points_below, strict=True):
            axes.plot(bits, values, color=colour, linewidth=2.2, marker="o", markersize=4.5)
            axes.annotate(name, (bits[0], values[0]), xytext=(0, -below), textcoords="offset points",
                          ha="right", weight="bold")
        scores, errors = ([float(getattr(run, name)) for run in runs]
                          for name in ("recall_at_1", "recall_error"))
        axes.errorbar(bits, scores, yerr=errors, fmt="none", ecolor=LINE_COLOURS[2], capsize=3)
        axes.axhline(float(whole.recall_at_1), color=INK, linewidth=1, linestyle=":")
        axes.set_ylim(0, 1.12)
        axes.set_xlabel("bits per weight, with scales (bars: sampling error of 150 queries)")
        figure.headline(title)
    return figure


def plot_block_sizes(runs: list[RoundingRun]) -> BookFigure:
    """Draw the cosine against bits per weight: a line for each number of bits of a code.

    Parameters
    ----------
    runs : list of RoundingRun
        Of our quantizer, with several sizes of block; one to five numbers of bits.

    Raises
    ------
    InvalidInput
        If there are no runs, or more numbers of bits.
    """
    lines = {bits: sorted((run for run in runs if run.bits == bits), key=lambda run: run.bits_per_weight)
             for bits in sorted({run.bits for run in runs}, reverse=True)}
    if not 1 <= len(lines) <= len(LINE_COLOURS):
        raise InvalidInput(f"One to {len(LINE_COLOURS)} lines can be drawn, not {len(lines)}.")
    told = "; ".join(
        f"{bits} bits: " + ", ".join(f"{_block(run)} {float(run.embedding_cosine):.3f}" for run in line)
        for bits, line in lines.items())
    title = "Smaller blocks buy quality for tenths of a bit"
    figure = BookFigure(f"{title}. Cosine by weights in a block. {told}.", height=3.9)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for (bits, line), colour in zip(lines.items(), LINE_COLOURS, strict=False):
            places = [(float(run.bits_per_weight), float(run.embedding_cosine)) for run in line]
            axes.plot(*zip(*places, strict=True), color=colour, linewidth=2.2, marker="o", markersize=4.5)
            for run, place in zip(line, places, strict=True):
                aside = {"xytext": (-5, 6), "ha": "right"} if run.block_weights == 128 else {"xytext": (5, -14)}
                axes.annotate(_block(run), place, textcoords="offset points", **aside)
            axes.annotate(f"codes of {bits} bits", places[-1], xytext=(-4, 9), ha="right",
                          textcoords="offset points", weight="bold")
        axes.margins(y=0.12)
        axes.set_xlabel("bits per weight (at the points: weights in a block)")
        axes.set_ylabel("cosine to the original")
        figure.headline(title)
    return figure


def _block(run: RoundingRun) -> str:
    return str(run.block_weights or "row")
