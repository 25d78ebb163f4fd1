"""What of a format's bits holds the weights themselves."""

import matplotlib

from llmsizing.breakdown.colours import ACCENT
from llmsizing.plots.figure import INK, STYLE, BookFigure, name_bars
from llmsizing.quantization import load_format

PAYLOAD = ("codes", "high bits", "value")


def plot_bits(names: list[str]) -> BookFigure:
    """Draw formats as bars of bits per weight: codes, and what is stored beside them.

    Parameters
    ----------
    names : list of str
        Formats whose codes are fields of their own.
    """
    chosen = [load_format(name) for name in names]
    codes = [float(sum(8 * part.bytes for part in entry.parts if part.name in PAYLOAD))
             / entry.block_weights for entry in chosen]
    totals = [float(entry.bits_per_weight) for entry in chosen]
    told = ", ".join(f"{entry.name} {total:g}" for entry, total in zip(chosen, totals, strict=True))
    title = "A 4-bit weight takes more than 4 bits"
    figure = BookFigure(f"{title}. Bits per weight: {told}.", height=1.1 + 0.34 * len(chosen))
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for place, (code, total) in enumerate(zip(codes, totals, strict=True)):
            axes.barh(place, code, height=0.7, color=ACCENT)
            axes.barh(place, total - code, left=code, height=0.7, color="none", edgecolor=INK,
                      hatch="////")
            axes.annotate(f"{total:g}", (total, place), xytext=(5, 0), va="center",
                          textcoords="offset points", weight="bold")
        axes.annotate("codes", (codes[0] / 2, 0), ha="center", va="center", color="white",
                      weight="bold")
        axes.annotate("scales", (totals[0], 0), xytext=(34, 0), textcoords="offset points",
                      va="center")
        name_bars(axes, [entry.name for entry in chosen])
        axes.set_xlim(right=1.25 * max(totals))
        axes.set_xlabel("bits per weight")
        axes.set_title(title, pad=10)
    return figure
