"""type_counts: which block types a file type stores, and how often, without listing each tensor."""

from collections import Counter
from functools import lru_cache

from llmsizing.architecture import Model, Tensor
from llmsizing.quantization.file_types import FileType
from llmsizing.quantization.tensor_types import (
    OF_ALL,
    TINY,
    UNQUANTIZED,
    WHEN,
    Place,
    in_order,
    kept_type,
    mix_of,
    picked_type,
)

#: A place that stands for all at which the same condition holds first, and how many these are.
Alike = tuple[tuple[Place, int], ...]


def type_counts(model: Model, file_type: FileType) -> list[tuple[Tensor, str, int]]:
    """How often each different tensor of a model gets each block type.

    The same as counting what `tensor_types` lists, many times as quick: a tensor's type depends on
    its place only through the first condition that holds there, and few conditions exist.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    file_type : FileType
        From `load_file_type`.

    Returns
    -------
    list of (Tensor, str, int)
        Tensor, block type, and how many of the model's tensors are that.

    Examples
    --------
    >>> from llmsizing import load_file_type, load_model
    >>> counts = type_counts(load_model("Llama-3.1-8B"), load_file_type("Q4_K_M"))
    >>> [(block, times) for tensor, block, times in counts if tensor.name == "attn_v.weight"]
    [('Q6_K', 16), ('Q4_K', 16)]
    """
    mix, by_layer = mix_of(file_type), file_type.name not in TINY
    counts = []
    base = file_type.base if file_type.base in UNQUANTIZED else ""
    for which, (tensor, kind, kept) in enumerate(_different(model, base)):
        conditions = () if kept else tuple(mix.get(kind, {}))
        for place, times in _places(model, which, conditions, by_layer):
            block = kept or picked_type(model, file_type, mix, tensor, kind, place)
            counts.append((tensor, block, times))
    return counts


@lru_cache(maxsize=1024)
def _different(model: Model, base: str = "") -> tuple[tuple[Tensor, str, str], ...]:
    """Each different tensor once, with its kind, and its type if it is not quantized."""
    once = {which: (tensor, kind) for _, tensor, kind, which in in_order(model)[0]}
    return tuple((tensor, kind, kept_type(tensor, base)) for tensor, kind in once.values())


@lru_cache(maxsize=256)
def _numbers(model: Model) -> tuple[tuple[tuple[int | None, int], ...], ...]:
    """For each different tensor where it occurs: layer, and number among the tensors of its kind."""
    seen: Counter[str] = Counter()
    found: dict[int, list[tuple[int | None, int]]] = {}
    for layer, _, kind, which in in_order(model)[0]:
        found.setdefault(which, []).append((layer, seen[kind]))
        seen[kind] += 1
    return tuple(map(tuple, found.values()))


@lru_cache(maxsize=8192)
def _places(model: Model, which: int, conditions: tuple[str, ...], by_layer: bool) -> Alike:
    """A place for each of the conditions, and for none, that comes first for an occurrence."""
    facts = in_order(model)[1]
    kind = _different(model)[which][1]
    total = facts.totals.get(kind, len(model.layers))
    counted = by_layer and facts.experts > 1 and kind.startswith("ffn")
    occurrences = _numbers(model)[which]
    if not any(when not in OF_ALL for when in conditions):
        return ((Place(0, total, facts.group, facts.experts), len(occurrences)),)
    stands_for: dict[str, tuple[Place, int]] = {}
    for layer, number in occurrences:
        place = Place(layer if counted else number, total, facts.group, facts.experts)
        first = next((when for when in conditions if WHEN[when](place)), "")
        stands_for[first] = place, stands_for.get(first, (place, 0))[1] + 1
    return tuple(stands_for.values())
