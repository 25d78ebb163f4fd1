"""How far predictions are off: ours by kind of evidence, and every estimator's in the same cases."""

import matplotlib

from llmsizing.breakdown.colours import ACCENT, LINE_COLOURS
from llmsizing.evidence import Accuracy, Score, percent
from llmsizing.plots.figure import INK, STYLE, BookFigure, name_bars

LEAST = 0.001  # percent; smaller errors stand at the left edge
EDGE = 80  # percent; larger errors of estimators stand at the edge


def plot_errors(kinds: list[Accuracy]) -> BookFigure:
    """Draw how far each kind of prediction is off: half of it, 90 % of it, and the worst.

    Parameters
    ----------
    kinds : list of Accuracy
        From `accuracy`.
    """
    title = "Weights and cache are exact, programs at work are not"
    told = "; ".join(f"{kind.kind}: median {percent(kind.median)}, 90 % within {percent(kind.p90)},"
                     f" worst {percent(kind.worst, sign=True)}" for kind in kinds)
    figure = BookFigure(f"{title}. {told}.", height=1.5 + 0.46 * len(kinds))
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for place, kind in enumerate(kinds):
            half, most, worst = (max(LEAST, 100 * abs(share))
                                 for share in (kind.median, kind.p90, kind.worst))
            axes.plot([LEAST, worst], [place] * 2, color=INK, linewidth=1)
            axes.plot([LEAST, most], [place] * 2, color=ACCENT, linewidth=5, solid_capstyle="butt")
            axes.plot([LEAST, half], [place] * 2, color=ACCENT, linewidth=12, solid_capstyle="butt")
            axes.plot([worst], [place], color=INK, marker="|", markersize=12)
            axes.annotate(percent(kind.worst, sign=True), (worst, place), xytext=(6, 0), va="center",
                          textcoords="offset points", weight="bold")
        name_bars(axes, [_wrapped(kind) for kind in kinds])
        axes.tick_params(axis="y", labelsize=9.5)
        axes.set_xscale("log")
        axes.set_xlim(LEAST, 300)
        ticks = (0.001, 0.1, 10)
        axes.set_xticks(ticks, [f"{tick:g} %" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("thick: half of the errors\nthinner: 90 %, line: the worst")
        figure.headline(title)
    return figure


def _wrapped(kind: Accuracy) -> str:
    return f"{kind.kind}\n{kind.rows:,} rows{', seen' if kind.fitted else ''}"


def plot_bake_off(scores: tuple[Score, ...]) -> BookFigure:
    """Draw every estimator's errors as dots, one row each, from the smallest mean error.

    Parameters
    ----------
    scores : tuple of Score
        From `bake_off`.
    """
    far = sum(score.mean > 0.05 for score in scores)
    title = f"{far} of {len(scores)} estimators are off by over 5 %"
    told = "; ".join(f"{score.estimator.name} {percent(score.mean)}" for score in scores)
    figure = BookFigure(f"{title} on average. Mean errors: {told}.", height=1.4 + 0.29 * len(scores))
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=1.2)
        for place, score in enumerate(scores):
            ours = score.estimator.name == "llmsizing"
            errors = [max(-EDGE, min(EDGE, 100 * answer.error)) for answer in score.answers]
            axes.scatter(errors, [place] * len(errors), s=22, alpha=0.55, linewidths=0,
                         color=ACCENT if ours else LINE_COLOURS[0])
            axes.annotate(percent(score.mean), (EDGE, place), xytext=(10, 0), va="center",
                          textcoords="offset points", annotation_clip=False)
        name_bars(axes, [score.estimator.name for score in scores])
        axes.set_xlim(-EDGE - 4, EDGE + 4)
        axes.set_xticks((-80, 0, 80), ["−80 %\nor less", "0", "+80 %\nor more"])
        axes.annotate("mean", (EDGE, -1), xytext=(10, 0), textcoords="offset points", va="center",
                      weight="bold", annotation_clip=False)
        axes.set_xlabel("error, a dot for each case")
        figure.headline(title)
    return figure
