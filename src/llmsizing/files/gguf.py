"""read_gguf: from the header of a GGUF file, or of all its shards, to a Model."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from llmsizing.architecture import Experts, Layer, Model, Tensor
from llmsizing.architecture.config import LARGEST
from llmsizing.errors import InvalidInput, UnknownName, expect, nearest, shown
from llmsizing.files.gguf_header import Header, StoredTensor, read_header
from llmsizing.files.gguf_layers import Shapes, Traits, layer_of, role_of

SHARD = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE | re.DOTALL)
MOST_SHARDS = 1_000
LLAMA4_CHUNK = 8_192  # llama.cpp takes it whatever the file says
GEMMA3N_OWN_CACHES = 20  # layers of Gemma 3n that keep keys and values, in llama.cpp


class Kind(NamedTuple):
    """An architecture of llama.cpp: our model_type; of how many layers the last looks back at all."""

    model_type: str
    period: int = 0  # 0: no layer slides, unless the file lists those that do
    window: int | None = None


#: By general.architecture. Periods as in llama.cpp@0c1e57098: src/models/*.cpp, load_swa_pattern.
ARCHITECTURES = {
    "llama": Kind("llama"), "llama4": Kind("llama4_text", 4, LLAMA4_CHUNK),
    "mistral3": Kind("ministral3"), "mistral4": Kind("mistral4"),
    "qwen2": Kind("qwen2"), "qwen2vl": Kind("qwen2_vl_text"), "qwen2moe": Kind("qwen2_moe"),
    "qwen3": Kind("qwen3"), "qwen3moe": Kind("qwen3_moe"), "qwen3vl": Kind("qwen3_vl_text"),
    "qwen3vlmoe": Kind("qwen3_vl_moe_text"), "qwen3next": Kind("qwen3_next"),
    "qwen35": Kind("qwen3_5_text"), "qwen35moe": Kind("qwen3_5_moe_text"),
    "gemma": Kind("gemma"), "gemma2": Kind("gemma2", 2, 4_096), "gemma3": Kind("gemma3_text", 6),
    "gemma3n": Kind("gemma3n_text", 5), "gemma4": Kind("gemma4_text", 6),
    "phi3": Kind("phi3"), "phimoe": Kind("phimoe"), "olmo2": Kind("olmo2", 4), "olmoe": Kind("olmoe"),
    "command-r": Kind("cohere"), "cohere2": Kind("cohere2", 4), "chatglm": Kind("glm"),
    "glm4": Kind("glm4"), "glm4moe": Kind("glm4_moe"), "glm-dsa": Kind("glm_moe_dsa"),
    "deepseek2": Kind("deepseek_v2"), "deepseek32": Kind("deepseek_v32"),
    "gpt-oss": Kind("gpt_oss", 2), "granite": Kind("granite"), "granitemoe": Kind("granitemoe"),
    "granitehybrid": Kind("granitemoehybrid"), "falcon-h1": Kind("falcon_h1"),
    "nemotron": Kind("nemotron"), "nemotron_h": Kind("nemotron_h"),
    "nemotron_h_moe": Kind("nemotron_h"), "lfm2": Kind("lfm2"), "lfm2moe": Kind("lfm2_moe"),
    "plamo2": Kind("plamo2"), "kimi-linear": Kind("kimi_linear"), "exaone4": Kind("exaone4", 4),
    "smollm3": Kind("smollm3"), "seed_oss": Kind("seed_oss"), "ernie4_5": Kind("ernie4_5"),
    "ernie4_5-moe": Kind("ernie4_5_moe"), "hunyuan-dense": Kind("hunyuan_v1_dense"),
    "hunyuan-moe": Kind("hunyuan_v1_moe"), "apertus": Kind("apertus"),
    "muse-glimmer": Kind("muse_glimmer_text", 4), "gptneox": Kind("gpt_neox"),
    "starcoder2": Kind("starcoder2"), "bitnet": Kind("bitnet"), "minimax-m2": Kind("minimax_m2"),
    "mimo2": Kind("mimo_v2_flash"),
}
#: Their files list no window that llama.cpp would use.
NEVER_SLIDE = ("phi3",)


def read_gguf(path: str | Path) -> Model:
    """Read a model from a GGUF file: its header alone, a few milliseconds however large the file.

    The model has the file's own tensors, each in its own format. So weights need no name
    afterwards: ``weight_bytes(model)`` is what the file's tensors take, to the byte.

    Parameters
    ----------
    path : str or Path
        A .gguf file. Of a model in several (…-00001-of-00003.gguf) any one: all are read.

    Returns
    -------
    Model
        With the names of llama.cpp. A predictor of further tokens (MTP) is in ``stored`` alone.

    Raises
    ------
    InvalidInput
        If a file is missing, broken, cut off or no GGUF file, or its metadata and its tensors
        disagree; with the place and what would be right.
    UnknownName
        If the architecture, or the type of a tensor, is none that this package knows.

    Examples
    --------
    >>> read_gguf("model.safetensors")
    Traceback (most recent call last):
    llmsizing.errors.InvalidInput: 'model.safetensors' cannot be read: there is no such file.

    References
    ----------
    llama.cpp@0c1e57098: ggml/src/gguf.cpp, src/llama-arch.cpp, src/llama-model.cpp.
    """
    if not isinstance(path, Path):
        expect("path", path, str, "name a .gguf file")
    headers = _headers(Path(path))
    metadata, where = headers[0].metadata, headers[0].where
    tensors = _all_tensors(headers)
    kind, values = _architecture(metadata, where)
    return _model(kind, metadata, values, tensors, where)


def _headers(path: Path) -> list[Header]:
    """The headers of all shards, in their order."""
    header, named = read_header(path), SHARD.fullmatch(path.name)
    count = header.metadata.get("split.count", 1)
    if not isinstance(count, int) or not 0 <= count <= MOST_SHARDS:
        raise InvalidInput(f"{path}: split.count is {shown(count)}, but must be a number of files, at"
                           f" most {MOST_SHARDS:,}.")
    if count <= 1:
        return [header]
    if not named or int(named[3]) != count:
        raise InvalidInput(f"{path} is one of {count} files, but is not called as they are: give them"
                           f" back their names, {path.stem.rpartition('-00')[0] or path.stem}"
                           f"-00001-of-{count:05}.gguf and so on.")
    shards = [path.with_name(f"{named[1]}-{number:05}-of-{named[3]}{path.suffix}")
              for number in range(1, count + 1)]
    missing = [shard.name for shard in shards if not shard.exists()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InvalidInput(f"{path.parent}: of {count} files {missing[0]}{more}"
                           f" {'are' if more else 'is'} missing; all are needed.")
    headers = [header if shard == path else read_header(shard) for shard in shards]
    for number, each in enumerate(headers):
        if each.metadata.get("split.no") != number or each.metadata.get("split.count") != count:
            raise InvalidInput(f"{each.where} says that it is file {each.metadata.get('split.no')!r:.20}"
                               f" (from 0) of {each.metadata.get('split.count')!r:.20}, but its name"
                               " says otherwise.")
    return headers


def _all_tensors(headers: list[Header]) -> list[StoredTensor]:
    tensors = {tensor.name: tensor for header in headers for tensor in header.tensors}
    listed = sum(len(header.tensors) for header in headers)
    told = headers[0].metadata.get("split.tensors.count", listed)
    if len(tensors) < listed or told != listed:
        raise InvalidInput(f"{headers[0].where}: its files hold {listed:,} tensors, {len(tensors):,} of"
                           f" them different, but must hold {told!r:.20}: they belong to several models.")
    if not tensors:
        raise InvalidInput(f"{headers[0].where} holds no tensors; a vocabulary alone is no model.")
    return list(tensors.values())


def _architecture(metadata: Mapping[str, Any], where: str) -> tuple[Kind, Mapping[str, Any]]:
    """Which family the file is of, and the metadata with its prefix taken off."""
    name = metadata.get("general.architecture")
    if not isinstance(name, str):
        raise InvalidInput(f"{where}: general.architecture is missing; it names the family, such as"
                           " llama.")
    if name == "clip":
        raise InvalidInput(f"{where} holds a tower for images or sound (mmproj), no language model."
                           " Read the model's own file; the tower takes this file's size beside it.")
    if metadata.get("general.type", "model") != "model":
        raise InvalidInput(f"{where} holds a {metadata['general.type']!r:.40}, no whole model.")
    if name not in ARCHITECTURES:
        raise UnknownName(f"{where}: {nearest('architecture', name, ARCHITECTURES)}")
    values = {key.removeprefix(f"{name}."): value for key, value in metadata.items()
              if key.startswith(f"{name}.")}
    return ARCHITECTURES[name], values


def _model(kind: Kind, metadata: Mapping[str, Any], values: Mapping[str, Any],
           tensors: list[StoredTensor], where: str) -> Model:
    top = Traits(where, values, None, True)
    total = top.whole("block_count")
    count = total - top.whole("nextn_predict_layers", 0, at_least=0)
    if not 0 < count <= total <= LARGEST["num_hidden_layers"]:
        raise InvalidInput(f"{where}: block_count is {total:,} and leaves {count:,} layers; it must be"
                           f" from 1 to {LARGEST['num_hidden_layers']:,}.")
    stored = [_placed(tensor, total, where) for tensor in tensors]
    found: list[dict[str, tuple[int, ...]]] = [{} for _ in range(total)]
    around = []
    for number, tensor, _ in stored:
        if number is None:
            around.append(tensor)
        else:
            found[number][tensor.name] = tensor.shape
    layers = _layers(kind, top, count, total, found)
    vocab, tied = _vocabulary(top, {tensor.name: tensor.shape for tensor in around}, where)
    return Model(
        name=_name(metadata, where), model_type=_model_type(kind, layers),
        hidden_size=top.whole("embedding_length"), vocab_size=vocab,
        max_position_embeddings=top.whole("context_length") if "context_length" in values else None,
        tie_word_embeddings=tied, layers=layers,
        others=tuple(tensor for tensor in around
                     if tensor.name not in ("token_embd.weight", "output.weight")),
        licence=_text(metadata, "general.license"), source=f"{Path(where).name}: its header",
        file_format="GGUF", stored=tuple(stored),
    )


def _placed(tensor: StoredTensor, total: int, where: str) -> tuple[int | None, Tensor, str]:
    """A tensor with its layer's number taken out of its name."""
    parted = re.fullmatch(r"blk\.(\d{1,4})\.(.+)", tensor.name, re.DOTALL)
    if not parted:
        return None, Tensor(tensor.name, tensor.shape, role_of(tensor.name)), tensor.format
    if int(parted[1]) >= total:
        raise InvalidInput(f"{where}: {shown(tensor.name)} is of a layer beyond block_count, {total}.")
    return int(parted[1]), Tensor(parted[2], tensor.shape, role_of(parted[2])), tensor.format


