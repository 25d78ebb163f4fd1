"""The panels of chapter 9: text at the predicted speed, the two roofs, and the wait for an answer."""

import math
from html import escape

import ipywidgets

from llmsizing.breakdown.colours import ACCENT
from llmsizing.breakdown.html import STYLE, bars_html
from llmsizing.catalog import SYSTEM_RAM, load_device, load_model
from llmsizing.memory import weight_bytes
from llmsizing.panels.panel import Panel
from llmsizing.panels.shelf import CONTEXTS, DEVICES, FILE_TYPES, MODELS
from llmsizing.speed import Speed, decode_speed, time_to_answer
from llmsizing.speed.roofline import Point, Roofline, roofline
from llmsizing.units import GB

#: A text of one's own, about speed.
TEXT = ("This is how fast the words would come. Each of them needs every weight that the model uses,"
        " read once from memory, and then the next word needs all of them again. People read about"
        " four words a second. A model that writes ten tokens a second keeps ahead of you; one that"
        " writes two makes you wait; and code or a long chain of thought, which nobody reads as it"
        " comes, is never fast enough.")
#: English text takes about four tokens for three words.
TOKENS_PER_WORD = 4 / 3
#: Tokens a second at which adults read silently: 238 words a minute. (M. Brysbaert, "How many words do
#: we read per minute?", Journal of Memory and Language 109, 2019.)
READING = 238 / 60 * TOKENS_PER_WORD
#: Percent of the layers that lie in RAM.
PLACES = {"all on the device": 0, "a tenth in RAM": 10, "a quarter in RAM": 25, "half in RAM": 50,
          "all in RAM": 100}
SHELF = (*DEVICES, "DDR5-5600, 2 channels, 32 GB", "DDR5-4800, 12 channels, 384 GB")
THOUGHTS = tuple((f"{tokens:,} tokens", tokens) for tokens in (0, 200, 1000, 4000, 16000))
PROMPTS = tuple((f"{tokens:,} tokens", tokens) for tokens in (200, 1000, 4000, 16000, 64000))
ANSWER = 400
CONVERSATIONS = (1, 2, 4, 8, 16, 32, 64)

#: A word is there from the first moment of its animation: at the end of so short a one, rounding would
#: leave some words unseen for good.
STREAM = """<style>
.sizing-stream{min-height:9em;line-height:1.6;padding:.6rem .8rem;
 border-left:3px solid currentColor}
.sizing-stream span{opacity:0;animation:sizing-word 10ms steps(1,jump-start) forwards}
@keyframes sizing-word{to{opacity:1}}
@media (prefers-reduced-motion:reduce){.sizing-stream span{opacity:1;animation:none}}
@media print{.sizing-stream span{opacity:1;animation:none}}
</style>"""


def stream_panel() -> Panel:
    """Text that comes at the predicted speed.

    Returns
    -------
    Panel
        With the controls "model", "device", "in_ram", "context_tokens" and
        "weights".

    Examples
    --------
    >>> panel = stream_panel()
    >>> panel.controls["in_ram"].value = "half in RAM"
    >>> "tokens a second" in panel.result
    True
    """
    return Panel(
        "How fast will it answer?",
        stream_html,
        {
            "model": ipywidgets.Dropdown(options=MODELS, value="Llama-3.1-8B", description="Model"),
            "device": ipywidgets.Dropdown(options=SHELF, value="RTX 4060 Laptop", description="Device"),
            "in_ram": ipywidgets.SelectionSlider(options=list(PLACES), value=next(iter(PLACES)),
                                                 description="Layers"),
            "context_tokens": ipywidgets.SelectionSlider(options=CONTEXTS, value=2048,
                                                         description="Context"),
            "weights": ipywidgets.Dropdown(options=FILE_TYPES, value="Q4_K_M", description="File type"),
        },
    )


