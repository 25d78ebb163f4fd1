"""The panel of chapter 3: a model as a tower of layers, to be taken apart."""

from collections import Counter
from html import escape

import ipywidgets

from llmsizing.architecture import Model, Tensor
from llmsizing.breakdown.colours import term_colours
from llmsizing.breakdown.html import STYLE
from llmsizing.catalog import load_model
from llmsizing.memory import stored_bytes, stored_tensors
from llmsizing.panels.panel import Panel
from llmsizing.units import format_bytes

MODELS = ("Gemma-3-270M", "Qwen3-0.6B", "Llama-3.2-1B", "Qwen3-4B", "Llama-3.1-8B", "Qwen3-8B",
          "Gemma-3-27B", "Qwen3-30B-A3B", "gpt-oss-20b", "Llama-3.3-70B", "DeepSeek-V3-0324")
FILE_TYPES = ("F16", "Q8_0", "Q4_K_M", "Q2_K")
#: Stops on the way up the tower, as a share of its layers.
PLACES = {"input embedding": None, "first layer": 0.0, "a quarter up": 0.25, "half-way": 0.5,
          "three quarters up": 0.75, "last layer": 1.0, "output": None}
#: The parts of the tower by the role that gives them their colour.
ROLES = {"input embedding": "embedding", "output": "output", "layers": "feed-forward"}
COLOURS = dict(zip(ROLES, term_colours(tuple(ROLES.values())), strict=True))
HEIGHT_REM = 15


def tower_panel() -> Panel:
    """A model as a tower: where its bytes lie, and what the chosen part consists of.

    Returns
    -------
    Panel
        With the controls "model", "place" and "weights".

    Examples
    --------
    >>> panel = tower_panel()
    >>> panel.controls["place"].value = "half-way"
    >>> "attn_q" in panel.result
    True
    """
    return Panel(
        "Where do the parameters sit?",
        tower_html,
        {
            "model": ipywidgets.Dropdown(options=MODELS, value="Llama-3.1-8B", description="Model"),
            "place": ipywidgets.SelectionSlider(options=list(PLACES), value="input embedding",
                                                description="Part"),
            "weights": ipywidgets.Dropdown(options=FILE_TYPES, value="F16",
                                           description="File type"),
        },
    )


def tower_html(*, model: str, place: str, weights: str) -> str:
    """Draw the tower, and list the tensors of the chosen part."""
    shape = load_model(model)
    stored = stored_tensors(shape, weights)
    total = sum(stored_bytes(tensor, name) for _, tensor, name in stored)
    chosen = [(tensor, name) for number, tensor, name in stored
              if _part_of(number, tensor) == _wanted(shape, place)]
    rows = "".join(
        f"<tr><th scope='row'>{escape(tensor.name)}<small>{_shape(tensor)}, {name}</small></th>"
        f"<td>{format_bytes(stored_bytes(tensor, name))}</td></tr>" for tensor, name in chosen
    )
    size = sum(stored_bytes(tensor, name) for tensor, name in chosen)
    return (
        f"{STYLE}<div class='sizing'><p class='sizing-title'>{escape(shape.name)} at {weights}:"
        f" {format_bytes(total)}</p><div style='display:flex;gap:.75rem;align-items:stretch'>"
        f"{_tower(shape, stored, total, place)}<div style='flex:1;min-width:0'>"
        f"<p><b>{escape(_label(shape, place))}</b>: {format_bytes(size)},"
        f" <b>{100 * size / total:.1f} %</b> of the bytes</p>{_tied(shape, place)}"
        f"<table class='sizing-plain'>{rows}</table></div></div></div>"
    )


def _tower(shape: Model, stored: list, total: int, place: str) -> str:
    """Bars from the output at the top to the input embedding at the bottom."""
    sizes: Counter = Counter()
    for number, tensor, name in stored:
        sizes[_part_of(number, tensor)] += stored_bytes(tensor, name)
    wanted = _wanted(shape, place)
    order = ["output", *reversed(range(shape.num_hidden_layers)), "input embedding"]
    floors = "".join(
        f"<span style='flex:{sizes[part] / total:.5f} 0 1px;background:{_colour(part)};"
        f"{'outline:2px solid currentColor;outline-offset:1px;z-index:1;' if part == wanted else ''}"
        "margin-bottom:1px'></span>" for part in order if sizes[part]
    )
    return (f"<div aria-hidden='true' style='flex:0 0 3rem'><small>output</small>"
            f"<div style='display:flex;flex-direction:column;height:{HEIGHT_REM}rem'>{floors}</div>"
            "<small>input</small></div>")


def _part_of(number: int | None, tensor: Tensor) -> int | str:
    """The floor of the tower that a tensor lies on: a layer's number, or one of the ends."""
    if number is not None:
        return number
    return "input embedding" if tensor.role in ("embedding", "per-layer embedding") else "output"


def _wanted(shape: Model, place: str) -> int | str:
    share = PLACES[place]
    return place if share is None else round(share * (shape.num_hidden_layers - 1))


def _label(shape: Model, place: str) -> str:
    wanted = _wanted(shape, place)
    return place if isinstance(wanted, str) else f"layer {wanted + 1} of {shape.num_hidden_layers}"


def _tied(shape: Model, place: str) -> str:
    if place == "output" and shape.tie_word_embeddings:
        return "<p>The output layer is the input embedding once more: it is stored once.</p>"
    return ""


def _colour(part: int | str) -> str:
    return COLOURS[part if isinstance(part, str) else "layers"]


def _shape(tensor: Tensor) -> str:
    return " × ".join(f"{size:,}" for size in tensor.shape)
