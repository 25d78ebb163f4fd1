"""make_it_fit: what must change so that a wanted model fits, each change with its price."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations, islice
from types import MappingProxyType
from typing import Any

from llmsizing.architecture import Model
from llmsizing.catalog import Device
from llmsizing.choosing.families import siblings
from llmsizing.choosing.price import Price, comparable_loss, speed_of
from llmsizing.choosing.room import offered
from llmsizing.memory import Change, Headroom, headroom, host_budget, room_for, weight_bytes
from llmsizing.memory.changes import SHORTEST, search_changes
from llmsizing.memory.fit import FITS, devices_of
from llmsizing.memory.settings import settings_of

MOST_AT_ONCE = 3  #: changes of one combination
SMALLER_FILES = ("Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K")
Asked = dict[str, Any]


@dataclass(frozen=True)
class Remedy:
    """Something that makes a wanted model fit, with its price. `make_it_fit` makes them.

    Parameters
    ----------
    what : str
        What to do.
    cost : str
        What one pays for it, beside answers and speed.
    model, weights, devices : Model, str, tuple of Device
        What runs then, and where.
    settings : Mapping
        All further settings, as for `vram_budget`.
    headroom : Headroom
        What the fullest device has left.
    before : Price
        Loss and speed of what was wanted, had it fitted; a speed only where one can be said.
    """

    what: str
    cost: str
    model: Model
    weights: str
    devices: tuple[Device, ...]
    settings: Mapping[str, Any]
    headroom: Headroom
    before: Price

    @cached_property
    def price(self) -> Price:
        """Loss and speed with it."""
        return Price(comparable_loss(self.model, self.weights),
                     speed_of(self.model, self.devices, weights=self.weights, **self.settings))

    @property
    def row(self) -> dict[str, object]:
        """It as a row of a table."""
        return {"change": self.what, "tokens per second": self.price.speed_text,
                "measured loss": self.price.loss_text, "price": self.cost}


def make_it_fit(model: Model, device: Device | Sequence[Device], *, weights: str, display: bool = False,
                ram: Device | None = None, **settings: Any) -> list[Remedy]:
    """Find what must change so that a model fits, and what that costs in answers and in speed.

    First the single changes of `changes_that_fit`, then a smaller sibling: the largest of its
    line that fits unchanged. If nothing of it suffices, the mildest combination of two or three
    changes does, where there is one.

    Parameters
    ----------
    model, device
        As in `room_for`.
    weights : str
        The wanted file type.
    display : bool
        Whether a desktop runs on the device, too.
    ram : Device, optional
        The computer's RAM. With it, changes that move more there than it shows are left out.
    **settings
        As in `vram_budget`, for llama.cpp.

    Returns
    -------
    list of Remedy
        From those that cost answers nothing to those that cost most; empty if the model fits
        already, or if nothing makes it fit.

    Raises
    ------
    InvalidInput, UnknownName
        As `changes_that_fit` does.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> for remedy in make_it_fit(load_model("Qwen3-14B"), load_device("RTX 4060 Laptop"), weights="Q4_K_M"):
    ...     print(remedy.what)
    compute 11 of 41 layers on the CPU
    take IQ3_XS instead of Q4_K_M
    take Qwen3-8B
    """
    devices = devices_of(device)
    asked = {**settings, "weights": weights}
    if room_for(model, devices, display=display, **asked).verdict == FITS:
        return []
    before = Price(comparable_loss(model, weights), speed_of(model, devices, **asked))
    make = partial(_remedy, model, devices, asked, before)
    singles = search_changes(model, devices, asked, display=display, file_types=offered(model))
    found = [make(change) for change in sorted(singles, key=lambda change: "weights" in change.settings)]
    found += _sibling(model, devices, asked, display, before)
    found = [one for one in found if _has_the_ram(one, ram)]
    combined = (make(change) for change in _combined(model, devices, asked, display))
    return found or list(islice((one for one in combined if _has_the_ram(one, ram)), 1))


def _has_the_ram(remedy: Remedy, ram: Device | None) -> bool:
    """Whether what moves to RAM has room there: none where the GPU's memory is that RAM."""
    moves = {"offload", "experts_on_cpu"} & set(remedy.settings)
    if moves and not all(one.has_own_memory for one in remedy.devices):
        return False
    if ram is None or remedy.devices[0].is_system_memory:
        return True
    beside = host_budget(remedy.model, weights=remedy.weights, devices=remedy.devices, **remedy.settings)
    return headroom(beside, ram).usual >= 0


