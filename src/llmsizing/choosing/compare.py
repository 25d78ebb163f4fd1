"""compare_quantizations: every file type of a model on a device, and which one to take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

from llmsizing.architecture import Model, expect_model
from llmsizing.breakdown.text import spare_text
from llmsizing.catalog import Device
from llmsizing.choosing.price import speed_of, speed_range
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput, expect, nearest, shown
from llmsizing.memory import Headroom, room_for, weight_bytes
from llmsizing.memory.fit import FITS, TERNARY, TOO_LARGE, devices_of
from llmsizing.memory.settings import LLAMA_CPP
from llmsizing.quality import Loss, quality_loss, yardstick
from llmsizing.quality.loss import AS_TRAINED
from llmsizing.quality.nearness import made_for_four_bits
from llmsizing.quantization import file_types, load_file_type
from llmsizing.speed import Speed
from llmsizing.tables import Table, table
from llmsizing.units import GIB

#: File types that hardly anybody would take: no better than BF16, or made for other models.
LEFT_OUT = ("F32", "F16", *TERNARY)
FEW_BITS = 3.5  #: below, every model that was measured lost much
FAITHFUL_BITS = 8.6  #: more bits than Q8_0 has change no answer that anybody measured
FOUR_BITS = "Q4_K_M"


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """One file type of a model on a device.

    Parameters
    ----------
    weights : str
        The file type.
    bytes : int
        All tensors of the file.
    bits_per_weight : float
        Its bytes as bits, over the model's parameters.
    headroom : Headroom
        What the device has left at the context, in bytes; its ``verdict`` says whether it fits.
    loss : Loss
        What it costs in answers, with its evidence and how far that is from this model. Ranges of
        two candidates may rest on different models: do not compare them.
    on_yardstick : Loss
        What it cost the one model on which the candidates are compared.
    speed : Speed or None
        How fast it writes with the context full; None where it does not fit, or nobody can say.
    """

    weights: str
    bytes: int
    bits_per_weight: float
    headroom: Headroom
    loss: Loss
    on_yardstick: Loss
    speed: Speed | None = None

    @property
    def verdict(self) -> str:
        """ "fits", "tight" or "does not fit". """
        return self.headroom.verdict


@dataclass(frozen=True, repr=False)
class Quantizations:
    """File types of a model on a device, from large to small. Make one with `compare_quantizations`.

    It prints as a table with a recommendation, and has one candidate for each file type:
    iterate over it, or ask for ``comparison["Q4_K_M"]``.

    Parameters
    ----------
    model, device : str
        What was asked about.
    context_tokens : int
        At which the room was computed.
    candidates : tuple of Quantized
        From large to small.
    yardstick : str or None
        The model whose losses stand in the table, as `llmsizing.quality.yardstick` finds it.
    as_trained : str
        The file type that keeps what a model was trained in, if that is no 16 bits.
    """

    model: str
    device: str
    context_tokens: int
    candidates: tuple[Quantized, ...]
    yardstick: str | None = None
    as_trained: str = ""

    def __iter__(self) -> Iterator[Quantized]:
        return iter(self.candidates)

    def __len__(self) -> int:
        return len(self.candidates)

    def __getitem__(self, weights: str) -> Quantized:
        for candidate in self.candidates:
            if candidate.weights == weights:
                return candidate
        raise nearest("file type of this comparison", weights, [each.weights for each in self.candidates])

    @property
    def best(self) -> Quantized | None:
        """The file type that is recommended, if one fits.

        It is what the model was trained in, if that is no 16 bits; else, up to Q8_0, the one that
        fits and changed the yardstick least; else the largest that fits.
        """
        fitting = [each for each in self.candidates if each.verdict == FITS]
        trained = [each for each in fitting if each.weights == self.as_trained]
        enough = [each for each in fitting if each.bits_per_weight <= FAITHFUL_BITS]
        measured = [each for each in enough if self.yardstick and each.on_yardstick.known]
        if measured and not trained:
            return min(measured, key=lambda each: (_lost(each.on_yardstick), each.bytes))
        return max(trained or enough or fitting, key=lambda each: each.bytes, default=None)

    @property
    def recommendation(self) -> str:
        """Which one to take, why, and what is not known of it."""
        best = self.best
        if best is None:
            return (f"None of these fits {self.device} with {self.context_tokens:,} tokens. Take a"
                    " smaller model, or see changes_that_fit.")
        told = [f"Take {best.weights}: {self._why(best)}. {spare_text(best.headroom.usual, 'bytes')} with"
                f" {self.context_tokens:,} tokens.", self._priced(best), *self._smaller(best)]
        if best.bits_per_weight < FEW_BITS:
            told.append(f"It has only {best.bits_per_weight:.1f} bits per weight, where losses grow fast:"
                        " hold it against a model of half the size at 4 bits.")
        return " ".join(told)

    def _why(self, best: Quantized) -> str:
        if best.weights == self.as_trained:
            return "it keeps the model as it was trained"
        if self.yardstick and best.on_yardstick.rows:
            return f"of the file types that fit, it changed {self.yardstick} least"
        return "of the file types that fit, it has most bits"

    def _priced(self, best: Quantized) -> str:
        told = f"What it costs in answers: {best.loss.summary} ({best.loss.distance})."
        limit = " Other languages and code can lose more." if "Wikitext" in best.loss.evidence else ""
        return told + limit

    def _smaller(self, best: Quantized) -> list[str]:
        """What 4 bits would free and cost, where more are recommended; both on one model."""
        found = [each for each in self.candidates if each.weights == FOUR_BITS and each.bytes < best.bytes]
        if not found or not self.yardstick or self.as_trained:
            return []
        freed = (best.bytes - found[0].bytes) / GIB
        return [f"{FOUR_BITS} would free {freed:.2f} GiB for more context. {self.yardstick} lost"
                f" {found[0].on_yardstick.summary} with it, {best.weights} {best.on_yardstick.summary}."]

    def table(self) -> Table:
        """It as a table, without the recommendation."""
        return table({
            "file type": each.weights,
            "file, GiB": each.bytes / GIB,
            "bits": each.bits_per_weight,
            "left, GiB": each.headroom.usual / GIB,
            "verdict": each.verdict,
            f"loss of {self.yardstick}" if self.yardstick else "loss": each.on_yardstick.summary,
            "tokens a second": "" if each.speed is None else speed_range(each.speed),
        } for each in self.candidates)

    def __str__(self) -> str:
        return f"{self._title}\n{self.table()}\n{self.recommendation}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return (f"<p>{escape(self._title)}</p>{self.table()._repr_html_()}"
                f"<p>{escape(self.recommendation)}</p>")

    @property
    def _title(self) -> str:
        return f"{self.model} on {self.device}, {self.context_tokens:,} tokens"


def compare_quantizations(model: Model, device: Device | Sequence[Device], *, context_tokens: int = 8192,
                          weights: Sequence[str] | None = None, **settings: Any) -> Quantizations:
    """Compare a model's file types on a device: size, fit, room at a context, loss and speed.

    Parameters
    ----------
    model : Model
        From `load_model`, `read_config` or another reader.
    device : Device or sequence of Device
        From `load_device`.
    context_tokens : int
        Of all conversations together.
    weights : sequence of str, optional
        File types of llama.cpp to compare; by default all but those of 16 and 32 bits beside BF16
        and those made for other models.
    **settings
        As in `vram_budget`: ``kv_cache``, ``sequences``, ``offload`` and so on.

    Returns
    -------
    Quantizations
        From large to small.

    Raises
    ------
    InvalidInput
        If another engine than llama.cpp is asked for, or no file type is given.
    UnknownName
        With the nearest names.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> compared = compare_quantizations(load_model("Llama-3.1-8B"), load_device("RTX 4060 Laptop"),
    ...                                  weights=["Q8_0", "Q6_K", "Q4_K_M", "Q2_K"])
    >>> compared.best.weights
    'Q6_K'
    >>> compared["Q2_K"].loss.summary
    'KLD 0.33 to 0.45, same top token 71 %'
    """
    expect_model(model)
    if load_engine(settings.get("engine", LLAMA_CPP)).name != LLAMA_CPP:
        raise InvalidInput("compare_quantizations compares llama.cpp's file types: leave engine out.")
    if weights is not None and not isinstance(weights, (list, tuple)):
        raise InvalidInput(f"weights must be a list of file types, not {shown(weights)}: write ['Q8_0', 'Q4_K_M'].")
    names = [load_file_type(name).name for name in weights] if weights is not None else _usual(model)
    if not names:
        raise InvalidInput("weights names no file type: give some, such as ['Q8_0', 'Q4_K_M'].")
    asked = {"context_tokens": context_tokens, **settings}
    devices, measured_on = devices_of(device), yardstick(model)
    for one in devices:
        expect("device", one, Device, "write load_device('RTX 4090')")
    found = map(partial(_candidate, model, devices, asked, measured_on), dict.fromkeys(names))
    return Quantizations(model.name, " + ".join(one.name for one in devices), context_tokens,
                      tuple(sorted(found, key=lambda each: -each.bytes)), measured_on,
                      AS_TRAINED if made_for_four_bits(model) else "")


def _lost(loss: Loss) -> float:
    """What orders file types of one yardstick: divergence where it is known, else perplexity."""
    return (loss.kld or loss.ppl_ratio or (0.0, 0.0, 0.0))[1]


def _usual(model: Model) -> list[str]:
    return [entry.name for entry in file_types()
            if entry.name not in LEFT_OUT and (entry.name != AS_TRAINED or made_for_four_bits(model))]


def _candidate(model: Model, devices: tuple[Device, ...], asked: dict[str, Any],
               measured_on: str | None, weights: str) -> Quantized:
    size = weight_bytes(model, weights)
    left = room_for(model, devices, weights=weights, **asked)
    fast = None if left.verdict == TOO_LARGE else speed_of(model, devices, weights=weights, **asked)
    return Quantized(weights=weights, bytes=size, bits_per_weight=8 * size / model.parameters,
                     headroom=left, loss=quality_loss(model, weights),
                     on_yardstick=quality_loss(model, weights, measured_on=measured_on), speed=fast)
