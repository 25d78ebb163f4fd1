import pytest

import llmsizing as sizing


@pytest.mark.parametrize(
    ("name", "bits"),
    [("q4_k_m", 4), ("F32", 32), ("Q1_0", 1), ("F16", 16), ("BF16", 16), ("Q8_0", 8), ("Q4_K_M", 4), ("IQ3_XXS", 3),
     ("TQ2_0", 2)],
)
def test_bits_in_a_name(name, bits):
    assert sizing.nominal_bits(name) == bits


@pytest.mark.parametrize("name", ["", "K_M", "Q", "4 bit", "Q0_0", "Q33", "Q99", None, 4])
def test_a_name_without_bits(name):
    with pytest.raises(sizing.InvalidInput, match="file types look like Q4_K_M"):
        sizing.nominal_bits(name)
