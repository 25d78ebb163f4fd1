"""compare_quantizations: every file type of a model on a device, and which one to take."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from llmsizing.architecture import Model, expect_model
from llmsizing.breakdown.text import spare_text
from llmsizing.catalog import Device
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput, nearest
from llmsizing.memory import Headroom, room_for, weight_bytes
from llmsizing.quality import Loss, quality_loss
from llmsizing.quantization import file_types, load_file_type
from llmsizing.tables import Table, table
from llmsizing.units import GIB

#: File types that hardly anybody would take: as large as others, or made for other models.
LEFT_OUT = ("F32", "F16", "TQ1_0", "TQ2_0", "MXFP4_MOE")
FEW_BITS = 3.5  #: below, every model that was measured lost much
FAITHFUL_BITS = 8.6  #: more bits than Q8_0 has change no answer that anybody measured
FOUR_BITS = "Q4_K_M"
LLAMA_CPP = "llama.cpp"


@dataclass(frozen=True, kw_only=True)
class Candidate:
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
        What it costs in answers, with its evidence and how far that is from this model.
    speed : object or None
        What the function that was given says of it.
    """

    weights: str
    bytes: int
    bits_per_weight: float
    headroom: Headroom
    loss: Loss
    speed: Any = None

    @property
    def verdict(self) -> str:
        """ "fits", "tight" or "does not fit". """
        return self.headroom.verdict


@dataclass(frozen=True, repr=False)
class Comparison:
    """File types of a model on a device, from large to small. Make one with `compare_quantizations`.

    It prints as a table with a recommendation, and has one candidate for each file type:
    iterate over it, or ask for ``comparison["Q4_K_M"]``.

    Parameters
    ----------
    model, device : str
        What was asked about.
    context_tokens : int
        At which the room was computed.
    candidates : tuple of Candidate
        From large to small.
    """

    model: str
    device: str
    context_tokens: int
    candidates: tuple[Candidate, ...]

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)

    def __len__(self) -> int:
        return len(self.candidates)

    def __getitem__(self, weights: str) -> Candidate:
        for candidate in self.candidates:
            if candidate.weights == weights:
                return candidate
        raise nearest("file type of this comparison", weights, [each.weights for each in self.candidates])

    @property
    def best(self) -> Candidate | None:
        """The file type that is recommended, if one fits.

        It is the largest that fits, up to Q8_0.
        """
        fitting = [each for each in self.candidates if each.verdict == "fits"]
        enough = [each for each in fitting if each.bits_per_weight <= FAITHFUL_BITS]
        return max(enough or fitting, key=lambda each: each.bytes, default=None)

    @property
    def recommendation(self) -> str:
        """Which one to take, why, and what is not known of it."""
        best = self.best
        if best is None:
            return (f"None of these fits {self.device} with {self.context_tokens:,} tokens. Take a"
                    " smaller model, or see changes_that_fit.")
        told = [f"Take {best.weights}: of the file types that fit with {self.context_tokens:,} tokens it"
                f" keeps most, and {spare_text(best.headroom.usual, 'bytes')}.", self._priced(best)]
        smaller = self._smaller(best)
        if smaller:
            told.append(f"{smaller.weights} would free {(best.bytes - smaller.bytes) / GIB:.2f} GiB for more"
                        f" context: {smaller.loss.summary}.")
        if best.bits_per_weight < FEW_BITS:
            told.append(f"It has {best.bits_per_weight:.1f} bits per weight: look for a smaller model at 4 bits"
                        " first.")
        return " ".join(told)

    def _priced(self, best: Candidate) -> str:
        if not best.loss.known:
            return f"What it costs in answers: no data ({best.loss.distance})."
        text = f"What it costs in answers: {best.loss.summary} ({best.loss.distance})."
        return text if "Wikitext" not in best.loss.evidence else (
            f"{text} Other languages and code can lose more.")

    def _smaller(self, best: Candidate) -> Candidate | None:
        """Four bits, where more are recommended."""
        found = [each for each in self.candidates if each.weights == FOUR_BITS]
        return found[0] if found and found[0].bytes < best.bytes else None

    def table(self) -> Table:
        """It as a table, without the recommendation."""
        return table({
            "file type": each.weights,
            "file, GiB": each.bytes / GIB,
            "bits": each.bits_per_weight,
            "left, GiB": each.headroom.usual / GIB,
            "it": each.verdict,
            "measured loss": each.loss.summary,
            **({"speed": each.speed} if any(one.speed is not None for one in self.candidates) else {}),
        } for each in self.candidates)

    def __str__(self) -> str:
        return f"{self._title}\n{self.table()}\n{self.recommendation}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return (f"<p>{self._title}</p>{self.table()._repr_html_()}"
                f"<p>{self.recommendation}</p>")

    @property
    def _title(self) -> str:
        return f"{self.model} on {self.device}, {self.context_tokens:,} tokens"


def compare_quantizations(model: Model, device: Device | Sequence[Device], *, context_tokens: int = 8192,
                          weights: Sequence[str] | None = None,
                          speed: Callable[..., Any] | None = None, **settings: Any) -> Comparison:
    """Compare a model's file types on a device: size, fit, room at a context, loss.

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
    speed : callable, optional
        Called as ``speed(model, device, weights=..., context_tokens=..., **settings)``; what it
        returns stands in the table.
    **settings
        As in `vram_budget`: ``kv_cache``, ``sequences``, ``offload`` and so on.

    Returns
    -------
    Comparison
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
    'Q4_K_M'
    >>> compared["Q2_K"].loss.summary
    'KLD 0.33 to 0.45, same top token 71 %'
    """
    expect_model(model)
    if load_engine(settings.get("engine", LLAMA_CPP)).name != LLAMA_CPP:
        raise InvalidInput("compare_quantizations compares llama.cpp's file types: leave engine out.")
    names = [load_file_type(name).name for name in weights] if weights is not None else _usual(model)
    if not names:
        raise InvalidInput("weights names no file type: give some, such as ['Q8_0', 'Q4_K_M'].")
    asked = {"context_tokens": context_tokens, **settings}
    found = map(partial(_candidate, model, device, asked, speed), dict.fromkeys(names))
    return Comparison(model.name, _called(device), context_tokens,
                      tuple(sorted(found, key=lambda each: -each.bytes)))


def _usual(model: Model) -> list[str]:
    return [entry.name for entry in file_types()
            if entry.name not in LEFT_OUT or (entry.name == "MXFP4_MOE" and model.has_experts)]


def _candidate(model: Model, device: Device | Sequence[Device], asked: dict[str, Any],
               speed: Callable[..., Any] | None, weights: str) -> Candidate:
    size = weight_bytes(model, weights)
    return Candidate(weights=weights, bytes=size, bits_per_weight=8 * size / model.parameters,
                     headroom=room_for(model, device, weights=weights, **asked),
                     loss=quality_loss(model, weights),
                     speed=speed(model, device, weights=weights, **asked) if speed else None)


def _called(device: Device | Sequence[Device]) -> str:
    return device.name if isinstance(device, Device) else " + ".join(one.name for one in device)
