"""How much of what was moved to RAM is read for each token."""

import matplotlib

from llmsizing.architecture import Model
from llmsizing.breakdown.colours import ACCENT, LINE_COLOURS
from llmsizing.memory import host_budget, host_reads
from llmsizing.plots.figure import STYLE, BookFigure, name_bars


def plot_moved(models: list[Model], *, weights: str) -> BookFigure:
    """Draw what is read for each token of every GiB that half of the layers put into RAM.

    A bar each for moving the experts of these layers, where a model has some, and for moving the
    layers whole, with their part of an 8,192-token KV cache.

    Parameters
    ----------
    models : list of Model
        From top to bottom.
    weights : str
        A llama.cpp file type.
    """
    bars = [bar for model in models for bar in _shares(model, weights)]
    told = ", ".join(f"{model} {what} {share:.2f}" for model, what, share in bars)
    title = "Experts in RAM are hardly read, dense layers are read whole"
    figure = BookFigure(f"{title}. GiB read for each token, of each GiB moved: {told}.",
                        height=1.2 + 0.46 * len(bars))
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for place, (_, what, share) in enumerate(bars):
            colour = ACCENT if what == "experts" else LINE_COLOURS[0]
            axes.barh(place, share, height=0.7, color=colour)
            axes.annotate(f"{share:.2f}", (share, place), xytext=(5, 0), va="center",
                          textcoords="offset points", weight="bold")
        name_bars(axes, [f"{model}\n{what}" for model, what, _ in bars])
        axes.set_xlim(0, 1.15)
        axes.set_xlabel("GiB read for each token, of each GiB moved to RAM")
        figure.headline(title.replace(", ", ",\n"))
    return figure


def _shares(model: Model, weights: str) -> list[tuple[str, str, float]]:
    """What is read of what was moved, for the experts and for whole layers."""
    half = model.num_hidden_layers // 2
    stays = host_budget(model, weights=weights).total_bytes
    shares = []
    for what, settings in (("experts", {"experts_on_cpu": half}),
                           ("layers", {"offload": model.num_hidden_layers + 1 - half})):
        moved = host_budget(model, weights=weights, **settings).total_bytes - stays
        read = host_reads(model, weights=weights, **settings).total_bytes
        if moved:
            shares.append((model.name, what, read / moved))
    return shares
