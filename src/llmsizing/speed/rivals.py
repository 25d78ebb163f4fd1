"""The rules of thumb for speed, on the same runs: one constant, and what people add to it."""

from collections.abc import Callable
from functools import cache
from statistics import fmean

from llmsizing.catalog import load_device, load_model
from llmsizing.memory import device_reads, weight_bytes
from llmsizing.speed.check import Case, cases, error, quantile, unseen_devices, used
from llmsizing.speed.constants import CARD_AND_RAM
from llmsizing.speed.report import percent
from llmsizing.tables import Table, table
from llmsizing.units import GB

#: Runs that a rule of thumb says something of: all on one kind of memory, one token at a time.
OURS = "this book, on unseen devices"


def rivals_table() -> Table:
    """The errors of rules of thumb, and ours, on the same runs without a part in RAM.

    A rule with constants gets those that are best for all runs, devices and models that it is
    then judged by: it has seen them, ours has not.

    Returns
    -------
    Table
        From the largest error to the least.
    """
    rows = [(name, [error(rule(case) / case.seconds) for case in same_runs()])
            for name, rule in _rules().items()]
    ours = dict(zip(map(id, cases()), unseen_devices(), strict=True))
    rows.append((OURS, [error(ours[id(case)]) for case in same_runs()]))
    rows.sort(key=lambda row: -fmean(row[1]))
    return table({"rule": name, "runs": len(errors), "mean error": percent(fmean(errors)),
                  "median": percent(quantile(errors, 0.5)),
                  "within 10 %": percent(fmean(one <= 0.1 for one in errors))} for name, errors in rows)


@cache
def same_runs() -> tuple[Case, ...]:
    """The fitted runs that lie in one place."""
    return tuple(case for case in used() if case.kind != CARD_AND_RAM)


def _rules() -> dict[str, Callable[[Case], float]]:
    """Each rule as the seconds that it gives for a run."""
    size = {id(case): _seconds(case, weight_bytes(load_model(case.run.model), case.run.weights))
            for case in same_runs()}
    read = {id(case): _seconds(case, _read(case)) for case in same_runs()}
    best_size = quantile([case.seconds / size[id(case)] for case in same_runs()], 0.5)
    best_read = quantile([case.seconds / read[id(case)] for case in same_runs()], 0.5)
    kinds = {case.kind for case in same_runs()}
    of_kind = {kind: quantile([case.seconds / read[id(case)] for case in same_runs() if case.kind == kind], 0.5)
               for kind in kinds}
    return {
        "0.8 × bandwidth / file size": lambda case: size[id(case)] / 0.8,
        "the best constant × bandwidth / file size": lambda case: size[id(case)] * best_size,
        "the best constant × bandwidth / bytes read": lambda case: read[id(case)] * best_read,
        "one constant for each vendor, bytes read": lambda case: read[id(case)] * of_kind[case.kind],
        "bytes read / (0.84 × bandwidth) + 3.8 ms": lambda case: read[id(case)] / 0.84 + 0.0038,
    }


def _seconds(case: Case, count: float) -> float:
    return float(count) / GB / float(load_device(case.run.device).bandwidth_gb_per_s)


def _read(case: Case) -> int:
    return device_reads(load_model(case.run.model), weights=case.run.weights, kv_cache=case.run.kv_cache,
                        context_tokens=case.run.context_tokens).total_bytes
