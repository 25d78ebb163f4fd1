"""What `python -m llmsizing.speed` writes: constants, ranges, and the table of errors."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from llmsizing.catalog.tables import DATA
from llmsizing.speed import check, check_batches, check_prompts
from llmsizing.speed.check import Case, error, quantile
from llmsizing.speed.constants import CARD_AND_RAM, OTHERS, PROCESSOR, PROMPT, SEVERAL
from llmsizing.speed.fit import HIT
from llmsizing.tables import Table, table

KINDS = ("NVIDIA", "AMD", "Apple", PROCESSOR, CARD_AND_RAM)
Pairs = Sequence[tuple[Case | check_prompts.Prompt, float]]
#: How much further than all runs together a kind may lie that nobody measured.
BEYOND = 1.5
SOURCE = "python -m llmsizing.speed, fitted on decode_runs.csv"
#: Unit and meaning of each constant.
MEANING = {
    "reading": ("times", "reading weights, over their bytes divided by the bandwidth"),
    "reading HBM": ("times", "the same beyond that, from stacked memory (HBM)"),
    "reading RAM": ("times", "a processor reading weights and cache, over bytes by bandwidth"),
    "reading cache": ("times", "a card reading keys and values, over bytes by bandwidth"),
    "unpacking": ("operations", "for each weight of 4 to 8 bits, at the card's FP32 rate"),
    "unpacking few bits": ("operations", "for each weight of Q2_K and Q3_K"),
    "unpacking by tables": ("operations", "for each weight of an IQ type"),
    "attention": ("times", "attention, over its operations by the FP32 rate"),
    "attention on Apple": ("times", "the same under Metal"),
    "attention in full": ("times", "the same beyond that, without flash attention"),
    "starting": ("µs", "each tensor's kernel under CUDA, and where nothing else is said"),
    "starting on Apple": ("µs", "each tensor's kernel under Metal"),
    "starting on AMD": ("µs", "each tensor's kernel under ROCm and Vulkan"),
    "starting in 2024": ("µs", "each kernel beyond that in llama.cpp of 2024; not used to predict"),
    "waiting": ("µs", "a processor's cores waiting for each other, for each layer"),
    "handing over": ("µs", "the way from one card to the next"),
    "further conversation": ("operations", "for each weight, for each conversation beyond the first, up to 16"),
    "handing over to RAM": ("µs", "each layer that lies, or whose experts lie, in RAM beside a card"),
    "prompt": ("times", "arithmetic of a prompt under CUDA, over the most that matrix units do"),
    "prompt on AMD": ("times", "the same under ROCm and Vulkan"),
    "prompt on Apple": ("times", "the same under Metal"),
    "prompt on a processor": ("times", "the same on a processor, over 20 operations per byte of bandwidth"),
    "prompt of experts": ("times", "beyond that for experts"),
    "attention of a prompt": ("times", "attention of a prompt, over the most that matrix units do"),
    "attention of a prompt on AMD": ("times", "the same under ROCm and Vulkan"),
    "attention of a prompt in full": ("times", "the same without flash attention"),
}
PROMPTS = "python -m llmsizing.speed, fitted on prefill_runs.csv"
#: What no run measures.
ASSUMED = ("copying", "1", "times", "weights in RAM crossing PCIe for each part of a prompt, at 25 GB/s",
           "assumed: no run that we know measures it")


def write_constants() -> None:
    """Write the constants fitted on all runs into speed_constants.csv."""
    rows = [(name, f"{value:.4g}", *MEANING[name], SOURCE)
            for name, value in check.constants_of_all().items()]
    rows += [(name, f"{value:.4g}", *MEANING[name], PROMPTS)
             for name, value in check_prompts.prompt_constants().items()]
    further = check_batches.FURTHER
    rows.append((further, f"{check_batches.batch_constants()[further]:.4g}", *MEANING[further], SOURCE))
    rows.append(ASSUMED)
    _write("speed_constants.csv", ("name", "value", "unit", "meaning", "source"), rows)


def write_ranges() -> None:
    """Write how far runs lay from predictions on devices left out into speed_ranges.csv."""
    writing, reading = by_kind(), prompts_by_kind()
    rows = [*_ranges(writing, "", SOURCE), _range(SEVERAL, check_batches.ratios(), SOURCE),
            *_ranges(reading, PROMPT, PROMPTS)]
    _write("speed_ranges.csv", ("kind", "runs", "devices", "low", "high", "source"), rows)


def _ranges(groups: Mapping[str, Pairs], before: str, source: str) -> list[tuple[object, ...]]:
    """A row for each kind, and one for what nobody measured: all together, and further."""
    everything = [pair for own in groups.values() for pair in own]
    low, high = spread(everything)
    further = low ** BEYOND, high ** BEYOND
    return [*(_range(before + kind, own, source, further) for kind, own in groups.items()),
            (before + OTHERS, len(everything), _chips(everything), *(f"{end:.3f}" for end in further), source)]


def _range(kind: str, own: Pairs, source: str, further: tuple[float, float] = (1, 1)) -> tuple[object, ...]:
    """A row of one kind; what one device alone tells is no narrower than the range of others."""
    low, high = spread(own)
    if _chips(own) == 1:
        low, high = min(low, further[0]), max(high, further[1])
    return kind, len(own), _chips(own), f"{low:.3f}", f"{high:.3f}", source


def _chips(own: Pairs) -> int:
    return len({case.chip for case, _ in own})


def by_kind() -> dict[str, Pairs]:
    """The fitted runs of each kind, with measured over predicted speed on unseen devices."""
    pairs = zip(check.cases(), check.unseen_devices(), strict=True)
    fitted = [(case, ratio) for case, ratio in pairs if not case.run.outlier]
    return {kind: [(case, ratio) for case, ratio in fitted if case.kind == kind] for kind in KINDS}


def prompts_by_kind() -> dict[str, Pairs]:
    """The fitted prompts of each kind, with measured over predicted speed on unseen devices."""
    kinds = dict.fromkeys(prompt.kind for prompt, _ in check_prompts.unseen_devices())
    return {kind: [pair for pair in check_prompts.unseen_devices() if pair[0].kind == kind] for kind in kinds}


def spread(own: Pairs) -> tuple[float, float]:
    """The ratios that 10 % of runs lie below, and 10 % above, widened where devices are few.

    With n devices the logarithms grow by 1/n: a single device says little of the next. The range
    is never so narrow as to claim a hit.
    """
    ratios = [ratio for _, ratio in own]
    outside, wider = (1 - check.INSIDE) / 2, 1 + 1 / _chips(own)
    low, high = (quantile(ratios, part) for part in (outside, 1 - outside))
    return min(low, 1 - HIT) ** wider, max(high, 1 + HIT) ** wider


def inside(own: Pairs) -> float:
    """The part of runs inside the range that the other devices of their kind give."""
    hits = 0
    for case, ratio in own:
        others = [pair for pair in own if pair[0].chip != case.chip]
        low, high = spread(others or own)
        hits += low <= ratio <= high
    return hits / len(own)


def accuracy_table() -> Table:
    """The errors on devices and models left out of the fit, for each kind and in all."""
    of_models = dict(zip(map(id, check.cases()), check.unseen_models(), strict=True))
    groups = by_kind()
    rows = [_row(kind, own, of_models) for kind, own in groups.items()]
    everything = [pair for own in groups.values() for pair in own]
    return table([*rows, _row("all", everything, of_models,
                              hits=sum(inside(own) * len(own) for own in groups.values()) / len(everything))])


def _row(kind: str, own: Pairs, of_models: dict[int, float],
         hits: float | None = None) -> dict[str, object]:
    return {"runs of": kind, "runs": len(own), "devices": _chips(own),
            "error, unseen device": percent(fmean(error(ratio) for _, ratio in own)),
            "median": percent(quantile([error(ratio) for _, ratio in own], 0.5)),
            "error, unseen model": percent(fmean(error(of_models[id(case)]) for case, _ in own)),
            "inside 80 % range": percent(inside(own) if hits is None else hits)}


def percent(part: float) -> str:
    """A part as a whole number of percent."""
    return f"{100 * part:.0f} %"


def _write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with Path(str(DATA / name)).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(header)
        lines.writerows(rows)