def _layers(kind: Kind, top: Traits, count: int, total: int, found: list[Shapes]) -> tuple[Layer, ...]:
    seen: dict[Layer, Layer] = {}  # most layers are alike: one object stands for them
    windows = _windows(kind, top, count)
    own = count - top.whole("attention.shared_kv_layers", 0, at_least=0)
    if kind.model_type == "gemma3n_text" and own == count:
        own = GEMMA3N_OWN_CACHES
    lists = {key: value for key, value in top.values.items() if isinstance(value, list)}
    for key, value in lists.items():
        if key in ("attention.head_count", "attention.head_count_kv") and len(value) not in (count, total):
            raise InvalidInput(f"{top.where}: {key} must list {total} layers, but has {len(value)}"
                               " entries.")
    layers = []
    for number in range(count):
        values = {**top.values, **{key: value[number] for key, value in lists.items()
                                   if len(value) in (count, total)}}
        traits = Traits(f"{top.where}, layer {number}", values, windows[number], number < own,
                        kind.model_type == "gemma4_text")
        layer = layer_of(traits, found[number])
        layers.append(seen.setdefault(layer, layer))
    _expect_like_norms(layers, top.where)
    return tuple(layers)


def _expect_like_norms(layers: list[Layer], where: str) -> None:
    """Refuse a layer without a norm that others of the same parts have: a file that lost a tensor."""
    known: dict[tuple[type, ...], set[str]] = {}
    for number, layer in enumerate(layers):
        norms = {tensor.name for tensor in layer.others if tensor.role == "norm"}
        others = known.setdefault(tuple(map(type, layer.parts)), norms)
        if norms != others:
            raise InvalidInput(f"{where}, layer {number}: {min(norms ^ others)} stands in some layers of its"
                               " kind and is missing in others; the file is broken.")


