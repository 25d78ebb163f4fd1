"""The panels of chapter 5: fewer bits, smaller blocks, and what an outlier does."""

import math
from functools import cache
from html import escape

import ipywidgets

from llmsizing.breakdown.colours import ACCENT, LINE_COLOURS
from llmsizing.breakdown.html import STYLE, chip_html
from llmsizing.catalog import RoundingRun, SearchHit, rounding_lab, rounding_searches
from llmsizing.panels.panel import Panel
from llmsizing.quantization import RoundTrip, quantize_block, round_trip, weight_slice

BITS = tuple((f"{bits} bits", bits) for bits in range(8, 1, -1))
WHOLE_ROW = len(weight_slice().rows[0])
BLOCKS = (("16", 16), ("32", 32), ("64", 64), ("128", 128), ("the whole row", WHOLE_ROW))
FACTORS = tuple((f"{factor} times" if factor > 1 else "as it is", factor) for factor in (1, 2, 4, 8, 16))
ORDINARY, OUTLYING = 98, 99
SHOWN_BLOCK = 32
EDGE_OF_STRIP = 4  # times the usual size of a weight: what is larger is cut there
AFTER = LINE_COLOURS[0]


def bits_panel() -> Panel:
    """Eight bits down to two: a block of real weights on its grid, and a search with the model.

    Returns
    -------
    Panel
        With the controls "bits", "search" and "row".

    Examples
    --------
    >>> panel = bits_panel()
    >>> panel.controls["bits"].value = 2
    >>> "3 values" in panel.result
    True
    """
    searches = tuple(dict.fromkeys(hit.search for hit in rounding_searches()))
    return Panel(
        "From 8 bits to 2",
        bits_html,
        {
            "bits": ipywidgets.SelectionSlider(options=BITS, value=4, description="Bits"),
            "search": ipywidgets.Dropdown(options=searches, value=searches[0], description="Search"),
            "row": _rows(ORDINARY),
        },
    )


def bits_html(*, bits: int, search: str, row: int) -> str:
    """Draw how 32 weights move to their grid, what a search finds then, and what the lab measured."""
    weights = weight_slice().row(row)[:SHOWN_BLOCK]
    block = quantize_block(weights, bits=bits)
    off = max(abs(after - before) for before, after in zip(weights, block.weights, strict=True))
    whole, after = _run(), _run("symmetric", bits, SHOWN_BLOCK)
    kept = {hit.found for hit in _hits(whole, search)}
    found = "".join(f"<li>{escape(hit.found)}{'' if hit.found in kept else ' <b>new</b>'}</li>"
                    for hit in _hits(after, search))
    return (
        f"{STYLE}<div class='sizing'><p><span class='sizing-title'>{bits} bits:"
        f" {len(block.levels)} values for {len(weights)} weights</span><br>"
        f"Above, weights of row {row}; below, what their codes can stand for.</p>"
        f"{_number_line(weights, block.weights, block.levels)}"
        f"<p>A step is {block.scale:.4f}, the largest error {off:.4f}.</p>"
        f"<p>The model now finds for <b>{escape(search)}</b>:</p>"
        f"<ol style='margin:.2rem 0 .5rem;padding-left:1.6rem'>{found}</ol>"
        f"<p>Embeddings: cosine <b>{float(after.embedding_cosine):.3f}</b> to the original."
        f" Ten nearest kept: <b>{100 * float(after.top10_overlap):.0f} %</b>. Right answers to 150 queries:"
        f" <b>{_score(after)}</b>, before {_score(whole)}.</p></div>"
    )


def _number_line(before: tuple[float, ...], after: tuple[float, ...], levels: tuple[float, ...]) -> str:
    """Weights above, the grid below, and a line from each weight to its place on the grid."""
    edge = 1.04 * max(map(abs, before))

    def at(value: float) -> str:
        return f"{50 + 50 * value / edge:.2f}"

    moved = "".join(f"M{at(old)} 26L{at(new)} 70" for old, new in zip(before, after, strict=True))
    weights = "".join(f"M{at(old)} 4V26" for old in before)
    grid = "".join(f"M{at(level)} 70V92" for level in levels)
    return _drawing(_path(moved, "currentColor", 1, .45) + _path(weights, ACCENT, 2)
                    + _path(grid, AFTER, 2 if len(levels) < 40 else 1), "6rem")


