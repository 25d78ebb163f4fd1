"""Bytes of a model's weights, tensor by tensor."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

from llmsizing.architecture import Model, Tensor, expect_model
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.engines import OUTPUT_FIRST
from llmsizing.errors import InvalidInput, expect
from llmsizing.memory.placement import Placement
from llmsizing.quantization import (
    FileType,
    Format,
    file_type_or_format,
    load_format,
    tensor_types,
    type_counts,
)
from llmsizing.tables import Table, table


def weight_bytes(model: Model, weights: str | None = None) -> int:
    """Bytes of a model's tensors in a file, without the file's metadata.

    In words: each tensor's weights times the bits that its format takes, over eight. A file type
    of llama.cpp gives each tensor its own format; other formats leave some tensors in 16 bits,
    as each one's ``leaves`` says.

    Parameters
    ----------
    model : Model
        From `load_model`, `read_config`, `read_gguf` or `read_hub`.
    weights : str, optional
        A llama.cpp file type ("Q4_K_M", "Q8_0", "F16"; "IQ4_XS imatrix" for a file made with an
        importance matrix) or a format ("NF4", "AWQ 4-bit g128"). By default the weights are as in
        the file that the model was read from.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    InvalidInput
        If the model is none, the weights no text, or left out for a model of no file.
    UnknownName
        If there is no such file type or format.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> weight_bytes(load_model("Llama-3.1-8B"), "BF16")
    16061054976

    References
    ----------
    `file_types` and `formats` name the source of each rule.
    """
    expect_model(model)
    if weights is not None:
        expect("weights", weights, str, "a file type or format such as Q4_K_M")
    return _file_bytes(model, weights)


@lru_cache(maxsize=8192)  # searches and sweeps ask for the same files again
def _file_bytes(model: Model, weights: str | None) -> int:
    chosen = None if weights is None else file_type_or_format(weights)
    if isinstance(chosen, FileType):
        return sum(times * stored_bytes(tensor, name) for tensor, name, times in type_counts(model, chosen))
    return sum(stored_bytes(tensor, name) for _, tensor, name in stored_tensors(model, weights))


def stored_tensors(model: Model, weights: str | None = None) -> list[tuple[int | None, Tensor, str]]:
    """Each tensor of a model, with its layer's number and the format that it is stored in.

    ExLlama's formats store a tied output layer a second time, so it is in the list there.

    Parameters
    ----------
    model : Model
        From `load_model`, `read_config`, `read_gguf` or `read_hub`.
    weights : str, optional
        A llama.cpp file type ("Q4_K_M") or a format ("NF4"); by default as in the model's file.

    Returns
    -------
    list of (int or None, Tensor, str)
        Layer number, or None outside the layers; tensor; name of its format.

    Raises
    ------
    InvalidInput, UnknownName
        As `weight_bytes` does.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> number, tensor, name = stored_tensors(load_model("Llama-3.1-8B"), "Q4_K_M")[0]
    >>> number, tensor.name, name
    (None, 'output.weight', 'Q6_K')
    """
    expect_model(model)
    if weights is None:
        return list(_in_file(model))
    chosen = file_type_or_format(weights)
    if not isinstance(chosen, Format):
        return tensor_types(model, chosen)
    tensors = list(model.tensors())
    if model.tie_word_embeddings and chosen.has_own_output:
        tensors.append((None, Tensor("output.weight", model.embedding.shape, "output")))
    return [(number, tensor, chosen.format_of(tensor)) for number, tensor in tensors]


def weight_table(model: Model, weights: str | None = None) -> Table:
    """The mix of a file: each kind of tensor, the format it is stored in, how many, their bytes.

    Parameters
    ----------
    model, weights
        As in `weight_bytes`, whose bytes these are in all.

    Returns
    -------
    Table
        From the most bytes to the least.

    Raises
    ------
    InvalidInput, UnknownName
        As `weight_bytes` does.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> weight_table(load_model("Llama-3.2-1B"), "Q4_K_M").rows[:3]
    (('token_embd', 'Q6_K', 1, 215470080), ('ffn_gate', 'Q4_K', 16, 150994944), ('ffn_up', 'Q4_K', 16, 150994944))
    """
    count: Counter[tuple[str, str]] = Counter()
    size: Counter[tuple[str, str]] = Counter()
    for _, tensor, name in stored_tensors(model, weights):
        kind = tensor.name.removesuffix(".weight"), name
        count[kind] += 1
        size[kind] += stored_bytes(tensor, name)
    return table({"tensor": tensor, "format": name, "how many": count[tensor, name], "bytes": total}
                 for (tensor, name), total in size.most_common())


def stored_bytes(tensor: Tensor, format_name: str) -> int:
    """Bytes of a tensor in a format.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> stored_bytes(load_model("Llama-3.1-8B").embedding, "Q8_0")
    558170112
    """
    return _bytes_of(tensor.shape, format_name)


@lru_cache(maxsize=8192)  # a file has many tensors of few shapes
def _bytes_of(shape: tuple[int, ...], format_name: str) -> int:
    return load_format(format_name).tensor_bytes(shape)


def loaded_tensors(model: Model, weights: str | None) -> list[tuple[int | None, Tensor, str]]:
    """The tensors that an engine loads: those of `stored_tensors`, no predictor of further tokens.

    What a file holds beyond its layers (MTP) engines load only if asked to (llama.cpp: load_mtp).
    """
    return [entry for entry in stored_tensors(model, weights)
            if entry[0] is None or entry[0] < len(model.layers)]


@lru_cache(maxsize=8192)  # searches and sweeps ask for the same weights again
def weights_term(model: Model, weights: str | None, placed: Placement, place: int) -> Term:
    """The weights that lie on a device, or in RAM.

    llama.cpp and ExLlama look the input embedding up in RAM. A tied one is llama.cpp's output
    layer as well: it lies on the device, and a second time in RAM. What runs other formats
    (transformers, vLLM, MLX) keeps every tensor on the device, and nothing in RAM.

    References
    ----------
    exllamav2==0.3.2: exllamav2/model.py (embed_cpu); exllamav3==1.6.5: modules/embedding.py
    (prefer_cpu).
    """
    sizes = bytes_at(model, weights, placed, place)
    if not sizes:
        return product("weights", Factor(0, "bytes"))
    parts = [product(f"in {name}", Factor(size, "bytes")) for name, size in sizes.most_common()]
    return sum_of("weights", *parts)


def bytes_at(model: Model, weights: str | None, placed: Placement, place: int) -> Counter[str]:
    """Bytes of the weights that lie on a device, or in RAM, by the format that they are stored in.

    >>> from llmsizing import load_model
    >>> from llmsizing.memory.placement import placement
    >>> from llmsizing.memory.settings import Settings
    >>> model = load_model("Llama-3.1-8B")
    >>> placed = placement(model, Settings(), layout_of(model, "Q4_K_M"))
    >>> dict(bytes_at(model, "Q4_K_M", placed, 0))
    {'Q6_K': 1256693760, 'F32': 1064960, 'Q4_K': 3359637504}
    """
    return bytes_by_place(model, weights, placed)[place]


def bytes_by_place(model: Model, weights: str | None, placed: Placement) -> dict[int, Counter[str]]:
    """The same for every place at once: a device's number, or RAM."""
    sizes: dict[int, Counter[str]] = defaultdict(Counter)
    twice = (placed.tables == placed.output and layout_of(model, weights).tables_in_ram
             and model.model_type in OUTPUT_FIRST)
    is_output = table_is_output(model, weights)
    for number, tensor, name, times in different_tensors(model, weights, placed):
        tied = is_output and tensor.role == "embedding"
        for place in placed.places_of(number, tensor, serves_as_output=tied):
            sizes[place][name] += (2 if tied and twice else 1) * times * stored_bytes(tensor, name)
    return sizes


