"""The panels of chapter 2: the formula alone, and the formula beside the engine."""

import ipywidgets

from llmsizing.architecture import Model
from llmsizing.breakdown.html import bars_html, breakdown_html
from llmsizing.catalog import load_model
from llmsizing.memory import RuleGap, beyond_native, rule_of_thumb, rule_of_thumb_gap
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CONTEXTS, FILE_TYPES, MODELS
from llmsizing.quantization import nominal_bits
from llmsizing.units import BILLION, format_bytes

SIZES = (0.5, 1, 1.5, 2, 3, 4, 7, 8, 9, 12, 14, 20, 24, 27, 30, 32, 35, 49, 70, 72, 104, 120, 235,
         405, 671, 1000)


def formula_panel() -> Panel:
    """The rule of thumb for a P and a Q, with its working.

    Returns
    -------
    Panel
        With the controls "billions" (of parameters) and "bits".

    Examples
    --------
    >>> panel = formula_panel()
    >>> panel.controls["billions"].value, panel.controls["bits"].value = 70, 16
    >>> "168.00 GB" in panel.result
    True
    """
    return Panel(
        "What the formula answers",
        lambda billions, bits: breakdown_html(
            rule_of_thumb(parameters=billions * BILLION, bits=bits)
        ),
        {
            "billions": ipywidgets.SelectionSlider(
                options=[(f"{size:g} billion", size) for size in SIZES],
                value=8, description="P, parameters",
            ),
            "bits": ipywidgets.SelectionSlider(
                options=[2, 3, 4, 5, 6, 8, 16, 32], value=4, description="Q, bits"
            ),
        },
    )


def gap_panel() -> Panel:
    """The rule of thumb beside what llama.cpp reserves, for a model, a file type and a context.

    Returns
    -------
    Panel
        With the controls "model", "context_tokens" and "weights".

    Examples
    --------
    >>> panel = gap_panel()
    >>> panel.controls["context_tokens"].value = 131072
    >>> "20.52 GiB" in panel.result
    True
    """
    return Panel(
        "The formula beside the engine",
        gap_html,
        {
            "model": ipywidgets.Dropdown(
                options=[(_size(load_model(name)), name) for name in MODELS],
                value="Llama-3.1-8B", description="P, model",
            ),
            "context_tokens": ipywidgets.SelectionSlider(
                options=CONTEXTS, value=8192, description="Context",
            ),
            "weights": ipywidgets.Dropdown(
                options=[(f"{nominal_bits(name)} ({name})", name) for name in FILE_TYPES],
                value="Q4_K_M", description="Q, bits",
            ),
        },
    )


def gap_html(*, model: str, weights: str, context_tokens: int) -> str:
    """Draw the formula's answer above the engine's buffers, and say how far they are apart."""
    gap = rule_of_thumb_gap(model, weights=weights, context_tokens=context_tokens)
    return bars_html([gap.rule, gap.engine], gap=True) + _verdict(gap)


def _verdict(gap: RuleGap) -> str:
    missing = gap.engine.total_bytes - gap.rule.total_bytes
    direction = "too little" if missing > 0 else "too much"
    return (
        f"<div class='sizing'><p>The formula says <b>{format_bytes(abs(missing), 'GiB')} {direction}</b>,"
        f" {100 * abs(gap.error):.0f} % of what llama.cpp reserves."
        f" Here its 1.2 would have to be <b>{gap.needed_overhead:.2f}</b>."
        f" {beyond_native(gap.model, gap.context_tokens)}</p></div>"
    )


def _size(model: Model) -> str:
    return f"{model.parameters / BILLION:.3g} billion: {model.name}"
