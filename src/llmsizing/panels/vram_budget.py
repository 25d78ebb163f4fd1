"""The panels of chapter 8: what moves between the card and RAM, and what two cards share."""

from dataclasses import replace
from html import escape
from typing import Any

import ipywidgets

from llmsizing.architecture import Model
from llmsizing.breakdown import Breakdown, Factor, product
from llmsizing.breakdown.html import bar_to_edge_html, bars_html
from llmsizing.breakdown.text import amount_text, spare_text
from llmsizing.catalog import Device, load_device, load_model
from llmsizing.choosing.price import speed_range
from llmsizing.memory import (
    device_budgets,
    device_reads,
    headroom,
    host_budget,
    host_reads,
    longest_context,
    room_for,
    vram_budget,
)
from llmsizing.memory.fit import TIGHT, TOO_LARGE
from llmsizing.memory.settings import CACHE_TYPES
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CONTEXTS, FILE_TYPES
from llmsizing.speed import decode_speed

#: Models with experts first, dense ones after them.
MODELS = ("Qwen3-30B-A3B", "gpt-oss-20b", "GLM-4.7-Flash", "Mixtral-8x7B", "GLM-4.5-Air",
          "gpt-oss-120b", "Qwen3-235B-A22B", "Llama-3.1-8B", "Qwen3-14B", "Gemma-3-27B",
          "Qwen3-32B", "Llama-3.3-70B")
CARDS = ("RTX 4060 Laptop", "RTX 3060 12 GB", "RTX 5060 Ti 16 GB", "T4", "RTX 3090", "RTX 4090",
         "L4", "RX 7900 XTX", "RTX 5090", "L40S", "A100 SXM 80 GB")
#: RAM by what the shop calls it, and the catalog.
RAM_SIZES = (("16 GB", "DDR5-5600, 1 channel, 16 GB"), ("32 GB", "DDR5-5600, 2 channels, 32 GB"),
             ("64 GB", "DDR5-5600, 2 channels, 64 GB"), ("96 GB", "DDR5-5600, 2 channels, 96 GB"),
             ("128 GB", "DDR5-5600, 2 channels, 128 GB"), ("256 GB", "DDR5-5600, 4 channels, 256 GB"))
EIGHTHS = tuple(zip(("none", "⅛", "¼", "⅜", "½", "⅝", "¾", "⅞", "all"), range(9), strict=True))
EXPERTS, LAYERS = "the experts", "whole layers"
ONE = "no second card"


def placement_panel() -> Panel:
    """Experts or whole layers between card and RAM: both budgets, what a token must read, and the speed.

    Returns
    -------
    Panel
        With the controls "eighths" (of the layers), "moved", "model", "context_tokens", "card",
        "ram" and "weights".

    Examples
    --------
    >>> panel = placement_panel()
    >>> panel.controls["eighths"].value = 8
    >>> "--n-cpu-moe 48" in panel.result
    True
    """
    return Panel(
        "What moves to RAM, and what does it cost?",
        placement_html,
        {
            "eighths": ipywidgets.SelectionSlider(options=EIGHTHS, value=4,
                                                  description="In RAM"),
            "moved": ipywidgets.Dropdown(options=(EXPERTS, LAYERS), value=EXPERTS,
                                         description="What moves"),
            "model": ipywidgets.Dropdown(options=MODELS, value="Qwen3-30B-A3B",
                                         description="Model"),
            "context_tokens": ipywidgets.SelectionSlider(options=CONTEXTS, value=8192,
                                                         description="Context"),
            "card": ipywidgets.Dropdown(options=CARDS, value="RTX 3060 12 GB",
                                        description="Card"),
            "ram": ipywidgets.Dropdown(options=RAM_SIZES, value=RAM_SIZES[1][1],
                                       description="RAM"),
            "weights": ipywidgets.Dropdown(options=FILE_TYPES, value="Q4_K_M",
                                           description="File type"),
        },
    )


def placement_html(*, eighths: int, moved: str, model: str, context_tokens: int, card: str,
                   ram: str, weights: str) -> str:
    """Draw card and RAM, each against its edge, and what is read from both for a token."""
    shape, device, memory = load_model(model), load_device(card), load_device(ram)
    if moved == EXPERTS and eighths and not shape.has_experts:
        return f"<p role='alert'>{escape(model)} has no experts to move: choose {LAYERS}.</p>"
    layers = shape.num_hidden_layers * eighths // 8
    asked = {"weights": weights, "context_tokens": context_tokens}
    placed = {**asked, **_settings(shape, layers, moved)}
    on_card, beside = vram_budget(shape, **placed), host_budget(shape, **placed)
    from_card, from_ram = device_reads(shape, **placed), host_reads(shape, **placed)
    both_fit = TOO_LARGE not in (headroom(on_card, device).verdict, headroom(beside, memory).verdict)
    speed = _speed(shape, device, memory, placed) if both_fit else ""
    took = beside.total_bytes - host_budget(shape, **asked).total_bytes
    return (
        bar_to_edge_html(replace(on_card, title="On the card"), edge=device.visible_bytes,
                         edge_name=device.name)
        + bar_to_edge_html(replace(beside, title="In RAM"), edge=memory.visible_bytes,
                           edge_name=f"RAM of {memory.sold_gb} GB")
        + bars_html([_reads(from_card, from_ram)])
        + f"<div class='sizing'><p>The card: {_left(on_card, device)}. RAM: {_left(beside, memory)}."
        f" {_price(took, from_ram.total_bytes)}</p>{speed}"
        f"<p><code>{escape(_flags(shape, layers, moved))}</code></p></div>"
    )


