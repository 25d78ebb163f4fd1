"""The panel of chapter 0: a model, a device and a context, and the verdict."""

from html import escape

import ipywidgets

from llmsizing.architecture import read_config
from llmsizing.breakdown.html import bar_to_edge_html
from llmsizing.breakdown.text import amount_text
from llmsizing.catalog import load_device, load_model
from llmsizing.deployment import server_command
from llmsizing.memory import Headroom, headroom, host_budget, longest_context, vram_budget
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CONTEXTS, DEVICES, FILE_TYPES, MODELS


def will_it_run_panel() -> Panel:
    """A model on a device: one bar against the device's edge, the verdict, and the command.

    Returns
    -------
    Panel
        With the controls "model", "context_tokens", "device", "weights" and "config".

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
            "config": ipywidgets.Textarea(description="Your model", rows=4, placeholder=(
                "Another model: paste its config.json here. Empty: the model above.")),
        },
    )


def will_it_run_html(*, model: str, context_tokens: int, device: str, weights: str,
                     config: str = "") -> str:
    """Draw the budget against the device's edge, and say what follows.

    The text of a config.json, where there is one, takes the place of the model's name.
    """
    pasted = read_config(_braced(config), name="your model") if config.strip() else None
    shape, card = pasted or load_model(model), load_device(device)
    budget = vram_budget(shape, weights=weights, context_tokens=context_tokens)
    host = host_budget(shape, weights=weights)
    beside = amount_text(host.total.usual, "bytes")
    in_ram = (f"{beside} more lie in the same memory, and count." if card.is_system_memory
              else f"Beside the device: {beside} of RAM.")
    longest = longest_context(shape, card, weights=weights)
    limit = (f"The longest context that fits: <b>{longest:,} tokens</b>."
             if longest else "No context fits, however short.")
    file = f"{shape.name.replace(' ', '-')}-{weights}.gguf"
    command = server_command(file=file, context_tokens=context_tokens)
    return (
        bar_to_edge_html(budget, edge=card.visible_bytes, edge_name=card.name)
        + f"<div class='sizing'><p>{_verdict(headroom(budget, card, host=host))} {limit}"
        f" {in_ram} {escape(budget.note)}</p>"
        f"<p><code>{escape(command)}</code></p></div>"
    )


def _braced(text: str) -> str:
    """A pasted text as a config, also where a brace was lost on the way; never a path."""
    return text if text.lstrip().startswith("{") else "{" + text


def _verdict(left: Headroom) -> str:
    amount = amount_text(abs(left.usual), "bytes")
    more = f"{amount} to spare" if left.usual >= 0 else f"{amount} too much"
    told = {
        "fits": "It <b>fits</b>",
        "tight": "It is <b>tight</b>: whether it fits depends on driver and system",
        "does not fit": "It <b>does not fit</b>",
    }[left.verdict]
    return f"{told}, {more}."
