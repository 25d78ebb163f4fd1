"""A model on a computer at home: what a bill needs of it, and how long one waits for its answer."""

from llmsizing.architecture import Model
from llmsizing.breakdown import Breakdown, Factor, Term, product
from llmsizing.catalog import load_device
from llmsizing.catalog.prices import CloudLatency, Computer
from llmsizing.choosing.costs import OwnComputer
from llmsizing.errors import InvalidInput, exact_number, expect
from llmsizing.memory import headroom, host_budget, vram_budget
from llmsizing.speed import Speed, decode_speed, prefill_speed

LIFE_YEARS = 4
LOAD = "write load_computer('DGX Spark')"


def at_home(computer: Computer, model: Model, *, weights: str, electricity_price: float,
            context_tokens: int = 8192, bought: bool = True, life_years: float = LIFE_YEARS,
            on_hours: float = 24) -> OwnComputer:
    """A computer with a model on it, with the speed that is usual for the two.

    Parameters
    ----------
    computer : Computer
        From `load_computer`: its price and its power.
    model : Model
        From `load_model`.
    weights : str
        A llama.cpp file type.
    electricity_price : int or float
        US dollars for a kilowatt-hour.
    context_tokens : int
        Tokens of context.
    bought : bool
        Whether its price counts; not if it is there anyway.
    life_years, on_hours : int or float
        How long it is used, and hours a day that it is switched on.

    Returns
    -------
    OwnComputer

    Raises
    ------
    InvalidInput
        If the model does not fit on the computer, or a value makes no sense.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> from llmsizing.catalog.prices import load_computer
    >>> mini = at_home(load_computer("mac mini"), load_model("Llama-3.1-8B"), weights="Q4_K_M",
    ...                electricity_price=0.1872)
    >>> int(mini.price), 10 < mini.writes_per_second < 30 < mini.reads_per_second
    (999, True)
    """
    expect("computer", computer, Computer, LOAD)
    reads, writes = _speeds(computer, model, weights, context_tokens)
    return OwnComputer(
        price=computer.price_usd if bought else 0, life_years=life_years,
        working_watts=computer.working_watts, idle_watts=computer.idle_watts, on_hours=on_hours,
        electricity_price=electricity_price, reads_per_second=reads.usual,
        writes_per_second=writes.usual,
    )


def wait_at_home(computer: Computer, model: Model, *, weights: str, prompt_tokens: int,
                 answer_tokens: int) -> Breakdown:
    """How long one waits at home for an answer: reading the prompt, then writing.

    Parameters
    ----------
    computer, model, weights
        As in `at_home`.
    prompt_tokens, answer_tokens : int
        Tokens to be read before the first word, and tokens of the answer.

    Returns
    -------
    Breakdown
        Seconds, with the terms "until it starts" and "writing", each with its range.

    Raises
    ------
    InvalidInput
        If the model does not fit on the computer, or there are no tokens.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> from llmsizing.catalog.prices import load_computer
    >>> waits = wait_at_home(load_computer("dgx spark"), load_model("gpt-oss-20b"),
    ...                      weights="MXFP4_MOE", prompt_tokens=1000, answer_tokens=300)
    >>> waits["until it starts"].usual < waits["writing"].usual
    True
    """
    expect("computer", computer, Computer, LOAD)
    _counts(prompt_tokens, answer_tokens)
    reads, writes = _speeds(computer, model, weights, prompt_tokens + answer_tokens)
    return Breakdown(f"At home: {computer.name}", (
        _seconds("until it starts", prompt_tokens, reads),
        _seconds("writing", answer_tokens, writes),
    ), unit="seconds")


def wait_for_cloud(latency: CloudLatency, *, answer_tokens: int) -> Breakdown:
    """How long one waits for a cloud's answer, as it was measured.

    Until it starts count the network, the queue and the reading of the (short) measured prompt,
    from the median to the 95th percentile: one request in twenty takes longer still.

    Parameters
    ----------
    latency : CloudLatency
        One of `cloud_latencies`.
    answer_tokens : int
        Tokens of the answer.

    Returns
    -------
    Breakdown
        Seconds, with the terms "until it starts" and "writing".

    Raises
    ------
    InvalidInput
        If there are no tokens.

    Examples
    --------
    >>> from llmsizing.catalog.prices import cloud_latencies
    >>> waits = wait_for_cloud(cloud_latencies()[3], answer_tokens=300)
    >>> [round(float(term.usual), 2) for term in waits.terms]
    [0.76, 6.21]
    """
    expect("latency", latency, CloudLatency, "take one of cloud_latencies()")
    _counts(1, answer_tokens)
    start = Factor(latency.first_token_s, "seconds", latency.first_token_s, latency.first_token_p95_s)
    return Breakdown(f"In the cloud: {latency.model} at {latency.service}", (
        product("until it starts", start, source=latency.source),
        product("writing", Factor(answer_tokens, "tokens"),
                Factor(1 / latency.tokens_per_second, "seconds each")),
    ), unit="seconds")


def _speeds(computer: Computer, model: Model, weights: str, context_tokens: int) -> tuple[Speed, Speed]:
    """How fast it reads and writes, if the model fits."""
    device = load_device(computer.device)
    asked = {"weights": weights, "context_tokens": context_tokens}
    placed = {**asked, "devices": (device,)}
    left = headroom(vram_budget(model, **placed), device, host=host_budget(model, **placed))
    if left.verdict == "does not fit":
        raise InvalidInput(f"{model.name} at {weights} with {context_tokens:,} tokens of context does"
                           f" not fit on the {computer.name}: take a smaller model or another computer.")
    return prefill_speed(model, device, **asked), decode_speed(model, device, **asked)


def _seconds(name: str, tokens: int, speed: Speed) -> Term:
    low, usual, high = (1 / exact_number("speed", value) for value in (speed.high, speed.usual, speed.low))
    return product(name, Factor(tokens, "tokens"), Factor(usual, "seconds each", low, high))


def _counts(prompt_tokens: int, answer_tokens: int) -> None:
    exact_number("prompt_tokens", prompt_tokens, at_least=1)
    exact_number("answer_tokens", answer_tokens, at_least=1)
