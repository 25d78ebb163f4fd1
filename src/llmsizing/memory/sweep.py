"""sweep: the totals of many budgets at once, without their working."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from llmsizing.architecture import Model
from llmsizing.engines import load_engine
from llmsizing.memory.budget import vram_budget
from llmsizing.memory.placement import placement
from llmsizing.memory.settings import ALL, LLAMA_CPP, Settings, settings_of
from llmsizing.memory.weights import layout_of, weights_term


@dataclass(frozen=True, slots=True)
class Total:
    """The usual total of one budget, in bytes."""

    model: Model
    weights: str
    context_tokens: int
    bytes: int


def sweep(models: Iterable[Model], *, weights: Iterable[str], context_tokens: Iterable[int],
          **settings: Any) -> Iterator[Total]:
    """Size every model at every file type and context.

    On one device what does not depend on the file type is computed once for each context.

    Parameters
    ----------
    models : iterable of Model
        What to size.
    weights : iterable of str
        File types or formats.
    context_tokens : iterable of int
        Contexts in tokens.
    **settings
        As in `vram_budget`.

    Yields
    ------
    Total
        Model by model, file type by file type, context by context: what `vram_budget` says.

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> for total in sweep([load_model("Llama-3.1-8B")], weights=["Q4_K_M"], context_tokens=[2048]):
    ...     print(total.bytes == vram_budget(total.model, weights="Q4_K_M", context_tokens=2048).total_bytes)
    True
    """
    names, contexts, given = list(weights), list(context_tokens), settings_of(settings)
    for model in models:
        rest: dict[int, Fraction] = {}
        for name in names:
            for tokens in contexts:
                if tokens not in rest or not _same_beside(given):
                    budget = vram_budget(model, weights=name, context_tokens=tokens, **settings)
                    rest[tokens] = budget.total.usual - budget["weights"].usual
                    size = budget["weights"].usual
                else:
                    placed = placement(model, given, layout_of(model, name))
                    size = weights_term(model, name, placed, 0).usual
                yield Total(model, name, tokens, math.ceil(size + rest[tokens]))


def _same_beside(given: Settings) -> bool:
    """Whether what lies beside the weights is the same for every file type."""
    return (load_engine(given.engine).family == LLAMA_CPP and given.device_count == 1
            and given.offload == ALL and given.experts_on_cpu == 0)
