"""What makers say that they tuned a model for: the rows of data/model_tuning.csv."""

from dataclasses import dataclass
from functools import cache

from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput

TUNED_FOR = ("code", "thinking", "Japanese", "nothing")


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What a model was tuned for, beyond conversation, and where that was read.

    "code", "thinking" (it reasons before it answers), "Japanese", or "nothing": a base model, which
    continues a text.
    """

    model: str
    tuned_for: str
    source: str
    source_url: str
    accessed: str
    notes: str = ""

    def __post_init__(self) -> None:
        if self.tuned_for not in TUNED_FOR:
            raise InvalidInput(f"model_tuning.csv, {self.model}: tuned_for is one of {', '.join(TUNED_FOR)}.")


@cache
def tunings() -> tuple[Tuning, ...]:
    """Every row of model_tuning.csv, in its order; a model without a row is tuned for conversation."""
    return read_table(DATA / "model_tuning.csv", Tuning, key=("model", "tuned_for"))
