"""Does it fit? What is left of a device, and the longest context that it takes."""

from dataclasses import dataclass
from typing import Any

from llmsizing.architecture import Model, expect_model
from llmsizing.breakdown import Breakdown
from llmsizing.catalog import Device
from llmsizing.errors import InvalidInput, expect
from llmsizing.memory.budget import host_budget, vram_budget
from llmsizing.memory.cache import PAD
from llmsizing.memory.settings import LONGEST

FITS, TIGHT, NOT = "fits", "tight", "does not fit"


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
        return TIGHT if self.high >= 0 else NOT


def headroom(budget: Breakdown, device: Device, *, host: Breakdown | None = None) -> Headroom:
    """Hold a budget against what a device lets programs see.

    Parameters
    ----------
    budget : Breakdown
        From `vram_budget`.
    device : Device
        From `load_device`.
    host : Breakdown, optional
        From `host_budget`. It counts where the device's memory is the computer's RAM.

    Returns
    -------
    Headroom
        In bytes. The worst case takes the largest budget and the least that the device was
        reported to show; a display or other programs on the card are not in it.

    Raises
    ------
    InvalidInput
        If the budget counts something else than bytes, or is none.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
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
    totals = [each.total for each in budgets]
    low, high = device.visible_range
    return Headroom(int(low - sum(total.high for total in totals)),
                    int(low - sum(total.usual for total in totals)),
                    int(high - sum(total.low for total in totals)))


def longest_context(model: Model, device: Device, *, weights: str | None = None, **settings: Any) -> int:
    """The longest context with which a model fits a device, up to the model's own.

    Parameters
    ----------
    model, device
        From `load_model` and `load_device`.
    weights : str, optional
        As in `vram_budget`, as are all further settings but ``context_tokens``.

    Returns
    -------
    int
        Tokens, a multiple of 256, for which `headroom` says "fits"; 0 if there are none.

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

    def fits(steps: int) -> bool:
        asked = {**settings, "weights": weights, "context_tokens": steps * PAD}
        budget, host = vram_budget(model, **asked), host_budget(model, **asked)
        return headroom(budget, device, host=host).verdict == FITS

    low, high = 0, native // PAD  # `low` steps fit, and no more than `high` are asked for
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low * PAD
