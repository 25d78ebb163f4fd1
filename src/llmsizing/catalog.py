"""The tables in data/*.csv, read into frozen records; bad rows are refused."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from llmsizing.errors import InvalidInput, fold, nearest

DATA = resources.files("llmsizing") / "data"


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model's shape. Columns are named as in a Hugging Face config.json.

    ``parameters`` counts each stored weight once; ``max_position_embeddings`` is the native
    context in tokens.
    """

    name: str
    parameters: int
    num_hidden_layers: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int
    source: str


@dataclass(frozen=True, kw_only=True)
class EngineWeights:
    """The weights that llama.cpp puts on the device for one model and file type, in MiB."""

    model: str
    file_type: str
    weights_mib: Fraction
    source: str


@dataclass(frozen=True, kw_only=True)
class EngineContext:
    """What llama.cpp reserves beside the weights for one model and context, in MiB."""

    model: str
    context_tokens: int
    kv_cache_mib: Fraction
    compute_buffer_mib: Fraction
    source: str


def models() -> list[Model]:
    """All models of the catalog, from the smallest to the largest.

    Returns
    -------
    list of Model
        One record per row of data/models.csv.

    Examples
    --------
    >>> models()[0].name
    'Qwen2.5-0.5B'
    """
    return list(_models())


def load_model(name: str) -> Model:
    """Find a model by its name, as people type it.

    Parameters
    ----------
    name : str
        Case, spaces, dots and dashes do not count: "llama 3.1 8b".

    Returns
    -------
    Model
        Its record.

    Raises
    ------
    UnknownName
        With the nearest names, if there is no such model.

    Examples
    --------
    >>> load_model("llama 3.1 8b").parameters
    8030261248
    """
    wanted = fold(str(name))
    for model in _models():
        if fold(model.name) == wanted:
            return model
    raise nearest("model", name, [model.name for model in _models()])


def engine_file_types(model: str) -> tuple[str, ...]:
    """The file types that the engine was asked about for a model, largest first."""
    return tuple(row.file_type for row in _engine_weights() if row.model == model)


def engine_contexts(model: str) -> tuple[int, ...]:
    """The contexts in tokens that the engine was asked about for a model, shortest first."""
    return tuple(row.context_tokens for row in _engine_context() if row.model == model)


def engine_weights(model: str, file_type: str) -> EngineWeights:
    """Look up what llama.cpp reported for the weights of a model at a file type."""
    for row in _engine_weights():
        if row.model == model and row.file_type == str(file_type).upper():
            return row
    raise nearest("file type in the engine's reports", file_type, engine_file_types(model))


def engine_context(model: str, context_tokens: int) -> EngineContext:
    """Look up what llama.cpp reported for KV cache and compute buffer of a model at a context."""
    for row in _engine_context():
        if (row.model, row.context_tokens) == (model, context_tokens):
            return row
    asked = ", ".join(f"{tokens:,}" for tokens in engine_contexts(model))
    raise InvalidInput(
        f"The engine was asked about {model} at {asked} tokens of context, not {context_tokens!r}."
    )


@cache
def _models() -> tuple[Model, ...]:
    return read_table(DATA / "models.csv", Model, key=("name",))


@cache
def _engine_weights() -> tuple[EngineWeights, ...]:
    return read_table(DATA / "engine_weights.csv", EngineWeights, key=("model", "file_type"))


@cache
def _engine_context() -> tuple[EngineContext, ...]:
    return read_table(DATA / "engine_context.csv", EngineContext, key=("model", "context_tokens"))


def read_table(file: Traversable, record: type, *, key: tuple[str, ...]) -> tuple[Any, ...]:
    """Read a CSV file into records, or say which line is wrong.

    Parameters
    ----------
    file : path
        A UTF-8 CSV file whose header names exactly the fields of ``record``.
    record : type
        A frozen dataclass with fields of type str, int or Fraction.
    key : tuple of str
        The columns that together occur only once.

    Raises
    ------
    InvalidInput
        With file and line, for a wrong header, a missing or implausible value, a missing
        source, or a duplicate.
    """
    wanted = {field.name: field.type for field in fields(record)}
    rows, seen = [], {}
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        _check_header(file.name, reader.fieldnames or [], list(wanted))
        for raw in reader:
            where = f"{file.name}, line {reader.line_num}"
            if None in raw or None in raw.values():
                raise InvalidInput(f"{where}: needs {len(wanted)} values, one for each column.")
            row = record(**{name: _value(where, name, raw[name], kind)
                            for name, kind in wanted.items()})
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


_READERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    Fraction: Fraction,
}


def _value(where: str, name: str, text: str, kind: Any) -> Any:
    if not text.strip():
        raise InvalidInput(f"{where}: {name} is empty.")
    try:
        value = _READERS[kind](text)
    except (ValueError, ZeroDivisionError):
        raise InvalidInput(f"{where}: {name} is {text!r}, which is no number.") from None
    if kind is not str and not 0 < value < 10**15:
        raise InvalidInput(f"{where}: {name} is {text}, which is not plausible.")
    return value
