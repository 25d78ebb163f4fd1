"""What a day costs at home and in clouds, by the tokens that are used."""

import math
from collections.abc import Sequence
from fractions import Fraction

import matplotlib
from matplotlib.ticker import FuncFormatter

from llmsizing.breakdown.colours import LINE_COLOURS
from llmsizing.catalog.prices import CloudPrice
from llmsizing.choosing.costs import OwnComputer, Workload
from llmsizing.choosing.payback import BreakEven, break_even
from llmsizing.plots.figure import INK, STYLE, BookFigure
from llmsizing.units import MILLION

LABELLED = 11  #: at which step of a line its name begins
SCALES = (10_000, 100_000, MILLION, 10 * MILLION)


def plot_break_even(computer: OwnComputer, clouds: Sequence[CloudPrice], *, name: str,
                    share_read: float = 0.8) -> BookFigure:
    """Draw the cost of a day at home against clouds, both axes by powers of ten.

    Parameters
    ----------
    computer : OwnComputer
        From `at_home`.
    clouds : sequence of CloudPrice
        What to hold it against.
    name : str
        What the computer is called in the figure.
    share_read : float
        The part of the tokens that is read, not written.
    """
    counts = [int(10 ** (step / 10)) for step in range(40, 71)]
    held = {price.name: [_day(computer, price, count, share_read) for count in counts] for price in clouds}
    told = "; ".join(f"{price}: {_even(rows[0].tokens)}" for price, rows in held.items())
    title = "Home has a price that no use lowers"
    figure = BookFigure(f"{title}. Cost of a day by tokens a day, {name} against clouds. Home is cheaper"
                        f" {told}.", height=4.8)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        first = next(iter(held.values()))
        home = [(count, float(row.local.total.usual)) for count, row in zip(counts, first, strict=True)
                if row.possible]
        axes.plot(*zip(*home, strict=True), color=INK, linewidth=2.4)
        axes.annotate(name, home[0], xytext=(4, 6), textcoords="offset points", weight="bold")
        named = []
        for colour, (label, rows) in zip(LINE_COLOURS, held.items(), strict=False):
            costs = [float(row.cloud.total.usual) for row in rows]
            axes.plot(counts, costs, color=colour, linewidth=1.8)
            named.append(axes.text(counts[LABELLED], 1.2 * costs[LABELLED], label, color=colour,
                                   weight="bold", rotation_mode="anchor"))
        axes.set(xscale="log", yscale="log", xlim=(counts[0], counts[-1]))
        axes.set_xticks(SCALES, [f"{count:,}" for count in SCALES])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("tokens a day")
        axes.set_ylabel("USD a day")
        figure.headline(title)
        figure.draw_without_rendering()  # the slope is known when the axes have their size
        (left, low), (right, high) = axes.transData.transform([(1, 1), (10, 10)])
        for text in named:
            text.set_rotation(math.degrees(math.atan2(high - low, right - left)))
    return figure


def _day(computer: OwnComputer, price: CloudPrice, tokens: int, share: float) -> BreakEven:
    """One day of so many tokens."""
    day = Workload(input_tokens=tokens * share, output_tokens=tokens * (1 - share))
    return break_even(day, computer, input_price=price.input_usd_per_million,
                      output_price=price.output_usd_per_million)


def _even(tokens: Fraction | None) -> str:
    return "never" if tokens is None else f"from {int(tokens):,} tokens a day"
