"""A few rows of real weights, one of them with an outlier."""

import json
import struct
from dataclasses import dataclass
from functools import cache
from importlib import resources

from llmsizing.errors import InvalidInput, shown


@dataclass(frozen=True)
class WeightSlice:
    """Rows of one matrix of a real model, from data/weight_slice.json.

    Parameters
    ----------
    rows : tuple of tuple of float
        The weights, row by row.
    first_row : int
        The number that the first of them has in the matrix.
    matrix, source, licence : str
        Which matrix, of what, and under which terms.
    """

    rows: tuple[tuple[float, ...], ...]
    first_row: int
    matrix: str
    source: str
    licence: str

    @property
    def numbers(self) -> range:
        """The rows' numbers in the matrix."""
        return range(self.first_row, self.first_row + len(self.rows))

    def row(self, number: int) -> tuple[float, ...]:
        """A row by its number in the matrix.

        Parameters
        ----------
        number : int
            One of ``numbers``.

        Returns
        -------
        tuple of float

        Raises
        ------
        InvalidInput
            If the slice does not hold that row.

        Examples
        --------
        >>> min(weight_slice().row(99))
        -1.0380859375
        """
        if type(number) is not int or number not in self.numbers:
            raise InvalidInput(f"The slice holds rows {self.numbers.start} to {self.numbers.stop - 1} of"
                               f" its matrix, not {shown(number)}.")
        return self.rows[number - self.first_row]


@cache
def weight_slice() -> WeightSlice:
    """Read the slice.

    Returns
    -------
    WeightSlice

    Examples
    --------
    >>> len(weight_slice().rows), len(weight_slice().rows[0])
    (8, 384)
    """
    file = resources.files("llmsizing") / "data" / "weight_slice.json"
    read = json.loads(file.read_text(encoding="utf-8"))
    rows = tuple(struct.unpack(f"<{len(text) // 4}e", bytes.fromhex(text)) for text in read["rows"])
    return WeightSlice(rows, read["first_row"], read["matrix"], read["source"], read["licence"])