def stream_html(*, model: str, device: str, in_ram: str, context_tokens: int, weights: str) -> str:
    """Stream a text at the predicted speed, and say the speed."""
    shape, card = load_model(model), load_device(device)
    layers, moved = shape.num_hidden_layers + 1, PLACES[in_ram]
    asked = {"weights": weights, "context_tokens": context_tokens}
    if card.segment != SYSTEM_RAM:
        asked["offload"] = layers - round(layers * moved / 100)
    speed = decode_speed(shape, card, **asked)
    size = weight_bytes(shape, weights) * (1 - moved / 100 if "offload" in asked else 1)
    short = ("" if size < card.visible_bytes else
             f" <b>It does not fit</b>: {size / GB:.0f} GB of weights on {card.name}. Move layers to RAM.")
    share = speed.usual * weight_bytes(shape, weights) / GB / float(card.bandwidth_gb_per_s)
    return (f"{STYLE}<div class='sizing'><p><b>{_number(speed.usual)} tokens a second</b>, in 80 % of cases"
            f" {_number(speed.low)} to {_number(speed.high)}. {_pace(speed.usual)}{short}</p></div>"
            f"{stream(TEXT, speed.usual)}<div class='sizing'><p><small>Bytes of the file read each second:"
            f" {100 * share:.0f} % of the device's bandwidth. {escape(speed.note)}</small></p></div>")


def stream(text: str, tokens_per_second: float) -> str:
    """A text whose words appear one by one at a speed; at once where motion is not wanted."""
    each = TOKENS_PER_WORD / tokens_per_second
    words = "".join(f"<span style='animation-delay:{each * (place + 1):.2f}s'>{escape(word)} </span>"
                    for place, word in enumerate(text.split()))
    return f"{STREAM}<p class='sizing-stream'>{words}</p>"


def _pace(speed: float) -> str:
    """What a speed is like for someone who reads."""
    if speed < READING / 2:
        return "Slower than you read: you wait for each word."
    if speed < READING * 1.5:
        return "About as fast as you read."
    return f"{speed / READING:.0f} times as fast as you read."


def _number(speed: float) -> str:
    return f"{speed:.1f}" if speed < 9.95 else f"{speed:,.0f}"


def wait_panel() -> Panel:
    """What a reader waits for: the prompt, the thinking, the answer.

    Returns
    -------
    Panel
        With the controls "thinking_tokens", "prompt_tokens", "model", "device" and "weights".

    Examples
    --------
    >>> panel = wait_panel()
    >>> panel.controls["thinking_tokens"].value = 16000
    >>> "thinking" in panel.result
    True
    """
    return Panel(
        "How long until the answer stands there?",
        wait_html,
        {
            "thinking_tokens": ipywidgets.SelectionSlider(options=THOUGHTS, value=1000,
                                                          description="Thinking"),
            "prompt_tokens": ipywidgets.SelectionSlider(options=PROMPTS, value=1000, description="Prompt"),
            "model": ipywidgets.Dropdown(options=MODELS, value="Qwen3-8B", description="Model"),
            "device": ipywidgets.Dropdown(options=SHELF, value="RTX 4060 Laptop", description="Device"),
            "weights": ipywidgets.Dropdown(options=FILE_TYPES, value="Q4_K_M", description="File type"),
        },
    )


def wait_html(*, thinking_tokens: int, prompt_tokens: int, model: str, device: str, weights: str) -> str:
    """Draw the wait as one bar of its phases, and say when the first word of the answer comes."""
    wait = time_to_answer(load_model(model), load_device(device), weights=weights,
                          prompt_tokens=prompt_tokens, thinking_tokens=thinking_tokens, answer_tokens=ANSWER)
    first = float(wait.total.usual - wait["writing the answer"].usual)
    return (bars_html([wait]) + f"<div class='sizing'><p>The first word of the answer comes after"
            f" <b>{_span(first)}</b>, all {ANSWER} tokens of it after <b>{_span(float(wait.total.usual))}</b>."
            f" {escape(wait.note)}</p></div>")


def _span(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} seconds"
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"


def roofline_panel() -> Panel:
    """Two roofs: what memory allows and what arithmetic allows, and where a model stands under them.

    Returns
    -------
    Panel
        With the controls "sequences", "device", "model" and "weights".

    Examples
    --------
    >>> panel = roofline_panel()
    >>> panel.controls["sequences"].value = 32
    >>> "32 conversations" in panel.result
    True
    """
    return Panel(
        "Which roof are you under?",
        roofline_html,
        {
            "sequences": ipywidgets.SelectionSlider(options=[(str(n), n) for n in CONVERSATIONS], value=1,
                                                    description="Users"),
            "device": ipywidgets.Dropdown(options=DEVICES, value="RTX 4090", description="Device"),
            "model": ipywidgets.Dropdown(options=MODELS, value="Llama-3.1-8B", description="Model"),
            "weights": ipywidgets.Dropdown(options=FILE_TYPES, value="Q4_K_M", description="File type"),
        },
    )


