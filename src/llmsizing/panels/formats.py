"""The panels of chapter 4: one block byte by byte, and what a file's name says."""

from html import escape

import ipywidgets

from llmsizing.breakdown.html import STYLE, chip_html
from llmsizing.panels.panel import Panel
from llmsizing.quantization import (
    block_fields,
    block_sample,
    decode_block,
    load_format,
    read_file_name,
)

#: Colours of a block's fields, in their order.
COLOURS = ("#C25400", "#A07800", "#009E73", "#0072B2")
CODES = "#0072B2"


def block_panel() -> Panel:
    """Real weights in six formats: the bytes of a block, and how one weight comes out of them.

    Returns
    -------
    Panel
        With the controls "format_name" and "weight".

    Examples
    --------
    >>> panel = block_panel()
    >>> panel.controls["format_name"].value = "Q4_K"
    >>> "byte" in panel.result
    True
    """
    sample = block_sample()
    return Panel(
        "One block, byte by byte",
        block_html,
        {
            "weight": ipywidgets.IntSlider(value=5, min=0, max=len(sample.weights) - 1,
                                           description="Weight"),
            "format_name": ipywidgets.Dropdown(options=list(sample.blocks), value="Q4_0",
                                               description="Format"),
        },
    )


def block_html(*, weight: int, format_name: str) -> str:
    """Draw the block that holds a weight, with the bytes that it is made of."""
    sample, layout = block_sample(), load_format(format_name)
    number, index = divmod(weight, layout.block_weights)
    data = sample.block(format_name, number)
    decoded = decode_block(format_name, data)[index]
    fields = block_fields(format_name)
    colours = {field.name: CODES if field.name == "codes" else COLOURS[place]
               for place, field in enumerate(fields)}
    rows = "".join(_field_html(field, data, decoded.bytes_used, colours[field.name])
                   for field in fields)
    original = sample.weights[weight]
    places = ", ".join(str(place) for place in decoded.bytes_used)
    return (
        f"{STYLE}<div class='sizing'><p class='sizing-title'>{escape(format_name)}:"
        f" {layout.block_weights} weights in {int(layout.block_bytes)} bytes,"
        f" {float(layout.bits_per_weight):g} bits each</p>{rows}"
        f"<p>Weight {index} of block {number} comes from byte{'s' * (len(decoded.bytes_used) > 1)}"
        f" {places}: {escape(decoded.working)}</p>"
        f"<p>It was <b>{original:.5g}</b> and is now <b>{decoded.value:.5g}</b>:"
        f" off by {abs(decoded.value - original):.2g}.</p></div>"
    )


def _field_html(field, data: bytes, used: tuple[int, ...], colour: str) -> str:
    size = field.end - field.start
    cells = "".join(
        f"<span style='padding:0 .15rem;{_mark(colour) if place in used else ''}'>"
        f"{data[place]:02x}</span>" for place in range(field.start, field.end)
    )
    return (
        f"<p style='margin:.4rem 0 .1rem'>{chip_html(colour)}"
        f"{escape(field.name)}, {size} byte{'s' * (size > 1)}</p>"
        f"<p style='margin:0;font-family:monospace;line-height:1.5;overflow-wrap:anywhere'>{cells}</p>"
    )


def _mark(colour: str) -> str:
    return f"background:{colour};color:#fff;font-weight:700;"


def file_name_panel() -> Panel:
    """A text field for the name of a GGUF file, and what its parts say.

    Returns
    -------
    Panel
        With the control "name".

    Examples
    --------
    >>> panel = file_name_panel()
    >>> panel.controls["name"].value = "gemma-3-27b-it-qat-q4_0.gguf"
    >>> "rounding" in panel.result
    True
    """
    return Panel(
        "What a file's name says",
        file_name_html,
        {"name": ipywidgets.Text(value="Qwen3-30B-A3B-UD-Q4_K_XL.gguf", description="File")},
    )


def file_name_html(*, name: str) -> str:
    """List the parts of a file's name with what they say, and what they do not."""
    rows = "".join(
        f"<tr><th scope='row'><b>{escape(part.text)}</b> {escape(part.says)}"
        f"{_open(part.does_not_say)}</th></tr>" for part in read_file_name(name)
    )
    return f"{STYLE}<div class='sizing'><table class='sizing-plain'>{rows}</table></div>"


def _open(text: str) -> str:
    return f"<small>It does not say {escape(text)}.</small>" if text else ""