def _windows(kind: Kind, top: Traits, count: int) -> list[int | None]:
    """The window of each layer, None for one that looks back at all."""
    pattern = top.values.get("attention.sliding_window_pattern", kind.period)
    size = top.whole("attention.sliding_window", kind.window or 0, at_least=0)
    if kind.window == LLAMA4_CHUNK and size:
        size = LLAMA4_CHUNK
    if not size or kind.model_type in NEVER_SLIDE or not pattern:
        return [None] * count
    if isinstance(pattern, list):
        if len(pattern) < count:
            raise InvalidInput(f"{top.where}: attention.sliding_window_pattern must list {count} layers,"
                               f" but has {len(pattern)} entries.")
        return [size if slides else None for slides in pattern[:count]]
    period = replace(top, values={"attention.sliding_window_pattern": pattern}).whole(
        "attention.sliding_window_pattern")
    return [size if number % period < period - 1 else None for number in range(count)]


def _vocabulary(top: Traits, around: Shapes, where: str) -> tuple[int, bool]:
    """Tokens in the vocabulary, and whether the output layer is the embedding."""
    hidden, table = top.whole("embedding_length"), around.get("token_embd.weight")
    for name in ("token_embd.weight", "output.weight"):
        shape = around.get(name, table)
        if shape is None or table is None or shape != (table[0], hidden):
            raise InvalidInput(f"{where}: {name} {f'has the shape {shape}' if shape else 'is missing'};"
                               f" it must have a row of {hidden:,} (embedding_length) for each token.")
    return table[0], "output.weight" not in around


def _model_type(kind: Kind, layers: tuple[Layer, ...]) -> str:
    """The family; two architectures of llama.cpp stand for several."""
    experts = [part for layer in layers for part in layer.parts if isinstance(part, Experts)]
    if kind.model_type == "llama" and experts:
        return "mixtral"
    if kind.model_type == "deepseek_v2" and any(part.correction for part in experts):
        return "deepseek_v3"
    return kind.model_type


def _name(metadata: Mapping[str, Any], where: str) -> str:
    shard = SHARD.fullmatch(Path(where).name)
    return _text(metadata, "general.name") or (shard[1] if shard else Path(where).stem)


def _text(metadata: Mapping[str, Any], key: str) -> str:
    value = metadata.get(key, "")
    return value if isinstance(value, str) else ""
