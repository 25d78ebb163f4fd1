"""What each bit costs: divergence against bits, scores against size, a cache before and after."""

from collections.abc import Sequence

import matplotlib

from llmsizing.breakdown.colours import ACCENT, LINE_COLOURS
from llmsizing.errors import InvalidInput
from llmsizing.plots.figure import INK, STYLE, BookFigure, name_bars
from llmsizing.quality import Measurement, Point, front, one_scale, relative
from llmsizing.quality.measurements import ORIGINALS

OTHER = LINE_COLOURS[0]
GREY = LINE_COLOURS[-1]
FACES = {"KLD": "mean KL divergence, nats",
         "top token differs": "share of tokens whose likeliest follower changed"}
TICKS = (0.001, 0.01, 0.1, 1)


def plot_fidelity(rows: Sequence[Measurement], *, title: str) -> BookFigure:
    """Draw a measure of damage against bits per weight, the best at each size by name.

    Parameters
    ----------
    rows : sequence of Measurement
        On one scale, with bits per weight; less is better.
    title : str
        What the figure says.

    Raises
    ------
    InvalidInput
        If the rows may not be compared, or one has no bits.
    """
    rows = [row for row in one_scale(rows) if row.method not in ORIGINALS]
    if not all(row.bits for row in rows):
        raise InvalidInput("Each row needs its bits per weight.")
    best = front([Point(row.model, row.method, row.bits, -row.number, 0) for row in rows])
    told = "; ".join(f"{point.weights} {point.size_gib:.2f} bits, {-point.score:.3g}" for point in best)
    figure = BookFigure(f"{title}. The best at each size: {told}.", height=5.2)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for row in rows:
            with_matrix = row.imatrix not in ("", "no")
            axes.plot(row.bits, row.number, "o" if with_matrix else "s", markersize=5.5,
                      color=ACCENT if with_matrix else OTHER)
        axes.plot([point.size_gib for point in best], [-point.score for point in best], color=GREY,
                  linewidth=1, zorder=0)
        if rows[0].metric == "KLD":
            _log_scale(axes, [row.number for row in rows])
        else:
            axes.set_ylim(0, 1.1 * max(row.number for row in rows))
        axes.set_xlim(0.9, max(row.bits for row in rows) + 0.3)
        _name(axes, [(point.weights, point.size_gib, -point.score) for point in reversed(best)], above=False)
        axes.set_xlabel("bits per weight, all tensors")
        axes.set_ylabel(FACES.get(rows[0].metric, rows[0].metric))
        _legend(axes, rows)
        figure.headline(title)
    return figure


def _name(axes, points: list[tuple[str, float, float]], *, above: bool) -> None:
    """Write the names of points left of them, of those that come first where they stand close."""
    taken: list[tuple[float, float]] = []
    for name, across, up in points:
        x, y = axes.transAxes.inverted().transform(axes.transData.transform((across, up)))
        if all(abs(x - other) > 0.17 or abs(y - height) > 0.036 for other, height in taken):
            taken.append((x, y))
            axes.annotate(name, (across, up), xytext=(-6, 4 if above else -4), fontsize=8.5,
                          textcoords="offset points", ha="right", va="bottom" if above else "top")


def _log_scale(axes, numbers: list[float]) -> None:
    axes.set_yscale("log")
    ticks = [tick for tick in TICKS if min(numbers) / 2 <= tick <= max(numbers) * 2]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _legend(axes, rows: Sequence[Measurement]) -> None:
    kinds = {row.imatrix not in ("", "no") for row in rows}
    if len(kinds) > 1:
        for place, (text, colour) in enumerate((("● with an importance matrix", ACCENT),
                                                ("■ without", OTHER))):
            axes.annotate(text, (1, 1 - 0.06 * place), xycoords="axes fraction", ha="right", va="top",
                          color=colour, fontsize=9.5, weight="bold")


