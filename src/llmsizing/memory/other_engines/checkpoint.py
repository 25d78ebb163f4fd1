"""Weights as a checkpoint holds them: every tensor on the device."""

from functools import lru_cache

from llmsizing.architecture import Model, Tensor, expect_model
from llmsizing.engines import Engine, load_engine
from llmsizing.errors import InvalidInput, UnknownName, expect, fold, nearest
from llmsizing.memory.weights import loaded_tensors, stored_bytes
from llmsizing.quantization import Format, file_types, formats, load_format

#: Bytes of a number, where all tensors are stored alike.
PLAIN = {"BF16": 2, "F16": 2, "F32": 4}


def checkpoint_tensors(model: Model, weights: str | None, engine: str) -> tuple[tuple[Tensor, int], ...]:
    """Each different tensor with the bytes of all that are like it, for an engine that reads
    checkpoints.

    Raises
    ------
    InvalidInput, UnknownName
        If the engine does not run these weights, or there are none of that name.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> sizes = [size for _, size in checkpoint_tensors(load_model("Qwen3-8B"), "NF4", "hf")]
    >>> round(8 * sum(sizes) / load_model("Qwen3-8B").parameters, 2)
    6.25
    """
    expect_model(model)
    if weights is None:
        return _as_they_lie(model, load_engine(engine))
    expect("weights", weights, str, "a format such as BF16")
    return _checkpoint_tensors(model, weights, load_engine(engine))


def _as_they_lie(model: Model, engine: Engine) -> tuple[tuple[Tensor, int], ...]:
    """The tensors of the checkpoint that the model was read from."""
    if model.file_format == "GGUF":
        raise InvalidInput(f"{engine.name} is not sized with GGUF files: name a format, such as"
                           ' weights="BF16".')
    return tuple((tensor, stored_bytes(tensor, name)) for _, tensor, name in loaded_tensors(model, None))


def is_plain(model: Model, weights: str | None) -> bool:
    """Whether all tensors are stored as 16 or 32-bit floats."""
    if weights is None:
        return all(name in PLAIN for _, _, name in model.stored)
    return fold(weights) in map(fold, PLAIN)


@lru_cache(maxsize=512)  # a search for the longest context asks for the same weights again
def _checkpoint_tensors(model: Model, weights: str, engine: Engine) -> tuple[tuple[Tensor, int], ...]:
    plain, layout = _layout(weights, engine)
    return tuple((tensor, times * (plain * tensor.count if layout is None else
                                   load_format(layout.format_of(tensor)).tensor_bytes(tensor.shape)))
                 for tensor, times in model.tensor_counts
                 if not (tensor.role == "buffer" and tensor.is_matrix))  # what nothing uses is dropped


def _layout(weights: str, engine: Engine) -> tuple[int, Format | None]:
    """Bytes of each number, or else the format."""
    plain = {fold(name): size for name, size in PLAIN.items()}
    if fold(weights) in plain:
        return plain[fold(weights)], None
    runs = [*PLAIN, *(each.name for each in formats() if each.family in engine.runs)]
    layout = _format(f"{weights} safetensors", engine) or _format(weights)
    if layout is None and fold(weights) not in map(fold, (each.name for each in file_types())):
        raise nearest(f"format of {engine.name}", weights, runs)
    if layout is None or layout.family not in engine.runs:
        raise InvalidInput(f"{engine.name} does not run {weights}: choose BF16, or one of the formats"
                           f" {', '.join(engine.runs)}.")
    return 0, layout


def _format(name: str, engine: Engine | None = None) -> Format | None:
    """The format of that name, if there is one and the engine runs it: MXFP4 is another in GGUF."""
    try:
        found = load_format(name)
    except UnknownName:
        return None
    return found if engine is None or found.family in engine.runs else None
