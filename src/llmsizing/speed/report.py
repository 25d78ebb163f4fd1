"""What `python -m llmsizing.speed` writes: constants, ranges, and the table of errors."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from llmsizing.catalog.tables import DATA
from llmsizing.speed import check
from llmsizing.speed.check import Case, error, quantile
from llmsizing.speed.fit import HIT
from llmsizing.tables import Table, table

KINDS = ("NVIDIA", "AMD", "Apple", "processor", "card and RAM")
OTHERS = "others"
#: How much further than all runs together a kind may lie that nobody measured.
FURTHER = 1.5
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
}


def write_constants() -> None:
    """Write the constants fitted on all runs into speed_constants.csv."""
    rows = [(name, f"{value:.4g}", *MEANING[name], SOURCE)
            for name, value in check.constants_of_all().items()]
    _write("speed_constants.csv", ("name", "value", "unit", "meaning", "source"), rows)


def write_ranges() -> None:
    """Write how far runs lay from predictions on devices left out into speed_ranges.csv."""
    rows = [(kind, len(own), len({case.chip for case, _ in own}), *(f"{x:.3f}" for x in spread(own)), SOURCE)
            for kind, own in by_kind().items()]
    everything = [pair for own in by_kind().values() for pair in own]
    low, high = spread(everything)
    rows.append((OTHERS, len(everything), len({case.chip for case, _ in everything}),
                 f"{low ** FURTHER:.3f}", f"{high ** FURTHER:.3f}", SOURCE))
    _write("speed_ranges.csv", ("kind", "runs", "devices", "low", "high", "source"), rows)


def by_kind() -> dict[str, list[tuple[Case, float]]]:
    """The fitted runs of each kind, with measured over predicted speed on unseen devices."""
    pairs = zip(check.cases(), check.unseen_devices(), strict=True)
    fitted = [(case, ratio) for case, ratio in pairs if not case.run.outlier]
    return {kind: [(case, ratio) for case, ratio in fitted if case.kind == kind] for kind in KINDS}


def spread(own: Sequence[tuple[Case, float]]) -> tuple[float, float]:
    """The ratios that 10 % of runs lie below, and 10 % above; never so narrow as to claim a hit."""
    ratios = [ratio for _, ratio in own]
    outside = (1 - check.INSIDE) / 2
    return min(quantile(ratios, outside), 1 - HIT), max(quantile(ratios, 1 - outside), 1 + HIT)


def inside(own: Sequence[tuple[Case, float]]) -> float:
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


def _row(kind: str, own: Sequence[tuple[Case, float]], of_models: dict[int, float],
         hits: float | None = None) -> dict[str, object]:
    return {"runs of": kind, "runs": len(own), "devices": len({case.chip for case, _ in own}),
            "error, unseen device": percent(mean(error(ratio) for _, ratio in own)),
            "median": percent(quantile([error(ratio) for _, ratio in own], 0.5)),
            "error, unseen model": percent(mean(error(of_models[id(case)]) for case, _ in own)),
            "inside 80 % range": percent(inside(own) if hits is None else hits)}


def mean(values: Iterable[float]) -> float:
    """The mean of some numbers."""
    listed = list(values)
    return sum(listed) / len(listed)


def percent(part: float) -> str:
    """A part as a whole number of percent."""
    return f"{100 * part:.0f} %"


def _write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with Path(str(DATA / name)).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(header)
        lines.writerows(rows)
