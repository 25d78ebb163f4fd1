"""time_to_answer: what a reader waits for, from the prompt through the thinking to the last word."""

from fractions import Fraction
from typing import Any

from llmsizing.architecture import Model
from llmsizing.breakdown import Breakdown, Factor, Term, product
from llmsizing.catalog import Device
from llmsizing.errors import InvalidInput, whole_number
from llmsizing.memory.weights import titled
from llmsizing.speed.decode import Speed, decode_speed
from llmsizing.speed.prefill import prefill_speed
from llmsizing.units import MILLION

MOST_TOKENS = 10_000_000


def time_to_answer(model: Model, device: Device, *, weights: str | None = None, prompt_tokens: int,
                   answer_tokens: int, thinking_tokens: int = 0, **settings: Any) -> Breakdown:
    """How long an answer takes: reading the prompt, thinking, writing.

    In words: the prompt at the speed of reading, everything else at the speed of writing with
    the context as full as it then is. A thinking model's thoughts are tokens like any other: they
    take their time before the first word of the answer, and their place in the context.

    Parameters
    ----------
    model, device, weights, **settings
        As in `decode_speed`, without context_tokens.
    prompt_tokens, thinking_tokens, answer_tokens : int
        How many there are of each.

    Returns
    -------
    Breakdown
        In seconds, with the terms "reading the prompt", "thinking" and "writing the answer"; the
        note says what the context holds in the end.

    Raises
    ------
    InvalidInput, UnknownName
        As `decode_speed` does.

    Examples
    --------
    >>> from llmsizing import load_device, load_model
    >>> wait = time_to_answer(load_model("Qwen3-8B"), load_device("RTX 4060 Laptop"), weights="Q4_K_M",
    ...                       prompt_tokens=1000, thinking_tokens=2000, answer_tokens=300)
    >>> [term.name for term in wait.terms]
    ['reading the prompt', 'thinking', 'writing the answer']
    >>> wait["thinking"].usual > 5 * wait["writing the answer"].usual
    True
    """
    counts = {"prompt_tokens": prompt_tokens, "thinking_tokens": thinking_tokens,
              "answer_tokens": answer_tokens}
    if "context_tokens" in settings:
        raise InvalidInput("time_to_answer fills the context as the answer goes on: leave context_tokens out.")
    prompt, thought, answer = (
        whole_number(name, count, at_least=0 if name == "thinking_tokens" else 1, at_most=MOST_TOKENS,
                     hint="It counts tokens.")
        for name, count in counts.items())
    asked = {"weights": weights, **settings}
    terms = [_phase("reading the prompt", prompt, prefill_speed(model, device, context_tokens=prompt, **asked))]
    held = prompt
    for name, tokens in (("thinking", thought), ("writing the answer", answer)):
        if tokens:
            middle = held + tokens // 2
            terms.append(_phase(name, tokens, decode_speed(model, device, context_tokens=middle, **asked)))
            held += tokens
    return Breakdown(f"Time for an answer: {model.name} {titled(weights)} on {device.name}", tuple(terms),
                     "seconds", f"In the end the context holds {held:,} tokens.")


def _phase(name: str, tokens: int, speed: Speed) -> Term:
    """Tokens times the seconds of each, with the range of their speed."""
    each = Factor(_milli(speed.usual), "ms each", _milli(speed.high), _milli(speed.low))
    return product(name, Factor(tokens, "tokens"), each, Factor(Fraction(1, 1000), "seconds per ms"))


def _milli(speed: float) -> Fraction:
    """Milliseconds of a token, to the thousandth."""
    return Fraction(round(MILLION / speed), 1000)
