"""What llama.cpp itself reported: data/engine_weights.csv and data/engine_context.csv."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.architecture import Model
from llmsizing.catalog.model_table import load_model
from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput, nearest


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


def reported_models() -> list[Model]:
    """The models that the engine was asked about, from the smallest to the largest."""
    names = dict.fromkeys(row.model for row in _engine_weights())
    return sorted((load_model(name) for name in names), key=lambda model: model.parameters)


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
def _engine_weights() -> tuple[EngineWeights, ...]:
    return read_table(DATA / "engine_weights.csv", EngineWeights, key=("model", "file_type"))


@cache
def _engine_context() -> tuple[EngineContext, ...]:
    return read_table(DATA / "engine_context.csv", EngineContext, key=("model", "context_tokens"))
