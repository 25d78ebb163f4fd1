"""The fitted constants and the ranges that go with them, read from data/."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.catalog.tables import DATA, read_table

#: Kinds of runs that are no vendor's, as speed_ranges.csv calls them.
PROCESSOR, CARD_AND_RAM, OTHERS = "processor", "card and RAM", "others"
PROMPT = "prompt "  #: before a kind: runs that read a prompt
#: Runs of several conversations, of whose devices they are, and what stands for devices of other kinds.
SEVERAL, BATCHED, SEVERAL_OTHERS = "several conversations", ("NVIDIA", "AMD", "Apple"), "several conversations, others"


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A number that was fitted on published runs: what it multiplies, and in which unit."""

    name: str
    value: Fraction
    unit: str
    meaning: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far measured speeds lay from predicted ones, on devices that the fit had not seen.

    Of the runs of that kind 10 % were slower than ``low`` times the prediction, and 10 % were
    faster than ``high`` times it, each weighed as in the fit. Those that write one conversation
    are of current builds.
    """

    kind: str
    runs: int
    devices: int
    low: Fraction
    high: Fraction
    source: str


@cache
def constants() -> Mapping[str, Fraction]:
    """Every constant of speed_constants.csv by its name."""
    return {row.name: row.value for row in constant_rows()}


@cache
def constant_rows() -> tuple[Constant, ...]:
    """Every row of speed_constants.csv, in its order."""
    return read_table(DATA / "speed_constants.csv", Constant, key=("name",))


@cache
def spreads() -> Mapping[str, Spread]:
    """Every row of speed_ranges.csv by its kind."""
    return {row.kind: row for row in read_table(DATA / "speed_ranges.csv", Spread, key=("kind",))}
