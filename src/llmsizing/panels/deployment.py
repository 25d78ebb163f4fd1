"""The panel of chapter 11: a budget as commands, and the bytes that a flag governs."""

from html import escape

import ipywidgets

from llmsizing.breakdown.html import bar_to_edge_html
from llmsizing.catalog import load_device, load_model
from llmsizing.deployment import Flag, Launch, Step, settings
from llmsizing.engines import load_engine
from llmsizing.errors import UnknownName
from llmsizing.memory import vram_budget
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CONTEXTS, DEVICES, MODELS, SLOTS

FLAGS = (("the context", "context_tokens"), ("the file", "file"), ("the weights' type", "weights"),
         ("layers on the device", "offload"), ("conversations", "sequences"), ("type of the KV cache", "kv_cache"),
         ("attention in pieces", "flash_attention"), ("tokens computed at a time", "ubatch"),
         ("part of the device", "gpu_memory_utilization"))
ENGINES = ("llama-server", "llama serve", "Ollama", "LM Studio", "vLLM", "transformers", "MLX")
BITS = (("16 bits", 16), ("8 bits", 8), ("4 bits", 4))
#: What each family of engines calls weights and caches of so many bits.
WEIGHTS = {"llama.cpp": {16: "F16", 8: "Q8_0", 4: "Q4_K_M"},
           "vLLM": {16: "BF16", 8: "FP8 per channel", 4: "AWQ 4-bit g128"},
           "transformers": {16: "BF16", 8: "LLM.int8()", 4: "NF4"},
           "MLX": {16: "BF16", 8: "MLX 8-bit g64", 4: "MLX 4-bit g64"}}
CACHES = {"llama.cpp": {8: "q8_0", 4: "q4_0"}, "vLLM": {8: "fp8"}}
SHORT = 30  # letters of a flag that a phone shows in one line
MARK = "background:color-mix(in srgb,currentColor 18%,transparent);color:inherit;font-weight:700"


def settings_panel() -> Panel:
    """A budget as the commands of an engine: choose a flag, and its bytes light up.

    Returns
    -------
    Panel
        With the controls "flag", "engine", "context_tokens" (of all conversations), "model",
        "bits" (of the weights), "cache_bits", "sequences" and "device".

    Examples
    --------
    >>> panel = settings_panel()
    >>> "<mark" in panel.result and "-c 16384" in panel.result
    True
    """
    return Panel(
        "Which bytes does a flag govern?",
        settings_html,
        {
            "flag": ipywidgets.Dropdown(options=FLAGS, value="context_tokens", description="Flag"),
            "engine": ipywidgets.Dropdown(options=ENGINES, value="llama-server", description="Engine"),
            "context_tokens": ipywidgets.SelectionSlider(options=CONTEXTS, value=16384, description="Context"),
            "model": ipywidgets.Dropdown(options=MODELS, value="Llama-3.1-8B", description="Model"),
            "bits": ipywidgets.Dropdown(options=BITS, value=4, description="Weights"),
            "cache_bits": ipywidgets.Dropdown(options=BITS, value=8, description="KV cache"),
            "sequences": ipywidgets.SelectionSlider(options=SLOTS, value=4, description="Conversations"),
            "device": ipywidgets.Dropdown(options=DEVICES, value="RTX 3060 12 GB", description="Device"),
        },
    )


def settings_html(*, flag: str, engine: str, context_tokens: int, model: str, bits: int, cache_bits: int,
                  sequences: int, device: str) -> str:
    """Draw the budget with a flag's terms lit, and write the commands with the flag marked."""
    shape, card = load_model(model), load_device(device)
    program = "llama.cpp" if engine == "llama serve" else engine
    target = load_engine(program)
    cache = CACHES.get(target.family, {}).get(cache_bits)
    if cache_bits < 16 and cache not in target.kv_caches:
        return f"<p role='alert'>{escape(target.name)} has no KV cache of {cache_bits} bits: choose more.</p>"
    each = sequences if target.context_is_each else 1
    budget = vram_budget(
        shape, weights=WEIGHTS[target.family][bits], engine=target.name, devices=(card,), sequences=sequences,
        context_tokens=context_tokens // each, **({"kv_cache": cache} if cache else {}))
    launch = settings(budget, engine if engine == "llama serve" else None)
    try:
        chosen = launch[flag]
    except UnknownName:
        chosen = None
    lines = "<br><br>".join(_step_html(step, chosen) for step in launch.steps)
    notes = "".join(f"<p>{escape(note)}</p>" for note in launch.notes)
    return (
        bar_to_edge_html(launch.budget, edge=card.visible_bytes, edge_name=card.name,
                         lit=chosen.terms if chosen else ())
        + f"<div class='sizing'><p>{_told(launch, chosen, flag)}</p>"
        f"<p style='overflow-wrap:anywhere'><code style='white-space:pre-wrap'>{lines}</code></p>{notes}</div>"
    )


def _told(launch: Launch, chosen: Flag | None, flag: str) -> str:
    if chosen is None:
        label = next(label for label, setting in FLAGS if setting == flag)
        return f"{escape(launch.engine)} is told nothing here about {escape(label)}: it keeps to its own value."
    return f"<b>{escape(chosen.label)}</b> {escape(chosen.sets)}: {escape(launch.bytes_text(chosen))}."


def _step_html(step: Step, chosen: Flag | None) -> str:
    if step.file:
        body = "\n".join(_marked(" ".join(flag.words), flag, chosen) for flag in step.flags)
        return f"# {escape(step.file)}\n{body}"
    variables = [_marked("=".join(flag.words), flag, chosen) for flag in step.environment]
    return " ".join([*variables, *map(escape, step.program),
                     *(_marked(flag.text, flag, chosen) for flag in step.flags)])


def _marked(text: str, flag: Flag, chosen: Flag | None) -> str:
    """A flag stays in one line, where a line can hold it; the chosen one is marked."""
    whole = "white-space:nowrap" if len(text) <= SHORT else ""
    if chosen is not None and flag.setting == chosen.setting:
        return f"<mark style='{MARK};{whole}'>{escape(text)}</mark>"
    return f"<span style='{whole}'>{escape(text)}</span>" if whole else escape(text)
