"""quality_loss: what rounding costs a model, as far as anybody has measured it."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from llmsizing.architecture import Model, expect_model
from llmsizing.catalog import models
from llmsizing.errors import UnknownName, expect
from llmsizing.quality.measurements import Measurement, quality_rows, relative
from llmsizing.quantization import FileType, Format, load_file_type, load_format
from llmsizing.units import BILLION

ORIGINALS = ("F32", "F16", "BF16")  #: what the others are compared with
FARTHEST = 8  #: evidence from a model that is more than so many times larger or smaller tells nothing
NO_DATA = "no data"
Range = tuple[float, float, float]
Measured = dict[str, list[tuple[Measurement, float]]]

_KLD, _TOP, _PPL = "KL divergence", "same top token", "perplexity"


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What a model loses by being quantized, as measured on it or on others.

    Make one with `quality_loss`.

    Parameters
    ----------
    model, weights : str
        What was asked about.
    kld : (float, float, float) or None
        Mean KL divergence from the original, in nats: least, middle and most of what was
        measured. None where there is no data, as below.
    same_top : (float, float, float) or None
        Share of the tokens of a text at which the likeliest next token stayed the same, 0 to 1.
    ppl_ratio : (float, float, float) or None
        Perplexity over that of the original: 1.03 is 3 % more.
    rows : tuple of Measurement
        What it rests on.
    distance : str
        How far this model is from what was measured.
    """

    model: str
    weights: str
    kld: Range | None = None
    same_top: Range | None = None
    ppl_ratio: Range | None = None
    rows: tuple[Measurement, ...] = ()
    distance: str

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return any((self.kld, self.same_top, self.ppl_ratio))

    @property
    def summary(self) -> str:
        """It in a few words, for a panel or a table."""
        if not self.known:
            return NO_DATA
        if not self.rows:
            return "none: the original"
        told = [f"KLD {_two_digits(self.kld)}" if self.kld else "",
                f"same top token {_percents(self.same_top)}" if self.same_top else ""]
        if not self.kld and self.ppl_ratio:
            told.append(f"perplexity {_more(self.ppl_ratio)}")
        return ", ".join(filter(None, told))

    @property
    def evidence(self) -> str:
        """Models, texts and sources that it rests on."""
        seen = dict.fromkeys((_who(row), row.corpus, row.source) for row in self.rows)
        return "; ".join(f"{who}, text: {corpus} ({source})" for who, corpus, source in seen)

    def __str__(self) -> str:
        lines = [f"{self.model} at {self.weights}: {self.summary}", f"Distance: {self.distance}."]
        return "\n".join([*lines, f"Evidence: {self.evidence}."] if self.rows else lines)


def quality_loss(model: Model, weights: str) -> Loss:
    """What a quantization costs a model, from what others measured, or that nobody did.

    Measurements on the model itself come first, then those on a model of the same shape, then
    those on models of an eighth to eight times its size. In the last case the range is what
    these models lost: nobody knows where in it, or whether in it, this one lies. Where the range
    has one number, one model was measured. There is no extrapolation and no formula.

    Parameters
    ----------
    model : Model
        From `load_model`, `read_config` or another reader.
    weights : str
        A file type of llama.cpp ("Q4_K_M"; with " imatrix", only what was measured with an
        importance matrix counts, where there is some) or a format ("NVFP4", "AWQ 4-bit g128").

    Returns
    -------
    Loss

    Raises
    ------
    InvalidInput
        If the model is none, or the weights are no text.
    UnknownName
        If there is no such file type or format.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> loss = quality_loss(load_model("Llama-3-8B"), "Q4_K_M")
    >>> loss.summary
    'KLD 0.028 to 0.031, same top token 92 %'
    >>> loss.distance
    'measured on this model, in its base version, on English Wikitext'
    >>> quality_loss(load_model("Qwen3-235B-A22B"), "Q3_K_L").summary
    'perplexity 17 % more'
    >>> quality_loss(load_model("gpt-oss-20b"), "Q4_K_M").summary
    'no data'

    References
    ----------
    quality.csv names the source of each row.
    """
    expect_model(model)
    expect("weights", weights, str, "a file type or format such as Q4_K_M")
    chosen = _chosen(weights)
    if chosen.name in ORIGINALS:
        same = (1.0, 1.0, 1.0)
        return Loss(model=model.name, weights=weights, kld=(0.0, 0.0, 0.0), same_top=same, ppl_ratio=same,
                    distance="16 bits or more are what the others are compared with")
    found, nearness = _nearest_rows(model, _measured(chosen))
    used = dict.fromkeys(row for rows in found.values() for row, _ in rows)
    english = ", on English Wikitext" if used and all("Wikitext" in row.corpus for row in used) else ""
    return Loss(model=model.name, weights=weights, kld=_range(found[_KLD]), same_top=_range(found[_TOP]),
                ppl_ratio=_range(found[_PPL]), rows=tuple(used),
                distance=_distance(model, chosen, found, nearness) + english)


def _chosen(weights: str) -> FileType | Format:
    try:
        return load_file_type(weights)
    except UnknownName as no_file_type:
        try:
            return load_format(weights)
        except UnknownName:
            raise no_file_type from None


