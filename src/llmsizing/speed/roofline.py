"""roofline: what memory and arithmetic allow, and where a model stands under the two."""

from dataclasses import dataclass
from fractions import Fraction

from llmsizing.architecture import Model
from llmsizing.catalog import Device
from llmsizing.memory.settings import LLAMA_CPP
from llmsizing.speed.costs import matrix_operations
from llmsizing.speed.decode import Speed, decode_speed
from llmsizing.speed.given import given_of
from llmsizing.speed.prefill import prefill_speed
from llmsizing.units import BILLION

CONTEXT = 2048


@dataclass(frozen=True)
class Point:
    """Where a kind of work stands: operations for each byte, and billions of operations a second."""

    name: str
    intensity: float
    operations: float
    speed: Speed


@dataclass(frozen=True)
class Roofline:
    """The roofs of a device: GB a second, billions of operations a second, and what stands under them."""

    bandwidth: Fraction
    most_operations: Fraction
    points: tuple[Point, ...]

    @property
    def ridge(self) -> float:
        """Operations for each byte at which the two roofs meet."""
        return float(self.most_operations / self.bandwidth)


def roofline(model: Model, device: Device, *, weights: str, sequences: int = 1) -> Roofline:
    """Put writing for some conversations, and reading a prompt, under a device's two roofs.

    In words: a weight that is read serves two operations for each token computed with it. With one
    token at a time that is a handful of operations for each byte, far left of where the roofs
    meet: memory sets the pace. A prompt of 512 tokens at a time stands on the right.

    Parameters
    ----------
    model, device, weights
        As in `decode_speed`.
    sequences : int
        Conversations at once, each with 2,048 tokens of context.

    Returns
    -------
    Roofline

    Raises
    ------
    InvalidInput, UnknownName
        As `decode_speed` does.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> found = roofline(load_model("Llama-3.1-8B"), load_device("RTX 4090"), weights="Q4_K_M")
    >>> writing, reading = found.points
    >>> writing.intensity < found.ridge < reading.intensity
    True

    References
    ----------
    Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for
    multicore architectures", Communications of the ACM 52(4), 2009.
    """
    given = given_of(model, device, weights=weights, context_tokens=CONTEXT, engine=LLAMA_CPP, host=None,
                     settings={})
    work = given.on_device
    each = float(2 * work.weights + work.attention)
    writes = decode_speed(model, device, weights=weights, context_tokens=CONTEXT * sequences, sequences=sequences)
    reads = prefill_speed(model, device, weights=weights, context_tokens=CONTEXT)
    points = [Point(name, each * tokens / float(work.read_bytes(tokens) + work.cache_bytes * caches),
                    each * speed.together / BILLION, speed)
              for name, tokens, caches, speed in (("writing", sequences, sequences, writes),
                                                  ("reading a prompt", given.settings.ubatch, 1, reads))]
    return Roofline(device.bandwidth_gb_per_s, matrix_operations(device), tuple(points))