def block_size_panel() -> Panel:
    """The weights that share a scale: what smaller blocks cost and buy, with and without an offset.

    Returns
    -------
    Panel
        With the controls "block_weights", "grid", "bits" and "row".

    Examples
    --------
    >>> panel = block_size_panel()
    >>> panel.controls["block_weights"].value = 16
    >>> "4 + 16 / 16 = 5" in panel.result
    True
    """
    return Panel(
        "How many weights share a scale?",
        block_size_html,
        {
            "block_weights": ipywidgets.SelectionSlider(options=BLOCKS, value=32,
                                                        description="A block has"),
            "grid": ipywidgets.Dropdown(options=("symmetric", "offset"), value="symmetric",
                                        description="Grid"),
            "bits": ipywidgets.SelectionSlider(options=BITS, value=4, description="Bits"),
            "row": _rows(ORDINARY),
        },
    )


def block_size_html(*, block_weights: int, grid: str, bits: int, row: int) -> str:
    """Draw a row with the range that each block's grid spans, and compare the sizes of blocks."""
    trip = _trip(row, bits, block_weights, grid)
    numbers = "scale" if grid == "symmetric" else "scale and minimum"
    beside = 16 if grid == "symmetric" else 32
    rows = "".join(_size_row(name, _trip(row, bits, each, grid), _run(grid, bits, each),
                             each == block_weights) for name, each in BLOCKS)
    return (
        f"{STYLE}<div class='sizing'><p><span class='sizing-title'>{bits} + {beside} / {block_weights} ="
        f" {float(trip.bits_per_weight):.4g} bits per weight</span><br>"
        f"Row {row}: {len(trip.original)} weights in {len(trip.blocks)}"
        f" block{'s' * (len(trip.blocks) > 1)}, each with its {numbers}."
        " The boxes show what each grid spans.</p>"
        f"{_spans(trip)}"
        f"<table class='sizing-plain'>{_cells('th', 'col', 'Block', 'Bits', 'Noise', 'Cosine')}{rows}</table>"
        "<p>Noise is that of this row; the cosine is the lab's, of the whole model.</p></div>"
    )


def _spans(trip: RoundTrip) -> str:
    """All weights of a row as lines from zero, in boxes from the least to the largest level."""
    count, edge = len(trip.original), 1.02 * max(map(abs, trip.original))

    def high(value: float) -> float:
        return 50 - 48 * value / edge

    lines = "".join(f"M{place + .5} 50V{high(weight):.1f}" for place, weight in enumerate(trip.original))
    boxes, start = "", 0
    for block in trip.blocks:
        low, top = high(block.levels[0]), high(block.levels[-1])
        end = start + len(block.codes)
        boxes += f"M{start} {low:.1f}H{end}V{top:.1f}H{start}Z"
        start = end
    return _drawing(_path(lines, ACCENT, 1) + _path(boxes, AFTER, 1.5), "7rem", width=count)


def _size_row(name: str, trip: RoundTrip, run: RoundingRun | None, chosen: bool) -> str:
    cells = (name, f"{float(trip.bits_per_weight):.2f}", f"−{trip.signal_to_noise_db:.1f} dB",
             f"{float(run.embedding_cosine):.3f}" if run else "not run")
    return _cells("td", "row", *(f"<b>{cell}</b>" if chosen else cell for cell in cells))


def _cells(kind: str, scope: str, first: str, *others: str) -> str:
    """A row of a table: a name, and numbers that stand right."""
    numbers = "".join(f"<{kind} style='padding-left:.6rem;text-align:right'>{text}</{kind}>"
                      for text in others)
    return f"<tr><th scope='{scope}'>{first}</th>{numbers}</tr>"


