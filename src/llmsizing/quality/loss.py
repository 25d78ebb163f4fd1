"""quality_loss: what rounding costs a model, as far as anybody has measured it."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from llmsizing.architecture import Model, expect_model
from llmsizing.errors import nearest
from llmsizing.quality.measurements import ORIGINALS, Measurement, quality_rows
from llmsizing.quality.nearness import (
    KLD,
    PPL,
    TOP,
    distance_text,
    made_for_four_bits,
    measured_of,
    nearest_rows,
)
from llmsizing.quantization import file_type_or_format

AS_TRAINED = "MXFP4_MOE"  #: the file type that keeps the experts of a model trained in MXFP4
NO_DATA = "no data"
Range = tuple[float, float, float]


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


def quality_loss(model: Model, weights: str, *, measured_on: str | None = None) -> Loss:
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
    measured_on : str, optional
        A model of quality.csv: only what was measured on it counts. Use it to compare file types
        with each other, as ranges of different models cannot be compared. See `yardstick`.

    Returns
    -------
    Loss

    Raises
    ------
    InvalidInput
        If the model is none, or the weights are no text.
    UnknownName
        If there is no such file type or format, or nothing was measured on a model of that name.

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
    chosen = file_type_or_format(weights)
    if chosen.name in ORIGINALS:
        same = (1.0, 1.0, 1.0)
        return Loss(model=model.name, weights=weights, kld=(0.0, 0.0, 0.0), same_top=same, ppl_ratio=same,
                    distance="16 bits or more are what the others are compared with")
    if made_for_four_bits(model) and chosen.name == AS_TRAINED:
        return Loss(model=model.name, weights=weights, distance=(
            "its experts stay as they were trained; what Q8_0 costs the rest, nobody measured"))
    measured = measured_of(chosen)
    if measured_on is not None:
        names = dict.fromkeys(row.model for row in quality_rows(quantized="weights"))
        if measured_on not in names:
            raise nearest("model of quality.csv", measured_on, names)
        measured = {kind: [pair for pair in rows if pair[0].model == measured_on]
                    for kind, rows in measured.items()}
    found, nearness = nearest_rows(model, measured)
    used = dict.fromkeys(row for rows in found.values() for row, _ in rows)
    return Loss(model=model.name, weights=weights, kld=_range(found[KLD]), same_top=_range(found[TOP]),
                ppl_ratio=_range(found[PPL]), rows=tuple(used),
                distance=distance_text(model, chosen, found, nearness) + _text(used))


def _range(rows: list[tuple[Measurement, float]]) -> Range | None:
    """Least and most, and the middle of the models, each with its own middle."""
    by_model: dict[str, list[float]] = {}
    for row, number in rows:
        by_model.setdefault(row.model, []).append(number)
    if not by_model:
        return None
    numbers = [number for each in by_model.values() for number in each]
    return min(numbers), median(map(median, by_model.values())), max(numbers)


def _text(rows: Iterable[Measurement]) -> str:
    """On what text, if that is one sentence's worth."""
    corpora = {row.corpus for row in rows}
    if corpora and all("Wikitext" in corpus for corpus in corpora):
        return ", on English Wikitext"
    return ", on different texts" if len(corpora) > 1 else ""


def _who(row: Measurement) -> str:
    return f"{row.model} ({row.kind})" if row.kind in ("base", "instruct") else row.model


def _two_digits(span: Range) -> str:
    low, _, high = (f"{number:#.2g}" for number in span)
    return f"about {low}" if low == high else f"{low} to {high}"


def _percents(span: Range) -> str:
    low, _, high = (f"{100 * number:.0f}" for number in span)
    return f"{low} %" if low == high else f"{low} to {high} %"


def _more(span: Range) -> str:
    low, _, high = (_plain(100 * (number - 1)) for number in span)
    return f"{low} % more" if low == high else f"{low} to {high} % more"


def _plain(percent: float) -> str:
    """Two digits, or all of a whole number."""
    return f"{percent:.0f}" if abs(percent) >= 10 else f"{percent:.2g}"
