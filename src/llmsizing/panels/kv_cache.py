"""The panels of chapter 7: four models race in KV cache, and what one token leaves in the layers."""

from collections import Counter
from fractions import Fraction
from html import escape

import ipywidgets

from llmsizing.architecture import Model
from llmsizing.architecture.attention import Attention, LatentAttention
from llmsizing.architecture.model import Layer
from llmsizing.breakdown.colours import term_colours
from llmsizing.breakdown.html import STYLE, chip_html
from llmsizing.catalog import load_model
from llmsizing.memory.cache import STATE_BYTES, cache_term, used_window
from llmsizing.memory.settings import Settings
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CONTEXTS
from llmsizing.units import BILLION, GIB, KIB, format_bytes

RACERS = ("Qwen3-0.6B", "Llama-3.2-3B", "Phi-3-mini-4k", "Gemma-3-4B", "Qwen3-4B", "Llama-2-7B",
          "Gemma-4-E4B", "Olmo-3-7B", "Llama-3.1-8B", "Qwen3-8B", "Gemma-3-12B", "Qwen3-14B",
          "gpt-oss-20b", "Mistral-Small-3.2-24B", "Gemma-4-26B-A4B", "Qwen3.6-27B", "Gemma-3-27B",
          "GLM-4.7-Flash", "Qwen3-30B-A3B", "Gemma-4-31B", "Nemotron-3-Nano-30B-A3B",
          "Granite-4.0-H-Small", "Qwen3-32B", "Qwen3.6-35B-A3B", "Llama-3.3-70B", "gpt-oss-120b",
          "DeepSeek-V3-0324")
CACHE_TYPES = ("f16", "q8_0", "q4_0")
#: What a full bar stands for: the memory of a large consumer card, as it is sold.
FULL_BAR_GIB = 24

#: One model for each way of keeping less.
KINDS = {"MHA": "Phi-3-mini-4k", "GQA": "Llama-3.1-8B", "MQA": "Gemma-3-1B",
         "MLA": "DeepSeek-V3-0324", "sliding window": "Gemma-3-27B",
         "shared layers": "Gemma-4-E4B", "hybrid": "Qwen3.6-35B-A3B"}

#: What a layer keeps, with its colour and the words of the legend.
KEPT = {"all": (term_colours(("KV cache",))[0], "every token"),
        "window": ("#7A6FC0", "a window, then no more"),
        "state": ("#5B8A8A", "a state of fixed size"),
        "nothing": ("transparent", "nothing of its own")}
NUMBERS_PER_REM = 64  # the scale of the drawn heads


def race_panel() -> Panel:
    """Four models at one context: a bar of KV cache each, and what a doubling adds.

    Returns
    -------
    Panel
        With the controls "context_tokens", "fourth", "first", "second", "third", "kv_cache",
        "sequences" and "unified_kv".

    Examples
    --------
    >>> panel = race_panel()
    >>> panel.controls["context_tokens"].value = 8192
    >>> "3.00 GiB" in panel.result
    True
    """
    def racer(name: str, description: str) -> ipywidgets.Dropdown:
        return ipywidgets.Dropdown(options=RACERS, value=name, description=description)

    return Panel(
        "What does context cost?",
        race_html,
        {
            "context_tokens": ipywidgets.SelectionSlider(
                options=CONTEXTS, value=32768, description="Context"),
            "fourth": racer("Qwen3.6-35B-A3B", "Fourth model"),
            "first": racer("Phi-3-mini-4k", "First model"),
            "second": racer("Llama-3.1-8B", "Second model"),
            "third": racer("Gemma-3-27B", "Third model"),
            "kv_cache": ipywidgets.Dropdown(options=CACHE_TYPES, value="f16",
                                            description="Cache type"),
            "sequences": ipywidgets.SelectionSlider(options=[1, 2, 4, 8, 16], value=1,
                                                    description="Conversations"),
            "unified_kv": ipywidgets.Dropdown(
                options=[("shared by all", True), ("one for each", False)], value=True,
                description="Cache"),
        },
    )