def plot_same_file(rows: Sequence[Measurement]) -> BookFigure:
    """Draw what the same file types did to different models, measured in one way on one text.

    Parameters
    ----------
    rows : sequence of Measurement
        Of one metric, text and source; models and file types vary.

    Raises
    ------
    InvalidInput
        If metric, text or source differ.
    """
    if len({row.scale[2:] for row in rows}) != 1:
        raise InvalidInput("The rows need one metric, one text and one source.")
    models = list(dict.fromkeys(row.model for row in rows))
    methods = list(dict.fromkeys(row.method for row in rows))
    told = "; ".join(f"{row.method} {row.model} {row.number:.2g}" for row in rows)
    spans = [[row.number for row in rows if row.method == method] for method in methods]
    factors = [max(span) / min(span) for span in spans]
    title = f"The same file type: {min(factors):.2g} to {max(factors):.2g} times the damage"
    figure = BookFigure(f"{title}. {FACES['KLD']}: {told}.", height=1.4 + 0.62 * len(methods))
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for row in rows:
            place = methods.index(row.method) + 0.36 * (models.index(row.model) - (len(models) - 1) / 2)
            axes.barh(place, row.number, height=0.32, color=(OTHER, ACCENT)[models.index(row.model) % 2])
            axes.annotate(f"{row.number:.2g}  {row.model}", (row.number, place), xytext=(5, 0), va="center",
                          textcoords="offset points", fontsize=9.5)
        name_bars(axes, methods)
        axes.set_xscale("log")
        ticks = [0.0001, *TICKS]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xlim(0.0001, 12)
        axes.minorticks_off()
        axes.set_xlabel(f"{FACES['KLD']} (logarithmic)")
        figure.headline(title)
    return figure


def plot_scores(points: Sequence[Point]) -> BookFigure:
    """Draw scores against size for two models, with the Pareto front.

    Parameters
    ----------
    points : sequence of Point
        From `sized_scores`.
    """
    names = list(dict.fromkeys(point.model for point in points))
    best = front(points)
    title = "More parameters beat more bits, down to about two bits"
    told = "; ".join(f"{point.size_gib:.1f} GiB {point.model} {point.weights} {point.score:.1f}"
                     for point in best)
    figure = BookFigure(f"{title}. The front: {told}.", height=5.2)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        axes.plot([point.size_gib for point in best], [point.score for point in best], color=GREY,
                  linewidth=1, zorder=0)
        for point in points:
            colour = LINE_COLOURS[names.index(point.model)]
            axes.errorbar(point.size_gib, point.score, yerr=point.error, color=colour, marker="o",
                          markersize=5, elinewidth=1, linestyle="none")
        for place, name in enumerate(names):
            axes.annotate(f"● {name}-Instruct", (1, 0.42 - 0.07 * place), xycoords="axes fraction",
                          ha="right", color=LINE_COLOURS[place], weight="bold", fontsize=10)
        axes.axhline(25, color=INK, linewidth=1, linestyle=":")
        axes.annotate("guessing", (24, 25.6), fontsize=8.5)
        axes.set_xscale("log")
        axes.set_xticks((2, 4, 8, 16, 32), ("2", "4", "8", "16", "32"))
        axes.minorticks_off()
        axes.set_xlim(1.1, 60)
        axes.set_ylim(22, 86)
        _name(axes, [(point.weights, point.size_gib, point.score) for point in reversed(best)], above=True)
        axes.set_xlabel("GiB on the device (all tensors but the input embedding)")
        axes.set_ylabel("MMLU, % right")
        figure.headline(title)
    return figure


def plot_rotation(rows: Sequence[Measurement]) -> BookFigure:
    """Draw by how much a rounded KV cache raises perplexity, with and without rotation.

    Parameters
    ----------
    rows : sequence of Measurement
        Perplexities of one model on one scale, the cache in 16 bits among them.
    """
    rows = one_scale(rows)
    changes = {(row.method, row.rotated): 100 * (row.number / relative(row).number - 1)
               for row in rows if row.rotated}
    methods = list(dict.fromkeys(method for method, _ in changes))
    told = "; ".join(f"{method} {'rotated' if rotated == 'yes' else 'as they are'} {change:+.2f} %"
                     for (method, rotated), change in changes.items())
    title = "Rotated keys bear four bits"
    figure = BookFigure(f"{title}. Change of perplexity: {told}.", height=1.6 + 0.6 * len(methods))
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for place, method in enumerate(methods):
            for offset, rotated, colour, text in ((-0.18, "no", OTHER, "as they are"),
                                                  (0.18, "yes", ACCENT, "rotated")):
                change = changes[method, rotated]
                axes.barh(place + offset, change, height=0.32, color=colour)
                axes.annotate(f"{change:+.2f} %  {text}", (max(change, 0), place + offset), xytext=(5, 0),
                              va="center", textcoords="offset points", fontsize=9.5)
        name_bars(axes, [method.removeprefix("keys ").partition(",")[0] for method in methods])
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_xlim(-1.5, 17)
        axes.set_xlabel("change of perplexity, %; keys in this type, values in f16")
        figure.headline(title)
    return figure
