"""The panels of chapter 2: the formula alone, and the formula beside the engine."""

import ipywidgets

from llmsizing.breakdown import Breakdown
from llmsizing.breakdown.html import bars_html, breakdown_html
from llmsizing.catalog import Model, load_model, models
from llmsizing.memory import engine_report, rule_of_thumb
from llmsizing.panels.panel import Panel
from llmsizing.quantization import nominal_bits
from llmsizing.units import BILLION, format_bytes

SIZES = (0.5, 1, 1.5, 2, 3, 4, 7, 8, 9, 12, 14, 20, 24, 27, 30, 32, 35, 49, 70, 72, 104, 120, 235,
         405, 671, 1000)
FILE_TYPES = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
CONTEXTS = tuple(2**power for power in range(11, 18))


def formula_panel() -> Panel:
    """P and Q → M, with its working."""
    return Panel(
        "What the formula answers",
        lambda billions, bits: breakdown_html(
            rule_of_thumb(parameters=billions * BILLION, bits=bits)
        ),
        {
            "billions": ipywidgets.SelectionSlider(
                options=[(f"{size:g} billion", size) for size in SIZES],
                value=70, description="P, parameters",
            ),
            "bits": ipywidgets.SelectionSlider(
                options=[2, 3, 4, 5, 6, 8, 16, 32], value=16, description="Q, bits"
            ),
        },
    )


def gap_panel() -> Panel:
    """Model (P), file type (Q) and context → the formula's bar beside the engine's."""
    return Panel(
        "The formula beside the engine",
        gap_html,
        {
            "model": ipywidgets.Dropdown(
                options=[(_size(model), model.name) for model in models()],
                value="Llama-3.1-8B", description="P, model",
            ),
            "context_tokens": ipywidgets.SelectionSlider(
                options=[(f"{tokens:,} tokens", tokens) for tokens in CONTEXTS],
                value=8192, description="Context",
            ),
            "weights": ipywidgets.Dropdown(
                options=[(f"{nominal_bits(name)} ({name})", name) for name in FILE_TYPES],
                value="Q4_K_M", description="Q, bits",
            ),
        },
    )


def gap_html(*, model: str, weights: str, context_tokens: int) -> str:
    """Draw the formula's answer above the engine's report, and say how far they are apart."""
    record = load_model(model)
    rule = rule_of_thumb(parameters=record.parameters, bits=nominal_bits(weights))
    engine = engine_report(model, weights=weights, context_tokens=context_tokens)
    return bars_html([rule, engine], gap=True) + _verdict(record, rule, engine, context_tokens)


def _size(model: Model) -> str:
    return f"{model.parameters / BILLION:.3g} billion: {model.name}"


def _verdict(model: Model, rule: Breakdown, engine: Breakdown, context_tokens: int) -> str:
    gap = engine.total_bytes - rule.total_bytes
    share = gap / engine.total_bytes
    direction = "too little" if gap > 0 else "too much"
    needed = float(engine.total.usual / rule["weights"].usual)
    beyond = (
        f" The model was trained for {model.max_position_embeddings:,} tokens: llama.cpp reserves"
        " the memory beyond that too, but the answers get worse."
        if context_tokens > model.max_position_embeddings
        else ""
    )
    return (
        f"<p>The formula says <b>{format_bytes(abs(gap))} {direction}</b>"
        f" ({abs(share):.0%} of what llama.cpp reserves)."
        f" Here its 1.2 would have to be <b>{needed:.2f}</b>.{beyond}</p>"
    )