def race_html(*, context_tokens: int, fourth: str, first: str, second: str, third: str,
              kv_cache: str, sequences: int, unified_kv: bool) -> str:
    """Draw a bar of KV cache for each of four models on one scale."""
    given = {"kv_cache": kv_cache, "sequences": sequences, "unified_kv": unified_kv}
    now = Settings(context_tokens=context_tokens, **given)
    twice = Settings(context_tokens=2 * context_tokens, **given)
    models = [load_model(name) for name in (first, second, third, fourth)]
    bars = "".join(_racer_html(model, now, twice) for model in models)
    return (
        f"{STYLE}<div class='sizing'><p><span class='sizing-title'>KV cache for"
        f" {context_tokens:,} tokens, {kv_cache}</span><br>{_conversations(now)}"
        f" A full bar is {FULL_BAR_GIB} GiB, all the memory of a large consumer card.</p>{bars}"
        f"{_legend('all', 'window', 'state')}<p>{_compared(models, now)}</p></div>"
    )


def _conversations(settings: Settings) -> str:
    if settings.sequences == 1:
        return "One conversation."
    if settings.unified_kv:
        return f"{settings.sequences} conversations share the context."
    each = settings.context_tokens // settings.sequences
    return f"{settings.sequences} conversations with {each:,} tokens each."


def _racer_html(model: Model, now: Settings, twice: Settings) -> str:
    size, later = cache_term(model, now).bytes, cache_term(model, twice).bytes
    full = FULL_BAR_GIB * GIB
    parts = _parts(model, now)
    shown = max(size, full)  # a bar that is longer is cut at the card's edge
    spans = "".join(
        f"<span style='width:{float(100 * part / shown):.2f}%;background:{KEPT[kept][0]}'></span>"
        for kept, part in parts.items()
    )
    over = ", more than the card" if size > full else ""
    native = model.max_position_embeddings
    beyond = (f" Made for {native:,} tokens." if native and native < now.context_tokens else "")
    return (
        f"<p style='margin-bottom:0'><b>{escape(model.name)}</b>,"
        f" {model.parameters / BILLION:.1f} billion parameters<br>"
        f"<b>{format_bytes(size, 'GiB')}</b>{over}; with twice the context"
        f" {later / size:.2f} times as much.{beyond}</p>"
        f"<div class='sizing-bar' aria-hidden='true'>{spans}</div>"
    )


def _parts(model: Model, settings: Settings) -> dict[str, Fraction]:
    """Bytes of the cache by what its layers keep; "nothing" is left out."""
    layers: dict[str, list[int]] = {}
    for number, layer in enumerate(model.layers):
        layers.setdefault(_kept(model, layer), []).append(number)
    return {kept: cache_term(model, settings, layers[kept]).usual
            for kept in KEPT if kept in layers and kept != "nothing"}


def _kept(model: Model, layer: Layer) -> str:
    """What a layer keeps, as KEPT names it."""
    mixer = layer.attention
    if mixer and mixer.keys_per_token:
        return "window" if used_window(model, mixer.window, Settings()) else "all"
    return "state" if layer.state_numbers else "nothing"


def _compared(models: list[Model], settings: Settings) -> str:
    """Say which of the models needs most, and what its parameters have to do with it."""
    by_size = sorted(models, key=lambda model: cache_term(model, settings).bytes)
    least, most = by_size[0], by_size[-1]
    times = cache_term(most, settings).bytes / cache_term(least, settings).bytes
    if times == 1:
        return "All need the same."
    than = "fewer" if most.parameters < least.parameters else "more"
    return (f"<b>{escape(most.name)}</b> needs {times:.1f} times as much as"
            f" <b>{escape(least.name)}</b>, and has {than} parameters.")


def _legend(*kinds: str) -> str:
    items = "".join(f"<li>{_chip(kept)}{KEPT[kept][1]}</li>" for kept in kinds)
    return f"<p style='margin-bottom:0'>Layers that keep</p><ul class='sizing-labels'>{items}</ul>"


def _chip(kept: str) -> str:
    return chip_html(KEPT[kept][0], _frame(kept))


