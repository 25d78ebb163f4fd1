"""Constants that come nearest to measured times: least absolute relative errors, by plain Python."""

from collections.abc import Mapping, Sequence

#: A relative error below which a run counts as hit: it keeps the weights of the fit finite.
HIT = 0.03
ROUNDS = 60
SETTLED = 1e-5


def fit(amounts: Sequence[Mapping[str, float]], seconds: Sequence[float], weights: Sequence[float],
        prior: Mapping[str, float], pull: Mapping[str, float],
        start: Mapping[str, float] | None = None) -> dict[str, float]:
    """Find constants, none below 0, whose sums of constant × amount come nearest to the seconds.

    In words: least squares of relative errors, repeated, in which a run weighs the less the
    further it was off the last time. That makes the sum of absolute errors least, which a few
    wild runs do not bend. ``pull`` holds a constant near its prior where runs say little of it.

    Parameters
    ----------
    amounts : sequence of dict
        For each run what each constant is multiplied by; a constant that is not there counts 0.
    seconds, weights : sequence of float
        The measured time of each run, and how much the run counts.
    prior, pull : dict of str to float
        What holds each constant, and how strongly.
    start : dict of str to float, optional
        Where the search starts; by default at the prior.

    Returns
    -------
    dict of str to float

    Examples
    --------
    >>> runs = [{"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 1.0}, {"a": 1.0, "b": 1.0}]
    >>> found = fit(runs, [8.0, 7.0, 5.0], [1, 1, 1], {"a": 1, "b": 1}, {"a": 0, "b": 0})
    >>> {name: round(value, 3) for name, value in found.items()}
    {'a': 2.0, 'b': 3.0}
    """
    names = list(prior)
    place = {name: number for number, name in enumerate(names)}
    rows = [[(place[name], amount / time) for name, amount in row.items() if amount]
            for row, time in zip(amounts, seconds, strict=True)]
    found = [(start or prior)[name] for name in names]
    for _ in range(ROUNDS):
        left, right = _normal(rows, weights, found, [prior[n] for n in names], [pull[n] for n in names])
        new = _above_zero(left, right)
        moved = max(abs(a - b) / (abs(b) + HIT) for a, b in zip(new, found, strict=True))
        found = new
        if moved < SETTLED:
            break
    return dict(zip(names, found, strict=True))


def _normal(rows: list, weights: Sequence[float], found: list[float], prior: list[float],
            pull: list[float]) -> tuple[list[list[float]], list[float]]:
    """The equations of least squares, each run weighed by how far it was off."""
    size = len(found)
    left = [[pull[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
    right = [pull[i] * prior[i] for i in range(size)]
    for row, weight in zip(rows, weights, strict=True):
        off = abs(sum(found[i] * x for i, x in row) - 1)
        share = weight / max(off, HIT)
        for i, x in row:
            line, scaled = left[i], share * x
            right[i] += scaled
            for j, y in row:
                line[j] += scaled * y
    return left, right


def _above_zero(left: list[list[float]], right: list[float]) -> list[float]:
    """Solve the equations; constants that would fall below 0 are 0."""
    active = [i for i in range(len(right)) if left[i][i] > 0]
    while True:
        found = _solved([[left[i][j] for j in active] for i in active], [right[i] for i in active])
        below = [i for i, value in zip(active, found, strict=True) if value < 0]
        if not below:
            values = [0.0] * len(right)
            for i, value in zip(active, found, strict=True):
                values[i] = value
            return values
        active = [i for i in active if i not in below]


def _solved(left: list[list[float]], right: list[float]) -> list[float]:
    """Gauss's elimination with the largest pivot of each column."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(left, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for below in range(column + 1, size):
            ratio = rows[below][column] / rows[column][column]
            if ratio:
                rows[below] = [b - ratio * a for a, b in zip(rows[column], rows[below], strict=True)]
    found = [0.0] * size
    for row in reversed(range(size)):
        known = sum(rows[row][column] * found[column] for column in range(row + 1, size))
        found[row] = (rows[row][size] - known) / rows[row][row]
    return found