def different_tensors(model: Model, weights: str | None,
                      placed: Placement) -> Iterable[tuple[int | None, Tensor, str, int]]:
    """Those of `loaded_tensors`, and how many are so: where all layers lie together, equal ones once."""
    chosen = None if weights is None else file_type_or_format(weights)
    if placed.is_whole and isinstance(chosen, FileType):
        return ((0, *counted) for counted in type_counts(model, chosen))
    return _each_once(model, weights)


@lru_cache(maxsize=64)  # a search for a placement asks for the same tensors again
def _each_once(model: Model, weights: str | None) -> tuple[tuple[int | None, Tensor, str, int], ...]:
    return tuple((*entry, 1) for entry in loaded_tensors(model, weights))


def table_is_output(model: Model, weights: str | None) -> bool:
    """Whether the input embedding is the output layer: tied, and not stored a second time."""
    return model.tie_word_embeddings and not layout_of(model, weights).has_own_output


def titled(weights: str | None) -> str:
    """What a title says of the weights, after the model's name.

    >>> titled("Q4_K_M"), titled(None)
    ('at Q4_K_M', 'as in its file')
    """
    return "as in its file" if weights is None else f"at {weights}"


def _in_file(model: Model) -> tuple[tuple[int | None, Tensor, str], ...]:
    """The tensors of the model's file, or a word that it was read from none."""
    if not model.stored:
        raise InvalidInput(f"{model.name} was read from no file of weights: name a file type or format,"
                           ' such as weights="Q4_K_M".')
    return model.stored


def layout_of(model: Model, weights: str | None) -> Format:
    """The format that most of the weights are stored in; it says where its engine keeps tables."""
    if weights is None:
        expect_model(model)
        _in_file(model)
        return load_format("F16" if model.file_format == "GGUF" else "FP8")
    chosen = file_type_or_format(weights)
    return chosen if isinstance(chosen, Format) else load_format(chosen.base)
