"""The panel of chapter 0: a model, a device and a context, and the verdict."""

from functools import lru_cache
from html import escape
from typing import Any

import ipywidgets

from llmsizing.architecture import Model, read_config
from llmsizing.breakdown import Breakdown
from llmsizing.breakdown.html import bar_to_edge_html
from llmsizing.breakdown.text import amount_text, spare_text
from llmsizing.catalog import Device, load_device, load_model
from llmsizing.choosing.price import comparable_loss, speed_of, speed_range
from llmsizing.deployment import settings
from llmsizing.memory import (
    Headroom,
    changes_that_fit,
    headroom,
    host_budget,
    longest_context,
    vram_budget,
)
from llmsizing.memory.changes import Change, search_changes
from llmsizing.memory.fit import FITS, TIGHT, TOO_LARGE
from llmsizing.panels.panel import LATER, Panel
from llmsizing.panels.shelf import CACHES, CONTEXTS, DEVICES, FILE_TYPES, MODELS, SLOTS

EMPTY = 256  # tokens of context; the least that a cache is padded to
DISPLAYS = (("none on this device", False), ("a desktop on this device", True))


def will_it_run_panel() -> Panel:
    """A model on a device: one bar against the device's edge, verdict, speed, loss and command.

    Returns
    -------
    Panel
        With the controls "model", "context_tokens", "device", "weights", "kv_cache",
        "sequences", "display" and "config".

    Examples
    --------
    >>> panel = will_it_run_panel()
    >>> "fits" in panel.result
    True
    """
    return Panel(
        "Will this model run on this device?",
        will_it_run_html,
        {
            "model": ipywidgets.Dropdown(options=MODELS, value="Llama-3.1-8B", description="Model"),
            "context_tokens": ipywidgets.SelectionSlider(
                options=CONTEXTS, value=8192, description="Context"),
            "device": ipywidgets.Dropdown(options=DEVICES, value="RTX 3060 12 GB",
                                          description="Device"),
            "weights": ipywidgets.Dropdown(options=FILE_TYPES, value="Q4_K_M",
                                           description="File type"),
            "kv_cache": ipywidgets.Dropdown(options=CACHES, value="f16", description="KV cache"),
            "sequences": ipywidgets.SelectionSlider(options=SLOTS, value=1,
                                                    description="Conversations"),
            "display": ipywidgets.Dropdown(options=DISPLAYS, value=False, description="Display"),
            "config": ipywidgets.Textarea(description="Your model", rows=4, placeholder=(
                "Another model: paste its config.json here. Empty: the model above.")),
        },
        later=other_changes_html,
    )


def will_it_run_html(*, display: bool = False, **wanted: Any) -> str:
    """Draw the budget against the device's edge, and say what follows.

    The text of a config.json, where there is one, takes the place of the model's name.
    """
    shape, card, asked = _asked(**wanted)
    budget, host = (sized(shape, devices=(card,), **asked) for sized in (vram_budget, host_budget))
    left = headroom(budget, card, host=host, display=display)
    command = settings(budget, "llama.cpp").command
    return (
        bar_to_edge_html(budget, edge=card.visible_bytes, edge_name=card.name)
        + f"<div class='sizing'><p>{_verdict(left)} {_longest(shape, card, asked, display)}"
        f" {_in_ram(host, card)} {escape(budget.note)}</p>"
        + ("" if left.verdict == FITS else _first_change(shape, card, asked, display))
        + ("" if left.verdict == TOO_LARGE else _speed(shape, card, asked)) + _quality(shape, asked)
        + f"<p><code>{escape(command)}</code></p></div>"
    )


def _speed(shape: Model, card: Device, asked: dict[str, Any]) -> str:
    speed = speed_of(shape, (card,), **asked)
    if speed is None:
        return "<p><b>Speed</b>: nobody has measured enough to say.</p>"
    each = " for each conversation" if asked["sequences"] > 1 else ""
    return (f"<p><b>Speed</b>: {speed_range(speed)} tokens a second{each} once the context is full,"
            f" {speed_range(speed_of(shape, (card,), **{**asked, 'context_tokens': EMPTY}))} at its start.</p>")


def _quality(shape: Model, asked: dict[str, Any]) -> str:
    loss = comparable_loss(shape, asked["weights"])
    return (f"<p><b>Loss</b> by rounding: {escape(loss.summary)}."
            f" <small>{escape(loss.distance[0].upper() + loss.distance[1:])}.</small></p>")


def other_changes_html(*, display: bool = False, **wanted: Any) -> str:
    """What would make it fit, each change alone, beside the first, which stands in sight."""
    shape, card, asked = _asked(**wanted)
    others = changes_that_fit(shape, card, display=display, **asked)[1:]
    listed = "".join(f"<li>{_said(other)}</li>" for other in others)
    return f"<ul>{listed}</ul>" if others else "<p>Nothing else is enough alone.</p>"


def _asked(*, model: str, device: str, config: str = "", **settings: Any) -> tuple[Model, Device, dict[str, Any]]:
    """The model, the device, and the settings of its budget."""
    shape = read_config(_braced(config), name="your model") if config.strip() else load_model(model)
    return shape, load_device(device), {"kv_cache": "f16", "sequences": 1, **settings}


def _longest(shape: Model, card: Device, asked: dict[str, Any], display: bool) -> str:
    beside = {name: value for name, value in asked.items() if name != "context_tokens"}
    longest = _longest_context(shape, card, display=display, **beside)
    return (f"The longest context that fits: <b>{longest:,} tokens</b>."
            if longest else "No context fits, however short.")


_longest_context = lru_cache(maxsize=64)(longest_context)  # each step of the context asks again


def _in_ram(host: Breakdown, card: Device) -> str:
    beside = amount_text(host.total.usual, "bytes")
    return (f"{beside} more lie in the same memory, and count." if card.is_system_memory
            else f"Beside the device: {beside} of RAM.")


def _first_change(shape: Model, card: Device, asked: dict[str, Any], display: bool) -> str:
    """The mildest change that makes it fit; the others come when they are asked for.

    So the controls below stay where they are, and in sight, when a model stops fitting.
    """
    first = next(search_changes(shape, card, asked, display=display), None)
    if first is None:
        return "<p>No single change makes it fit: take a smaller model or a larger device.</p>"
    return f"<p>It would fit if you {_said(first)}.</p>" + LATER.format("What else would do")


def _said(change: Change) -> str:
    return f"<b>{escape(change.what)}</b>: {escape(change.cost)}"


def _braced(text: str) -> str:
    """A pasted text as a config, also where a brace was lost on the way; never a path."""
    return text if text.lstrip().startswith("{") else "{" + text


def _verdict(left: Headroom) -> str:
    told = {
        FITS: "It <b>fits</b>",
        TIGHT: "It is <b>tight</b>: whether it fits depends on driver and system",
        TOO_LARGE: "It <b>does not fit</b>",
    }[left.verdict]
    return f"{told}, {spare_text(left.usual, 'bytes')}."
