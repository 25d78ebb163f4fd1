import time
from decimal import Decimal
from fractions import Fraction

import pytest

from llmsizing import Model, load_model
from llmsizing.errors import InvalidInput, UnknownName, exact_number, expect, nearest, shown


@pytest.mark.parametrize(
    ("given", "exact"),
    [(4, 4), (4.5, Fraction(9, 2)), (1.2, Fraction(6, 5)), (Decimal("0.1"), Fraction(1, 10)),
     (Fraction(17, 16), Fraction(17, 16)), (7e9, 7_000_000_000)],
)
def test_numbers_become_the_fractions_that_they_print(given, exact):
    assert exact_number("n", given, at_least=0, at_most=1e12) == exact


@pytest.mark.parametrize("nonsense", [None, "70B", "4", True, float("nan"), float("inf"), 1j, [4],
                                      [10**5000], Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")])
def test_what_is_no_finite_number_is_refused_with_its_name(nonsense):
    with pytest.raises(InvalidInput, match="bits must be a finite number, not "):
        exact_number("bits", nonsense, at_least=0, at_most=32)


@pytest.mark.parametrize("beyond", [10**400, -(10**400), Fraction(10**5000, 3), Decimal("1e400"),
                                    Fraction(1, 10**400), Decimal("1e-1000000000")])
def test_what_no_float_can_hold_is_refused_at_once(beyond):
    start = time.perf_counter()
    with pytest.raises(InvalidInput, match="n must be a finite number from 1e-308 to 1e308 in size") as caught:
        exact_number("n", beyond)
    assert len(str(caught.value)) < 200 and time.perf_counter() - start < 1


def test_zero_and_the_ends_of_the_floats_are_numbers():
    for number in (0, 0.0, Decimal("0e-1000000000"), 10**308, Decimal("-1e308"), Fraction(1, 10**300)):
        assert exact_number("n", number) == number


def test_another_kind_than_expected_is_named_with_what_to_do():
    expect("model", load_model("Llama-3.1-8B"), Model)
    with pytest.raises(InvalidInput) as caught:
        expect("model", "Llama-3.1-8B", Model, "write load_model('Llama-3.1-8B')")
    assert str(caught.value) == (
        "model must be a Model, not the str 'Llama-3.1-8B': write load_model('Llama-3.1-8B').")
    with pytest.raises(InvalidInput, match="^count must be an int, not None.$"):
        expect("count", None, int)
    with pytest.raises(InvalidInput) as caught:
        expect("device", "x" * 100_000, Model)
    assert len(str(caught.value)) < 200


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


@pytest.mark.parametrize("name", [[], None, {"a"}, 3.5, [10**5000], {"a": 1}, b"Qwen"])
def test_a_name_may_be_anything(name):
    error = nearest("model", name, ["Gemma", "Llama"])
    assert isinstance(error, UnknownName)
    assert str(error) == f"No model is called {shown(name)}. Known: Gemma, Llama."


def test_a_number_finds_the_names_that_hold_it():
    assert "Nearest: RTX 4090." in str(nearest("device", 4090, ["RTX 4090", "L4"]))


def test_a_very_long_name_is_refused_shortly_and_at_once():
    known = [f"Model-{number}" for number in range(300)]
    start = time.perf_counter()
    for name in ("Model-1" * 20_000, "m" * 301):
        message = str(nearest("model", name, known))
        assert "Known: Model-0, " in message and "and 260 more" in message and len(message) < 700
    assert time.perf_counter() - start < 0.5
    assert "Nearest: Model-1, " in str(nearest("model", "Model-1" + " " * 293, known))  # 300 letters


def test_what_a_message_shows_is_cut_in_its_middle():
    assert shown("a" * 70) == repr("a" * 70)
    assert shown("a" * 100 + "z").startswith("'aaa") and shown("a" * 100 + "z").endswith("az'")
    assert len(shown("a" * 1000)) == 80
    assert len(shown(10**1000)) == 80
