"""A small table that prints, and that a page shows without pandas."""

import numbers
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape

from llmsizing.errors import InvalidInput, expect, shown

#: A sign, a currency, digits, and at most one word for the unit: "-9.02", "12 GB", "+5%".
_AMOUNT = r"[~+\-−]?\s?[€$]?\d[\d,]*(\.\d+)?"
_UNIT = r"(\s?(%|[^\W\d_]+(/[^\W\d_]+)?))?"
_NUMBER = re.compile(rf"{_AMOUNT}((\sto\s|–){_AMOUNT})?{_UNIT}")


@dataclass(frozen=True, repr=False)
class Table:
    """Rows of cells under named columns, as text or as HTML.

    Whole numbers get thousands separators, other numbers two decimals. A column with numbers
    stands right, "12 GB" and "4 to 5 %" among them, one of words left. The first column names the
    row and stands right if all of it is numbers. Make one with `table`.

    Parameters
    ----------
    columns : tuple of str
        The names, with their units.
    rows : tuple of tuple
        The cells, one tuple per row, as many as there are columns.

    Raises
    ------
    InvalidInput
        If there is no column or no row, or a row is longer or shorter than the columns.

    Examples
    --------
    >>> Table(("model", "GiB"), (("A", 4.3),))
    model   GiB
    A      4.30
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def __post_init__(self) -> None:
        expect("columns of a table", self.columns, tuple, "one name for each column")
        expect("rows of a table", self.rows, tuple, "one tuple of cells for each row")
        for name in self.columns:
            expect("the name of a column", name, str)
        if not self.columns or not self.rows:
            raise InvalidInput("A table needs at least one row and one column.")
        for number, row in enumerate(self.rows, start=1):
            expect(f"row {number}", row, tuple, "one cell for each column")
            if len(row) != len(self.columns):
                raise InvalidInput(f"Row {number} has {len(row)} cells, but there are"
                                   f" {len(self.columns)} columns: {', '.join(self.columns)}.")

    def __str__(self) -> str:
        lines = [self.columns, *([_cell_text(cell) for cell in row] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if self._right[i] else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th scope='col'{self._side(i)}>{escape(name)}</th>"
                       for i, name in enumerate(self.columns))
        body = "".join(
            "<tr>" + "".join(self._cell_html(i, cell) for i, cell in enumerate(row)) + "</tr>"
            for row in self.rows
        )
        return (f"<table class='sizing-table'><thead><tr>{head}</tr></thead>"
                f"<tbody>{body}</tbody></table>")

    def _cell_html(self, column: int, cell: object) -> str:
        text = escape(_cell_text(cell))
        if column == 0:
            return f"<th scope='row'{self._side(column)}>{text}</th>"
        return f"<td{self._side(column)}>{text}</td>"

    def _side(self, column: int) -> str:
        return f" style='text-align:{'right' if self._right[column] else 'left'}'"

    @cached_property
    def _right(self) -> list[bool]:
        """Whether each column stands right."""
        first, *others = zip(*self.rows, strict=True)
        return [all(map(_is_number, first)), *(any(map(_is_number, cells)) for cells in others)]


def table(rows: Iterable[Mapping[str, object]]) -> Table:
    """Make a table from one mapping per row, all with the same keys.

    Parameters
    ----------
    rows : iterable of dict
        From column name (with its unit) to str, int or float.

    Returns
    -------
    Table

    Raises
    ------
    InvalidInput
        If there are no rows, one is no mapping, or one has other columns than the first.

    Examples
    --------
    >>> table({"tokens": tokens, "GiB": tokens / 8192} for tokens in (2048, 131072))
     tokens    GiB
      2,048   0.25
    131,072  16.00
    """
    expect("rows", rows, Iterable, "one dict for each row")
    rows = list(rows)
    if not rows:
        raise InvalidInput("A table needs at least one row.")
    for number, row in enumerate(rows, start=1):
        expect(f"row {number}", row, Mapping, "a dict from column to cell")
        if list(row) != list(rows[0]):
            raise InvalidInput(f"Row {number} has the columns {shown(list(row))},"
                               f" not {shown(list(rows[0]))}.")
    return Table(tuple(rows[0]), tuple(tuple(row.values()) for row in rows))


def _is_number(cell: object) -> bool:
    """Whether a cell is a number, or text that is one from its sign to its unit."""
    if isinstance(cell, bool) or not isinstance(cell, str | numbers.Real):
        return False
    return not isinstance(cell, str) or bool(_NUMBER.fullmatch(cell.strip()))


def _cell_text(cell: object) -> str:
    if isinstance(cell, bool) or not isinstance(cell, numbers.Real):
        return str(cell)
    return f"{cell:,}" if isinstance(cell, numbers.Integral) else f"{float(cell):,.2f}"
