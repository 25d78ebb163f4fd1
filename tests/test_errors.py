from decimal import Decimal
from fractions import Fraction

import pytest

from llmsizing.errors import InvalidInput, UnknownName, exact_number, nearest


@pytest.mark.parametrize(
    ("given", "exact"),
    [(4, 4), (4.5, Fraction(9, 2)), (1.2, Fraction(6, 5)), (Decimal("0.1"), Fraction(1, 10)),
     (Fraction(17, 16), Fraction(17, 16)), (7e9, 7_000_000_000)],
)
def test_numbers_become_the_fractions_that_they_print(given, exact):
    assert exact_number("n", given, at_least=0, at_most=1e12) == exact


@pytest.mark.parametrize("nonsense", [None, "70B", "4", True, float("nan"), float("inf"), 1j, [4]])
def test_what_is_no_finite_number_is_refused_with_its_name(nonsense):
    with pytest.raises(InvalidInput, match="bits must be a finite number"):
        exact_number("bits", nonsense, at_least=0, at_most=32)


def test_bounds_stand_in_the_message():
    with pytest.raises(InvalidInput, match="bits must be from 1 to 32, but is 33. Try 4."):
        exact_number("bits", 33, at_least=1, at_most=32, hint="Try 4.")


def test_a_message_without_a_hint_ends_with_its_sentence():
    with pytest.raises(InvalidInput) as caught:
        exact_number("n", "x")
    assert str(caught.value) == "n must be a finite number, not 'x'."


def test_large_and_exact_numbers_stay_exact():
    assert exact_number("n", 2**80 + 1) == 2**80 + 1
    assert exact_number("n", Fraction(1, 3)) == Fraction(1, 3)


def test_one_bound_is_enough():
    with pytest.raises(InvalidInput, match="n must be from 0, but is -1"):
        exact_number("n", -1, at_least=0)
    assert exact_number("n", 10**40) == 10**40


def test_numbers_of_other_libraries_count():
    import numpy

    for four in (numpy.int64(4), numpy.float32(4), numpy.float64(4)):
        assert exact_number("bits", four, at_least=1, at_most=32) == 4


def test_unknown_names_come_with_the_nearest_known():
    error = nearest("model", "lama 3.1 8b", ["Gemma-3-27B", "Llama-3.1-8B", "Qwen3-8B"])
    assert isinstance(error, UnknownName)
    assert str(error).startswith("No model is called 'lama 3.1 8b'. Nearest: Llama-3.1-8B")


def test_a_name_like_no_other_lists_what_there_is():
    assert str(nearest("model", "!", ["Gemma", "Qwen"])).endswith("Known: Gemma, Qwen.")
