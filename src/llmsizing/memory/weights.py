"""Bytes of a model's weights, tensor by tensor."""

from collections import Counter
from functools import lru_cache

from llmsizing.architecture import Model, Tensor
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.errors import InvalidInput, UnknownName, nearest
from llmsizing.quantization import (
    Format,
    file_types,
    formats,
    load_file_type,
    load_format,
    tensor_types,
)

#: Tables that are looked up, not multiplied: llama.cpp leaves them in RAM.
LOOKED_UP = ("embedding", "per-layer embedding")

#: Which roles each kind of format quantizes.
QUANTIZED = {
    "linear layers": ("attention", "state space", "feed-forward", "shared expert", "experts"),
    "linear layers, no experts": ("attention", "state space", "feed-forward", "shared expert"),
    "experts": ("experts",),
}


def weight_bytes(model: Model, weights: str) -> int:
    """Bytes of a model's tensors in a file, without the file's metadata.

    In words: each tensor's weights times the bits that its format takes, over eight. A file type
    of llama.cpp gives each tensor its own format; other formats leave some tensors in 16 bits.

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

    Examples
    --------
    >>> from llmsizing import load_model
    >>> number, tensor, name = stored_tensors(load_model("Llama-3.1-8B"), "Q4_K_M")[0]
    >>> number, tensor.name, name
    (None, 'output.weight', 'Q6_K')
    """
    _check_is_name(weights)
    try:
        file_type = load_file_type(weights)
    except UnknownName:
        chosen = _format(weights)
        return [(number, tensor, _name(chosen, tensor)) for number, tensor in model.tensors()]
    return tensor_types(model, file_type)


def stored_bytes(tensor: Tensor, format_name: str) -> int:
    """Bytes of a tensor in a format."""
    return load_format(format_name).tensor_bytes(tensor.shape)


def weights_term(model: Model, weights: str, *, on_device: bool) -> Term:
    """The weights that lie on a device, or those that stay in RAM beside it.

    llama.cpp looks the input embedding up in RAM. A tied one is the output layer as well: it lies
    on the device, and a second time in RAM.
    """
    _check_is_name(weights)
    return _weights_term(model, weights, on_device)


@lru_cache(maxsize=512)  # a search for the longest context asks for the same weights again
def _weights_term(model: Model, weights: str, on_device: bool) -> Term:
    keeps = _on_device if on_device else _in_ram
    sizes: Counter[str] = Counter()
    for _, tensor, name in stored_tensors(model, weights):
        if keeps(model, tensor):
            sizes[name] += stored_bytes(tensor, name)
    parts = [product(f"in {name}", Factor(size, "bytes")) for name, size in sizes.most_common()]
    return sum_of("weights", *parts)


def _check_is_name(weights: object) -> None:
    if not isinstance(weights, str):
        raise InvalidInput(f"weights must be the name of a file type or format, not {weights!r}.")


def _on_device(model: Model, tensor: Tensor) -> bool:
    looked_up = LOOKED_UP[1:] if model.tie_word_embeddings else LOOKED_UP
    return tensor.role not in looked_up


def _in_ram(model: Model, tensor: Tensor) -> bool:
    return tensor.role in LOOKED_UP


def _format(weights: str) -> Format:
    try:
        return load_format(weights)
    except UnknownName:
        known = [entry.name for entry in file_types()] + [entry.name for entry in formats()]
        raise nearest("file type or format", weights, known) from None


def _name(chosen: Format, tensor: Tensor) -> str:
    """The format of one tensor where all matrices are to be of one format."""
    roles = QUANTIZED.get(chosen.quantizes)
    plain = not tensor.is_matrix or tensor.role in ("router", "norm", "buffer")
    if plain or (roles is not None and tensor.role not in roles):
        return "F32" if chosen.family.startswith("GGUF") else "BF16"
    return chosen.name
