"""The models of data/models.csv."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from llmsizing.architecture import Model, read_config
from llmsizing.catalog.names import find
from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput, UnknownName, fold
from llmsizing.quantization import read_file_name
from llmsizing.units import BILLION

#: Words in a model's name that many add and nobody needs.
NOISE = ("instruct", "it", "chat", "hf", "gguf", "base", "model")

#: Parts of a file's name that tell of the file and not of the model.
ABOUT_THE_FILE = ("file type", "format", "maker", "training", "shard")


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """One row of data/models.csv: the values of a config.json, and where they were read.

    The columns from ``model_type`` to ``tie_word_embeddings`` are named as in config.json, and
    ``other_config`` holds its further values as a JSON object.
    """

    name: str
    repo: str
    licence: str = ""
    native_type: str = ""
    modality: str = "text"
    vision_parameters: int | None = None
    published_parameters: str = ""
    model_type: str
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    intermediate_size: int | None = None
    vocab_size: int
    max_position_embeddings: int
    tie_word_embeddings: str = ""
    num_experts: int | None = None
    num_experts_per_tok: int | None = None
    moe_intermediate_size: int | None = None
    sliding_window: int | None = None
    other_config: Mapping | None = None
    source: str
    source_url: str = ""
    second_source: str = ""
    accessed: str
    notes: str = ""


#: How lists with one word per layer stand in other_config.
LETTERS = {
    "layer_types": {"F": "full_attention", "S": "sliding_attention", "K": "chunked_attention",
                    "L": "linear_attention", "M": "mamba", "A": "attention", "C": "conv"},
    "indexer_types": {"F": "full", "S": "shared"},
}

#: Columns that are not part of a config.
ABOUT = ("name", "repo", "licence", "native_type", "modality", "vision_parameters", "source",
         "source_url", "accessed", "notes")
CHECKS = ("published_parameters", "second_source", "other_config")


def models() -> list[Model]:
    """All models of the catalog, from the smallest to the largest.

    Returns
    -------
    list of Model
        One for each row of data/models.csv.

    Examples
    --------
    >>> models()[0].name
    'SmolLM2-135M'
    """
    return list(_models())


def load_model(name: str) -> Model:
    """Find a model by its name, as people type it.

    Parameters
    ----------
    name : str
        "llama 3.1 8b", "Qwen/Qwen3-8B", "gemma3:27b", "Qwen3-8B-Q4_K_M.gguf". Case, spaces, dots
        and dashes do not count, and words such as Instruct may be there or not.

    Returns
    -------
    Model

    Raises
    ------
    UnknownName
        With the nearest names, or with all that it could mean.

    Examples
    --------
    >>> load_model("llama 3.1 8b").parameters
    8030261248
    """
    try:
        return _made(find("model", name, _by_name(), noise=NOISE).name)
    except UnknownName as unknown:
        plain = _without_file_type(name)
        return load_model(plain) if plain else _tagged(str(name), unknown)


def _without_file_type(name: object) -> str:
    """A file's name or tag without what it says of the file, or nothing if it says nothing."""
    if not isinstance(name, str):
        return ""
    try:
        parts = read_file_name(name)
    except InvalidInput:
        return ""
    kept = [part.text for part in parts if part.kind not in ABOUT_THE_FILE]
    return " ".join(kept) if len(kept) < len(parts) else ""


def _tagged(name: str, unknown: UnknownName) -> Model:
    """The model of a name with its size behind a colon, as Ollama writes: "phi4:14b"."""
    base, _, tag = name.partition(":")
    size = re.match(r"(\d+(?:\.\d+)?)b", tag.lower())
    if size is None:
        raise unknown
    try:
        model = _made(find("model", base, _by_name(), noise=NOISE).name)
    except UnknownName:
        raise unknown from None
    if not 0.85 < model.parameters / BILLION / float(size[1]) < 1.15:
        raise unknown
    return model


def model_rows() -> tuple[ModelRow, ...]:
    """The rows of data/models.csv as they stand there, for tables and tests."""
    return _rows()


def config_of(row: ModelRow) -> dict[str, Any]:
    """The config.json that a row describes."""
    config = {field.name: getattr(row, field.name) for field in fields(row)
              if field.name not in ABOUT + CHECKS and getattr(row, field.name) is not None}
    tied = {"true": True, "false": False}.get(row.tie_word_embeddings.lower())
    if tied is None and row.tie_word_embeddings:
        raise InvalidInput(f"models.csv, {row.name}: tie_word_embeddings is"
                           f" {row.tie_word_embeddings!r}, but must be true or false.")
    del config["tie_word_embeddings"]
    other = {key: _spelled(key, value) for key, value in (row.other_config or {}).items()}
    return config | other | ({} if tied is None else {"tie_word_embeddings": tied})


def _spelled(key: str, value: Any) -> Any:
    """Lists with one word per layer stand in the table as one letter per layer."""
    letters = LETTERS.get(key)
    return [letters[letter] for letter in value] if letters and isinstance(value, str) else value


@cache
def _rows() -> tuple[ModelRow, ...]:
    return read_table(DATA / "models.csv", ModelRow, key=("name",))


@cache
def _models() -> tuple[Model, ...]:
    return tuple(sorted((_made(row.name) for row in _rows()),
                        key=lambda model: (model.parameters, model.name)))


@cache
def _made(name: str) -> Model:
    """The model of a row, made when it is asked for: a page that needs one waits for no other."""
    row = next(row for row in _rows() if row.name == name)
    return read_config(config_of(row), **{about: getattr(row, about) for about in ABOUT})


@cache
def _by_name() -> dict[str, ModelRow]:
    names = {row.name: row for row in _rows()}
    tails = {row.repo.rpartition("/")[2]: row for row in _rows()}
    repos = {row.repo: row for row in _rows()}
    known = {fold(name) for name in names}
    return names | {name: row for name, row in (tails | repos).items() if fold(name) not in known}
