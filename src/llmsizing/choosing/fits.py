"""what_fits: every model at every file type that a device takes, in an order that is stated."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any

from llmsizing.architecture import Model
from llmsizing.catalog import Device, models
from llmsizing.choosing.families import ended, newer_than
from llmsizing.choosing.price import Price, speed_of
from llmsizing.choosing.room import offered, verdicts
from llmsizing.choosing.tasks import load_task, tuned_for
from llmsizing.errors import InvalidInput, exact_number, expect
from llmsizing.memory import Headroom, room_for, weight_bytes
from llmsizing.memory.fit import FITS, TIGHT, devices_of
from llmsizing.memory.settings import settings_of
from llmsizing.quality import Loss, quality_loss
from llmsizing.quality.loss import AS_TRAINED
from llmsizing.speed import Speed
from llmsizing.units import GB, GIB

#: The order of `what_fits`. All but the last but one rest on facts.
RULE = ("what fits in the worst case before what is tight",
        "what loses little before what loses some, what nobody measured, and what loses much",
        "what its makers carry on before what they have followed up, retired or stopped supporting",
        "more parameters before fewer: a rule of thumb, and true within a family and generation at most",
        "more bits before fewer")

#: KL divergence up to which a loss is little or some; a model of 4 bits loses about 0.03.
LITTLE, SOME = 0.06, 0.15
MUCH = 3  #: the class of what loses more
ORDER = {FITS: 0, TIGHT: 1}
FAR = 3  #: times as fast or as slow as wished is far


@dataclass(frozen=True)
class Choice:
    """A model at a file type that a device takes. `what_fits` makes them.

    Parameters
    ----------
    model : Model
        Its ``licence``, ``modality`` and ``max_position_embeddings`` (native context) come with it.
    weights : str
        The file type.
    devices : tuple of Device
        What takes it.
    settings : tuple of (str, object)
        Further settings, as in `vram_budget`.
    verdict : str
        "fits" or "tight".
    """

    model: Model
    weights: str
    devices: tuple[Device, ...]
    settings: tuple[tuple[str, Any], ...]
    verdict: str

    @cached_property
    def headroom(self) -> Headroom:
        """What the device has left, in bytes."""
        return room_for(self.model, self.devices, weights=self.weights, **dict(self.settings))

    @cached_property
    def loss(self) -> Loss:
        """What the rounding costs in answers, with its evidence and how far that is from it."""
        return quality_loss(self.model, self.weights)

    @cached_property
    def speed(self) -> Speed | None:
        """Tokens per second for one conversation, as a range; None where no bandwidth is known."""
        return speed_of(self.model, self.devices, weights=self.weights, **dict(self.settings))

    @property
    def ceiling(self) -> float:
        """Tokens per second if nothing but reading the weights took time; no speed comes near it."""
        share = self.model.read_parameters / self.model.parameters
        read = share * weight_bytes(self.model, self.weights)
        return sum(float(one.bandwidth_gb_per_s or 0) for one in self.devices) * GB / read

    @property
    def price(self) -> Price:
        """Loss and speed in words."""
        return Price(self.loss, self.speed)

    @property
    def newer(self) -> str:
        """The model with which its makers followed it up, if there is one."""
        return newer_than(self.model)

    @property
    def past(self) -> str:
        """How its makers left it behind, by a follower or by an end of its line; "" if they did not."""
        return f"followed by {self.newer}" if self.newer else ended(self.model)

    @property
    def loss_text(self) -> str:
        """The loss in a few words; where it is much, they begin so."""
        much = loss_class(self.model, self.weights) == MUCH
        return f"much: {self.price.loss_text}" if much else self.price.loss_text

    @property
    def tuned_for(self) -> tuple[str, ...]:
        """What its makers tuned it for, beyond conversation."""
        return tuned_for(self.model)

    @property
    def row(self) -> dict[str, object]:
        """It as a row of a table."""
        return {"model": self.model.name, "file type": self.weights, "it": self.verdict,
                "left, GiB": self.headroom.usual / GIB, "tokens per second": self.price.speed_text,
                "measured loss": self.loss_text, "licence": self.model.licence or "not read"}


def what_fits(device: Device | Sequence[Device], *, task: str | None = None, context_tokens: int = 8192,
              sequences: int = 1, at_least_tokens_per_second: float | None = None) -> list[Choice]:
    """Find the models, at each of their file types, that a device takes.

    The whole catalog is looked at. What is tuned for a task, what it reads and its native context
    are facts; they pick. How well a model does a task is not known to this package.

    Parameters
    ----------
    device : Device or sequence of Device
        From `load_device` or `this_machine`; several share the layers. On computers whose GPU
        shares all RAM, llama-server's prompt cache is taken to be off (``--cache-ram 0``).
    task : str, optional
        "chat", "code", "reasoning", "long documents", "vision", "audio" or "Japanese".
    context_tokens : int
        Tokens of context of all conversations together. Models whose native context is shorter
        than what each conversation gets are left out.
    sequences : int
        Conversations at once, which share the context.
    at_least_tokens_per_second : float, optional
        For one conversation, as usually predicted.

    Returns
    -------
    list of Choice
        In the order of ``RULE``: what fits before what is tight; little measured loss before
        more; what its makers carry on before what is past; more parameters before
        fewer; more bits before fewer. `shortlist` takes the first of each model.

    Raises
    ------
    InvalidInput
        If a number makes no sense, or a speed is asked of a device whose bandwidth is not known.
    UnknownName
        If there is no such task.

    Examples
    --------
    >>> from llmsizing import load_device
    >>> found = what_fits(load_device("RTX 4060 Laptop"), task="vision", context_tokens=16384)
    >>> best = found[0]
    >>> best.model.name, best.verdict, best.model.licence
    ('Gemma-4-12B', 'fits', 'apache-2.0')
    """
    return ranked(models(), device, task=task, context_tokens=context_tokens, sequences=sequences,
                  at_least_tokens_per_second=at_least_tokens_per_second)


def ranked(shapes: Iterable[Model], device: Device | Sequence[Device], *, task: str | None = None,
           context_tokens: int = 8192, sequences: int = 1, at_least_tokens_per_second: float | None = None,
           weights: Sequence[str] = ()) -> list[Choice]:
    """The same of other models than the catalog's, or of fewer, and of fewer file types.

    Parameters
    ----------
    shapes : iterable of Model
        What to look at.
    weights : sequence of str
        File types to look at, of those that make sense for a model; by default all of them.
    device, task, context_tokens, sequences, at_least_tokens_per_second
        As in `what_fits`.
    """
    devices = _checked(device)
    wanted = None if task is None else load_task(task)
    shared = any(one.is_system_memory for one in devices)
    given = {"context_tokens": context_tokens, "sequences": sequences, **({"cache_ram_mib": 0} if shared else {})}
    each, settings = settings_of(given).conversation_tokens, tuple(given.items())
    found = [Choice(model, name, devices, settings, verdict)
             for model in shapes
             if (wanted is None or wanted.holds(model)) and each <= (model.max_position_embeddings or each)
             for name, verdict in verdicts(model, devices, _of_these(model, tuple(weights)), given)]
    if at_least_tokens_per_second is not None:
        found = list(_fast_enough(found, at_least_tokens_per_second))
    return sorted(found, key=_place)


@lru_cache(maxsize=2048)
def _of_these(model: Model, weights: tuple[str, ...]) -> tuple[str, ...]:
    sensible = offered(model)
    return tuple(name for name in sensible if name in weights) or sensible


def shortlist(choices: Iterable[Choice], most: int = 10) -> list[Choice]:
    """The first choice of each model, in their order.

    Parameters
    ----------
    choices : iterable of Choice
        From `what_fits`.
    most : int
        How many at most.

    Examples
    --------
    >>> from llmsizing import load_device
    >>> [choice.model.name for choice in shortlist(what_fits(load_device("RTX 4060 Laptop")), 2)]
    ['Gemma-4-12B', 'Falcon3-10B']
    """
    first: dict[str, Choice] = {}
    for choice in choices:
        first.setdefault(choice.model.name, choice)
    return list(first.values())[:most]


def _fast_enough(choices: list[Choice], least: float) -> Iterator[Choice]:
    """Those that are fast enough. Of a model whose largest and smallest file are far from the wish on
    the same side, the others are not asked: unpacking never costs so much."""
    wanted = float(exact_number("at_least_tokens_per_second", least, at_least=0, hint="5 to 30 are usual."))
    for one in choices[0].devices if choices else ():
        if one.bandwidth_gb_per_s is None:
            raise InvalidInput(f"The bandwidth of {one.name} is not known, so neither is a speed: leave"
                               " at_least_tokens_per_second out, or name a device of the catalog.")
    for _, same in groupby(choices, key=lambda choice: choice.model.name):
        files = [choice for choice in same if choice.ceiling >= wanted]
        ends = [choice.speed.usual if choice.speed else 0.0 for choice in files[:1] + files[-1:]]
        if files and min(ends) >= FAR * wanted:
            yield from files
        elif files and max(ends) * FAR > wanted:
            yield from (choice for choice in files if choice.speed and choice.speed.usual >= wanted)


@lru_cache(maxsize=16384)
def loss_class(model: Model, weights: str) -> int:
    """Whether the loss is little (0), some (1), not measured (2), or much (3).

    >>> from llmsizing import load_model
    >>> [loss_class(load_model("Llama-3.1-8B"), name) for name in ("Q8_0", "Q4_K_M", "Q3_K_M", "Q2_K")]
    [0, 0, 1, 3]
    """
    if weights == AS_TRAINED:
        return 0
    loss = quality_loss(model, weights)
    if loss.kld:
        lost = loss.kld[1]
    elif loss.ppl_ratio:  # for small losses the logarithm is about as large as the divergence
        lost = math.log(loss.ppl_ratio[1])
    else:
        return 2
    return 0 if lost <= LITTLE else 1 if lost <= SOME else MUCH


def _place(choice: Choice) -> tuple:
    return (ORDER[choice.verdict], loss_class(choice.model, choice.weights), bool(choice.past),
            -choice.model.parameters, choice.model.name, offered(choice.model).index(choice.weights))


def _checked(device: object) -> tuple[Device, ...]:
    devices = devices_of(device)
    if not devices:
        raise InvalidInput("what_fits needs a device: write load_device('RTX 4090').")
    for one in devices:
        expect("device", one, Device, "write load_device('RTX 4090'), or this_machine().device")
    return devices
