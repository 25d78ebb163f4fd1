"""What `python -m llmsizing.speed` writes: constants, ranges, and the table of errors."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from llmsizing.catalog.tables import DATA
from llmsizing.speed import check, check_batches, check_prompts
from llmsizing.speed.check import Case, error, quantile, weighted_quantile, weights_of
from llmsizing.speed.constants import CARD_AND_RAM, OTHERS, PROCESSOR, PROMPT, SEVERAL, SEVERAL_OTHERS
from llmsizing.speed.fit import HIT
from llmsizing.tables import Table, table

KINDS = ("NVIDIA", "AMD", "Apple", PROCESSOR, CARD_AND_RAM)
OLD, ALL = "builds of 2024", "all"
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
    "prompt of experts on AMD": ("times", "the same under ROCm and Vulkan"),
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
    several, reading = check_batches.unseen_devices(), grouped(check_prompts.unseen_devices())
    rows = [*_ranges(by_kind(), OTHERS, SOURCE), *_ranges({SEVERAL: several}, SEVERAL_OTHERS, SOURCE),
            *_ranges({PROMPT + kind: own for kind, own in reading.items()}, PROMPT + OTHERS, PROMPTS)]
    _write("speed_ranges.csv", ("kind", "runs", "devices", "low", "high", "source"), rows)


def _ranges(groups: Mapping[str, Pairs], others: str, source: str) -> list[tuple[object, ...]]:
    """A row for each kind, and one for what nobody measured: all together, and further."""
    everything = [pair for own in groups.values() for pair in own]
    low, high = spread(everything)
    further = low ** BEYOND, high ** BEYOND
    return [*(_range(kind, own, source, further) for kind, own in groups.items()),
            (others, len(everything), _chips(everything), *(f"{end:.3f}" for end in further), source)]


def _range(kind: str, own: Pairs, source: str, further: tuple[float, float]) -> tuple[object, ...]:
    """A row of one kind; what one device alone tells is no narrower than the range of others."""
    low, high = spread(own)
    if _chips(own) == 1:
        low, high = min(low, further[0]), max(high, further[1])
    return kind, len(own), _chips(own), f"{low:.3f}", f"{high:.3f}", source


def _chips(own: Pairs) -> int:
    return len({case.chip for case, _ in own})


def by_kind() -> dict[str, Pairs]:
    """The fitted runs of current builds, with measured over predicted speed on unseen devices."""
    return grouped(_fitted(check.unseen_devices(), lambda case: case.current))


def grouped(pairs: Pairs) -> dict[str, Pairs]:
    """Runs by their kind."""
    kinds = sorted({case.kind for case, _ in pairs}, key=KINDS.index)
    return {kind: [pair for pair in pairs if pair[0].kind == kind] for kind in kinds}


def _fitted(ratios: Sequence[float], which: Callable[[Case], bool]) -> Pairs:
    return [(case, ratio) for case, ratio in zip(check.cases(), ratios, strict=True)
            if not case.run.outlier and which(case)]


def spread(own: Pairs) -> tuple[float, float]:
    """The ratios that 10 % of runs lie below, and 10 % above, widened where devices are few.

    Runs weigh as in the fit. With n devices the logarithms grow by 1/n: a single device says
    little of the next. The range is never so narrow as to claim a hit.
    """
    ratios, weights = [ratio for _, ratio in own], weights_of([case for case, _ in own])
    outside, wider = (1 - check.INSIDE) / 2, 1 + 1 / _chips(own)
    low, high = (weighted_quantile(ratios, weights, part) for part in (outside, 1 - outside))
    return min(low, 1 - HIT) ** wider, max(high, 1 + HIT) ** wider


def inside(own: Pairs, group: Callable[[Case], object] = lambda case: case.chip,
           known: Pairs | None = None) -> float | None:
    """The part of runs inside the range that known runs of other groups give; None if there is no other."""
    known, ranges, hits = own if known is None else known, {}, 0
    if len({group(case) for case, _ in known}) == 1:
        return None
    for case, ratio in own:
        name = group(case)
        if name not in ranges:
            ranges[name] = spread([pair for pair in known if group(pair[0]) != name])
        low, high = ranges[name]
        hits += low <= ratio <= high
    return hits / len(own)


#: Columns of `accuracy_table`, in few words: a phone shows them side by side.
UNSEEN = "error, unseen device / model / source"
INSIDE = "in range, unseen device / source"


def accuracy_table() -> Table:
    """The errors on devices, models and sources left out of the fit: current builds by kind, and older ones.

    Ranges are those of the current builds that are not left out.
    """
    return table({"runs of": name, "runs": len(chosen), "devices": len({case.chip for case in chosen}),
                  **_row(chosen)} for name, chosen in _rows())


def _rows() -> Iterable[tuple[str, list[Case]]]:
    """Names of the table's rows, and the runs that each is of."""
    current = [case for case in check.used() if case.current]
    yield from ((kind, [case for case in current if case.kind == kind]) for kind in KINDS)
    yield "current builds", current
    yield OLD, [case for case in check.used() if not case.current]
    yield ALL, list(check.used())


def _row(chosen: Sequence[Case]) -> dict[str, str]:
    devices, models, sources = (dict(zip(map(id, check.cases()), ratios, strict=True)) for ratios in (
        check.unseen_devices(), check.unseen_models(), check.unseen_sources()))
    errors = [percent(fmean(error(ratios[id(case)]) for case in chosen)) for ratios in (devices, models, sources)]
    inside_it = [covered(chosen, devices, lambda case: case.chip),
                 covered(chosen, sources, lambda case: case.source)]
    return {UNSEEN: " / ".join(errors), INSIDE: " / ".join(inside_it)}


def covered(chosen: Sequence[Case], ratios: Mapping[int, float], group: Callable[[Case], object]) -> str:
    """The part of runs inside the range of their kind, of current builds and other groups."""
    current = grouped([(case, ratios[id(case)]) for case in check.used() if case.current])
    own = grouped([(case, ratios[id(case)]) for case in chosen])
    return _together([(pairs, inside(pairs, group, current[kind])) for kind, pairs in own.items()])


def _together(parts: Iterable[tuple[Pairs, float | None]]) -> str:
    """Parts inside in percent, weighed by their runs, of kinds where there is another group."""
    told = [(len(own), part) for own, part in parts if part is not None]
    return percent(sum(count * part for count, part in told) / sum(count for count, _ in told)) if told else "–"


def prompts_table() -> Table:
    """The errors of reading a prompt on devices left out of the fit, by maker."""
    rows = [*grouped(check_prompts.unseen_devices()).items(), (ALL, check_prompts.unseen_devices())]
    return table({"prompts on": kind, "runs": len(own), "devices": _chips(own),
                  "mean error": percent(fmean(error(ratio) for _, ratio in own)),
                  "median": percent(quantile([error(ratio) for _, ratio in own], 0.5)),
                  "measured / predicted": f"{quantile([ratio for _, ratio in own], 0.5):.2f}",
                  "inside 80 % range": _together((part, inside(part)) for part in grouped(own).values())}
                 for kind, own in rows)


def percent(part: float) -> str:
    """A part as a whole number of percent."""
    return f"{100 * part:.0f} %"


def _write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with Path(str(DATA / name)).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(header)
        lines.writerows(rows)
