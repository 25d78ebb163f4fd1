"""A GGUF file of a model's shape: its metadata and its list of tensors, and a hole for the weights."""

import math
import struct
from pathlib import Path

from llmsizing.architecture import Attention, Experts, FeedForward, Model
from llmsizing.errors import InvalidInput
from llmsizing.files.gguf_header import TENSOR_TYPES
from llmsizing.memory.weights import layout_of, stored_bytes, stored_tensors

ALIGNMENT = 32
VERSION = 3
TYPE_NUMBERS = {name: number for number, name in TENSOR_TYPES.items()}
#: By model_type, what llama.cpp calls its architecture. Each was loaded in the engine.
ARCHITECTURES = {
    "llama": "llama", "mistral": "llama", "mixtral": "llama", "qwen2": "qwen2", "qwen3": "qwen3",
    "qwen3_moe": "qwen3moe", "gemma2": "gemma2", "gemma3_text": "gemma3", "phi3": "phi3",
    "olmo2": "olmo2", "gpt_oss": "gpt-oss", "smollm3": "smollm3", "seed_oss": "seed_oss", "glm4": "glm4",
}
#: Their loaders read the window from the file, and know by themselves which layers slide.
SLIDING = ("gemma2", "gemma3", "gpt-oss")
EPSILON = 1e-5  # of the norms: without weights any value serves
UINT, FLOAT, TEXT = 4, 6, 8  # as gguf.h numbers the types of values

Value = int | float | str


def write_shape(model: Model, path: str | Path, *, weights: str | None = None) -> Path:
    """Write a GGUF file that has everything of a model but its weights.

    The file is as long as the real one, and a few kB on the disk: where the weights would lie is
    a hole, which file systems do not store. llama.cpp says of it what it would allocate.

    Parameters
    ----------
    model : Model
        From `load_model`, `read_config` or `read_gguf`.
    path : str or Path
        Where to write it.
    weights : str, optional
        A llama.cpp file type: "Q4_K_M".

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidInput
        If the weights are no GGUF file type, the architecture is none that was tried, or the file
        cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from llmsizing import load_model, read_gguf, weight_bytes
    >>> model = load_model("Llama-3.1-8B")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_shape(model, Path(folder) / "m.gguf", weights="Q4_K_M")
    ...     weight_bytes(read_gguf(path)) == weight_bytes(model, "Q4_K_M")
    True

    References
    ----------
    ggml@0c1e57098: docs/gguf.md; the keys are those that llama.cpp's loader asks for.
    """
    arch = ARCHITECTURES.get(model.model_type)
    plain = all(isinstance(part, Attention | FeedForward | Experts)
                for layer in model.layers for part in layer.parts)
    if arch is None or not plain:
        known = ", ".join(sorted(set(ARCHITECTURES.values())))
        raise InvalidInput(f"A file of the shape of {model.name} is not written: its architecture,"
                           f" {model.model_type}, was not tried. Those of {known} were.")
    if not layout_of(model, weights).family.startswith("GGUF"):
        raise InvalidInput(f"A GGUF file cannot hold {weights}: name a file type such as Q4_K_M.")
    tensors = [(name if number is None else f"blk.{number}.{name}", tensor, kind)
               for number, tensor, kind in stored_tensors(model, weights) for name in [tensor.name]]
    header, size = bytearray(), 0
    values = _metadata(model, arch)
    header += b"GGUF" + struct.pack("<IQQ", VERSION, len(tensors), len(values))
    for key, value in values.items():
        header += _text(key) + _value(value)
    for name, tensor, kind in tensors:
        shape = tensor.shape[::-1]  # GGUF counts from the fastest dimension
        header += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        header += struct.pack("<IQ", TYPE_NUMBERS[kind], size)
        size += _padded(stored_bytes(tensor, kind))
    path = Path(path)
    try:
        with path.open("wb") as file:
            file.write(header)
            file.truncate(_padded(len(header)) + size)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}. The disk must know"
                           " files with holes, as those of Linux and macOS do, or have room for"
                           f" {size:,} bytes.") from None
    return path


def _metadata(model: Model, arch: str) -> dict[str, Value]:
    mixers = [layer.attention for layer in model.layers]
    parts = [part for layer in model.layers for part in layer.parts]
    full = next((mixer for mixer in mixers if not mixer.window), mixers[0])
    values: dict[str, Value] = {
        "context_length": model.max_position_embeddings or 8192, "embedding_length": model.hidden_size,
        "block_count": len(model.layers), "vocab_size": model.vocab_size,
        "attention.layer_norm_rms_epsilon": EPSILON, "attention.layer_norm_epsilon": EPSILON,
        "attention.head_count": full.num_attention_heads,
        "attention.head_count_kv": full.num_key_value_heads,
        "attention.key_length": full.head_dim, "attention.value_length": full.value_head_dim,
        "rope.dimension_count": full.head_dim,
        "feed_forward_length": max((part.intermediate_size for part in parts
                                    if isinstance(part, FeedForward)), default=0),
    }
    experts = next((part for part in parts if isinstance(part, Experts)), None)
    if experts:
        values |= {"expert_count": experts.num_experts, "expert_used_count": experts.num_experts_per_tok,
                   "expert_feed_forward_length": experts.moe_intermediate_size,
                   "feed_forward_length": experts.moe_intermediate_size}
    windows = [mixer.window for mixer in mixers if mixer.window]
    if windows and arch in SLIDING:
        values["attention.sliding_window"] = windows[0]
    return {"general.architecture": arch, "general.name": model.name,
            "tokenizer.ggml.model": "no_vocab",
            **{f"{arch}.{key}": value for key, value in values.items()}}


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", TEXT) + _text(value)
    return struct.pack("<If", FLOAT, value) if isinstance(value, float) else struct.pack("<II", UINT, value)


def _padded(size: int) -> int:
    return math.ceil(size / ALIGNMENT) * ALIGNMENT
