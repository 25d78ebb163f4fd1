"""More parameters or more bits? Scores against size, and the best at each size."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from llmsizing.errors import InvalidInput, UnknownName, exact_number
from llmsizing.quality.measurements import Measurement, quality_rows
from llmsizing.quantization import load_file_type


@dataclass(frozen=True)
class Point:
    """One model at one file type: how large, how good.

    Parameters
    ----------
    model, weights : str
        "Llama-3-8B", "Q4_K_M".
    size_gib : float
        What it takes, in GiB; of the points of `sized_scores` all tensors but the input embedding.
    score : float
        In percent; more is better.
    error : float
        One standard error of the score, from the number of questions.
    """

    model: str
    weights: str
    size_gib: float
    score: float
    error: float


def sized_scores() -> list[Point]:
    """MMLU of Llama-3-8B-Instruct and Llama-3-70B-Instruct in GGUF files, by size.

    One person measured all of them in one way: the only such table that we know. The 8B model
    answered all 14,042 questions but some 20 long ones, the 70B model 50 of each subject. So two
    numbers of one model compare well, one of each within two points. The five examples before
    each question came from the test itself, so hold the scores against no other table.

    Returns
    -------
    list of Point
        From small to large.

    Examples
    --------
    >>> points = sized_scores()
    >>> points[0].weights, points[-1].model, len(points)
    ('IQ1_S', 'Llama-3-70B', 33)

    References
    ----------
    matt-c1/llama-3-quant-comparison@f35b7db2:README.md.
    """
    rows = [row for row in quality_rows(metric="MMLU", size_counts="without the embedding")
            if _is_file_type(row.method)]
    points = [Point(row.model, row.method, float(row.size_gib), row.number, _error(row)) for row in rows]
    return sorted(points, key=lambda point: (point.size_gib, point.score))


def front(points: Iterable[Point]) -> list[Point]:
    """The points that no smaller one equals or beats: the Pareto front.

    Parameters
    ----------
    points : iterable of Point
        In any order.

    Returns
    -------
    list of Point
        From small to large; each scores more than the one before.

    Examples
    --------
    >>> [point.weights for point in front(sized_scores())][-4:]
    ['IQ3_XXS', 'IQ3_M', 'IQ4_XS', 'Q5_K_M']
    """
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.size_gib, -point.score)):
        if not best or point.score > best[-1].score:
            best.append(point)
    return best


def best_within(points: Iterable[Point], gib: float) -> Point | None:
    """The best point that fits a budget of memory.

    Parameters
    ----------
    points : iterable of Point
        In any order.
    gib : float
        The budget in GiB.

    Returns
    -------
    Point or None
        None where nothing fits.

    Raises
    ------
    InvalidInput
        If the budget is no positive number.

    Examples
    --------
    >>> best = best_within(sized_scores(), 20)
    >>> best.model, best.weights
    ('Llama-3-70B', 'IQ2_XS')
    """
    budget = exact_number("gib", gib, at_least=0, hint="It counts GiB: 24.")
    fitting = [point for point in front(points) if point.size_gib <= budget]
    return fitting[-1] if fitting else None


def questions(corpus: str) -> int:
    """How many questions a corpus says that it has.

    Parameters
    ----------
    corpus : str
        As quality.csv writes it: "all 14,042 questions", "50 questions of each of 57 subjects".

    Returns
    -------
    int

    Raises
    ------
    InvalidInput
        If it says no number.

    Examples
    --------
    >>> questions("MMLU, 50 questions of each of 57 subjects")
    2850
    """
    each = re.search(r"(\d[\d,]*) questions( of each of (\d+) subjects)?", corpus)
    if not each:
        raise InvalidInput(f"{corpus!r} does not say how many questions it has.")
    return int(each[1].replace(",", "")) * int(each[3] or 1)


def _error(row: Measurement) -> float:
    """One standard error of a share of right answers, in percent."""
    share = row.number / 100
    return 100 * math.sqrt(share * (1 - share) / questions(row.corpus))


def _is_file_type(method: str) -> bool:
    try:
        return bool(load_file_type(method))
    except UnknownName:
        return False
