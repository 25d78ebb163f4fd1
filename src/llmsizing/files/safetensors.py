"""The header of a safetensors file, and what the names in a checkpoint tell."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from llmsizing.architecture import Model, Tensor
from llmsizing.errors import InvalidInput, shown
from llmsizing.quantization import load_format
from llmsizing.quantization.dtypes import DTYPES
from llmsizing.units import MB, format_bytes

LENGTH_BYTES = 8  # before the header stands its length
LARGEST_HEADER = 32 * MB  # as for an index; the largest real ones have some MB

#: What a tensor is for: the first pattern that its name holds.
ROLE_OF = (
    (r"inv_freq|rotary|e_score_correction_bias", "buffer"),
    (r"per_layer.*embed|embed\w*_per_layer", "per-layer embedding"),
    (r"embed_tokens|word_embeddings|\bwte\b|embed_in\b|tok_embeddings", "embedding"),
    (r"lm_head|embed_out|^output\.", "output"),
    (r"norm|\bln_", "norm"),
    (r"shared_expert", "shared expert"),
    (r"experts", "experts"),
    (r"router|\bgate\.(weight|bias)$", "router"),
    (r"mamba|mixer|linear_attn|conv|A_log", "state space"),
    (r"attn|attention", "attention"),
)
TOWER = re.compile(r"vision|visual|audio|image|multi_modal|mm_proj|multimodal|patch_embed")
LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d{1,4})\.")
#: Bytes of a number, by the format's name.
SIZES = {each.name: int(each.block_bytes) for each in (*map(load_format, ("F32", "F16", "BF16")), *DTYPES)}
WHOLE = ("F64", "F32", "F16", "BF16")  #: formats in which a number stored is a parameter


class Entry(NamedTuple):
    """A tensor as a safetensors file lists it."""

    name: str
    shape: tuple[int, ...]
    format: str


def header_length(start: bytes, where: str) -> int:
    """Bytes of the header, from the file's first eight bytes."""
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    if len(start) < LENGTH_BYTES or not 2 <= length <= LARGEST_HEADER:
        raise InvalidInput(f"{where} is no safetensors file: its header would have"
                           f" {format_bytes(length)}, but must have at most"
                           f" {format_bytes(LARGEST_HEADER)}.")
    return length


def entries(header: bytes, size: int | None, where: str) -> list[Entry]:
    """The tensors in a header, each checked.

    Parameters
    ----------
    header : bytes
        JSON, without the length before it.
    size : int or None
        Bytes of the whole file, where known.
    where : str
        The file, for messages.
    """
    values = parsed(header, where)
    listed, ends = [], []
    for name, value in values.items():
        if name != "__metadata__":
            entry, place = _entry(name, value, where)
            ends.append(place)
            listed += [entry] if place[1] > place[0] else []
    free = 0
    for begin, end in sorted(ends):
        if begin < free:
            raise InvalidInput(f"{where}: two tensors lie in the same place, at byte {begin:,}.")
        free = end
    if size is not None and LENGTH_BYTES + len(header) + free > size:
        raise InvalidInput(f"{where} is cut off: its tensors need {format_bytes(free)}, the whole file"
                           f" has {format_bytes(size)}.")
    return listed


def parsed(text: bytes, where: str) -> Mapping[str, Any]:
    """A JSON object, no key twice."""
    if len(text) > LARGEST_HEADER:
        raise InvalidInput(f"{where} has {format_bytes(len(text))}; real ones have some MB.")
    try:
        values = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, where))
    except InvalidInput:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{where} cannot be read as JSON ({shown(str(error))}): is it cut off?") from None
    if not isinstance(values, dict):
        raise InvalidInput(f"{where} holds a {type(values).__name__}, but must be an object {{…}}.")
    return values


def _once(pairs: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise InvalidInput(f"{where}: the key {shown(twice)} stands twice.")
    return values


def _entry(name: str, value: Any, where: str) -> tuple[Entry, tuple[int, int]]:
    fields = value if isinstance(value, dict) else {}
    shape, offsets, dtype = (fields.get(key) for key in ("shape", "data_offsets", "dtype"))
    if not (_whole_numbers(shape) and _whole_numbers(offsets) and len(offsets) == 2
            and offsets[0] <= offsets[1] and len(shape) <= 16 and isinstance(dtype, str)):
        raise InvalidInput(f"{where}: {shown(name)} is {shown(value)}, but must have dtype, shape and"
                           " data_offsets.")
    stored = offsets[1] - offsets[0]
    if dtype not in SIZES:  # newer than this package: what it takes is known all the same
        return Entry(name, (max(stored, 1),), "U8"), (offsets[0], offsets[1])
    size = SIZES[dtype] * math.prod(shape)
    if size != stored:
        raise InvalidInput(f"{where}: {shown(name)} takes {stored:,} bytes, but {dtype} of the shape"
                           f" {shown(shape)} takes {shown(size)}.")
    return Entry(name, tuple(shape) or (1,), dtype), (offsets[0], offsets[1])


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**63 for one in value)


def with_checkpoint(model: Model, listed: Iterable[Entry]) -> dict[str, Any]:
    """What a checkpoint's tensors add to the model of its config.json: fields of `Model`.

    Tensors of a tower for images or sound are counted apart. Where all numbers are stored as they
    are, a count that differs from the config's is said in the notes.
    """
    listed = list(listed)
    tower = [entry for entry in listed if TOWER.search(entry.name)]
    stored = [_placed(entry) for entry in listed if not TOWER.search(entry.name)]
    count = sum(tensor.count for number, tensor, _ in stored
                if tensor.role != "buffer" and (number is None or number < len(model.layers)))
    whole = all(name in WHOLE for _, _, name in stored)
    known: dict[str, Any] = {"stored": tuple(stored), "file_format": "safetensors"}
    if tower:
        known["vision_parameters"] = sum(math.prod(entry.shape) for entry in tower)
    if whole and count != model.parameters:
        known["notes"] = (f"The checkpoint's layers hold {count:,} numbers, its config.json describes"
                          f" {model.parameters:,}.")
    return known


def role_of(name: str) -> str:
    """What a tensor is for, by the name that transformers gives it."""
    return next((role for pattern, role in ROLE_OF if re.search(pattern, name)), "feed-forward")


def _placed(entry: Entry) -> tuple[int | None, Tensor, str]:
    layer = LAYER.search(entry.name)
    tensor = Tensor(entry.name, entry.shape, role_of(entry.name))
    return (int(layer[1]) if layer else None), tensor, entry.format