def outlier_panel() -> Panel:
    """One large weight, and what is left of the others with one scale for all or one for each block.

    Returns
    -------
    Panel
        With the controls "row", "factor", "block_weights" and "bits".

    Examples
    --------
    >>> panel = outlier_panel()
    >>> "375 of 384 weights become 0" in panel.result
    True
    """
    return Panel(
        "What does one large weight do?",
        outlier_html,
        {
            "row": _rows(OUTLYING),
            "factor": ipywidgets.SelectionSlider(options=FACTORS, value=1, description="Largest weight"),
            "block_weights": ipywidgets.SelectionSlider(options=BLOCKS[:-1], value=32,
                                                        description="A block has"),
            "bits": ipywidgets.SelectionSlider(options=BITS, value=4, description="Bits"),
        },
    )


def outlier_html(*, row: int, factor: int, block_weights: int, bits: int) -> str:
    """Draw a row as it was, with one scale for all of it, and with one for each block."""
    weights = list(weight_slice().row(row))
    largest = max(range(len(weights)), key=lambda place: abs(weights[place]))
    weights[largest] *= factor
    others = [weight for place, weight in enumerate(weights) if place != largest]
    usual = math.sqrt(sum(weight**2 for weight in others) / len(others))
    times = abs(weights[largest]) / usual
    one = round_trip(weights, bits=bits, block_weights=None)
    many = round_trip(weights, bits=bits, block_weights=block_weights)
    return (
        f"{STYLE}<div class='sizing'><p><span class='sizing-title'>Row {row}, {bits} bits</span><br>"
        f"Weight {largest} is {_signed(weights[largest])}: {times:.0f} times the usual size of the others."
        f" It is cut at the edge here.</p>{_strip(tuple(weights), usual, ACCENT)}"
        f"{_left(one, 'One scale for the row', usual)}"
        f"{_left(many, f'A scale for each {block_weights} weights', usual)}</div>"
    )


def _left(trip: RoundTrip, title: str, usual: float) -> str:
    zeros = sum(weight == 0 for weight in trip.weights)
    return (f"<p>{chip_html(AFTER)}<b>{title}</b>, {float(trip.bits_per_weight):.2f} bits per weight:"
            f" {zeros} of {len(trip.weights)} weights become 0.</p>{_strip(trip.weights, usual, AFTER)}")


def _strip(weights: tuple[float, ...], usual: float, colour: str) -> str:
    edge = EDGE_OF_STRIP * usual
    lines = "".join(f"M{place + .5} 50V{50 - 50 * max(-1.0, min(1.0, weight / edge)):.1f}"
                    for place, weight in enumerate(weights) if weight)
    middle = _path(f"M0 50H{len(weights)}", "currentColor", 1, .5)
    return _drawing(middle + _path(lines, colour, 1), "4.5rem", width=len(weights))


def _rows(chosen: int) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(options=list(weight_slice().numbers), value=chosen, description="Row")


@cache
def _trip(row: int, bits: int, block_weights: int, grid: str) -> RoundTrip:
    return round_trip(weight_slice().row(row), bits=bits, block_weights=block_weights, grid=grid)


def _run(grid: str = "none", bits: int = 32, block_weights: int = WHOLE_ROW) -> RoundingRun | None:
    """The lab's run with our quantizer at these settings, if it made one."""
    return next((run for run in rounding_lab()
                 if (run.grid, run.bits, run.block_weights or WHOLE_ROW) == (grid, bits, block_weights)),
                None)


def _hits(run: RoundingRun, search: str) -> list[SearchHit]:
    return [hit for hit in rounding_searches() if (hit.run, hit.search) == (run.name, search)]


def _signed(number: float) -> str:
    return f"{number:.3f}".replace("-", "−")


def _score(run: RoundingRun) -> str:
    return f"{100 * float(run.recall_at_1):.0f} ± {100 * float(run.recall_error):.0f} %"


def _drawing(paths: str, height: str, *, width: int = 100) -> str:
    """A picture as wide as there is room; what it says stands in the words around it."""
    return (f"<svg aria-hidden='true' viewBox='0 0 {width} 100' preserveAspectRatio='none'"
            f" style='display:block;width:100%;height:{height};margin:.4rem 0'>{paths}</svg>")


def _path(data: str, colour: str, width: float, opacity: float = 1) -> str:
    return (f"<path d='{data}' fill='none' stroke='{colour}' stroke-width='{width}' opacity='{opacity}'"
            " vector-effect='non-scaling-stroke'/>")