def token_panel() -> Panel:
    """What one token leaves in a model's layers, drawn head by head.

    Returns
    -------
    Panel
        With the controls "model" and "kv_cache".

    Examples
    --------
    >>> panel = token_panel()
    >>> panel.controls["model"].value = "DeepSeek-V3-0324"
    >>> "576 numbers" in panel.result
    True
    """
    return Panel(
        "What does one token leave?",
        token_html,
        {
            "model": ipywidgets.Dropdown(
                options=[(f"{kind}: {name}", name) for kind, name in KINDS.items()],
                value="Llama-3.1-8B", description="Attention"),
            "kv_cache": ipywidgets.Dropdown(options=CACHE_TYPES, value="f16",
                                            description="Cache type"),
        },
    )


def token_html(*, model: str, kv_cache: str) -> str:
    """Draw the layers by what they keep, and the heads of each kind of layer."""
    shape, settings = load_model(model), Settings(kv_cache=kv_cache)
    kinds = [(_kept(shape, layer), layer) for layer in shape.layers]
    counts = Counter((kept, layer.state_numbers if kept == "state" else
                      None if kept == "nothing" else layer.attention) for kept, layer in kinds)
    added = sum(_token_bytes(layer.attention, settings) for kept, layer in kinds if kept == "all")
    floors = "".join(f"<span style='flex:1;margin-right:1px;{_fill(kept)}'></span>"
                     for kept, _ in kinds)
    rows = "".join(_layers_html(kept, part, count, settings)
                   for (kept, part), count in counts.items())
    return (
        f"{STYLE}<div class='sizing'><p><span class='sizing-title'>{escape(shape.name)}:"
        f" each token adds {_kib(added)}</span><br>Keys and values are {kv_cache}. These are its"
        f" {shape.num_hidden_layers} layers, the first one left.</p><div class='sizing-bar'"
        f" style='background:none' aria-hidden='true'>{floors}</div>{rows}</div>"
    )


def _layers_html(kept: str, part: Attention | LatentAttention | int | None, count: int,
                 settings: Settings) -> str:
    """Say what each of some equal layers keeps, and draw its heads."""
    start = f"<p>{_chip(kept)}<b>{count} layers</b> "
    if kept == "nothing":
        return f"{start}read the keys and values of an earlier layer and keep nothing.</p>"
    if kept == "state":
        size = format_bytes(part * STATE_BYTES)
        return (f"{start}keep a state for each conversation, however long it gets: {part:,} numbers"
                f" of {STATE_BYTES} bytes, {size} in each layer.</p>")
    how_long = (f"keep a token while it is among the last {part.window:,}:" if kept == "window"
                else "keep every token:")
    size = _kib(_token_bytes(part, settings))
    if isinstance(part, LatentAttention):
        return (f"{start}{how_long} one vector of {part.keys_per_token:,} numbers for all heads,"
                f" {size} in each layer.</p>{_heads_html('K', 1, part.keys_per_token, kept)}")
    heads, numbers = part.num_key_value_heads, part.keys_per_token + part.values_per_token
    plural = "s" if heads > 1 else ""
    return (
        f"{start}{how_long} {heads} head{plural} × {part.head_dim} numbers as key (K), the same as"
        f" value (V), {numbers:,} numbers or {size} in each layer.</p>"
        f"{_heads_html('K', heads, part.head_dim, kept)}"
        f"{_heads_html('V', heads, part.value_head_dim, kept)}"
    )


def _heads_html(letter: str, heads: int, numbers: int, kept: str) -> str:
    box = (f"<span style='width:{numbers / NUMBERS_PER_REM:g}rem;height:.9rem;{_fill(kept)};"
           "print-color-adjust:exact'></span>")
    return (f"<div aria-hidden='true' style='display:flex;gap:.5rem;margin:.35rem 0;line-height:1'>"
            f"<small>{letter}</small><div style='display:flex;flex-wrap:wrap;gap:2px'>"
            f"{box * heads}</div></div>")


def _token_bytes(part: Attention | LatentAttention, settings: Settings) -> Fraction:
    return settings.cell_bytes(part.keys_per_token, part.values_per_token)


def _kib(size: Fraction) -> str:
    return f"{float(size / KIB):,.3f}".rstrip("0").rstrip(".") + " KiB"


def _fill(kept: str) -> str:
    return f"background:{KEPT[kept][0]};{_frame(kept)}"


def _frame(kept: str) -> str:
    """What keeps nothing has no colour, so it needs a line around it."""
    return f"box-shadow:{'inset 0 0 0 1px currentColor' if kept == 'nothing' else 'none'}"
