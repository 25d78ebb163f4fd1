"""How much of a model is vocabulary."""

import matplotlib

from llmsizing.architecture import Model
from llmsizing.breakdown.colours import ACCENT
from llmsizing.plots.figure import INK, STYLE, BookFigure
from llmsizing.units import BILLION

SIZES = (0.1, 1, 10, 100, 1000)  # billions, for the axis


def plot_vocabulary_share(models: list[Model], *, named: list[str]) -> BookFigure:
    """Draw what share of a model's parameters its vocabulary takes, against the model's size.

    Parameters
    ----------
    models : list of Model
        A dot each.
    named : list of str
        The models that get their name beside the dot.
    """
    points = {model.name: (model.parameters / BILLION, 100 * vocabulary_share(model))
              for model in models}
    told = ", ".join(f"{name} {points[name][1]:.0f} %" for name in named)
    title = "The smaller the model, the more is vocabulary"
    figure = BookFigure(f"{title}. {told}.", height=3.9)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        sizes, shares = zip(*points.values(), strict=True)
        axes.scatter(sizes, shares, color=ACCENT, s=18, alpha=0.45, linewidths=0)
        axes.scatter(*zip(*(points[name] for name in named), strict=True), color=INK, s=34, zorder=3)
        for name in named:
            axes.annotate(f"{name} {points[name][1]:.0f}", points[name], xytext=(6, 6), zorder=4,
                          textcoords="offset points", weight="bold", fontsize=9.5)
        axes.set_xscale("log")
        axes.set_xticks(SIZES, [f"{size:g}" for size in SIZES])
        axes.minorticks_off()
        axes.set_xlim(0.08, 4000)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("parameters, billions")
        axes.set_ylabel("share of embedding and output, %")
        axes.set_title(title, pad=12)
    return figure


def vocabulary_share(model: Model) -> float:
    """Share of a model's parameters in its input embedding and its output layer."""
    by_role = model.parameters_by_role
    return (by_role["embedding"] + by_role["output"]) / model.parameters
