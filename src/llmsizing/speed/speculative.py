"""speculative_speed: a small model guesses, the large one checks several guesses at once."""

from dataclasses import replace
from fractions import Fraction

from llmsizing.breakdown import Breakdown, Factor, product, sum_of
from llmsizing.errors import exact_number, expect, whole_number
from llmsizing.speed.decode import Speed
from llmsizing.units import MILLION

MOST_GUESSES = 64


def speculative_speed(speed: Speed, *, accepted: float, guesses: int, guess_cost: float,
                      check_cost: float = 0) -> Speed:
    r"""How fast a model writes when something cheap guesses ahead (speculative decoding).

    In words: a round makes ``guesses`` and checks them in one step of the large model. If each is
    accepted with the same chance α, a round yields 1 + α + … + α^k tokens, the model's own one
    among them. It costs a step of the large model, k guesses, and what checking k more tokens adds.

    .. math:: speed \cdot \frac{1 + α + … + α^k}{1 + k \cdot (guess + check)}

    Parameters
    ----------
    speed : Speed
        From `decode_speed`, of one conversation.
    accepted : float
        The chance α that a guess is accepted, 0 to 1. It depends on the text: code is easy to
        guess, prose is not.
    guesses : int
        How many a round makes.
    guess_cost : float
        The time of a guess, as a part of a step of the large model: 0.05 for a model of a
        twentieth of the bytes; near 0 for the model's own predictor (MTP).
    check_cost : float
        What checking one more token adds to a step, as a part of it; 0 where memory sets the pace.

    Returns
    -------
    Speed
        Its range scaled alike; ``seconds`` is the time of one token.

    Raises
    ------
    InvalidInput
        If a number makes no sense.

    Examples
    --------
    >>> from llmsizing import decode_speed, load_device, load_model
    >>> plain = decode_speed(load_model("Qwen3-32B"), load_device("RTX 4090"), weights="Q4_K_M")
    >>> quick = speculative_speed(plain, accepted=0.8, guesses=5, guess_cost=0.05)
    >>> round(quick.usual / plain.usual, 2)
    2.95

    References
    ----------
    Leviathan, Kalman and Matias, "Fast Inference from Transformers via Speculative Decoding",
    2023, arXiv:2211.17192, theorem 3.8: the same with check_cost 0.
    """
    expect("speed", speed, Speed, "decode_speed gives one")
    chance = exact_number("accepted", accepted, at_least=0, at_most=1, hint="It is a chance: 0.7.")
    rounds = whole_number("guesses", guesses, at_most=MOST_GUESSES, hint="4 is usual.")
    guess = exact_number("guess_cost", guess_cost, at_least=0, at_most=10, hint="It is a part of a step.")
    check = exact_number("check_cost", check_cost, at_least=0, at_most=10, hint="It is a part of a step.")
    tokens = sum(chance ** power for power in range(rounds + 1))
    gain = tokens / (1 + rounds * (guess + check))
    step = speed.seconds.total.usual
    made = Factor(1 / Fraction(round(tokens * 1000), 1000), "of a round for each token")
    milli, unit = Factor(Fraction(round(step * MILLION), 1000), "ms"), Factor(Fraction(1, 1000), "seconds per ms")
    parts = [product("the large model's step", milli, unit, made)]
    for name, cost in (("guessing", guess), ("checking", check)):
        if cost:
            parts.append(product(name, Factor(rounds, "times"), Factor(cost, "of a step"), milli, unit, made))
    title = f"{speed.seconds.title}, guessing {rounds} ahead"
    return replace(speed, low=speed.low * float(gain), usual=speed.usual * float(gain),
                   high=speed.high * float(gain),
                   seconds=Breakdown(title, (sum_of("a round", *parts),), "seconds"))
