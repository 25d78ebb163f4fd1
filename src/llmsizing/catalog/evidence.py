"""What others measured, published or estimated: the tables that the book holds its numbers against."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput
from llmsizing.units import UNITS

COUNTED = ("tensors", "file")
SCOPES = ("device", "all")


@dataclass(frozen=True, kw_only=True)
class QuantizerSize:
    """What llama.cpp's own quantizer says that the tensors of a file take, in MiB."""

    model: str
    file_type: str
    tensors_mib: Fraction
    source: str


@dataclass(frozen=True, kw_only=True)
class PublishedSize:
    """The size of a file as someone published it.

    It counts the tensors alone, as llama.cpp prints them, or the whole file. ``differs`` says
    why the file is not what llama.cpp's quantizer makes by default, where it is not.
    """

    model: str
    file_type: str
    size: str
    unit: str
    counts: str
    differs: str = ""
    source: str
    source_url: str
    accessed: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS or self.counts not in COUNTED:
            raise InvalidInput(f"{self.model} at {self.file_type}: the unit is one of"
                               f" {', '.join(UNITS)}, and it counts {' or '.join(COUNTED)}.")

    @property
    def bytes(self) -> Fraction:
        """The size as printed, in bytes."""
        return Fraction(self.size) * UNITS[self.unit]

    @property
    def rounding(self) -> Fraction:
        """Half of its last printed digit, in bytes."""
        decimals = len(self.size.partition(".")[2])
        return Fraction(UNITS[self.unit], 2 * 10**decimals) if self.unit != "B" else Fraction(0)


@dataclass(frozen=True, kw_only=True)
class EstimatorCase:
    """What llama.cpp reserves in one of the cases that the estimators were asked about."""

    model: str
    file_type: str
    context_tokens: int
    file_bytes: int
    weights_bytes: int
    kv_cache_bytes: int
    compute_buffer_bytes: int
    ram_buffer_bytes: int
    source: str

    @property
    def name(self) -> str:
        """The case as a sentence part."""
        return f"{self.model} at {self.file_type}, {self.context_tokens:,} tokens"

    def total_bytes(self, scope: str) -> int:
        """What lies on the device; or all of it, the whole file and the buffers in RAM included."""
        beside = self.kv_cache_bytes + self.compute_buffer_bytes
        if scope == "device":
            return self.weights_bytes + beside
        return self.file_bytes + beside + self.ram_buffer_bytes


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A program that estimates memory: what it counts, and why it errs."""

    name: str
    version: str
    scope: str
    counts: str
    cause: str
    source: str

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise InvalidInput(f"{self.name}: the scope is {' or '.join(SCOPES)}.")


@dataclass(frozen=True, kw_only=True)
class EstimatorAnswer:
    """What an estimator answered in a case, in GiB; its parts where it names them."""

    estimator: str
    model: str
    file_type: str
    context_tokens: int
    weights_gib: Fraction | None = None
    kv_cache_gib: Fraction | None = None
    total_gib: Fraction


@cache
def quantizer_sizes() -> tuple[QuantizerSize, ...]:
    """Every row of quantizer_sizes.csv, in its order."""
    return read_table(DATA / "quantizer_sizes.csv", QuantizerSize, key=("model", "file_type"))


@cache
def published_sizes() -> tuple[PublishedSize, ...]:
    """Every row of published_sizes.csv, in its order."""
    return read_table(DATA / "published_sizes.csv", PublishedSize,
                      key=("model", "file_type", "size", "unit", "source"))


@cache
def estimator_cases() -> tuple[EstimatorCase, ...]:
    """Every row of estimator_cases.csv, in its order."""
    return read_table(DATA / "estimator_cases.csv", EstimatorCase,
                      key=("model", "file_type", "context_tokens"))


@cache
def estimators() -> tuple[Estimator, ...]:
    """Every row of estimators.csv, in its order."""
    return read_table(DATA / "estimators.csv", Estimator, key=("name",))


@cache
def estimator_answers() -> tuple[EstimatorAnswer, ...]:
    """Every row of estimator_answers.csv, in its order; its source is the estimator's."""
    return read_table(DATA / "estimator_answers.csv", EstimatorAnswer,
                      key=("estimator", "model", "file_type", "context_tokens"))
