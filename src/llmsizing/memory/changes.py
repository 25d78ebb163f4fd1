"""What must change so that a model fits: one change at a time, each with its price."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from llmsizing.architecture import Model
from llmsizing.breakdown.text import amount_text
from llmsizing.catalog import Device
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput
from llmsizing.memory.budget import host_budget
from llmsizing.memory.cache import PAD
from llmsizing.memory.fit import FITS, Headroom, by_size, devices_of, most_with_room, room_for
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
    if room_for(model, device, display=display, **asked).verdict == FITS:
        return []
    return list(search_changes(model, device, asked, display=display))


def search_changes(model: Model, device: Device | Sequence[Device], asked: Asked, *,
                   display: bool = False, file_types: Sequence[str] | None = None) -> Iterator[Change]:
    """The changes of `changes_that_fit`, each looked for when it is asked for.

    So whoever wants the first alone waits for no other. The model must not fit as it is ``asked``.
    A smaller file is looked for among ``file_types``, by default all that do not ruin a model.
    """

    @cache  # a kind's last step is looked at once more
    def room(**changed: Any) -> Headroom:
        return room_for(model, device, display=display, **{**asked, **changed})

    given = settings_of({name: asked[name] for name in asked if name != "weights"})
    more_in_ram = all(one.has_own_memory for one in devices_of(device))  # else RAM is the same memory
    files = by_size(model, file_types)
    for changed, what, cost in _candidates(model, asked, given, room, files, more_in_ram=more_in_ram):
        left = room(**changed)
        if left.verdict == FITS:
            yield Change(what, MappingProxyType(changed), cost, left)
    yield from _one_more(model, device, asked, display)


def _candidates(model: Model, asked: Asked, given: Settings, room: Callable[..., Headroom],
                files: Sequence[str], *, more_in_ram: bool) -> Iterator[tuple[Asked, str, str]]:
    """The smallest change of each kind that could be enough: settings, heading and price."""
    sizes = [size for size in (64, 128, 256) if size < given.ubatch]
    largest = most_with_room(len(sizes), lambda number: room(ubatch=sizes[number - 1]).low)
    for size in sizes[:largest][-1:]:
        yield ({"ubatch": size}, f"compute {size} tokens at a time, not {given.ubatch:,}",
               "long prompts are read more slowly; answers stay the same")
    if given.flash_attention:
        yield from _smaller_cache(given)
    fewer = most_with_room(given.sequences - 1, lambda count: room(sequences=count).low)
    if fewer:
        yield ({"sequences": fewer}, f"serve {fewer:,} of {given.sequences:,} conversations at once",
               "the others wait")
    if more_in_ram and model.has_experts:
        yield from _experts(model, given, room, asked)
    steps = most_with_room((given.context_tokens - 1) // PAD,
                           lambda count: room(context_tokens=count * PAD).low)
    if steps * PAD >= SHORTEST:
        yield ({"context_tokens": steps * PAD}, f"shorten the context to {steps * PAD:,} tokens",
               f"{given.context_tokens - steps * PAD:,} of {given.context_tokens:,} tokens are forgotten")
    yield from _smaller_file(model, asked["weights"], room, files)
    if more_in_ram:
        yield from _fewer_layers(model, given, room, asked)


def _smaller_cache(given: Settings) -> Iterator[tuple[Asked, str, str]]:
    for kind, bits in (("q8_0", "8.5"), ("q4_0", "4.5")):
        now = Settings(kv_cache=kind).bytes_per_number
        if sum(now) < sum(given.bytes_per_number):
            yield ({"kv_cache": kind}, f"keep keys and values as {kind}",
                   f"each number of the cache is rounded to {bits} bits")


def _experts(model: Model, given: Settings, room: Callable[..., Headroom],
             asked: Asked) -> Iterator[tuple[Asked, str, str]]:
    layers = model.num_hidden_layers
    spared = most_with_room(layers, lambda count: room(experts_on_cpu=layers - count).low)
    moved = layers - spared
    if moved > given.experts_on_cpu:
        yield ({"experts_on_cpu": moved}, f"leave the experts of {moved} of {layers} layers in RAM",
               f"{_more_ram(model, asked, experts_on_cpu=moved)} more RAM; the CPU computes these"
               " experts, more slowly")


def _smaller_file(model: Model, weights: str | None, room: Callable[..., Headroom],
                  files: Sequence[str]) -> Iterator[tuple[Asked, str, str]]:
    now = weight_bytes(model, weights)
    smaller_ones = [other for other in reversed(files) if weight_bytes(model, other) < now]
    count = most_with_room(len(smaller_ones), lambda number: room(weights=smaller_ones[number - 1]).low)
    if count:
        smaller = smaller_ones[count - 1]
        before, after = (float(8 * weight_bytes(model, kind) / model.parameters)
                         for kind in (weights, smaller))
        yield ({"weights": smaller}, f"take {smaller} instead of {weights or 'this file'}",
               f"{before:.2f} bits per weight become {after:.2f}")


def _fewer_layers(model: Model, given: Settings, room: Callable[..., Headroom],
                  asked: Asked) -> Iterator[tuple[Asked, str, str]]:
    layers = model.num_hidden_layers + 1
    now = layers if given.offload == ALL else given.offload
    kept = most_with_room(now - 1, lambda count: room(offload=count).low)
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
    if not devices[-1].takes_another:
        return []
    left = room_for(model, [*devices, devices[-1]], display=display, **asked)
    if left.verdict != FITS:
        return []
    return [Change(f"add another {devices[-1].name}", MappingProxyType({"devices": len(devices) + 1}),
                   "its price and power; one answer comes no faster", left)]
