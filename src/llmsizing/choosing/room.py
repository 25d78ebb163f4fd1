"""Which file types of a model a device takes: the verdicts of `room_for`, for many at once."""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

from llmsizing.architecture import Model
from llmsizing.catalog import Device
from llmsizing.memory import room_for, weight_bytes
from llmsizing.memory.budget import ram_beside_weights, terms_beside_weights
from llmsizing.memory.fit import FITS, TIGHT
from llmsizing.memory.placement import RAM, placement
from llmsizing.memory.settings import Settings, settings_of
from llmsizing.memory.weights import bytes_at, layout_of
from llmsizing.quantization import file_types

#: Larger than Q8_0, which loses nothing that anybody noticed; as large as others that lose less; or
#: made for other models.
LEFT_OUT = ("F32", "F16", "BF16", "Q5_1", "Q5_0", "Q4_1", "TQ1_0", "TQ2_0")
NATIVE_MXFP4 = "MXFP4_MOE"
FEWEST_BITS = Fraction(25, 16)  #: of any block; a model that is too large at these needs no budget


@lru_cache(maxsize=512)
def offered(model: Model) -> tuple[str, ...]:
    """File types that make sense for a model: of one that was released in MXFP4 that alone.

    >>> from llmsizing import load_model
    >>> offered(load_model("gpt-oss-20b"))
    ('MXFP4_MOE',)
    """
    if model.native_type.casefold().startswith("mxfp4"):
        return (NATIVE_MXFP4,)
    return tuple(one.name for one in file_types() if one.name not in (*LEFT_OUT, NATIVE_MXFP4))


def verdicts(model: Model, devices: tuple[Device, ...], names: Iterable[str],
             given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The file types that fit, or are tight, as `room_for` says it."""
    if len(devices) > 1:
        yield from _verdicts_on_several(model, devices, names, given)
        return
    (device,) = devices
    low, high = device.visible_range
    roles = model.parameters_by_role
    tables = roles["embedding"] + roles["per-layer embedding"]  # they stay in RAM
    if (model.parameters - tables) * FEWEST_BITS / 8 > high:
        return
    backend = settings_of({"devices": device}).backend
    lowest, highest = _beside(model, backend, device.is_system_memory, tuple(given.items()))
    for name in names:
        size = _size(model, name, backend, device.is_system_memory)
        if size + highest <= low:
            yield name, FITS
        elif size + lowest <= high:
            yield name, TIGHT


@lru_cache(maxsize=4096)  # the same for all file types and cards, and asked again as a reader moves on
def _beside(model: Model, backend: str, with_ram: bool, given: tuple[tuple[str, Any], ...]) -> tuple[int, int]:
    """What lies on a device beside the weights, at least and at most, in bytes; RAM's part with it."""
    settings = settings_of({**dict(given), "backend": backend})
    placed = placement(model, settings, layout_of(model, offered(model)[-1]))
    terms = terms_beside_weights(model, settings, placed)
    terms += ram_beside_weights(model, settings, placed) if with_ram else []
    low, high = (sum(getattr(term, end) for term in terms) for end in ("low", "high"))
    return math.ceil(low), math.ceil(high)


@lru_cache(maxsize=16384)
def _size(model: Model, name: str, backend: str, with_ram: bool) -> int:
    placed = placement(model, _plain(backend), layout_of(model, name))
    places = (0, RAM) if with_ram else (0,)
    return sum(sum(bytes_at(model, name, placed, place).values()) for place in places)


@lru_cache
def _plain(backend: str) -> Settings:
    return settings_of({"backend": backend})


def _verdicts_on_several(model: Model, devices: tuple[Device, ...], names: Iterable[str],
                         given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """By halving: a smaller file fits wherever a larger one does."""
    ordered = sorted(names, key=lambda name: weight_bytes(model, name))
    room = sum(one.visible_range[1] for one in devices)
    if weight_bytes(model, ordered[0]) > room:
        return

    @lru_cache
    def verdict(number: int) -> str:
        return room_for(model, devices, weights=ordered[number], **given).verdict

    def first_without(accepted: tuple[str, ...]) -> int:
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if verdict(middle) in accepted else (low, middle)
        return low

    fitting = first_without((FITS,))
    for number, name in enumerate(ordered[:first_without((FITS, TIGHT))]):
        yield name, FITS if number < fitting else TIGHT
