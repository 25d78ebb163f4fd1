"""decode_speed: how fast a model writes, as a range, with the seconds of a token term by term."""

from dataclasses import dataclass
from typing import Any

from llmsizing.architecture import Model
from llmsizing.breakdown import Breakdown
from llmsizing.catalog import Device
from llmsizing.errors import InvalidInput
from llmsizing.memory.weights import titled
from llmsizing.speed.constants import (
    BATCHED,
    CARD_AND_RAM,
    OTHERS,
    SEVERAL,
    SEVERAL_OTHERS,
    Spread,
    constants,
    spreads,
)
from llmsizing.speed.costs import Cost, costs_of, in_ram, terms_of
from llmsizing.speed.given import Given, given_of


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How many tokens a second, as a range in which 80 % of measured speeds should lie.

    Parameters
    ----------
    low, usual, high : float
        Tokens per second, of each conversation.
    seconds : Breakdown
        The usual time for one token, term by term.
    sequences : int
        Conversations at once.
    note : str
        What a reader must know: what was assumed, and how near measured runs are.
    """

    low: float
    usual: float
    high: float
    seconds: Breakdown
    sequences: int = 1
    note: str = ""

    @property
    def together(self) -> float:
        """Tokens per second of all conversations."""
        return self.usual * self.sequences

    def __str__(self) -> str:
        return f"{self.usual:.3g} tokens/s ({self.low:.3g} to {self.high:.3g})"


def decode_speed(model: Model, device: Device, *, weights: str | None = None, context_tokens: int = 8192,
                 engine: str = "llama.cpp", host: Device | None = None, **settings: Any) -> Speed:
    """How fast a model writes: tokens per second of each conversation.

    In words: for each token the weights that it uses and the cached context are read once, at 91 %
    of the memory's bandwidth; packed weights are unpacked, which takes arithmetic; each tensor's
    kernel takes some microseconds to start. What lies in RAM is read by the processor. The few
    constants were fitted on published runs.

    Parameters
    ----------
    model : Model
        From `load_model`, `read_config`, `read_gguf` or `read_hub`.
    device : Device
        From `load_device`. Of several alike, `devices` says how many share the layers: that
        makes room, and one conversation no faster.
    weights : str, optional
        A file type or format: "Q4_K_M"; by default as in the model's file.
    context_tokens : int
        Tokens that the context holds already; conversations share them.
    engine : str
        "llama.cpp", "Ollama" and "MLX" were measured, "LM Studio" has llama.cpp's kernels; for
        others it is a guess.
    host : Device, optional
        The RAM that holds what is not on the device: `load_device("DDR5-5600, 2 channels, 32 GB")`,
        which is also what is taken if none is named.
    **settings
        Of those of `vram_budget`: kv_cache, sequences, swa_full, flash_attention, offload,
        experts_on_cpu, devices, backend.

    Returns
    -------
    Speed
        Tokens per second from low to high, and ``seconds``, the time of one token.

    Raises
    ------
    InvalidInput, UnknownName
        If something is not what it should be, or a setting does not bear on speed.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> speed = decode_speed(load_model("Llama-3.1-8B"), load_device("RTX 4090"), weights="Q4_K_M")
    >>> 100 < speed.low < speed.usual < speed.high < 1008 / 4.6
    True

    References
    ----------
    data/decode_runs.csv names the source of every run that the constants were fitted on.
    """
    given = given_of(model, device, weights=weights, context_tokens=context_tokens, engine=engine,
                     host=host, settings=settings)
    kind, others = given.kind, OTHERS
    if given.settings.sequences > 1:
        kind, others = SEVERAL if kind in BATCHED else SEVERAL_OTHERS, SEVERAL_OTHERS
    return speed_from(given, token_costs(given), "Time for one token", kind=kind, others=others)


def token_costs(given: Given) -> list[Cost]:
    """What one token of each conversation costs."""
    made = given.settings
    if made.sequences > 1 and given.in_ram.tensors and given.kind == CARD_AND_RAM:
        raise InvalidInput("The speed of several conversations with a part in RAM was measured by nobody"
                           " we know: leave sequences=1, or put all on the device.")
    costs = costs_of(given.on_device, given.device, cards=made.device_count, sequences=made.sequences,
                     flash_attention=made.flash_attention)
    return [*costs, *in_ram(given.in_ram, given.host)]


def speed_from(given: Given, costs: list[Cost], title: str, *, kind: str, others: str) -> Speed:
    """A speed from the costs of a token, with the range of such runs, or of others if there are none."""
    made = given.settings
    heading = (f"{title}: {given.model.name} {titled(given.weights)} on {given.device.name},"
               f" {made.context_tokens:,} tokens of context")
    seconds = Breakdown(heading, terms_of(costs, constants()), "seconds")
    usual = 1 / float(seconds.total.usual)
    known = spreads()
    measured = kind in known and kind != others
    spread = known[kind if measured else others]
    note = (*given.notes, _evidence(spread, measured=measured))
    return Speed(low=usual * float(spread.low), usual=usual, high=usual * float(spread.high),
                 seconds=seconds, sequences=made.sequences, note=" ".join(note))


def _evidence(spread: Spread, *, measured: bool) -> str:
    """What a range rests on."""
    if not measured:
        return "No published run that we know is like this one, so the range is wide."
    cards = "one device" if spread.devices == 1 else f"{spread.devices} devices"
    return f"The range is that of {spread.runs} published runs on {cards}."
