"""What must change so that a model fits: one change at a time, each with its price."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from llmsizing.architecture import Model
from llmsizing.breakdown.text import amount_text
from llmsizing.catalog import Device
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput
from llmsizing.memory.budget import host_budget
from llmsizing.memory.cache import PAD
from llmsizing.memory.fit import FITS, Headroom, by_size, devices_of, last_that_holds, room_for
from llmsizing.memory.settings import ALL, LLAMA_CPP, Settings, settings_of
from llmsizing.memory.weights import weight_bytes

SHORTEST = 2048  # tokens; with less a chat forgets what it is about
FEWEST = 4  # a device that holds less than a quarter of the layers hardly helps
Asked = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One change of the settings that makes a model fit. Make them with `changes_that_fit`.

    Parameters
    ----------
    what : str
        What to do, as a heading: "keep keys and values in 8 bits".
    settings : Mapping
        The settings that change, with their new values.
    cost : str
        What one pays for it.
    headroom : Headroom
        What the device has left with it.
    """

    what: str
    settings: Mapping[str, Any]
    cost: str
    headroom: Headroom


def changes_that_fit(model: Model, device: Device | Sequence[Device], *, weights: str | None = None,
                     display: bool = False, **settings: Any) -> list[Change]:
    """Find single changes with which a model fits a device, the smallest of each kind.

    In this order, from those that cost an answer nothing to those that cost most: fewer tokens
    at a time, keys and values in fewer bits, fewer conversations, experts in RAM, a shorter
    context, a smaller file type, fewer layers on the device, one more device.

    Parameters
    ----------
    model, device
        As in `room_for`.
    display : bool
        As in `room_for`.
    weights, **settings
        As in `vram_budget`, all but ``devices``.

    Returns
    -------
    list of Change
        Each is enough by itself; empty where the model fits already.

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> model, card = load_model("Qwen3-30B-A3B"), load_device("RTX 3060 12 GB")
    >>> for change in changes_that_fit(model, card, weights="Q4_K_M"):
    ...     print(change.what)
    leave the experts of 21 of 48 layers in RAM
    take Q2_K_S instead of Q4_K_M
    compute 19 of 49 layers on the CPU
    add another RTX 3060 12 GB
    """
    if load_engine(settings.get("engine", LLAMA_CPP)).name != LLAMA_CPP:
        raise InvalidInput("changes_that_fit changes llama.cpp's settings: leave engine out.")
    asked = {**settings, "weights": weights}
    room = partial(room_for, model, device, display=display)
    if room(**asked).verdict == FITS:
        return []
    given = settings_of(settings)
    found = []
    for changed, what, cost in _candidates(model, weights, given, room, asked):
        left = room(**{**asked, **changed})
        if left.verdict == FITS:
            found.append(Change(what, MappingProxyType(changed), cost, left))
    return found + _one_more(model, device, asked, display)


def _candidates(model: Model, weights: str | None, given: Settings, room: Callable[..., Headroom],
                asked: Asked) -> Iterator[tuple[Asked, str, str]]:
    """The smallest change of each kind that could be enough: settings, heading and price."""

    def fits(**changed: Any) -> bool:
        return room(**{**asked, **changed}).verdict == FITS

    smaller = next((size for size in (256, 128, 64) if size < given.ubatch and fits(ubatch=size)), 0)
    if smaller:
        yield ({"ubatch": smaller}, f"compute {smaller} tokens at a time, not {given.ubatch:,}",
               "long prompts are read more slowly; answers stay the same")
    if given.flash_attention:
        yield from _smaller_cache(given)
    fewer = last_that_holds(given.sequences - 1, lambda count: fits(sequences=count))
    if fewer:
        yield ({"sequences": fewer}, f"serve {fewer:,} of {given.sequences:,} conversations at once",
               "the others wait")
    if model.has_experts:
        yield from _experts(model, given, fits, asked)
    steps = last_that_holds((given.context_tokens - 1) // PAD,
                            lambda count: fits(context_tokens=count * PAD))
    if steps * PAD >= SHORTEST:
        yield ({"context_tokens": steps * PAD}, f"shorten the context to {steps * PAD:,} tokens",
               f"{given.context_tokens - steps * PAD:,} of {given.context_tokens:,} tokens are forgotten")
    yield from _smaller_file(model, weights, fits)
    yield from _fewer_layers(model, given, fits, asked)


def _smaller_cache(given: Settings) -> Iterator[tuple[Asked, str, str]]:
    for kind, bits in (("q8_0", "8.5"), ("q4_0", "4.5")):
        now = Settings(kv_cache=kind).bytes_per_number
        if sum(now) < sum(given.bytes_per_number):
            yield ({"kv_cache": kind}, f"keep keys and values as {kind}",
                   f"each number of the cache is rounded to {bits} bits")


def _experts(model: Model, given: Settings, fits: Callable[..., bool],
             asked: Asked) -> Iterator[tuple[Asked, str, str]]:
    layers = model.num_hidden_layers
    spared = last_that_holds(layers, lambda count: fits(experts_on_cpu=layers - count))
    moved = layers - spared
    if moved > given.experts_on_cpu:
        yield ({"experts_on_cpu": moved}, f"leave the experts of {moved} of {layers} layers in RAM",
               f"{_more_ram(model, asked, experts_on_cpu=moved)} more RAM; the CPU computes these"
               " experts, more slowly")


def _smaller_file(model: Model, weights: str | None,
                  fits: Callable[..., bool]) -> Iterator[tuple[Asked, str, str]]:
    now = weight_bytes(model, weights)
    smaller_ones = [other for other in reversed(by_size(model)) if weight_bytes(model, other) < now]
    count = last_that_holds(len(smaller_ones), lambda number: fits(weights=smaller_ones[number - 1]))
    if count:
        smaller = smaller_ones[count - 1]
        before, after = (float(8 * weight_bytes(model, kind) / model.parameters)
                         for kind in (weights, smaller))
        yield ({"weights": smaller}, f"take {smaller} instead of {weights or 'this file'}",
               f"{before:.2f} bits per weight become {after:.2f}")


def _fewer_layers(model: Model, given: Settings, fits: Callable[..., bool],
                  asked: Asked) -> Iterator[tuple[Asked, str, str]]:
    layers = model.num_hidden_layers + 1
    now = layers if given.offload == ALL else given.offload
    kept = last_that_holds(now - 1, lambda count: fits(offload=count))
    if kept * FEWEST >= layers:
        yield ({"offload": kept}, f"compute {layers - kept} of {layers} layers on the CPU",
               f"{_more_ram(model, asked, offload=kept)} more RAM; these layers run at the speed"
               " of RAM")


def _more_ram(model: Model, asked: Asked, **changed: Any) -> str:
    before, after = (host_budget(model, **settings).total_bytes
                     for settings in (asked, {**asked, **changed}))
    return amount_text(after - before, "bytes")


def _one_more(model: Model, device: Device | Sequence[Device], asked: Asked,
              display: bool) -> list[Change]:
    devices = devices_of(device)
    if devices[-1].is_system_memory:
        return []
    left = room_for(model, [*devices, devices[-1]], display=display, **asked)
    if left.verdict != FITS:
        return []
    return [Change(f"add another {devices[-1].name}", MappingProxyType({"devices": len(devices) + 1}),
                   "its price and power; one answer comes no faster", left)]
