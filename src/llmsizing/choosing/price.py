"""Price: what a choice costs in answers and in time, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llmsizing.architecture import Model
from llmsizing.catalog import Device
from llmsizing.errors import InvalidInput
from llmsizing.quality import Loss, Measurement, quality_loss, quality_rows, yardstick
from llmsizing.speed import Speed, decode_speed
from llmsizing.speed.given import TAKEN

UNKNOWN = "unknown"
DIVERGENCE = ("KLD", "KLD of the 40 likeliest")
SCORES = ("MMLU", "MMLU-Pro")
MOST_SHOWN = 3


@dataclass(frozen=True)
class Price:
    """What was measured of a loss, and the speed that is predicted.

    Parameters
    ----------
    loss : Loss
        From `quality_loss`.
    speed : Speed or None
        From `decode_speed`; None where it cannot be said.
    """

    loss: Loss
    speed: Speed | None

    @property
    def loss_text(self) -> str:
        """The loss in a few words."""
        return self.loss.summary

    @property
    def speed_text(self) -> str:
        """The range in tokens per second."""
        return UNKNOWN if self.speed is None else speed_range(self.speed)


def speed_range(speed: Speed) -> str:
    """A range of tokens per second, short enough for a table.

    >>> from llmsizing import decode_speed, load_device, load_model
    >>> speed_range(decode_speed(load_model("Llama-3.1-8B"), load_device("RTX 4090"), weights="Q4_K_M"))
    '105–145'
    """
    return f"{_short(speed.low)}–{_short(speed.high)}"


def comparable_loss(model: Model, weights: str) -> Loss:
    """The loss as measured on one model for all file types, where it was, so that they compare.

    >>> from llmsizing import load_model
    >>> model = load_model("Qwen3-32B")
    >>> [comparable_loss(model, name).summary for name in ("Q5_K_M", "Q4_K_M", "Q3_K_M")]
    ['KLD about 0.011', 'KLD 0.028 to 0.031, same top token 92 %', 'KLD 0.084 to 0.10']
    """
    measured_on = yardstick(model)
    loss = quality_loss(model, weights, measured_on=measured_on) if measured_on else None
    return loss if loss is not None and loss.known else quality_loss(model, weights)


def speed_of(model: Model, devices: Sequence[Device], *, weights: str, host: Device | None = None,
             **settings: Any) -> Speed | None:
    """The speed of one conversation; None where it cannot be predicted.

    That is so for a device of unknown bandwidth, for unlike devices together, and for several
    conversations with a part of the model in RAM.
    """
    first = devices[0]
    if first.bandwidth_gb_per_s is None or any(other != first for other in devices):
        return None
    asked = {name: value for name, value in settings.items() if name in ("context_tokens", *TAKEN)}
    several = {"devices": len(devices)} if len(devices) > 1 else {}
    try:
        return decode_speed(model, first, weights=weights, host=host, **{**asked, **several})
    except InvalidInput:
        return None


@lru_cache(maxsize=64)
def cache_price(kv_cache: str) -> str:
    """What others measured of keys and values in fewer bits, each with its model.

    >>> cache_price("f16")
    'nothing: the cache as it is'
    >>> cache_price("q8_0").startswith("KLD 0.00098 (Llama-3-8B)")
    True
    """
    if kv_cache in ("f16", "bf16", "f32"):
        return "nothing: the cache as it is"
    rows = [row for row in quality_rows(quantized="KV cache")
            if row.method == f"keys {kv_cache}, values {kv_cache}"]
    told = [f"{'KLD' if row.metric == DIVERGENCE[0] else 'KLD of the likeliest'} {row.number:.2g} ({row.model})"
            for row in rows if row.metric in DIVERGENCE]
    told += [f"{row.metric} {original.number:.1f} → {row.number:.1f} ({row.model})"
             for row in rows if row.metric in SCORES for original in _originals(row)]
    return ", ".join(told[:MOST_SHOWN]) or "no data"


def _originals(row: Measurement) -> list[Measurement]:
    """The same test with a cache of 16 bits."""
    return [other for other in quality_rows(quantized="KV cache", model=row.model, metric=row.metric)
            if other.method == "keys f16, values f16" and other.source == row.source]


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"
