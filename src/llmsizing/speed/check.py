"""How far predictions are off on devices and models that the fit has not seen."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from llmsizing.catalog import load_device, load_model
from llmsizing.memory.settings import settings_of
from llmsizing.speed.constants import CARD_AND_RAM, PROCESSOR
from llmsizing.speed.costs import costs_of, in_ram, kind_of
from llmsizing.speed.fit import fit
from llmsizing.speed.runs import DecodeRun, decode_runs
from llmsizing.speed.work import work_of

#: Where each constant starts, and what it is near to where no run tells. (Round numbers.)
PRIOR = {"reading": 1.15, "reading HBM": 0.3, "reading RAM": 1.5, "reading cache": 1.15, "unpacking": 3.0,
         "unpacking few bits": 7.0, "unpacking by tables": 20.0, "attention": 1.0,
         "attention on Apple": 10.0, "attention in full": 10.0, "starting": 4.5, "starting on Apple": 8.0,
         "starting on AMD": 6.0, "starting in 2024": 4.0, "waiting": 50.0, "handing over": 300.0,
         "handing over to RAM": 200.0}
PULL = 0.005  #: how strongly, as a part of what all runs say
INSIDE = 0.8  #: the part of runs that a range should hold


@dataclass(frozen=True)
class Case:
    """A run made ready for the fit: the amounts that constants multiply, and the measured time."""

    run: DecodeRun
    chip: str
    shape: int
    kind: str
    amounts: dict[str, float]
    seconds: float

    @property
    def current(self) -> bool:
        """Whether the build is none of 2024, which took longer to start a kernel."""
        return "2024" not in self.run.engine_version

    @property
    def source(self) -> str:
        """The repository, thread or page that published the run."""
        return self.run.source.partition(":")[0]


@cache
def cases() -> tuple[Case, ...]:
    """Every published run of one conversation, ready for the fit."""
    return tuple(case_of(run) for run in decode_runs() if run.sequences == 1)


def case_of(run: DecodeRun) -> Case:
    """A run with what its constants are multiplied by."""
    device, model = load_device(run.device), load_model(run.model)
    flash = run.flash_attention == "yes"
    wanted = {"context_tokens": run.context_tokens, "kv_cache": run.kv_cache, "sequences": run.sequences,
              "flash_attention": flash, "backend": run.backend,
              "offload": run.offload if run.offload == "all" else int(run.offload),
              "experts_on_cpu": run.experts_on_cpu, "devices": run.cards}
    on_device, ram = work_of(model, run.weights, settings_of(wanted))
    costs = [*costs_of(on_device, device, cards=run.cards, sequences=run.sequences, flash_attention=flash,
                       old="2024" in run.engine_version),
             *in_ram(ram, load_device(run.host) if run.host else device)]
    amounts: Counter[str] = Counter()
    for cost in costs:
        amounts[cost.constant] += cost.amount
    kind = CARD_AND_RAM if ram.tensors and kind_of(device) != PROCESSOR else kind_of(device)
    shape = hash((model.hidden_size, model.vocab_size, model.layers))
    return Case(run, chip_of(run.device), shape, kind, dict(amounts), run.sequences / float(run.tokens_per_second))


def chip_of(device: str) -> str:
    """A device without the size of its memory, so that its twins are left out with it.

    >>> chip_of("Apple M1 Max 64 GB"), chip_of("DDR5-5600, 2 channels, 96 GB"), chip_of("A100 SXM 80 GB")
    ('Apple M1 Max', 'DDR5-5600, 2 channels', 'A100')
    """
    return re.sub(r",? \d+ GB$", "", device).removesuffix(" PCIe").removesuffix(" SXM")


def fitted(among: Sequence[Case], start: dict[str, float] | None = None) -> dict[str, float]:
    """The constants that come nearest to these runs; a device with many runs weighs less for each."""
    return fit([case.amounts for case in among], [case.seconds for case in among], weights_of(among),
               PRIOR, _strength(), start=start or PRIOR)


def weights_of(among: Sequence) -> list[float]:
    """How much each run counts: of a device with a hundred each a tenth, so that together they are ten."""
    of_chip = Counter(case.chip for case in among)
    return [of_chip[case.chip] ** -0.5 for case in among]


@cache
def _strength() -> dict[str, float]:
    """How strongly each constant is held: a small part of what all runs say of it."""
    said: Counter[str] = Counter()
    for case in used():
        for name, amount in case.amounts.items():
            said[name] += (amount / case.seconds) ** 2
    return {name: PULL * max(said[name], 1e-12) for name in PRIOR}


@cache
def used() -> tuple[Case, ...]:
    """The runs that are fitted: all that are not marked as outliers."""
    return tuple(case for case in cases() if not case.run.outlier)


@cache
def constants_of_all() -> dict[str, float]:
    """The constants fitted on all runs of one conversation."""
    return fitted(used())


def seconds_of(case: Case, values: dict[str, float]) -> float:
    """The predicted time of a run."""
    return sum(values[name] * amount for name, amount in case.amounts.items())


def left_out(group: Callable[[Case], object]) -> list[float]:
    """For each run the measured speed over the one predicted without all runs of its group."""
    ratios: dict[int, float] = {}
    everything, start = cases(), constants_of_all()
    for name in dict.fromkeys(map(group, everything)):
        values = fitted([case for case in used() if group(case) != name], start)
        for number, case in enumerate(everything):
            if group(case) == name:
                ratios[number] = seconds_of(case, values) / case.seconds
    return [ratios[number] for number in range(len(everything))]


@cache
def unseen_devices() -> list[float]:
    """Measured over predicted speed of each run, whole devices left out of the fit."""
    return left_out(lambda case: case.chip)


@cache
def unseen_models() -> list[float]:
    """Measured over predicted speed of each run, whole models (those of one shape) left out."""
    return left_out(lambda case: case.shape)


@cache
def unseen_sources() -> list[float]:
    """Measured over predicted speed of each run, all that one source published left out."""
    return left_out(lambda case: case.source)


def error(ratio: float) -> float:
    """The size of a prediction's error, as a part of the measured speed.

    >>> error(0.5), error(2.0)
    (1.0, 0.5)
    """
    return abs(1 / ratio - 1)


def quantile(values: Iterable[float], part: float) -> float:
    """The value that a part of the values does not exceed, between two where it lies there.

    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.5
    """
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def weighted_quantile(values: Iterable[float], weights: Iterable[float], part: float) -> float:
    """The value below which a part of the weight lies, each value in the middle of its own weight.

    >>> weighted_quantile([1.0, 2.0, 3.0], [1, 1, 2], 0.5)
    2.333...
    """
    pairs = sorted(zip(values, weights, strict=True))
    goal, done, before = part * sum(weight for _, weight in pairs), 0.0, None
    for value, weight in pairs:
        middle = done + weight / 2
        if middle >= goal:
            if before is None:
                return value
            return before[1] + (goal - before[0]) / (middle - before[0]) * (value - before[1])
        done, before = done + weight, (middle, value)
    return pairs[-1][0]
