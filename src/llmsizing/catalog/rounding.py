"""What rounding did to a small model in our lab: the rounding_*.csv of data/."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput

GRIDS = ("none", "symmetric", "offset", "format")
SHARES = ("embedding_cosine", "top1_agreement", "top10_overlap", "recall_at_1", "recall_error")
LAST_DIGIT = Fraction(1, 10_000)


@dataclass(frozen=True, kw_only=True)
class RoundingRun:
    """One way to round the weights of an encoder, and what was left of it.

    Parameters
    ----------
    name : str
        The way in words, or the name of a format.
    grid : str
        "symmetric" or "offset" of our quantizer, "format" for a real one, "none" for weights as
        they were published.
    bits : int
        Bits of a code.
    block_weights : int or None
        Weights that share a scale; None for whole rows.
    bits_per_weight : Fraction
        With the scales, over all matrices that were rounded.
    weight_snr_db : Fraction or None
        How far the error lies below the weights, in decibels; None where there is none.
    embedding_cosine : Fraction
        Cosine between embeddings before and after, on average over all texts.
    top1_agreement, top10_overlap : Fraction
        Shares of the first hit, and of the first ten, that are the same as before.
    queries, right_answers, still_right : int
        Queries of the task; answered right; answered right both before and after.
    recall_at_1, recall_error : Fraction
        The task's score, and its sampling error (one standard error).
    source : str
        What ran it.
    """

    name: str
    grid: str
    bits: int
    block_weights: int | None = None
    bits_per_weight: Fraction
    weight_snr_db: Fraction | None = None
    embedding_cosine: Fraction
    top1_agreement: Fraction
    top10_overlap: Fraction
    queries: int
    right_answers: int
    still_right: int
    recall_at_1: Fraction
    recall_error: Fraction
    source: str

    def __post_init__(self) -> None:
        where = f"rounding_lab.csv, {self.name}"
        if self.grid not in GRIDS:
            raise InvalidInput(f"{where}: the grid is one of {', '.join(GRIDS)}, not {self.grid!r}.")
        if (self.grid == "none") != (self.weight_snr_db is None):
            raise InvalidInput(f"{where}: weights that were rounded have a weight_snr_db, others none.")
        above = [share for share in SHARES if getattr(self, share) > 1]
        if above:
            raise InvalidInput(f"{where}: {above[0]} is a share, so at most 1.")
        if not self.still_right <= self.right_answers <= self.queries:
            raise InvalidInput(f"{where}: of {self.queries} queries {self.right_answers} have right"
                               f" answers, {self.still_right} of them as before. That cannot be.")
        recall = Fraction(self.right_answers, self.queries)
        if abs(recall - self.recall_at_1) > LAST_DIGIT:
            raise InvalidInput(f"{where}: recall_at_1 is not right_answers / queries.")
        if abs(math.sqrt(recall * (1 - recall) / self.queries) - self.recall_error) > LAST_DIGIT:
            raise InvalidInput(f"{where}: recall_error is not √(recall · (1 − recall) / queries).")


@dataclass(frozen=True, kw_only=True)
class SearchHit:
    """What one of three searches found among 150 docstrings after a run; its source is the run's.

    Parameters
    ----------
    run : str
        The name of a `RoundingRun`.
    search : str
        What was searched for.
    rank : int
        From 1.
    found : str
        A name of Python's library.
    similarity : Fraction
        Cosine of the two embeddings.
    """

    run: str
    search: str
    rank: int
    found: str
    similarity: Fraction

    def __post_init__(self) -> None:
        if self.similarity > 1:
            raise InvalidInput(f"rounding_searches.csv, {self.run}, {self.search}: a cosine is at most 1.")


@cache
def rounding_lab() -> tuple[RoundingRun, ...]:
    """Every run of the lab, in its order: first the weights as published.

    Returns
    -------
    tuple of RoundingRun

    Examples
    --------
    >>> whole, eight_bits = rounding_lab()[:2]
    >>> eight_bits.name, float(eight_bits.bits_per_weight)
    ('8-bit symmetric in blocks of 32', 8.5)

    References
    ----------
    notebooks/lab in the book's repository: ``make lab`` makes these rows.
    """
    return read_table(DATA / "rounding_lab.csv", RoundingRun, key=("name",))


@cache
def rounding_searches() -> tuple[SearchHit, ...]:
    """The first hits of three searches, with weights as published and with 8 to 2 bits.

    Returns
    -------
    tuple of SearchHit

    Examples
    --------
    >>> rounding_searches()[0].found
    'shutil.rmtree'
    """
    return read_table(DATA / "rounding_searches.csv", SearchHit, key=("run", "search", "rank"))
