"""A model on a computer at home: what a bill needs of it, and how long one waits for its answer."""

from dataclasses import replace

from llmsizing.architecture import Model
from llmsizing.breakdown import Breakdown, Factor, product
from llmsizing.catalog import Device, load_device
from llmsizing.catalog.prices import CloudLatency, Computer
from llmsizing.choosing.costs import OwnComputer
from llmsizing.errors import InvalidInput, exact_number, expect
from llmsizing.memory import headroom, host_budget, vram_budget
from llmsizing.memory.fit import TOO_LARGE
from llmsizing.speed import decode_speed, prefill_speed, time_to_answer

LIFE_YEARS = 4
START, WRITING = "until it starts", "writing"
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
    device = _device(computer, model, weights, context_tokens)
    reads, writes = (speed(model, device, weights=weights, context_tokens=context_tokens).usual
                     for speed in (prefill_speed, decode_speed))
    return OwnComputer(
        price=computer.price_usd if bought else 0, life_years=life_years,
        working_watts=computer.working_watts, idle_watts=computer.idle_watts, on_hours=on_hours,
        electricity_price=electricity_price, reads_per_second=reads,
        writes_per_second=writes,
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
    answer = time_to_answer(model, _device(computer, model, weights, prompt_tokens + answer_tokens),
                            weights=weights, prompt_tokens=prompt_tokens, answer_tokens=answer_tokens)
    return Breakdown(f"At home: {computer.name}", (
        replace(answer["reading the prompt"], name=START),
        replace(answer["writing the answer"], name=WRITING),
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
    count = exact_number("answer_tokens", answer_tokens, at_least=1)
    start = Factor(latency.first_token_s, "seconds", latency.first_token_s, latency.first_token_p95_s)
    return Breakdown(f"In the cloud: {latency.model} at {latency.service}", (
        product(START, start, source=latency.source),
        product(WRITING, Factor(count, "tokens"),
                Factor(1 / latency.tokens_per_second, "seconds each")),
    ), unit="seconds")


def _device(computer: Computer, model: Model, weights: str, context_tokens: int) -> Device:
    """The computer's device, if the model fits on it."""
    device = load_device(computer.device)
    placed = {"weights": weights, "context_tokens": context_tokens, "devices": (device,)}
    left = headroom(vram_budget(model, **placed), device, host=host_budget(model, **placed))
    if left.verdict == TOO_LARGE:
        raise InvalidInput(f"{model.name} at {weights} with {context_tokens:,} tokens of context does"
                           f" not fit on the {computer.name}: take a smaller model or another computer.")
    return device
