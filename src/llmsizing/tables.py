"""A small table that prints, and that a page shows without pandas."""

import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from llmsizing.errors import InvalidInput


@dataclass(frozen=True, repr=False)
class Table:
    """Rows of cells under named columns, as text or as HTML.

    Whole numbers get thousands separators, other numbers two decimals. A column of numbers stands
    right, one of words left; the first names the row. Make one with `table`.

    Parameters
    ----------
    columns : tuple of str
        The names, with their units.
    rows : tuple of tuple
        The cells, one tuple per row, as many as there are columns.

    Examples
    --------
    >>> Table(("model", "GiB"), (("A", 4.3),))
    model   GiB
    A      4.30
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def __str__(self) -> str:
        lines = [self.columns, *([_cell_text(cell) for cell in row] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if self._is_right(i) else cell.ljust(width)
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
        return f" style='text-align:{'right' if self._is_right(column) else 'left'}'"

    def _is_right(self, column: int) -> bool:
        cells = [row[column] for row in self.rows]
        return all(map(_is_number, cells)) if column == 0 else any(map(_is_number, cells))


def table(rows: Iterable[Mapping[str, object]]) -> Table:
    """Make a table from one mapping per row, all with the same keys.

    Parameters
    ----------
    rows : iterable of dict
        From column name (with its unit) to str, int or float.

    Raises
    ------
    InvalidInput
        If there are no rows, or one has other columns than the first.

    Examples
    --------
    >>> table({"tokens": tokens, "GiB": tokens / 8192} for tokens in (2048, 131072))
     tokens    GiB
      2,048   0.25
    131,072  16.00
    """
    rows = [dict(row) for row in rows]
    if not rows:
        raise InvalidInput("A table needs at least one row.")
    columns = tuple(rows[0])
    for number, row in enumerate(rows, start=1):
        if tuple(row) != columns:
            raise InvalidInput(f"Row {number} has the columns {list(row)}, not {list(columns)}.")
    return Table(columns, tuple(tuple(row.values()) for row in rows))


def _is_number(cell: object) -> bool:
    """Whether a cell is a number, or text that begins with one."""
    return isinstance(cell, numbers.Real) or str(cell).lstrip("+-−~").strip()[:1].isdigit()


def _cell_text(cell: object) -> str:
    if isinstance(cell, bool) or not isinstance(cell, numbers.Real):
        return str(cell)
    return f"{cell:,}" if isinstance(cell, numbers.Integral) else f"{float(cell):,.2f}"

