"""What makers no longer carry on, beyond what names tell: the rows of data/model_endings.csv."""

from dataclasses import dataclass
from functools import cache

from llmsizing.catalog.tables import DATA, read_table


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A model whose line ended, in words that follow its name, and where that was read."""

    model: str
    ended: str
    source: str
    source_url: str
    accessed: str
    notes: str = ""


@cache
def endings() -> tuple[Ending, ...]:
    """Every row of model_endings.csv, in its order; of a model without a row nothing was read."""
    return read_table(DATA / "model_endings.csv", Ending, key=("model",))