def roofline_html(*, sequences: int, device: str, model: str, weights: str) -> str:
    """Draw the roofs of a device, and the model under them: writing for so many, and reading."""
    found = roofline(load_model(model), load_device(device), weights=weights, sequences=sequences)
    who = "one conversation" if sequences == 1 else f"{sequences} conversations"
    writing, reading = found.points
    limit = "memory" if writing.intensity < found.ridge else "arithmetic"
    return (f"{STYLE}<div class='sizing'>{_roofs_svg(found)}<p><b>Writing for {who}</b>: each byte read serves"
            f" {writing.intensity:.1f} operations, so <b>{limit}</b> is the roof. {_speeds(writing.speed)}"
            f" <b>Reading a prompt</b>: {reading.intensity:,.0f} operations for each byte,"
            f" {_number(reading.speed.usual)} tokens a second. The roofs meet at {found.ridge:,.0f}.</p></div>")


def _speeds(speed: Speed) -> str:
    if speed.sequences == 1:
        return f"{_number(speed.usual)} tokens a second."
    return f"{_number(speed.usual)} tokens a second for each, {_number(speed.together)} for all."


LEFT, RIGHT, TOP, BOTTOM = 46, 350, 16, 190
LOW_X, HIGH_X, DECADES_Y = 0, 4, 4
MEMORY_AT = 40  #: operations for each byte where the name of memory's roof stands


def _roofs_svg(found: Roofline) -> str:
    """The roofs on logarithmic scales: operations for each byte, and operations a second."""
    top = math.log10(float(found.most_operations)) + 0.3

    def x(intensity: float) -> float:
        part = (math.log10(max(intensity, 1)) - LOW_X) / (HIGH_X - LOW_X)
        return LEFT + (RIGHT - LEFT) * min(1, part)

    def y(operations: float) -> float:
        part = (top - math.log10(max(operations, 1e-3))) / DECADES_Y
        return TOP + (BOTTOM - TOP) * max(0.0, min(1.0, part))

    bandwidth, most = float(found.bandwidth), float(found.most_operations)
    roof = f"M{x(1):.1f},{y(bandwidth):.1f} L{x(found.ridge):.1f},{y(most):.1f} L{RIGHT},{y(most):.1f}"
    ticks = "".join(f"<text x='{x(10 ** power):.0f}' y='{BOTTOM + 15}' text-anchor='middle'>{10 ** power:,}</text>"
                    for power in range(LOW_X, HIGH_X + 1))
    dots = "".join(_dot(point, x, y) for point in found.points)
    told = "; ".join(f"{point.name}: {point.intensity:.1f} operations per byte" for point in found.points)
    return (f"<svg viewBox='0 0 376 226' role='img' aria-label='Roofs of the device. {escape(told)}'"
            " style='width:100%;max-width:36rem;height:auto;font-size:11px;fill:currentColor'>"
            f"<path d='{roof}' fill='none' stroke='currentColor' stroke-width='2.5'/>"
            f"<path d='M{LEFT},{TOP} V{BOTTOM} H{RIGHT}' fill='none' stroke='currentColor' opacity='.5'/>"
            f"<text x='{RIGHT}' y='{y(most) - 5:.0f}' text-anchor='end'>arithmetic:"
            f" {most / 1000:,.0f} TFLOPS</text>"
            f"<text x='{x(MEMORY_AT) - 6:.0f}' y='{y(bandwidth * MEMORY_AT) - 4:.0f}' text-anchor='end'>memory:"
            f" {bandwidth:,.0f} GB/s</text>"
            f"{ticks}<text x='{(LEFT + RIGHT) / 2:.0f}' y='{BOTTOM + 31}' text-anchor='middle'>operations for each"
            f" byte that is read</text>{dots}</svg>")


def _dot(point: Point, x, y) -> str:
    across, up = x(point.intensity), y(point.operations)
    side, shift = ("end", -9) if across > (LEFT + RIGHT) / 2 else ("start", 9)
    return (f"<circle cx='{across:.1f}' cy='{up:.1f}' r='6' fill='{ACCENT}' stroke='currentColor'/>"
            f"<text x='{across + shift:.1f}' y='{up + 14:.1f}' text-anchor='{side}'>{escape(point.name)}</text>")
