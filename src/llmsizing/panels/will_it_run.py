"""The panel of chapter 0: a model, a device and a context, and the verdict."""

from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets

from llmsizing.architecture import Model, read_config
from llmsizing.breakdown import Breakdown
from llmsizing.breakdown.html import bar_to_edge_html
from llmsizing.breakdown.text import amount_text, spare_text
from llmsizing.catalog import Device, load_device, load_model
from llmsizing.deployment import settings
from llmsizing.memory import (
    Headroom,
    changes_that_fit,
    headroom,
    host_budget,
    longest_context,
    vram_budget,
)
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CONTEXTS, DEVICES, FILE_TYPES, MODELS

CACHES = (("16 bits (f16)", "f16"), ("8.5 bits (q8_0)", "q8_0"), ("4.5 bits (q4_0)", "q4_0"))
SLOTS = (1, 2, 4, 8, 16)
DISPLAYS = (("none on this device", False), ("a desktop on this device", True))


def will_it_run_panel() -> Panel:
    """A model on a device: one bar against the device's edge, the verdict, and the command.

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
    )


def will_it_run_html(*, model: str, context_tokens: int, device: str, weights: str, kv_cache: str = "f16",
                     sequences: int = 1, display: bool = False, config: str = "") -> str:
    """Draw the budget against the device's edge, and say what follows.

    The text of a config.json, where there is one, takes the place of the model's name.
    """
    pasted = read_config(_braced(config), name="your model") if config.strip() else None
    shape, card = pasted or load_model(model), load_device(device)
    asked = {"weights": weights, "kv_cache": kv_cache, "sequences": sequences}
    placed = {**asked, "context_tokens": context_tokens, "devices": (card,)}
    budget, host = vram_budget(shape, **placed), host_budget(shape, **placed)
    left = headroom(budget, card, host=host, display=display)
    command = settings(budget, "llama.cpp").command
    return (
        bar_to_edge_html(budget, edge=card.visible_bytes, edge_name=card.name)
        + f"<div class='sizing'><p>{_verdict(left)} {_longest(shape, card, asked, display)}"
        f" {_in_ram(host, card)} {escape(budget.note)}</p>"
        + ("" if left.verdict == "fits" else _changes(shape, card, asked, context_tokens, display))
        + f"<p><code>{escape(command)}</code></p></div>"
    )


def _longest(shape: Model, card: Device, asked: Mapping[str, Any], display: bool) -> str:
    longest = longest_context(shape, card, display=display, **asked)
    return (f"The longest context that fits: <b>{longest:,} tokens</b>."
            if longest else "No context fits, however short.")


def _in_ram(host: Breakdown, card: Device) -> str:
    beside = amount_text(host.total.usual, "bytes")
    return (f"{beside} more lie in the same memory, and count." if card.is_system_memory
            else f"Beside the device: {beside} of RAM.")


def _changes(shape: Model, card: Device, asked: Mapping[str, Any], context_tokens: int,
             display: bool) -> str:
    """What would make it fit, each change alone, with its price; all but the first one tap away.

    So the controls below stay where they are, and in sight, when a model stops fitting.
    """
    found = changes_that_fit(shape, card, context_tokens=context_tokens, display=display, **asked)
    if not found:
        return "<p>No single change makes it fit: take a smaller model or a larger device.</p>"
    first, *others = (f"<b>{escape(change.what)}</b>: {escape(change.cost)}" for change in found)
    rest = "".join(f"<li>{other}</li>" for other in others)
    more = f"<details><summary>Or one of these ({len(others)})</summary><ul>{rest}</ul></details>"
    return f"<p>It would fit if you {first}.</p>" + (more if others else "")


def _braced(text: str) -> str:
    """A pasted text as a config, also where a brace was lost on the way; never a path."""
    return text if text.lstrip().startswith("{") else "{" + text


def _verdict(left: Headroom) -> str:
    told = {
        "fits": "It <b>fits</b>",
        "tight": "It is <b>tight</b>: whether it fits depends on driver and system",
        "does not fit": "It <b>does not fit</b>",
    }[left.verdict]
    return f"{told}, {spare_text(left.usual, 'bytes')}."