@lru_cache(maxsize=256)
def _measured(chosen: FileType | Format) -> Measured:
    """All that was measured of a method, as numbers of three kinds."""
    names = (chosen.name, re.sub(r" (g\d+|row|per \w+|block \d+|safetensors)$", "", chosen.name))
    rows = [row for row in quality_rows(quantized="weights") if row.method in names]
    with_imatrix = [row for row in rows if row.imatrix not in ("", "no")]
    if getattr(chosen, "imatrix", False) and with_imatrix:
        rows = with_imatrix
    kinds: Measured = {_KLD: [], _TOP: [], _PPL: []}
    for row in rows:
        kind, number = _as_number(row)
        if kind:
            kinds[kind].append((row, number))
    return kinds


def _as_number(row: Measurement) -> tuple[str, float]:
    """What a row says, as one of the three kinds, or nothing."""
    if row.metric == "KLD":
        return _KLD, row.number
    if row.metric == "same top":
        return _TOP, row.number / 100
    if row.metric == "top token differs":
        return _TOP, 1 - row.number
    if row.metric == "PPL ratio":
        return _PPL, row.number
    if row.metric == "ln PPL ratio":
        return _PPL, math.exp(row.number)
    original = relative(row) if row.metric == "PPL" else None
    return (_PPL, row.number / original.number) if original else ("", 0.0)


def _nearest_rows(model: Model, measured: Measured) -> tuple[Measured, str]:
    """The rows that say most of a model, and how near they are: "own", "twin", "others" or "".

    All three kinds come from rows that are equally near, and tokens that stay the same from the
    models whose divergence is known, so that no line joins numbers of different models unsaid.
    """
    twins = _of_the_same_shape(model.parameters)
    size = model.parameters / BILLION
    tests = {"own": lambda row: row.model == model.name}
    if not _made_for_four_bits(model):
        tests["twin"] = lambda row: row.model in twins
        tests["others"] = lambda row: size / FARTHEST <= row.billions <= size * FARTHEST
    for nearness, holds in tests.items():
        found = {kind: [pair for pair in rows if holds(pair[0])] for kind, rows in measured.items()}
        if any(found.values()):
            diverging = {row.model for row, _ in found[_KLD]}
            if diverging:
                found[_TOP] = [pair for pair in found[_TOP] if pair[0].model in diverging]
            return found, nearness
    return {kind: [] for kind in measured}, ""


def _made_for_four_bits(model: Model) -> bool:
    """Whether a model was trained in MXFP4: files of others began with 16 bits."""
    return model.native_type.upper().startswith("MXFP4")


@lru_cache(maxsize=512)
def _of_the_same_shape(parameters: int) -> set[str]:
    return {model.name for model in models() if model.parameters == parameters}


def _range(rows: list[tuple[Measurement, float]]) -> Range | None:
    """Least and most, and the middle of the models, each with its own middle."""
    by_model: dict[str, list[float]] = {}
    for row, number in rows:
        by_model.setdefault(row.model, []).append(number)
    if not by_model:
        return None
    numbers = [number for each in by_model.values() for number in each]
    return min(numbers), median(map(median, by_model.values())), max(numbers)


def _distance(model: Model, chosen: FileType | Format, found: Measured, nearness: str) -> str:
    size = f"{model.parameters / BILLION:.3g}"
    if nearness == "own":
        kinds = {row.kind for rows in found.values() for row, _ in rows}
        version = {"base": ", in its base version", "instruct": "", "not said": ", base or instruct is not said"}
        return "measured on this model" + (version[kinds.pop()] if len(kinds) == 1 else ", base and instruct")
    if nearness == "twin":
        names = dict.fromkeys(row.model for rows in found.values() for row, _ in rows)
        return f"measured on {' and '.join(names)}: the same shape, trained otherwise"
    if nearness == "others":
        told = "; ".join(f"{kind} from {_others(rows)}" for kind, rows in found.items() if rows)
        return f"not measured on it, which has {size} billion parameters: {told}"
    if _made_for_four_bits(model):
        return "nobody measured it, and it was trained in MXFP4: what models of 16 bits lost says nothing of it"
    return f"nobody measured {chosen.name} on a model of an eighth to eight times its {size} billion parameters"


def _others(rows: list[tuple[Measurement, float]]) -> str:
    names = {row.model for row, _ in rows}
    sizes = sorted(float(row.billions) for row, _ in rows)
    if len(names) == 1:
        return f"{names.pop()} alone"
    return f"{len(names)} models of {sizes[0]:g} to {sizes[-1]:g} billion"


def _who(row: Measurement) -> str:
    return f"{row.model} ({row.kind})" if row.kind in ("base", "instruct") else row.model


def _two_digits(span: Range) -> str:
    low, _, high = (f"{number:#.2g}" for number in span)
    return f"about {low}" if low == high else f"{low} to {high}"


def _percents(span: Range) -> str:
    low, _, high = (f"{100 * number:.0f}" for number in span)
    return f"{low} %" if low == high else f"{low} to {high} %"


def _more(span: Range) -> str:
    low, _, high = (f"{100 * (number - 1):.2g}" for number in span)
    return f"{low} % more" if low == high else f"{low} to {high} % more"
