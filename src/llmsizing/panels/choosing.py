"""The panels of chapter 10: what fits a device, and what each change costs that makes a model fit."""

from collections.abc import Iterator
from html import escape
from itertools import islice
from typing import Any

import ipywidgets

from llmsizing.architecture import Model
from llmsizing.breakdown.html import STYLE, bar_to_edge_html
from llmsizing.breakdown.text import amount_text, spare_text
from llmsizing.catalog import Device, load_device, load_model
from llmsizing.choosing import (
    TASKS,
    Choice,
    Price,
    cache_price,
    comparable_loss,
    ranked,
    siblings,
    speed_of,
)
from llmsizing.memory import headroom, host_budget, vram_budget
from llmsizing.memory.fit import FITS, TIGHT, TOO_LARGE
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CACHES, CONTEXTS, DEVICES, FILE_TYPES, MODELS, SLOTS

ANY_TASK = "anything"
#: Beside the usual shelf, models that were tuned for something. The function looks at the whole catalog.
TUNED = ("TinySwallow-1.5B", "Sarashina2.2-3B", "Granite-4.0-H-Tiny", "Olmo-3-7B",
         "Llama-3.1-Swallow-8B", "Qwen3.5-9B", "Gemma-4-12B", "Devstral-Small-2",
         "Nemotron-3-Nano-30B-A3B", "Qwen3-Coder-30B-A3B", "LLM-jp-4-32B-A3B", "Llama-3.3-Swallow-70B")
SHELF = (*MODELS, *TUNED)
SHOWN = 5  #: rows of the list that a phone shows without scrolling
SPEEDS = (("any speed", 0), ("2 a second", 2), ("5 a second", 5), ("10 a second", 10), ("20 a second", 20),
          ("50 a second", 50))
#: Models that ask for more than many cards have; the sibling is the next smaller one of the line.
WANTED = ("Qwen3-8B", "Qwen3-14B", "Gemma-3-27B", "Qwen3.8-27B", "Qwen3-30B-A3B", "Gemma-4-31B", "Qwen3-32B",
          "Llama-3.3-70B")
SIZES = (("the wanted one", 0), ("its next smaller sibling", 1))
#: What is wanted before a switch is moved.
WISH = {"weights": "Q5_K_M", "kv_cache": "f16", "context_tokens": 32768, "sequences": 4, "sibling": 0}


def what_fits_panel() -> Panel:
    """A device, a task and a context: the models that fit, in the order of the stated rule.

    Returns
    -------
    Panel
        With the controls "device", "task", "context_tokens" and "least".

    Examples
    --------
    >>> panel = what_fits_panel()
    >>> panel.controls["task"].value = "vision"
    >>> "Gemma" in panel.result
    True
    """
    tasks = (ANY_TASK, *(task.name for task in TASKS))
    return Panel(
        "What should I run?",
        what_fits_html,
        {
            "device": ipywidgets.Dropdown(options=DEVICES, value="RTX 4060 Laptop", description="Device"),
            "task": ipywidgets.Dropdown(options=tasks, value="chat", description="Task"),
            "context_tokens": ipywidgets.SelectionSlider(options=CONTEXTS, value=8192, description="Context"),
            "least": ipywidgets.Dropdown(options=SPEEDS, value=5, description="At least"),
        },
    )


def what_fits_html(*, device: str, task: str, context_tokens: int, least: int) -> str:
    """List the first models that fit, each with file type, room, speed, loss and licence."""
    card = load_device(device)
    found = ranked(map(load_model, SHELF), card, task=None if task == ANY_TASK else task, weights=FILE_TYPES,
                   context_tokens=context_tokens)
    chosen = first_fast(found, least)
    fact = next((one.fact for one in TASKS if one.name == task), "any model")
    speed = f", {least} tokens a second" if least else ""
    head = (f"<p><b>{escape(card.name)}</b>, {context_tokens:,} tokens. Asked for: {escape(fact)}{speed}.</p>")
    items = "".join(f"<li>{_item(choice)}</li>" for choice in chosen)
    return f"{STYLE}<div class='sizing'>{head}" + (
        f"<ol>{items}</ol>" if chosen else "<p><b>Nothing on this shelf.</b> Ask for less context or speed,"
        " or take a larger device.</p>") + "</div>"


def first_fast(choices: list[Choice], least: float, most: int = SHOWN) -> list[Choice]:
    """The preferred choice of each model, where it is fast enough, until there are enough."""
    preferred: dict[str, Choice] = {}
    for choice in choices:
        preferred.setdefault(choice.model.name, choice)
    fast = (choice for choice in preferred.values() if not least or (
        choice.ceiling >= least and choice.speed is not None and choice.speed.usual >= least))
    return list(islice(fast, most))


def _item(choice: Choice) -> str:
    past = f"; {choice.past}" if choice.past else ""
    tight = "" if choice.verdict == FITS else " <b>tight</b>,"
    return (f"<b>{escape(choice.model.name)}</b> at {escape(choice.weights)}<small>{tight}"
            f" {spare_text(choice.headroom.usual, 'bytes')}; {choice.price.speed_text} tokens a second; loss:"
            f" {escape(choice.loss_text)}; {escape(choice.model.licence or 'licence not read')}"
            f"{escape(past)}</small>")


