"""Does it fit? What is left of a device, and the most that it takes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llmsizing.architecture import Model, expect_model
from llmsizing.breakdown import Breakdown
from llmsizing.catalog import Device
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput, expect
from llmsizing.memory.budget import device_budgets, host_budget
from llmsizing.memory.cache import PAD
from llmsizing.memory.runtime import display_term
from llmsizing.memory.settings import LLAMA_CPP, LONGEST, Settings, most_sequences_of
from llmsizing.memory.weights import weight_bytes
from llmsizing.quantization import file_types

FITS, TIGHT, TOO_LARGE = "fits", "tight", "does not fit"
TERNARY = ("TQ1_0", "TQ2_0")  #: ruin a model that was not trained with weights of -1, 0 and 1


@dataclass(frozen=True)
class Headroom:
    """What a device has left beside a budget. Make one with `headroom`.

    Parameters
    ----------
    low, usual, high : int
        Bytes left, negative where they are missing: in the worst case, usually, at best.
    """

    low: int
    usual: int
    high: int

    @property
    def bytes(self) -> tuple[int, int, int]:
        """Low, usual and high."""
        return self.low, self.usual, self.high

    @property
    def verdict(self) -> str:
        """ "fits" if it does in the worst case, "does not fit" if not even at best, else "tight". """
        if self.low >= 0:
            return FITS
        return TIGHT if self.high >= 0 else TOO_LARGE


def headroom(budget: Breakdown, device: Device, *, host: Breakdown | None = None,
             display: bool = False) -> Headroom:
    """Hold a budget against what a device lets programs see.

    Parameters
    ----------
    budget : Breakdown
        From `vram_budget`, or one of `device_budgets`.
    device : Device
        From `load_device`.
    host : Breakdown, optional
        From `host_budget`. It counts where the device's memory is the computer's RAM.
    display : bool
        Whether a desktop runs on the device, too: it takes its part, as `display_term` says.

    Returns
    -------
    Headroom
        In bytes. The worst case takes the largest budget and the least that the device was
        reported to show; other programs on the card are not in it.

    Raises
    ------
    InvalidInput
        If the budget counts something else than bytes, or is none.

    Examples
    --------
    >>> from llmsizing import load_device, load_model, vram_budget
    >>> budget = vram_budget(load_model("Llama-3.1-8B"), weights="Q4_K_M", context_tokens=8192)
    >>> headroom(budget, load_device("RTX 4090")).verdict
    'fits'
    """
    expect("budget", budget, Breakdown, "vram_budget makes one")
    expect("device", device, Device, "write load_device('RTX 4090')")
    budgets = [budget, host] if host and device.is_system_memory else [budget]
    for each in budgets:
        if each.unit != "bytes":
            raise InvalidInput(f"{each.title!r} counts {each.unit}; headroom needs bytes.")
    totals = [each.total for each in budgets] + ([display_term()] if display else [])
    low, high = device.visible_range
    return Headroom(int(low - sum(total.high for total in totals)),
                    int(low - sum(total.usual for total in totals)),
                    int(high - sum(total.low for total in totals)))


def room_for(model: Model, device: Device | Sequence[Device], *, weights: str | None = None,
             display: bool = False, **settings: Any) -> Headroom:
    """What a device has left beside a model, or the fullest of several devices that share it.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    device : Device or sequence of Device
        From `load_device`; several share the layers in proportion to their memory.
    display : bool
        Whether a desktop runs on the first device, too.
    weights, **settings
        As in `vram_budget`, all but ``devices``.

    Returns
    -------
    Headroom
        In bytes. Where the device's memory is the computer's RAM, what stays in RAM counts.

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> cards = [load_device("L4"), load_device("L4")]
    >>> room_for(load_model("Llama-3.3-70B"), cards, weights="Q4_K_M", context_tokens=2048).verdict
    'fits'
    """
    devices = devices_of(device)
    for one in devices:
        expect("device", one, Device, "write load_device('RTX 4090')")
    if "devices" in settings:
        raise InvalidInput("The devices are the second argument: leave devices out.")
    asked = {**settings, "weights": weights, "devices": devices}
    host = host_budget(model, **asked) if any(one.is_system_memory for one in devices) else None
    budgets = device_budgets(model, **asked)
    return min((headroom(budget, one, host=host, display=display and number == 0)
                for number, (budget, one) in enumerate(zip(budgets, devices, strict=True))),
               key=lambda left: left.low)


def devices_of(device: Device | Sequence[Device]) -> tuple[Device, ...]:
    """One device or several, always as several."""
    return tuple(device) if isinstance(device, (list, tuple)) else (device,)


def longest_context(model: Model, device: Device | Sequence[Device], *, weights: str | None = None,
                    **settings: Any) -> int:
    """The longest context with which a model fits a device, up to the model's own.

    Parameters
    ----------
    model, device
        As in `room_for`.
    weights : str, optional
        As in `vram_budget`, as are all further settings but ``context_tokens``.

    Returns
    -------
    int
        Tokens, a multiple of 256, for which `room_for` says "fits"; 0 if there are none.

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> longest_context(load_model("Llama-3.1-8B"), load_device("RTX 4090"), weights="Q4_K_M")
    131072
    """
    if "context_tokens" in settings:
        raise InvalidInput("longest_context looks for context_tokens: leave it out.")
    expect_model(model)
    native = model.max_position_embeddings or LONGEST
    return PAD * most_with_room(native // PAD, lambda steps: room_for(
        model, device, weights=weights, context_tokens=steps * PAD, **settings).low)


def most_sequences(model: Model, device: Device | Sequence[Device], *, weights: str | None = None,
                   tokens_each: int = 8192, **settings: Any) -> int:
    """How many conversations at once a device takes, each with its own tokens of context.

    Parameters
    ----------
    model, device
        As in `room_for`.
    weights : str
        As in `vram_budget`, as are all further settings but ``context_tokens`` and ``sequences``.
    tokens_each : int
        Tokens of context of each conversation; 8192 by default.

    Returns
    -------
    int
        Conversations for which `room_for` says "fits", at most 256 in llama.cpp and 10,000 in
        others; 0 if there are none.

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> most_sequences(load_model("Llama-3.1-8B"), load_device("L4"), weights="Q4_K_M")
    16
    """
    for name in ("context_tokens", "sequences"):
        if name in settings:
            raise InvalidInput(f"most_sequences sets {name} itself: leave it out, and say"
                               " tokens_each.")
    expect_model(model)
    tokens = Settings(context_tokens=tokens_each).context_tokens
    engine = load_engine(settings.get("engine", LLAMA_CPP))
    most = min(most_sequences_of(engine), LONGEST // tokens)
    shared = not engine.context_is_each
    return most_with_room(most, lambda count: room_for(
        model, device, weights=weights, context_tokens=tokens * (count if shared else 1),
        sequences=count, **settings).low)


def largest_file_type(model: Model, device: Device | Sequence[Device], **settings: Any) -> str:
    """The largest llama.cpp file type with which a model fits a device.

    Parameters
    ----------
    model, device
        As in `room_for`.
    **settings
        As in `vram_budget`, all but ``weights``.

    Returns
    -------
    str
        Its name; "" if none fits.

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> largest_file_type(load_model("Qwen3-32B"), load_device("RTX 4090"), context_tokens=16384)
    'Q4_1'
    """
    if "weights" in settings:
        raise InvalidInput("largest_file_type looks for weights: leave it out.")
    return next((name for name in by_size(model)
                 if room_for(model, device, weights=name, **settings).verdict == FITS), "")


def by_size(model: Model, names: Iterable[str] | None = None) -> list[str]:
    """File types of llama.cpp from the largest to the smallest: all but those that would ruin a model."""
    if names is None:
        names = [file_type.name for file_type in file_types() if file_type.name not in TERNARY]
    return sorted(names, key=lambda name: weight_bytes(model, name), reverse=True)


def most_with_room(most: int, left: Callable[[int], int]) -> int:
    """The largest number from 1 to ``most`` that leaves 0 bytes or more; 0 if none does.

    What is left must not rise with the number. Bytes fall nearly in a straight line, so we look
    where the line between two known numbers meets zero; every third look halves the way between
    them, in case the line bends.

    >>> most_with_room(100, lambda number: 50 - number**2)
    7
    """
    low, high = 1, most
    if most < 1 or (above := left(low)) < 0:
        return 0
    if (below := left(high)) >= 0:
        return most
    look = 0
    while high - low > 1:
        look += 1
        met = low + (high - low) * above // (above - below) if look % 3 else (low + high) // 2
        number = min(max(met, low + 1), high - 1)
        bytes_left = left(number)
        if bytes_left >= 0:
            low, above = number, bytes_left
        else:
            high, below = number, bytes_left
    return low
