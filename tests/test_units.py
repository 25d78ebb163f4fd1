import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsizing import InvalidInput, UnknownName, format_bytes, units


def test_gb_and_gib_differ_by_seven_percent():
    assert units.GIB / units.GB == pytest.approx(1.0737, abs=1e-4)
    assert [units.UNITS[unit] for unit in ("kB", "MB", "GB")] == [1000, 1000**2, 1000**3]
    assert [units.UNITS[unit] for unit in ("KiB", "MiB", "GiB")] == [1024, 1024**2, 1024**3]


@pytest.mark.parametrize(
    ("count", "unit", "text"),
    [(0, None, "0 B"), (1023, None, "1,023 B"), (1024, None, "1.00 KiB"),
     (2**20, None, "1.00 MiB"), (2**30, None, "1.00 GiB"), (2**30, "MiB", "1,024.00 MiB"),
     (168_000_000_000, "GB", "168.00 GB"), (168_000_000_000, None, "156.46 GiB"),
     (-5 * 2**30, None, "-5.00 GiB"), (5, "B", "5 B"), (1.5, "B", "2 B")],
)
def test_format_bytes(count, unit, text):
    assert format_bytes(count, unit) == text


@pytest.mark.parametrize("nonsense", [None, "12", float("nan"), float("inf")])
def test_a_count_is_a_number(nonsense):
    with pytest.raises(InvalidInput, match="count must be a finite number"):
        format_bytes(nonsense)


def test_an_unknown_unit_gets_the_nearest():
    with pytest.raises(UnknownName, match="No unit is called 'Gb'. Nearest: .*GB"):
        format_bytes(1, "Gb")


@pytest.mark.parametrize("unit", [[], 5, {"GiB"}])
def test_a_unit_is_a_str(unit):
    with pytest.raises(InvalidInput, match="unit must be a str, not the .*: write 'GiB'"):
        format_bytes(1, unit)


@given(st.integers(min_value=0, max_value=10**16), st.sampled_from(sorted(units.UNITS)))
def test_what_is_written_is_within_its_rounding(count, unit):
    number, written = format_bytes(count, unit).replace(",", "").split()
    assert written == unit
    assert float(number) * units.UNITS[unit] == pytest.approx(count, abs=0.0051 * units.UNITS[unit])