def make_it_fit_panel() -> Panel:
    """A model that does not fit, and switches that make it fit, each with its price.

    Returns
    -------
    Panel
        With the controls "weights", "kv_cache", "context_tokens", "sequences", "sibling", "model"
        and "device".

    Examples
    --------
    >>> panel = make_it_fit_panel()
    >>> "does not fit" in panel.result
    True
    >>> panel.controls["weights"].value, panel.controls["kv_cache"].value = "Q4_K_M", "q8_0"
    >>> "does not fit" in panel.result
    False
    """
    return Panel(
        "What does it cost to make it fit?",
        make_it_fit_html,
        {
            "kv_cache": ipywidgets.Dropdown(options=CACHES, value=WISH["kv_cache"], description="KV cache"),
            "weights": ipywidgets.Dropdown(options=FILE_TYPES, value=WISH["weights"], description="File type"),
            "context_tokens": ipywidgets.SelectionSlider(options=CONTEXTS, value=WISH["context_tokens"],
                                                         description="Context"),
            "sequences": ipywidgets.SelectionSlider(options=SLOTS[:-1], value=WISH["sequences"],
                                                    description="Conversations"),
            "sibling": ipywidgets.Dropdown(options=SIZES, value=WISH["sibling"], description="Model size"),
            "model": ipywidgets.Dropdown(options=WANTED, value="Qwen3-32B", description="Wanted"),
            "device": ipywidgets.Dropdown(options=DEVICES, value="RTX 4090", description="Device"),
        },
    )


def make_it_fit_html(*, kv_cache: str, weights: str, context_tokens: int, sequences: int, sibling: int,
                     model: str, device: str) -> str:
    """Draw what is asked now against the edge, and a price tag for each switch that was moved."""
    wanted, card = load_model(model), load_device(device)
    now = {"weights": weights, "kv_cache": kv_cache, "context_tokens": context_tokens, "sequences": sequences}
    wish = {name: WISH[name] for name in now}
    shape = smaller_or_same(wanted, sibling)
    budget, left = _held(shape, card, now)
    price = Price(comparable_loss(shape, weights), speed_of(shape, (card,), **now))
    tags = "".join(f"<li>{tag}</li>" for tag in _tags(wanted, shape, card, wish, now))
    return (
        bar_to_edge_html(budget, edge=card.visible_bytes, edge_name=card.name)
        + f"<div class='sizing'><p>It <b>{'is tight' if left.verdict == TIGHT else left.verdict}</b>,"
        f" {spare_text(left.usual, 'bytes')}. {_pace(price, sequences, left.verdict)}; loss by the file type:"
        f" {escape(price.loss_text)}.</p>"
        + (f"<ul>{tags}</ul>" if tags else "<p>Nothing is changed yet: move a switch.</p>") + "</div>"
    )


def _pace(price: Price, sequences: int, verdict: str) -> str:
    """The speed in words, of each conversation, also of what would have to fit first."""
    each = ", each" if sequences > 1 else ""
    return f"{price.speed_text} tokens a second{each}{', if it fitted' if verdict == TOO_LARGE else ''}"


def smaller_or_same(wanted: Model, step: int) -> Model:
    """The model itself, or its next smaller sibling, where it has one."""
    return ([*siblings(wanted)[:1], wanted] if step else [wanted])[0]


def _held(shape: Model, card: Device, settings: dict[str, Any]):
    asked = {**settings, "devices": (card,)}
    budget = vram_budget(shape, **asked)
    return budget, headroom(budget, card, host=host_budget(shape, **asked))


def _tags(wanted: Model, shape: Model, card: Device, wish: dict[str, Any],
          now: dict[str, Any]) -> Iterator[str]:
    """For each switch that was moved: what it frees by itself, and its price."""
    before = vram_budget(wanted, **wish, devices=(card,)).total_bytes
    for name, value in now.items():
        if value != wish[name]:
            freed = before - vram_budget(wanted, **{**wish, name: value}, devices=(card,)).total_bytes
            yield _tag(_said(name, value), freed, _cost(wanted, name, wish[name], value))
    if shape is not wanted:
        freed = before - vram_budget(shape, **wish, devices=(card,)).total_bytes
        yield _tag(f"{shape.name} instead of {wanted.name}", freed,
                   f"{100 * shape.parameters / wanted.parameters:.0f} % of the parameters")


def _tag(what: str, freed: int, cost: str) -> str:
    word = "frees" if freed >= 0 else "takes"
    return f"<b>{escape(what)}</b> {word} {amount_text(abs(freed), 'bytes')}<small>{escape(cost)}</small>"


def _said(name: str, value: object) -> str:
    words = {"kv_cache": "KV cache as {}", "context_tokens": "{:,} tokens", "sequences": "{} at once"}
    return words.get(name, "{}").format(value)


def _cost(wanted: Model, name: str, before: Any, value: Any) -> str:
    if name == "weights":
        return f"loss: {comparable_loss(wanted, value).summary}; was {comparable_loss(wanted, before).summary}"
    if name == "kv_cache":
        return f"measured elsewhere: {cache_price(value)}"
    if name == "context_tokens":
        return f"{before - value:,} tokens are forgotten" if value < before else "remembers more"
    return "the others wait" if value < before else "serves more at once"
