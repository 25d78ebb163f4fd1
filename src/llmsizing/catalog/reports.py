"""What llama.cpp itself reported: the engine_*.csv of data/."""

from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class EngineLoad:
    """What llama.cpp reserves for one model and one choice of all settings, in MiB.

    Columns from ``context_tokens`` to ``backend`` are settings of a budget. What a backend has
    not is None: with "cpu" nothing lies beside the device.
    """

    model: str
    file_type: str
    context_tokens: int
    sequences: int
    unified_kv: str
    ubatch: int
    logits: str
    swa_full: str
    keys: str
    values: str
    flash_attention: str
    backend: str
    weights_mib: Fraction
    kv_cache_mib: Fraction
    compute_buffer_mib: Fraction
    host_weights_mib: Fraction | None = None
    host_compute_mib: Fraction | None = None
    output_mib: Fraction
    fitted: str
    source: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as keywords of `vram_budget`."""
        same = ("context_tokens", "sequences", "ubatch", "logits", "backend")
        return {
            **{name: getattr(self, name) for name in same},
            "unified_kv": self.unified_kv == "yes",
            "swa_full": self.swa_full == "yes",
            "flash_attention": self.flash_attention == "on",
            "kv_cache": (self.keys, self.values),
        }

    @property
    def device_mib(self) -> Fraction:
        """Weights, KV cache and compute buffer together."""
        return self.weights_mib + self.kv_cache_mib + self.compute_buffer_mib


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
def engine_loads() -> tuple[EngineLoad, ...]:
    """All that the engine was asked about, from the smallest model to the largest."""
    settings = tuple(field.name for field in fields(EngineLoad))[:12]
    return read_table(DATA / "engine_loads.csv", EngineLoad, key=settings)


@cache
def _engine_weights() -> tuple[EngineWeights, ...]:
    return read_table(DATA / "engine_weights.csv", EngineWeights, key=("model", "file_type"))


@cache
def _engine_context() -> tuple[EngineContext, ...]:
    return read_table(DATA / "engine_context.csv", EngineContext, key=("model", "context_tokens"))
