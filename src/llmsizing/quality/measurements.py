"""What others measured: quality.csv as frozen records, and which of them may be compared."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache

from llmsizing.catalog import models
from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput, nearest
from llmsizing.units import GIB

ORIGINALS = ("F32", "F16", "BF16")  #: what the others are compared with
KINDS = ("base", "instruct", "not said")
QUANTIZED = ("weights", "KV cache")
ROTATED = ("yes", "no", "")
COUNTED = ("file", "without the embedding", "")
#: What is measured: the least and the most that is plausible, and its unit. More is better in percent.
DIVERGENCES = {"KLD": (0, 20, "nats"), "median KLD": (0, 20, "nats"),
               "KLD of the 40 likeliest": (0, 20, "nats")}
SURPRISES = {"PPL": (1, 1000, ""), "PPL ratio": ("0.5", 100, ""), "ln PPL ratio": ("-0.5", 5, "")}
AGREEMENTS = {"same top": (0, 100, "%"), "top token differs": (0, 1, ""), "RMS Δp": (0, 100, "%")}
TASKS = ("ARC-Challenge", "C-Eval", "GPQA Diamond", "GSM8K", "HumanEval", "IFEval", "MATH-500", "MMLU",
         "MMLU STEM", "MMLU humanities", "MMLU-Pro")
METRICS = {**DIVERGENCES, **SURPRISES, **AGREEMENTS, **dict.fromkeys(TASKS, (0, 100, "%"))}


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number that somebody measured on one quantized model, with all that it depends on.

    Parameters
    ----------
    model : str
        A name of models.csv where it has one, without "Base" or "Instruct".
    billions : Fraction
        Its parameters, as its name gives them.
    kind : str
        "base", "instruct", or "not said".
    quantized : str
        "weights" or "KV cache": what was rounded.
    method : str
        A file type of llama.cpp ("Q4_K_M"), a format ("NF4"), or a description.
    imatrix : str
        Whether with an importance matrix, and of what text; empty if not said.
    rotated : str
        Of a KV cache: "yes" if keys (and values) were rotated before they were rounded.
    bits_per_weight : Fraction or None
        As printed there.
    size_gib : Fraction or None
        As printed there; ``size_counts`` says of what.
    metric, value, uncertainty : str
        Digits as printed. What follows ± is one standard error; an interval says of how much.
    corpus, context_tokens, reference : str, int or None, str
        The text or the questions, tokens at a time, and what it is compared with.
    source, source_url, accessed, notes : str
        Where it was read.

    Raises
    ------
    InvalidInput
        For a value that cannot be.
    """

    model: str
    billions: Fraction
    kind: str
    quantized: str
    method: str
    imatrix: str = ""
    rotated: str = ""
    bits_per_weight: Fraction | None = None
    size_gib: Fraction | None = None
    size_counts: str = ""
    metric: str
    value: str
    uncertainty: str = ""
    corpus: str
    context_tokens: int | None = None
    reference: str = ""
    source: str
    source_url: str
    accessed: str
    notes: str = ""

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("quantized", self.quantized, QUANTIZED)
        _one_of("rotated", self.rotated, ROTATED)
        _one_of("size_counts", self.size_counts, COUNTED)
        if self.metric not in METRICS:
            raise InvalidInput(str(nearest("metric", self.metric, METRICS)))
        low, high, unit = METRICS[self.metric]
        try:
            plausible = Fraction(low) <= Fraction(self.value) <= high
        except (ValueError, ZeroDivisionError):
            plausible = False
        if not plausible:
            raise InvalidInput(f"{self.metric} is {self.value!r}, and lies between {low} and"
                               f" {' '.join(filter(None, (str(high), unit)))}.")
        if (self.size_gib is None) != (not self.size_counts):
            raise InvalidInput("size_gib and size_counts go together.")
        if self.rotated and self.quantized != "KV cache":
            raise InvalidInput("only a KV cache is rotated.")

    @property
    def number(self) -> float:
        """The value as a number."""
        return float(self.value)

    @property
    def scale(self) -> tuple[str, ...]:
        """Model, metric, text and source, which two numbers must share to be compared."""
        return (self.model, self.kind, self.metric, self.corpus, str(self.context_tokens), self.source)

    @property
    def bits(self) -> float | None:
        """Bits per weight as printed, or from a file's printed size and the model's parameters."""
        if self.bits_per_weight:
            return float(self.bits_per_weight)
        parameters = _parameters().get(self.model)
        if self.size_counts != "file" or not parameters:
            return None
        return float(self.size_gib * GIB * 8 / parameters)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidInput(f"{name} is {value!r}: it is {' or '.join(repr(one) for one in known)}.")


