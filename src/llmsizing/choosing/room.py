"""Which file types of a model a device takes: the verdicts of `room_for`, for many at once."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

from llmsizing.architecture import Model
from llmsizing.catalog import Device
from llmsizing.memory import room_for, weight_bytes
from llmsizing.memory.budget import ram_beside_weights, terms_beside_weights
from llmsizing.memory.fit import FITS, TERNARY, TIGHT, TOO_LARGE
from llmsizing.memory.placement import RAM, Placement, placement
from llmsizing.memory.settings import Settings, settings_of
from llmsizing.memory.weights import bytes_by_place, layout_of
from llmsizing.quality.loss import AS_TRAINED
from llmsizing.quality.nearness import made_for_four_bits
from llmsizing.quantization import file_types

#: Larger than Q8_0, which loses nothing that anybody noticed; as large as others that lose less; or
#: made for other models.
LEFT_OUT = ("F32", "F16", "BF16", "Q5_1", "Q5_0", "Q4_1", *TERNARY)
LARGEST = "Q8_0"  #: no tensor of another file type that is offered takes more
FEWEST_BITS = Fraction(25, 16)  #: of any block; a model that is too large at these needs no budget


@lru_cache(maxsize=512)
def offered(model: Model) -> tuple[str, ...]:
    """File types that make sense for a model: of one that was released in MXFP4 that alone.

    >>> from llmsizing import load_model
    >>> offered(load_model("gpt-oss-20b"))
    ('MXFP4_MOE',)
    """
    if made_for_four_bits(model):
        return (AS_TRAINED,)
    return tuple(one.name for one in file_types() if one.name not in (*LEFT_OUT, AS_TRAINED))


def verdicts(model: Model, devices: tuple[Device, ...], names: Iterable[str],
             given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The file types that fit, or are tight, as `room_for` says it."""
    if len(devices) > 1:
        yield from _verdicts_on_several(model, devices, names, given)
        return
    (device,) = devices
    low, high = device.visible_range
    if _without_tables(model) * FEWEST_BITS / 8 > high:
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
    places = (0, RAM) if with_ram and placed.tables == RAM else (0,)  # a CPU has all in one place
    sizes = _sizes(model, name, placed)
    return sum(sizes[place] for place in places)


@lru_cache
def _plain(backend: str) -> Settings:
    return settings_of({"backend": backend})


def _verdicts_on_several(model: Model, devices: tuple[Device, ...], names: Iterable[str],
                         given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """By halving: a smaller file fits wherever a larger one does."""
    names, room = tuple(names), sum(one.visible_range[1] for one in devices)
    if _without_tables(model) * FEWEST_BITS / 8 > room:
        return
    verdict = _verdict_on_several(model, devices, given)
    if names[0] == LARGEST and weight_bytes(model, LARGEST) <= room and verdict(LARGEST) == FITS:
        yield from ((name, FITS) for name in names)
        return
    ordered = sorted(names, key=lambda name: weight_bytes(model, name))

    def first_without(accepted: tuple[str, ...]) -> int:
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if verdict(ordered[middle]) in accepted else (low, middle)
        return low

    fitting = first_without((FITS,))
    for number, name in enumerate(ordered[:first_without((FITS, TIGHT))]):
        yield name, FITS if number < fitting else TIGHT


def _verdict_on_several(model: Model, devices: tuple[Device, ...],
                        given: dict[str, Any]) -> Callable[[str], str]:
    """From a file type to the verdict of the fullest device."""
    if any(one.is_system_memory for one in devices):  # what stays in RAM counts there
        return lru_cache(lambda name: room_for(model, devices, weights=name, **given).verdict)
    settings = settings_of({**given, "devices": devices})
    placed = placement(model, settings, layout_of(model, offered(model)[-1]))
    kinds: dict[tuple, tuple[int, int]] = {}  # devices with as many layers of each kind need the same
    rooms = []
    for number, device in enumerate(devices):
        like = (number == 0, *_count_kinds(model, placed.layers_at(number)))
        if like not in kinds:
            terms = terms_beside_weights(model, settings, placed, number)
            kinds[like] = tuple(math.ceil(sum(getattr(term, end) for term in terms)) for end in ("high", "low"))
        least, most = device.visible_range
        rooms.append((least - kinds[like][0], most - kinds[like][1]))

    @lru_cache
    def verdict(name: str) -> str:
        sizes = _sizes(model, name, placed)
        low, high = min((least - sizes[number], most - sizes[number]) for number, (least, most) in enumerate(rooms))
        return FITS if low >= 0 else TIGHT if high >= 0 else TOO_LARGE

    return verdict


def _sizes(model: Model, name: str, placed: Placement) -> Counter[int]:
    """Bytes of a file's weights at each place."""
    return Counter({place: sizes.total() for place, sizes in bytes_by_place(model, name, placed).items()})


def _count_kinds(model: Model, layers: Iterable[int]) -> tuple[int, ...]:
    """How many of some layers keep the same of a token."""
    numbers = _kind_numbers(model)
    count = Counter(numbers[layer] for layer in layers)
    return tuple(count[number] for number in range(max(numbers) + 1))


@lru_cache(maxsize=256)
def _kind_numbers(model: Model) -> tuple[int, ...]:
    seen: dict[object, int] = {}
    return tuple(seen.setdefault((layer.attention, layer.state_numbers), len(seen)) for layer in model.layers)


def _without_tables(model: Model) -> int:
    """Parameters but for the input tables, which stay in RAM."""
    roles = model.parameters_by_role
    return model.parameters - roles["embedding"] - roles["per-layer embedding"]
