"""BookFigure: a matplotlib figure that a page shows in its own text colour, and its pieces.

A figure draws everything neutral in the page's text colour, so it reads in light and in dark,
and it scales with the page. It is an ordinary matplotlib figure all the same: save it, edit it.
"""

import io
import re
import textwrap
from html import escape

import matplotlib
from matplotlib.figure import Figure

INK = "#010203"  # stands for the page's text colour until the figure is written
WIDTH_INCHES = 5.4  # 389 points: about a phone's width, so that text keeps its size there

STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "svg.fonttype": "none",
    "svg.hashsalt": "llmsizing",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


class BookFigure(Figure):
    """A matplotlib figure that a notebook shows as an inline picture with a text alternative.

    Parameters
    ----------
    alt : str
        What the figure says, for a reader who cannot see it.
    height : float
        Inches.
    """

    def __init__(self, alt: str, height: float) -> None:
        with matplotlib.rc_context(STYLE):
            super().__init__(figsize=(WIDTH_INCHES, height))
        self.alt = alt

    def headline(self, title: str) -> None:
        """Set a title over the whole width, where the names of the rows leave the axes little."""
        lines = "\n".join(textwrap.fill(line, 48) for line in title.splitlines())
        self.suptitle(lines, x=0.01, ha="left", weight="bold", fontsize=12)

    def svg(self) -> str:
        """The figure as SVG text that takes its neutral colour and its width from the page."""
        file = io.StringIO()
        with matplotlib.rc_context(STYLE):
            self.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
        return _page_svg(file.getvalue(), self.alt)

    def _repr_html_(self) -> str:
        return f"<div class='sizing-figure'>{self.svg()}</div>"


def name_bars(axes, names: list[str]) -> None:
    """Write a name before each bar, the first one on top."""
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.spines["left"].set_visible(False)


def edge(axes, value: float, text: str, linestyle: str = "-", *, align: str = "center") -> None:
    """Draw a line that all bars are held against, with its name above."""
    axes.axvline(value, color=INK, linewidth=1.8, linestyle=linestyle)
    axes.annotate(text, (value, -0.62), ha=align, annotation_clip=False)


def _page_svg(svg: str, alt: str) -> str:
    svg = svg[svg.index("<svg"):].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # names that repeat from figure to figure
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    frame = f'<svg role="img" aria-label="{escape(alt)}" style="width:100%;max-width:35rem;height:auto"'
    return svg.replace("<svg", frame, 1).replace("'DejaVu Sans'", "system-ui, 'DejaVu Sans'").strip()