def _speed(shape: Model, device: Device, memory: Device, placed: dict[str, Any]) -> str:
    speed = decode_speed(shape, device, host=memory, **placed)
    return f"<p><b>{speed_range(speed)} tokens a second.</b> <small>{escape(speed.note)}</small></p>"


def _settings(shape: Model, layers: int, moved: str) -> dict[str, int]:
    """The setting that moves the experts of so many layers, or the layers; the output stays."""
    if moved == EXPERTS:
        return {"experts_on_cpu": layers}
    return {"offload": shape.num_hidden_layers + 1 - layers}


def _flags(shape: Model, layers: int, moved: str) -> str:
    if not layers:
        return "-ngl all"
    if moved == EXPERTS:
        return f"-ngl all --n-cpu-moe {layers}"
    return f"-ngl {shape.num_hidden_layers + 1 - layers}"


def _reads(from_card: Breakdown, from_ram: Breakdown) -> Breakdown:
    """Both as one bar."""
    parts = (("from the card", from_card), ("from RAM", from_ram))
    return Breakdown("Read for each token, with the context full",
                     tuple(product(name, Factor(reads.total_bytes, "bytes")) for name, reads in parts))


def _left(budget: Breakdown, device: Device) -> str:
    left = headroom(budget, device)
    return f"<b>{left.verdict}</b>, {spare_text(left.usual, 'bytes')}"


def _price(took: int, read: int) -> str:
    if not took:
        return "Nothing has moved."
    return (f"{amount_text(took, 'bytes')} have moved. Of each GiB of it,"
            f" <b>{read / took:.2f} GiB</b> are read for every token.")


def cards_panel() -> Panel:
    """A model on one card or two: a bar for each against its own edge.

    Returns
    -------
    Panel
        With the controls "context_tokens", "kv_cache", "model", "first", "second" and "weights".

    Examples
    --------
    >>> panel = cards_panel()
    >>> panel.controls["context_tokens"].value = 16384
    >>> "does not fit" in panel.result
    True
    """
    return Panel(
        "What do two cards hold?",
        cards_html,
        {
            "context_tokens": ipywidgets.SelectionSlider(options=CONTEXTS, value=8192,
                                                         description="Context"),
            "kv_cache": ipywidgets.Dropdown(options=CACHE_TYPES, value="f16",
                                            description="KV cache"),
            "model": ipywidgets.Dropdown(options=MODELS, value="Llama-3.3-70B",
                                         description="Model"),
            "first": ipywidgets.Dropdown(options=CARDS, value="L4", description="First card"),
            "second": ipywidgets.Dropdown(options=(ONE, *CARDS), value="L4",
                                          description="Second card"),
            "weights": ipywidgets.Dropdown(options=FILE_TYPES, value="Q4_K_M",
                                           description="File type"),
        },
    )


def cards_html(*, context_tokens: int, kv_cache: str, model: str, first: str, second: str,
               weights: str) -> str:
    """Draw what each card holds against its edge, and say whether all of it fits."""
    shape = load_model(model)
    cards = [load_device(name) for name in (first, second) if name != ONE]
    asked = {"weights": weights, "kv_cache": kv_cache}
    budgets = device_budgets(shape, devices=cards, context_tokens=context_tokens, **asked)
    left = room_for(shape, cards, context_tokens=context_tokens, **asked)
    longest = longest_context(shape, cards, **asked)
    bars = "".join(
        bar_to_edge_html(replace(budget, title=budget.title.partition(":")[0]),
                         edge=card.visible_bytes, edge_name=card.name)
        for budget, card in zip(budgets, cards, strict=True))
    total = amount_text(sum(budget.total_bytes for budget in budgets), "bytes")
    limit = f"<b>{longest:,} tokens</b>" if longest else "none, however short"
    return (f"{bars}<div class='sizing'><p>{escape(shape.name)} at {escape(weights)} takes {total} in all. It"
            f" <b>{_says(left.verdict)}</b>; the fullest card has {spare_text(left.usual, 'bytes')}."
            f" The longest context that fits: {limit}.</p></div>")


def _says(verdict: str) -> str:
    return "is tight" if verdict == TIGHT else verdict
