"""prefill_speed: how fast a model reads a prompt, limited by arithmetic and no longer by memory."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from llmsizing.architecture import Model
from llmsizing.breakdown import Factor
from llmsizing.catalog import Device
from llmsizing.errors import whole_number
from llmsizing.memory.settings import settings_of
from llmsizing.speed.constants import OTHERS, PROCESSOR, PROMPT
from llmsizing.speed.costs import Cost, arithmetic, kind_of, per_gb
from llmsizing.speed.decode import Speed, speed_from
from llmsizing.speed.given import Given, given_of
from llmsizing.speed.work import Work
from llmsizing.units import GB, MB, MILLION

#: Bytes that cross PCIe in a second, in GB: 4.0 with 16 lanes gives 31.5 at most.
PCIE_GB_PER_S = 25
LONGEST_PROMPT = 10_000_000


def prefill_speed(model: Model, device: Device, *, weights: str | None = None, context_tokens: int = 8192,
                  prompt_tokens: int | None = None, engine: str = "llama.cpp",
                  host: Device | None = None, **settings: Any) -> Speed:
    """How fast a model reads a prompt: tokens per second, over all of it.

    In words: two operations for each weight that a token uses, at a part of what the device's
    matrix units do at most; attention to what stands before; and, for every ``ubatch`` tokens,
    once the weights. Reading a prompt waits for arithmetic, writing waits for memory.

    Parameters
    ----------
    model, device, weights, engine, host, **settings
        As in `decode_speed`; ``ubatch`` counts here, too.
    context_tokens : int
        Tokens in the context when the prompt is read.
    prompt_tokens : int, optional
        Of these the prompt; by default all.

    Returns
    -------
    Speed
        Tokens of prompt per second; ``seconds`` is the time of one, in the middle of the prompt.

    Raises
    ------
    InvalidInput, UnknownName
        As `decode_speed` does, and if the prompt is longer than the context.

    Examples
    --------
    >>> from llmsizing import decode_speed, load_device, load_model
    >>> model, card = load_model("Llama-3.1-8B"), load_device("RTX 4090")
    >>> reads, writes = (speed(model, card, weights="Q4_K_M").usual for speed in (prefill_speed, decode_speed))
    >>> 20 < reads / writes < 100
    True

    References
    ----------
    data/prefill_runs.csv names the source of every run that the constants were fitted on.
    """
    held = settings_of({"context_tokens": context_tokens}).context_tokens
    prompt = whole_number("prompt_tokens", held if prompt_tokens is None else prompt_tokens,
                          at_most=min(LONGEST_PROMPT, held), hint="It is no longer than the context.")
    middle = max(1, int(held - prompt / 2))
    given = given_of(model, device, weights=weights, context_tokens=middle, engine=engine, host=host,
                     settings=settings)
    return speed_from(given, list(prompt_costs(given, int(prompt))), "Time for one token of the prompt",
                      kind=PROMPT + given.kind, others=PROMPT + OTHERS)


def prompt_costs(given: Given, prompt_tokens: int) -> Iterator[Cost]:
    """What one token of a prompt costs, in its middle."""
    made = given.settings
    at_a_time = min(made.ubatch, prompt_tokens)
    yield from reading_costs(given.on_device, given.device, at_a_time, flash_attention=made.flash_attention)
    if given.in_ram.tensors:
        size = Factor(Fraction(round(given.in_ram.read_bytes(at_a_time) / MB), GB // MB), "GB")
        yield Cost("copying from RAM", "over PCIe", "copying", "times the least",
                   (size, Factor(Fraction(1, at_a_time), "of it for each token"),
                    Factor(Fraction(1, PCIE_GB_PER_S), "seconds per GB")))


def reading_costs(work: Work, device: Device, at_a_time: int, *, flash_attention: bool) -> Iterator[Cost]:
    """What a device does for one token of a prompt, of which so many are computed at a time."""
    kind = kind_of(device)
    yield from arithmetic(work, device, flash_attention=flash_attention)
    shared = Factor(Fraction(1, at_a_time), "of it for each token")
    size = Factor(Fraction(round(work.read_bytes(at_a_time) / MB), GB // MB), "GB")
    constant = "reading RAM" if kind == PROCESSOR else "reading"
    yield Cost("reading weights", "once for all", constant, "times the least that is possible",
               (size, shared, per_gb(device)))
    start = {"Apple": "starting on Apple", "AMD": "starting on AMD", PROCESSOR: "waiting"}
    yield Cost("starting kernels", "once for all", start.get(kind, "starting"), "µs each",
               (Factor(work.tensors, "tensors"), shared, Factor(Fraction(1, MILLION), "seconds per µs")))
