"""What each piece of work costs: a constant that was fitted, times what the model and the card give."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.catalog import SYSTEM_RAM, Device
from llmsizing.speed.constants import PROCESSOR
from llmsizing.speed.runs import computes
from llmsizing.speed.work import Work
from llmsizing.units import BILLION, GB, MB, MILLION

#: FP32 operations for each byte of memory bandwidth, where a device's are not in the table: the
#: middle of the vendor's devices that are.
OPERATIONS_PER_BYTE = {"NVIDIA": 38, "AMD": 45, "Apple": 35, "Intel": 31, SYSTEM_RAM: 20}
#: Matrix operations for each FP32 operation, where a device's are not in the table.
MATRIX_PER_FP32 = {"NVIDIA": 4, "AMD": 2, "Apple": 1, "Intel": 4}
#: The constant of matrix arithmetic, where it is not CUDA's.
MATRIX = {"AMD": "prompt on AMD", "Apple": "prompt on Apple", PROCESSOR: "prompt on a processor"}
MORE = "computing for more conversations"
#: A token of further conversations costs arithmetic, until as many share one matrix kernel.
SHARED_KERNEL = 16


@dataclass(frozen=True)
class Cost:
    """A part of the time for one token: a fitted constant times an amount.

    Parameters
    ----------
    term, part : str
        The term of the breakdown that it belongs to, and its own name in it.
    constant : str
        Which constant: its name in speed_constants.csv.
    what : str
        What the constant's number says, as it is read after it.
    factors : tuple of Factor
        What it is multiplied by, to give seconds.
    """

    term: str
    part: str
    constant: str
    what: str
    factors: tuple[Factor, ...]

    @property
    def amount(self) -> float:
        """The product of the factors: seconds for a constant of 1."""
        value = 1.0
        for factor in self.factors:
            value *= float(factor.usual)
        return value


def kind_of(device: Device) -> str:
    """Whose kernels run on a device: a vendor's, or a processor's."""
    return PROCESSOR if device.vendor == SYSTEM_RAM else device.vendor


def operations_per_second(device: Device) -> Fraction:
    """FP32 operations that a device computes in a second at most, in billions."""
    found = computes().get(device.name)
    if found:
        return found.fp32_tflops * 1000
    return device.bandwidth_gb_per_s * OPERATIONS_PER_BYTE.get(device.vendor, 31)


def matrix_operations(device: Device) -> Fraction:
    """Operations on matrices that a device computes in a second at most, in billions."""
    found = computes().get(device.name)
    if found and found.matrix_tflops:
        return found.matrix_tflops * 1000
    return operations_per_second(device) * MATRIX_PER_FP32.get(device.vendor, 1)


def costs_of(work: Work, device: Device, *, cards: int = 1, sequences: int = 1,
             flash_attention: bool = True, old: bool = False) -> Iterator[Cost]:
    """What a token of each conversation costs on a device, or on several that share the layers.

    ``old`` adds what llamas of 2024 took longer to start a kernel, for runs of that time.
    """
    kind, bandwidth = kind_of(device), per_gb(device)
    if not work.tensors:
        return
    weights = _gigabytes(work.read_bytes(sequences))
    if kind == PROCESSOR:
        yield from _on_processor(work, device, sequences, flash_attention=flash_attention)
        return
    yield Cost("reading weights", "at the memory's pace", "reading", "times the least that is possible",
               (weights, bandwidth))
    if device.memory_type.startswith("HBM"):
        yield Cost("reading weights", "stacked memory (HBM) beyond that", "reading HBM",
                   "times the least", (weights, bandwidth))
    pace = Factor(1 / operations_per_second(device), "seconds per billion operations")
    for how, constant in (("packed", "unpacking"), ("few bits", "unpacking few bits"),
                          ("tables", "unpacking by tables")):
        count = work.unpacked(how, sequences)
        if count:
            yield Cost("unpacking weights", how, constant, "operations each",
                       (billions(count, "billion weights"), pace))
    yield from _further(work, device, pace, sequences)
    each = Factor(sequences, "conversation" if sequences == 1 else "conversations")
    cache = _gigabytes(work.cache_bytes)
    if cache.usual:
        yield Cost("reading the KV cache", "at the memory's pace", "reading cache",
                   "times the least that is possible", (cache, each, bandwidth))
    if work.attention:
        operations = billions(work.attention, "billion operations")
        slow = "attention on Apple" if kind == "Apple" else "attention"
        yield Cost("attention", "arithmetic", slow, "times the least", (operations, each, pace))
        if not flash_attention:
            yield Cost("attention", "without flash attention beyond that", "attention in full",
                       "times the least", (operations, each, pace))
    yield from _starts(work, kind, old=old)
    if cards > 1:
        yield Cost("handing over to other cards", "each time", "handing over",
                   "µs each", (Factor(cards - 1, "times"), _micro()))


def _further(work: Work, device: Device, pace: Factor, sequences: int) -> Iterator[Cost]:
    """The arithmetic for more conversations: first one by one, then by matrices."""
    weights = billions(work.weights, "billion weights")
    if sequences > 1:
        more = Factor(min(sequences, SHARED_KERNEL) - 1, "more conversations")
        yield Cost(MORE, "one by one", "further conversation", "operations each", (weights, more, pace))
    if sequences > SHARED_KERNEL:
        quick = Factor(1 / matrix_operations(device), "seconds per billion operations")
        more = Factor(sequences - SHARED_KERNEL, "more conversations")
        yield Cost(MORE, "by matrices", MATRIX.get(kind_of(device), "prompt"), "times the least",
                   (weights, Factor(2, "operations each"), more, quick))


def _starts(work: Work, kind: str, *, old: bool) -> Iterator[Cost]:
    tensors, micro = Factor(work.tensors, "tensors"), _micro()
    constant = {"Apple": "starting on Apple", "AMD": "starting on AMD"}.get(kind, "starting")
    yield Cost("starting kernels", "for each tensor", constant, "µs each", (tensors, micro))
    if old:
        yield Cost("starting kernels", "in 2024 beyond that", "starting in 2024", "µs each",
                   (tensors, micro))


def _on_processor(work: Work, device: Device, sequences: int, *, flash_attention: bool) -> Iterator[Cost]:
    read = work.read_bytes(sequences) + work.cache_bytes * sequences
    yield Cost("reading from RAM", "weights and cache", "reading RAM", "times the least that is possible",
               (_gigabytes(read), per_gb(device)))
    yield Cost("waiting for all cores", "for each layer", "waiting", "µs each",
               (Factor(work.layers, "layers"), _micro()))
    if sequences > 1:  # arithmetic hides behind the reading for one; a further one costs a prompt's
        more = Factor(sequences - 1, "more conversations")
        for cost in arithmetic(work, device, flash_attention=flash_attention):
            yield replace(cost, term=MORE, factors=(*cost.factors, more))


def arithmetic(work: Work, device: Device, *, flash_attention: bool) -> Iterator[Cost]:
    """What a token costs where many are computed at a time, as of a prompt."""
    kind = kind_of(device)
    amd = " on AMD" if kind == "AMD" else ""
    pace = Factor(1 / matrix_operations(device), "seconds per billion operations")
    two = Factor(2, "operations each")
    yield Cost("arithmetic", "weights", MATRIX.get(kind, "prompt"), "times the least",
               (billions(work.weights, "billion weights"), two, pace))
    if work.experts.tensors:
        used = sum(work.experts.unpacked.values(), Fraction(0))
        yield Cost("arithmetic", "experts beyond that", "prompt of experts" + amd, "times the least",
                   (billions(used, "billion weights"), two, pace))
    if work.attention:
        slow = "attention of a prompt" + (amd if flash_attention else " in full")
        yield Cost("attention", "to what stands before", slow, "times the least",
                   (billions(work.attention, "billion operations"), pace))


def in_ram(work: Work, ram: Device) -> Iterator[Cost]:
    """What the layers and experts cost that lie in RAM, beside a card that holds the others."""
    if not work.tensors:
        return
    yield Cost("reading from RAM", "weights and cache", "reading RAM", "times the least that is possible",
               (_gigabytes(work.read_bytes() + work.cache_bytes), per_gb(ram)))
    yield Cost("handing over to the processor", "for each layer", "handing over to RAM", "µs each",
               (Factor(work.layers, "layers"), _micro()))


def terms_of(costs: list[Cost], constants: Mapping[str, Fraction]) -> tuple[Term, ...]:
    """The costs as terms in seconds, those of one name together."""
    terms: dict[str, list[Term]] = {}
    for cost in costs:
        constant = Factor(constants[cost.constant], cost.what)
        terms.setdefault(cost.term, []).append(product(cost.part, constant, *cost.factors))
    return tuple(sum_of(name, *parts) if len(parts) > 1 else product(name, *parts[0].members)
                 for name, parts in terms.items())


def per_gb(device: Device) -> Factor:
    """Seconds in which a device reads a gigabyte at its full bandwidth."""
    return Factor(1 / device.bandwidth_gb_per_s, "seconds per GB")


def _gigabytes(count: Fraction | int) -> Factor:
    return Factor(Fraction(round(count / MB), GB // MB), "GB")


def billions(count: Fraction | int, name: str) -> Factor:
    """A count in billions, to the million."""
    return Factor(Fraction(round(count / MILLION), BILLION // MILLION), name)


def _micro() -> Factor:
    return Factor(Fraction(1, MILLION), "seconds per µs")
