"""Speed by file type, and the roofs of a device."""

import matplotlib

from llmsizing.architecture import Model
from llmsizing.breakdown.colours import LINE_COLOURS
from llmsizing.catalog import Device
from llmsizing.memory import weight_bytes
from llmsizing.plots.figure import INK, STYLE, BookFigure
from llmsizing.speed import decode_speed
from llmsizing.speed.roofline import roofline

#: From the fewest bits to the most.
TYPES = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16")


def plot_speed_by_bits(model: Model, devices: list[Device]) -> BookFigure:
    """Draw tokens per second by bits per weight, each as a part of what Q4_K_M does there.

    Parameters
    ----------
    model : Model
        What writes.
    devices : list of Device
        One to five; names stand where the lines begin.
    """
    bits = [8 * weight_bytes(model, name) / model.parameters for name in TYPES]
    lines = {device: [decode_speed(model, device, weights=name, context_tokens=2048).usual for name in TYPES]
             for device in devices}
    title = "Below four bits speed hardly grows"
    told = "; ".join(f"{device.name}: {_told(speeds)}" for device, speeds in lines.items())
    figure = BookFigure(f"{title}. {told}.", height=4.2)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        base = TYPES.index("Q4_K_M")
        axes.plot(bits, [bits[base] / size for size in bits], color=INK, linestyle=":", linewidth=1.6)
        axes.annotate("if bytes were all", (bits[0], bits[base] / bits[0]), xytext=(4, 4),
                      textcoords="offset points")
        for (device, speeds), colour in zip(lines.items(), LINE_COLOURS, strict=False):
            relative = [speed / speeds[base] for speed in speeds]
            axes.plot(bits, relative, color=colour, linewidth=2.2, marker="o", label=device.name)
        axes.legend(frameon=False)
        axes.set_xscale("log")
        axes.set_xticks(bits, TYPES, rotation=45, ha="right", fontsize=9)
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_title(title, pad=12)
        axes.set_ylabel("speed, Q4_K_M = 1")
    return figure


def _told(speeds: list[float]) -> str:
    return ", ".join(f"{name} {speed:.0f}" for name, speed in zip(TYPES, speeds, strict=True))


def plot_roofs(model: Model, device: Device, *, weights: str, users: tuple[int, ...] = (1, 8, 32)) -> BookFigure:
    """Draw a device's two roofs, and a model under them for several numbers of conversations.

    Parameters
    ----------
    model, device, weights
        As in `decode_speed`.
    users : tuple of int
        Numbers of conversations.
    """
    found = {number: roofline(model, device, weights=weights, sequences=number) for number in users}
    first = found[users[0]]
    bandwidth, most = float(first.bandwidth), float(first.most_operations)
    points = [(f"{number} user{'s' if number > 1 else ''}", roofs.points[0]) for number, roofs in found.items()]
    points.append(("a prompt", first.points[1]))
    title = "One user leaves the arithmetic idle"
    told = "; ".join(f"{name} at {point.intensity:.0f} operations per byte" for name, point in points)
    figure = BookFigure(f"{title}. {device.name}, {model.name} at {weights}: {told}.", height=4)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots()
        axes.plot([1, first.ridge, 10_000], [bandwidth, most, most], color=INK, linewidth=2.4)
        for name, point in points:
            axes.plot(point.intensity, point.operations, "o", color=LINE_COLOURS[0], markersize=8)
            axes.annotate(name, (point.intensity, point.operations), xytext=(8, -12), textcoords="offset points")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(1, 10_000)
        axes.set_title(title, pad=12)
        axes.set_xlabel("operations for each byte that is read")
        axes.set_ylabel("billion operations a second")
    return figure
