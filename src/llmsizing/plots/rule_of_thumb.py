"""What the rule of thumb's 1.2 would have to be."""

import matplotlib

from llmsizing.architecture import Model
from llmsizing.breakdown.colours import LINE_COLOURS
from llmsizing.catalog import engine_contexts
from llmsizing.errors import InvalidInput
from llmsizing.memory import OVERHEAD, native_contexts, rule_of_thumb_gap
from llmsizing.plots.figure import INK, STYLE, BookFigure
from llmsizing.units import KIB


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
    title = "The factor needed grows with the context"
    figure = BookFigure(f"{title}. Needed at {weights}: {ends}.", height=4.0)
    with matplotlib.rc_context(STYLE):
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
