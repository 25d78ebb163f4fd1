"""What fits a device, by speed."""

from collections.abc import Sequence

import matplotlib

from llmsizing.breakdown.colours import ACCENT, LINE_COLOURS
from llmsizing.choosing import Choice
from llmsizing.errors import InvalidInput
from llmsizing.memory import weight_bytes
from llmsizing.plots.figure import INK, STYLE, BookFigure, name_bars
from llmsizing.units import GIB


def plot_choices(choices: Sequence[Choice], *, title: str) -> BookFigure:
    """Draw the predicted speed of choices as ranges, with the sizes of their files.

    Parameters
    ----------
    choices : sequence of Choice
        From `what_fits`, drawn from top to bottom.
    title : str
        What the figure says.

    Raises
    ------
    InvalidInput
        If there is none, or the speed of one cannot be said.
    """
    if not choices or any(choice.speed is None for choice in choices):
        raise InvalidInput("Give choices whose speed is known: speed_of says None for the others.")
    told = "; ".join(f"{_name(choice)}, {choice.price.speed_text}" for choice in choices)
    figure = BookFigure(f"{title}. Tokens per second: {told}.", height=1.2 + 0.46 * len(choices))
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        for place, choice in enumerate(choices):
            colour = ACCENT if choice.model.has_experts else LINE_COLOURS[0]
            low, high = choice.speed.low, choice.speed.high
            axes.barh(place, high - low, left=low, height=0.5, color=colour)
            axes.plot(choice.speed.usual, place, "|", color=INK, markersize=14)
            axes.annotate(choice.price.speed_text, (high, place), xytext=(6, 0), va="center",
                          textcoords="offset points", weight="bold")
        name_bars(axes, [_name(choice).replace(", ", "\n", 1) for choice in choices])
        axes.set_xlim(0, 1.25 * max(choice.speed.high for choice in choices))
        axes.set_xlabel("tokens per second, 80 % range")
        figure.headline(title)
    return figure


def _name(choice: Choice) -> str:
    size = f"{choice.model.name}, {weight_bytes(choice.model, choice.weights) / GIB:.1f} GiB"
    return f"{size}, experts" if choice.model.has_experts else size