def _remedy(model: Model, devices: tuple[Device, ...], asked: Asked, before: Price, change: Change) -> Remedy:
    changed = {**asked, **change.settings}
    more = changed.pop("devices", len(devices)) - len(devices)
    weights = changed.pop("weights")
    return Remedy(change.what, change.cost, model, weights, (*devices, *devices[-1:] * more),
                  MappingProxyType(changed), change.headroom, before)


def _sibling(model: Model, devices: tuple[Device, ...], asked: Asked, display: bool,
             before: Price) -> Iterator[Remedy]:
    """The largest smaller model of its line that fits with everything else as it was wanted."""
    for smaller in siblings(model):
        left = room_for(smaller, devices, display=display, **asked)
        if left.verdict == FITS:
            settings = {name: value for name, value in asked.items() if name != "weights"}
            size = f"{100 * smaller.parameters / model.parameters:.0f} % of the parameters"
            yield Remedy(f"take {smaller.name}", size, smaller, asked["weights"], devices,
                         MappingProxyType(settings), left, before)
            return


def _combined(model: Model, devices: tuple[Device, ...], asked: Asked, display: bool) -> Iterator[Change]:
    """Two changes that suffice together, then three; the milder ones are tried first."""
    steps = list(_steps(model, asked))
    for count in range(2, MOST_AT_ONCE + 1):
        for several in combinations(steps, count):
            changed = {name: value for step, _, _ in several for name, value in step.items()}
            if len(changed) < count:  # two steps of one kind
                continue
            left = room_for(model, devices, display=display, **{**asked, **changed})
            if left.verdict == FITS:
                what = ", ".join(told for _, told, _ in several[:-1]) + f" and {several[-1][1]}"
                yield Change(what, MappingProxyType(changed), "; ".join(cost for *_, cost in several), left)


def _steps(model: Model, asked: Asked) -> Iterator[tuple[Asked, str, str]]:
    """Changes to combine, from those that an answer suffers least from: settings, words, price."""
    given = settings_of({name: value for name, value in asked.items() if name != "weights"})
    if given.ubatch > 128:
        yield {"ubatch": 128}, "compute 128 tokens at a time", "long prompts are read more slowly"
    if given.kv_cache == ("f16", "f16") and given.flash_attention:
        yield {"kv_cache": "q8_0"}, "keep keys and values as q8_0", "the cache is rounded to 8.5 bits"
    layers = model.num_hidden_layers
    if model.has_experts and not given.experts_on_cpu:
        for part in (layers // 2, layers):
            yield ({"experts_on_cpu": part}, f"leave the experts of {part} of {layers} layers in RAM",
                   "the CPU computes these experts")
    for divisor in (2, 4):
        shorter = given.context_tokens // divisor
        if shorter >= SHORTEST * given.sequences:
            yield ({"context_tokens": shorter}, f"shorten the context to {shorter:,} tokens",
                   "the rest is forgotten")
    now = weight_bytes(model, asked["weights"])
    for name in SMALLER_FILES:
        if weight_bytes(model, name) < now:
            yield {"weights": name}, f"take {name}", "fewer bits per weight"
    if not model.has_experts and given.offload == "all":
        for part in (3, 2):
            kept = (layers + 1) * part // 4
            yield ({"offload": kept}, f"compute {layers + 1 - kept} of {layers + 1} layers on the CPU",
                   "these layers run at the speed of RAM")
