"""read_table: a CSV file of data/ as frozen records, or the file and line that are wrong."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from fractions import Fraction
from importlib import resources
from importlib.resources.abc import Traversable
from types import UnionType
from typing import Any, get_args

from llmsizing.errors import InvalidInput, fold

DATA = resources.files("llmsizing") / "data"


def read_table(file: Traversable, record: type, *, key: tuple[str, ...]) -> tuple[Any, ...]:
    """Read a CSV file into records, or say which line is wrong.

    Parameters
    ----------
    file : path
        A UTF-8 CSV file whose header names exactly the fields of ``record``.
    record : type
        A frozen dataclass with fields of type str, int, Fraction or Mapping (a JSON object).
        A field that has a default may be empty.
    key : tuple of str
        The columns that together occur only once.

    Returns
    -------
    tuple
        One record per row.

    Raises
    ------
    InvalidInput
        With file and line, for a wrong header, a missing or implausible value, a missing
        source, or a duplicate.
    """
    wanted = {field.name: field for field in fields(record)}
    rows, seen = [], {}
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        _check_header(file.name, reader.fieldnames or [], list(wanted))
        for raw in reader:
            where = f"{file.name}, line {reader.line_num}"
            if None in raw or None in raw.values():
                raise InvalidInput(f"{where}: needs {len(wanted)} values, one for each column.")
            given = {name: _value(where, name, raw[name], field.type)
                     for name, field in wanted.items()
                     if raw[name].strip() or field.default is MISSING}
            try:
                row = record(**given)
            except InvalidInput as error:  # what the record itself refuses
                raise InvalidInput(f"{where}: {error}") from None
            identity = tuple(fold(str(getattr(row, name))) for name in key)
            if identity in seen:
                names = ", ".join(str(getattr(row, name)) for name in key)
                raise InvalidInput(f"{where}: {names} already stands in line {seen[identity]}.")
            seen[identity] = reader.line_num
            rows.append(row)
    return tuple(rows)


def _check_header(file: str, found: list[str], wanted: list[str]) -> None:
    if sorted(found) == sorted(wanted):
        return
    unknown = [name for name in found if name not in wanted]
    missing = [name for name in wanted if name not in found]
    twice = sorted({name for name in found if found.count(name) > 1})
    raise InvalidInput(
        f"{file}, line 1: unknown columns {unknown}, missing columns {missing}, twice {twice}."
    )


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError
    return found


_READERS: dict[Any, tuple[Callable[[str], Any], str]] = {
    str: (str, "no text"),
    int: (int, "no number"),
    Fraction: (Fraction, "no number"),
    Mapping: (_object, "no JSON object"),
}


def _value(where: str, name: str, text: str, kind: Any) -> Any:
    if not text.strip():
        raise InvalidInput(f"{where}: {name} is empty.")
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    read, otherwise = _READERS[kind]
    try:
        value = read(text)
    except (ValueError, ZeroDivisionError):
        raise InvalidInput(f"{where}: {name} is {text!r}, which is {otherwise}.") from None
    if kind in (int, Fraction) and not 0 < value < 10**15:
        raise InvalidInput(f"{where}: {name} is {text}, which is not plausible.")
    return value
