"""What context costs, model by model."""

import matplotlib

from llmsizing.architecture import Model
from llmsizing.breakdown.colours import LINE_COLOURS
from llmsizing.errors import InvalidInput
from llmsizing.memory import kv_cache_bytes
from llmsizing.plots.figure import STYLE, BookFigure
from llmsizing.units import BILLION, GIB, KIB

CONTEXTS = tuple(2**power for power in range(8, 18))
TICKS = CONTEXTS[1::2]
SIZES = (0.1, 1, 10)  # GiB, for the axis


def plot_kv_cache(models: list[Model]) -> BookFigure:
    """Draw the KV cache of each model against the context, both on logarithmic scales.

    On these scales a cache that doubles with the context is a straight line. Beyond the
    context that a model was made for, its line is dashed.

    Parameters
    ----------
    models : list of Model
        One to five; names stand where the lines end.

    Raises
    ------
    InvalidInput
        If there are no models or more than five.
    """
    if not 1 <= len(models) <= len(LINE_COLOURS):
        raise InvalidInput(f"One to {len(LINE_COLOURS)} models can be drawn, not {len(models)}.")
    lines = {model: [kv_cache_bytes(model, context_tokens=tokens) / GIB for tokens in CONTEXTS]
             for model in models}
    ends = ", ".join(f"{model.name} ({model.parameters / BILLION:.0f} billion parameters)"
                     f" {sizes[-1]:.1f} GiB" for model, sizes in lines.items())
    title = "Parameters do not decide what context costs"
    figure = BookFigure(f"{title}. KV cache at {CONTEXTS[-1]:,} tokens: {ends}.", height=4.4)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for (model, sizes), colour in zip(lines.items(), LINE_COLOURS, strict=False):
            own = sum(tokens <= (model.max_position_embeddings or CONTEXTS[-1]) for tokens in CONTEXTS)
            axes.plot(CONTEXTS[:own], sizes[:own], color=colour, linewidth=2.2)
            axes.plot(CONTEXTS[own - 1:], sizes[own - 1:], color=colour, linewidth=2.2, linestyle=":")
            axes.annotate(f"{model.name} {sizes[-1]:.1f}", (CONTEXTS[-1], sizes[-1]), va="center",
                          xytext=(6, 0), textcoords="offset points", weight="bold", fontsize=9.5)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlim(right=40 * CONTEXTS[-1])  # room for the names
        axes.set_xticks(TICKS, [f"{tokens // KIB}k" if tokens >= KIB else tokens for tokens in TICKS])
        axes.set_yticks(SIZES, [f"{size:g}" for size in SIZES])
        axes.minorticks_off()
        axes.set_title(title, pad=12)
        axes.set_xlabel("context, tokens (1k = 1,024; dotted: beyond the model's own)")
        axes.set_ylabel("KV cache, GiB (f16)")
    return figure
