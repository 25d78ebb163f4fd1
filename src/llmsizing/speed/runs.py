"""Runs that others measured and published, and what devices can compute, as frozen records."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput

FLASH = ("yes", "no")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run on a device is known by, whether it wrote or read.

    ``outlier`` says why a run is not fitted, where it is not: the book reports errors with it and
    without it.
    """

    MOST = 10_000  # tokens a second; above, it is an error of writing

    device: str
    cards: int
    model: str
    weights: str
    engine: str
    engine_version: str = ""
    backend: str
    flash_attention: str
    kv_cache: str = "f16"
    context_tokens: int
    tokens_per_second: Fraction
    outlier: str = ""
    source: str
    source_url: str
    accessed: str
    notes: str = ""

    def __post_init__(self) -> None:
        """Refuse what no engine does: a word for yes or no that is neither, or an absurd speed."""
        who = f"{self.model} at {self.weights} on {self.device}"
        if self.flash_attention not in FLASH:
            raise InvalidInput(f"{who}: flash_attention is yes or no, not {self.flash_attention!r}.")
        if self.tokens_per_second > self.MOST:
            raise InvalidInput(f"{who}: {float(self.tokens_per_second):,g} tokens a second is not plausible.")


@dataclass(frozen=True, kw_only=True)
class DecodeRun(Run):
    """How fast a model wrote on a device, as someone published it.

    ``context_tokens`` is what the context of each conversation held on average, and
    ``tokens_per_second`` counts all conversations together.
    """

    sequences: int
    offload: str = "all"
    experts_on_cpu: int = 0
    host: str = ""


@dataclass(frozen=True, kw_only=True)
class PrefillRun(Run):
    """How fast a model read a prompt, as someone published it.

    ``prompt_tokens`` follow the ``context_tokens`` that the context held before, and
    ``ubatch`` of them are computed at a time.
    """

    MOST = 100_000

    prompt_tokens: int
    ubatch: int


@dataclass(frozen=True, kw_only=True)
class Compute:
    """What a device computes at most: 10^12 operations a second in FP32, and in its matrix units."""

    device: str
    fp32_tflops: Fraction
    matrix_tflops: Fraction | None = None
    source: str
    source_url: str
    accessed: str
    notes: str = ""


RUN = ("device", "cards", "model", "weights", "engine", "backend", "kv_cache", "context_tokens",
       "source", "notes")


@cache
def decode_runs() -> tuple[DecodeRun, ...]:
    """Every row of decode_runs.csv, in its order."""
    return read_table(DATA / "decode_runs.csv", DecodeRun,
                      key=(*RUN, "sequences", "offload", "experts_on_cpu"))


@cache
def prefill_runs() -> tuple[PrefillRun, ...]:
    """Every row of prefill_runs.csv, in its order."""
    return read_table(DATA / "prefill_runs.csv", PrefillRun, key=(*RUN, "prompt_tokens", "ubatch"))


@cache
def computes() -> dict[str, Compute]:
    """Every row of device_compute.csv by its device."""
    return {row.device: row for row in read_table(DATA / "device_compute.csv", Compute, key=("device",))}
