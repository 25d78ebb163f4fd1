"""What the lab of chapter 5 found: fidelity and score against bits per weight."""

import matplotlib

from llmsizing.breakdown.colours import ACCENT, LINE_COLOURS
from llmsizing.catalog import RoundingRun
from llmsizing.plots.figure import INK, STYLE, BookFigure

WHOLE_ROWS = "row"


def plot_fidelity(runs: list[RoundingRun], whole: RoundingRun) -> BookFigure:
    """Draw cosine, neighbours kept and right answers against bits per weight.

    Parameters
    ----------
    runs : list of RoundingRun
        From the most bits to the fewest.
    whole : RoundingRun
        The weights as published: where the score starts.
    """
    bits = [float(run.bits_per_weight) for run in runs]
    lines = {
        "embeddings: cosine": ([float(run.embedding_cosine) for run in runs], ACCENT),
        "ten nearest kept": ([float(run.top10_overlap) for run in runs], LINE_COLOURS[0]),
        "right answers": ([float(run.recall_at_1) for run in runs], LINE_COLOURS[2]),
    }
    told = "; ".join(f"{name} {', '.join(f'{value:.2f}' for value in values)}"
                     for name, (values, _) in lines.items())
    title = "The score holds to 3 bits, the neighbours do not"
    figure = BookFigure(f"{title}. At {', '.join(f'{each:g}' for each in bits)} bits per weight: {told}."
                        f" Before rounding {float(whole.recall_at_1):.2f} of the answers are right.",
                        height=3.9)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for name, (values, colour) in lines.items():
            axes.plot(bits, values, color=colour, linewidth=2.2, marker="o", markersize=4.5)
            axes.annotate(name, (bits[0], values[0]), xytext=(0, -16), textcoords="offset points",
                          ha="right", weight="bold", color=INK, fontsize=10)
        scores, errors = ([float(getattr(run, name)) for run in runs]
                          for name in ("recall_at_1", "recall_error"))
        axes.errorbar(bits, scores, yerr=errors, fmt="none", ecolor=LINE_COLOURS[2], capsize=3)
        axes.axhline(float(whole.recall_at_1), color=INK, linewidth=1, linestyle=":")
        axes.set_ylim(0, 1.03)
        axes.set_xlabel("bits per weight, with scales (bars: sampling error of 150 queries)")
        figure.headline(title)
    return figure


def plot_block_sizes(runs: list[RoundingRun], formats: list[RoundingRun]) -> BookFigure:
    """Draw the cosine against bits per weight: a line for each number of bits, and real formats.

    Parameters
    ----------
    runs : list of RoundingRun
        Of our quantizer, with several sizes of block.
    formats : list of RoundingRun
        Real formats, drawn as points.
    """
    lines = {bits: sorted((run for run in runs if run.bits == bits), key=lambda run: run.bits_per_weight)
             for bits in sorted({run.bits for run in runs}, reverse=True)}
    told = "; ".join(
        f"{bits} bits: " + ", ".join(f"{_block(run)} {float(run.embedding_cosine):.3f}" for run in line)
        for bits, line in lines.items())
    others = ", ".join(f"{run.name} {float(run.embedding_cosine):.3f}" for run in formats)
    title = "Smaller blocks buy quality for tenths of a bit"
    figure = BookFigure(f"{title}. Cosine by weights in a block. {told}. {others}.", height=4.2)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for (bits, line), colour in zip(lines.items(), (ACCENT, LINE_COLOURS[0]), strict=False):
            places = [(float(run.bits_per_weight), float(run.embedding_cosine)) for run in line]
            axes.plot(*zip(*places, strict=True), color=colour, linewidth=2.2, marker="o", markersize=4.5)
            for run, place in zip(line, places, strict=True):
                axes.annotate(_block(run), place, xytext=(5, -13), textcoords="offset points", fontsize=9)
            axes.annotate(f"{bits} bits", places[len(places) // 2], xytext=(0, 12), ha="right",
                          textcoords="offset points", weight="bold", color=INK)
        for run in formats:
            place = float(run.bits_per_weight), float(run.embedding_cosine)
            axes.plot(*place, color=INK, marker="D", markersize=5)
            axes.annotate(run.name, place, xytext=(0, 7), textcoords="offset points", ha="center",
                          fontsize=9)
        axes.set_xlabel("bits per weight (numbers: weights in a block)")
        axes.set_ylabel("cosine to the original embeddings")
        figure.headline(title)
    return figure


def _block(run: RoundingRun) -> str:
    return str(run.block_weights or WHOLE_ROWS)
