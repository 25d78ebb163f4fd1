"""Price: what a choice costs in answers and in time, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmsizing.architecture import Model
from llmsizing.catalog import Device
from llmsizing.quality import Loss

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Price:
    """What was measured of a loss, and the speed that is predicted."""

    loss: Loss
    speed: Any | None

    @property
    def loss_text(self) -> str:
        """The loss in a few words."""
        return self.loss.summary

    @property
    def speed_text(self) -> str:
        """The range in tokens per second, as whole numbers where they are large."""
        return UNKNOWN if self.speed is None else f"{_short(self.speed.low)}–{_short(self.speed.high)}"


def speed_of(model: Model, devices: Sequence[Device], *, weights: str, **settings: Any) -> Any | None:
    """Speed of one conversation; None where it cannot be predicted."""
    return None


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"
