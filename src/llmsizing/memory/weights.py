"""Bytes of a model's weights, tensor by tensor."""

from collections import Counter
from functools import lru_cache

from llmsizing.architecture import Model, Tensor, expect_model
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.errors import UnknownName, expect, nearest
from llmsizing.memory.placement import Placement, placement
from llmsizing.memory.settings import Settings
from llmsizing.quantization import (
    FileType,
    Format,
    file_types,
    formats,
    load_file_type,
    load_format,
    tensor_types,
)


def weight_bytes(model: Model, weights: str) -> int:
    """Bytes of a model's tensors in a file, without the file's metadata.

    In words: each tensor's weights times the bits that its format takes, over eight. A file type
    of llama.cpp gives each tensor its own format; other formats leave some tensors in 16 bits,
    as each one's ``leaves`` says.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    weights : str
        A llama.cpp file type ("Q4_K_M", "Q8_0", "F16") or a format ("NF4", "AWQ 4-bit g128").

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    InvalidInput
        If the model is none, or the weights no text.
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
    return sum(stored_bytes(tensor, name) for _, tensor, name in stored_tensors(model, weights))


def stored_tensors(model: Model, weights: str) -> list[tuple[int | None, Tensor, str]]:
    """Each tensor of a model, with its layer's number and the format that it is stored in.

    ExLlama's formats store a tied output layer a second time, so it is in the list there.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    weights : str
        A llama.cpp file type ("Q4_K_M") or a format ("NF4").

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
    chosen = _chosen(weights)
    if not isinstance(chosen, Format):
        return tensor_types(model, chosen)
    tensors = list(model.tensors())
    if model.tie_word_embeddings and chosen.has_own_output:
        tensors.append((None, Tensor("output.weight", model.embedding.shape, "output")))
    return [(number, tensor, chosen.format_of(tensor)) for number, tensor in tensors]


def stored_bytes(tensor: Tensor, format_name: str) -> int:
    """Bytes of a tensor in a format.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> stored_bytes(load_model("Llama-3.1-8B").embedding, "Q8_0")
    558170112
    """
    return _bytes_of(tuple(tensor.shape), format_name)


@lru_cache(maxsize=4096)  # a model's layers hold the same few shapes
def _bytes_of(shape: tuple[int, ...], format_name: str) -> int:
    return load_format(format_name).tensor_bytes(shape)


def weights_term(model: Model, weights: str, settings: Settings, place: int) -> Term:
    """The weights that lie on a device, or in RAM.

    llama.cpp and ExLlama look the input embedding up in RAM. A tied one is llama.cpp's output
    layer as well: it lies on the device, and a second time in RAM. What runs other formats
    (transformers, vLLM, MLX) keeps every tensor on the device, and nothing in RAM.

    References
    ----------
    exllamav2==0.3.2: exllamav2/model.py (embed_cpu); exllamav3==1.6.5: modules/embedding.py
    (prefer_cpu).
    """
    return _weights_term(model, weights, placement(model, settings, layout_of(weights)), place)


@lru_cache(maxsize=512)  # a search for the longest context asks for the same weights again
def _weights_term(model: Model, weights: str, placed: Placement, place: int) -> Term:
    serves_as_output = model.tie_word_embeddings and not layout_of(weights).has_own_output
    sizes: Counter[str] = Counter()
    for number, tensor, name in stored_tensors(model, weights):
        tied = serves_as_output and tensor.role == "embedding"
        if place in placed.places_of(number, tensor, serves_as_output=tied):
            sizes[name] += stored_bytes(tensor, name)
    if not sizes:
        return product("weights", Factor(0, "bytes"))
    parts = [product(f"in {name}", Factor(size, "bytes")) for name, size in sizes.most_common()]
    return sum_of("weights", *parts)


def layout_of(weights: str) -> Format:
    """The format that most of the weights are stored in."""
    chosen = _chosen(weights)
    return chosen if isinstance(chosen, Format) else load_format(chosen.base)


def _chosen(weights: str) -> FileType | Format:
    """The file type of that name, or else the format."""
    expect("weights", weights, str, "a file type or format such as Q4_K_M")
    for load in (load_file_type, load_format):
        try:
            return load(weights)
        except UnknownName:
            continue
    known = [entry.name for entry in file_types()] + [entry.name for entry in formats()]
    raise nearest("file type or format", weights, known)
