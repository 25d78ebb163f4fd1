"""Which measurements say most of a model, and how far they are from it."""

import math
import re
from collections.abc import Callable
from functools import lru_cache

from llmsizing.architecture import Model
from llmsizing.catalog import models
from llmsizing.quality.measurements import Measurement, quality_rows, relative
from llmsizing.quantization import FileType, Format, file_types
from llmsizing.units import BILLION

FARTHEST = 8  #: evidence from a model that is more than so many times larger or smaller tells nothing
MANY = 8  #: file types that a model must have been measured at to be a yardstick
RANKS = ("own", "twin", "others")  #: from near to far
KLD, TOP, PPL = "KL divergence", "same top token", "perplexity"
MEASURES = "KL divergence, same top tokens or perplexity"
Measured = dict[str, list[tuple[Measurement, float]]]


@lru_cache(maxsize=256)
def measured_of(chosen: FileType | Format) -> Measured:
    """All that was measured of a method, as numbers of three kinds."""
    names = (chosen.name, re.sub(r" (g\d+|row|per \w+|block \d+|safetensors)$", "", chosen.name))
    rows = [row for row in quality_rows(quantized="weights") if row.method in names]
    with_imatrix = [row for row in rows if row.imatrix not in ("", "no")]
    if getattr(chosen, "imatrix", False) and with_imatrix:
        rows = with_imatrix
    kinds: Measured = {KLD: [], TOP: [], PPL: []}
    for row in rows:
        kind, number = _as_number(row)
        if kind:
            kinds[kind].append((row, number))
    return kinds


def _as_number(row: Measurement) -> tuple[str, float]:
    """What a row says, as one of the three kinds, or nothing."""
    if row.metric == "KLD":
        return KLD, row.number
    if row.metric == "same top":
        return TOP, row.number / 100
    if row.metric == "top token differs":
        return TOP, 1 - row.number
    if row.metric == "PPL ratio":
        return PPL, row.number
    if row.metric == "ln PPL ratio":
        return PPL, math.exp(row.number)
    original = relative(row) if row.metric == "PPL" else None
    return (PPL, row.number / original.number) if original else ("", 0.0)


def nearest_rows(model: Model, measured: Measured) -> tuple[Measured, str]:
    """The rows that say most of a model, and how near they are: "own", "twin", "others" or "".

    All three kinds come from rows that are equally near, and tokens that stay the same from the
    models whose divergence is known, so that no line joins numbers of different models unsaid.
    """
    tests = _tests(model)
    for nearness, holds in tests.items():
        found = {kind: [pair for pair in rows if holds(pair[0])] for kind, rows in measured.items()}
        if any(found.values()):
            diverging = {row.model for row, _ in found[KLD]}
            if diverging:
                found[TOP] = [pair for pair in found[TOP] if pair[0].model in diverging]
            return found, nearness
    return {kind: [] for kind in measured}, ""


def _tests(model: Model) -> dict[str, Callable[[Measurement], bool]]:
    """What a row must hold to be on this model, on one of its shape, or on one of about its size."""
    twins, size = _of_the_same_shape(model.parameters), model.parameters / BILLION
    tests = {"own": lambda row: row.model == model.name}
    if not made_for_four_bits(model):
        tests["twin"] = lambda row: row.model in twins
        tests["others"] = lambda row: size / FARTHEST <= float(row.billions) <= size * FARTHEST
    return tests


@lru_cache(maxsize=256)
def yardstick(model: Model) -> str | None:
    """The model on which the file types of another are best compared with each other.

    It was measured at eight file types or more, on one text: if possible this model, else one of
    its shape, else one of an eighth to eight times its size; KL divergence before perplexity.

    Parameters
    ----------
    model : Model
        From `load_model` or another reader.

    Returns
    -------
    str or None
        None if there is no such model.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> [yardstick(load_model(name)) for name in ("Qwen3-14B", "Llama-3.3-70B", "Qwen3-0.6B")]
    ['Llama-3-8B', 'Llama-3-70B', None]
    """
    counts: dict[tuple[str, str], set[str]] = {}
    nearness: dict[str, int] = {}
    for entry in file_types():
        for kind, rows in measured_of(entry).items():
            for row, _ in rows:
                if kind != TOP and row.metric in ("KLD", "PPL"):
                    counts.setdefault((row.model, kind), set()).add(entry.name)
                    nearness.setdefault(row.model, _rank(model, row))
    usable = [(nearness[name], kind != KLD, -len(types), name) for (name, kind), types in counts.items()
              if len(types) >= MANY and nearness[name] < len(RANKS)]
    return min(usable)[-1] if usable else None


def _rank(model: Model, row: Measurement) -> int:
    """How near a row is: the place in `RANKS`, or beyond it."""
    tests = _tests(model)
    return next((place for place, name in enumerate(RANKS) if name in tests and tests[name](row)),
                len(RANKS))


def made_for_four_bits(model: Model) -> bool:
    """Whether a model was trained in MXFP4: files of others began with 16 bits."""
    return model.native_type.upper().startswith("MXFP4")


@lru_cache(maxsize=512)
def _of_the_same_shape(parameters: int) -> set[str]:
    return {model.name for model in models() if model.parameters == parameters}


def distance_text(model: Model, chosen: FileType | Format, found: Measured, nearness: str) -> str:
    """How far a model is from what was measured, in words."""
    size = f"{model.parameters / BILLION:.3g}"
    if nearness == "own":
        kinds = {row.kind for rows in found.values() for row, _ in rows}
        version = {"base": ", in its base version", "instruct": "",
                   "not said": ", base or instruct is not said"}
        return "measured on this model" + (version[kinds.pop()] if len(kinds) == 1 else ", base and instruct")
    if nearness == "twin":
        names = dict.fromkeys(row.model for rows in found.values() for row, _ in rows)
        return f"measured on {' and '.join(names)}: the same shape, trained otherwise"
    if nearness == "others":
        kinds = {kind: _others(rows) for kind, rows in found.items() if rows}
        told = "; ".join(f"{kind} from {others}" for kind, others in kinds.items())
        measured = told if len(set(kinds.values())) > 1 else f"measured on {next(iter(kinds.values()))}"
        return f"not measured on it, which has {size} billion parameters: {measured}"
    if made_for_four_bits(model):
        return ("nobody measured it, and it was trained in MXFP4: what models of 16 bits lost says nothing"
                " of it")
    return (f"nobody measured {MEASURES} of {chosen.name} on a model of an eighth to eight times its {size}"
            " billion parameters")


def _others(rows: list[tuple[Measurement, float]]) -> str:
    names = {row.model for row, _ in rows}
    sizes = sorted(float(row.billions) for row, _ in rows)
    if len(names) == 1:
        return f"{names.pop()} alone"
    return f"{len(names)} models of {sizes[0]:g} to {sizes[-1]:g} billion"