@cache
def _parameters() -> dict[str, int]:
    return {model.name: model.parameters for model in models()}


@cache
def _all_rows() -> tuple[Measurement, ...]:
    return read_table(DATA / "quality.csv", Measurement,
                      key=("model", "kind", "quantized", "method", "imatrix", "rotated", "metric",
                           "corpus", "context_tokens", "source", "notes"))


def quality_rows(**where: object) -> list[Measurement]:
    """Measurements of quality, all of them or those that have given values.

    Parameters
    ----------
    **where
        A field of `Measurement` and the value that it must have: ``model="Llama-3-8B"``,
        ``metric="KLD"``, ``quantized="KV cache"``.

    Returns
    -------
    list of Measurement
        In the order of quality.csv; empty if there is none.

    Raises
    ------
    UnknownName
        If there is no such field.

    Examples
    --------
    >>> row, = quality_rows(model="Llama-3-8B", method="Q4_K_M", metric="KLD", imatrix="no")
    >>> row.kind, row.value, row.corpus
    ('base', '0.031273', 'Wikitext-2 test')

    References
    ----------
    Each row names its source.
    """
    known = [field.name for field in fields(Measurement)]
    for name in where:
        if name not in known:
            raise nearest("column of quality.csv", name, known)
    return [row for row in _all_rows()
            if all(getattr(row, name) == value for name, value in where.items())]


def one_scale(rows: Iterable[Measurement]) -> list[Measurement]:
    """Refuse to put numbers side by side that may not be compared.

    Parameters
    ----------
    rows : iterable of Measurement
        At least one.

    Returns
    -------
    list of Measurement
        The same, if model, kind, metric, text, context and source agree.

    Raises
    ------
    InvalidInput
        With what differs.

    Examples
    --------
    >>> rows = quality_rows(metric="PPL", method="Q4_K_M", corpus="Wikitext-2 test")
    >>> one_scale(rows)
    Traceback (most recent call last):
    llmsizing.errors.InvalidInput: These numbers may not be compared: model differs (Llama-3-8B, ...
    """
    rows = list(rows)
    if not rows:
        raise InvalidInput("There is nothing to compare: no such row.")
    names = ("model", "kind", "metric", "corpus", "context_tokens", "source")
    for name, values in zip(names, zip(*(row.scale for row in rows), strict=True), strict=True):
        if len(set(values)) > 1:
            shown = ", ".join(dict.fromkeys(values))
            raise InvalidInput(f"These numbers may not be compared: {name} differs ({shown}).")
    return rows


def relative(row: Measurement) -> Measurement | None:
    """The unquantized measurement that a row may be divided by, if its source has one.

    It is the row on the same scale that has the most bits: F32, F16 or BF16, or the KV cache in
    16 bits.

    Parameters
    ----------
    row : Measurement
        Of any method.

    Returns
    -------
    Measurement or None

    Examples
    --------
    >>> row, = quality_rows(model="Llama-3-70B", method="Q4_K_M", metric="PPL")
    >>> relative(row).method, row.number / relative(row).number > 1.04
    ('F16', True)
    """
    originals = (*ORIGINALS, "QAT BF16", "keys f16, values f16", "keys bf16, values bf16")
    same = [other for other in _all_rows()
            if other.scale == row.scale and other.quantized == row.quantized
            and other.method in originals and _trained_alike(row, other)]
    return same[0] if same else None


def _trained_alike(row: Measurement, other: Measurement) -> bool:
    """Training for rounding (QAT) makes another model: its files belong to its own original."""
    return row.method.startswith("QAT") == other.method.startswith("QAT")
