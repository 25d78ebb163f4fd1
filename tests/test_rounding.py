"""The quantizer of chapter 5, its slice of real weights, and the lab's results."""

import math
import re
import struct
from dataclasses import replace
from fractions import Fraction
from statistics import NormalDist

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.catalog.rounding import RoundingRun, SearchHit
from llmsizing.catalog.tables import DATA, read_table
from llmsizing.quantization.rounding import GRIDS, LEAST_BITS, MOST_BITS, NF4_TABLE

#: Scales of such weights are ordinary half-precision numbers, neither tiny nor too large.
weight = st.floats(0.05, 8.0).map(lambda size: round(size, 6)) | st.floats(-8.0, -0.05)
blocks = st.lists(weight, min_size=1, max_size=40)
bits = st.integers(LEAST_BITS, MOST_BITS)


def errors(block, rounded):
    return [abs(after - before) for before, after in zip(block, rounded.weights, strict=True)]


@given(blocks, bits)
def test_a_symmetric_code_is_off_by_at_most_half_a_step(block, bits):
    rounded = sizing.quantize_block(block, bits=bits)
    assert max(errors(block, rounded)) <= rounded.scale / 2 * (1 + 1e-12)
    assert max(map(abs, rounded.codes)) == 2 ** (bits - 1) - 1


@given(blocks, bits)
def test_an_offset_is_off_by_half_a_step_and_what_its_own_rounding_shifts(block, bits):
    rounded = sizing.quantize_block(block, bits=bits, grid="offset")
    shift = abs(rounded.offset - min(block))
    assert max(errors(block, rounded)) <= (rounded.scale / 2 + shift) * (1 + 1e-9)
    assert min(rounded.codes) == 0 and max(rounded.codes) <= 2**bits - 1


@given(blocks)
def test_nf4_takes_the_nearest_of_its_values(block):
    rounded = sizing.quantize_block(block, grid="NF4")
    for before, after in zip(block, rounded.weights, strict=True):
        best = min(abs(before - rounded.scale * value) for value in NF4_TABLE)
        assert abs(before - after) == pytest.approx(best, abs=1e-12)


@given(blocks, bits)
def test_what_is_on_the_grid_stays_there(block, bits):
    for settings in ({"bits": bits}, {"grid": "NF4"}):
        once = sizing.quantize_block(block, **settings)
        assert sizing.quantize_block(once.weights, **settings) == once


@given(blocks, bits, st.integers(-4, 4))
def test_weights_twice_as_large_get_the_same_codes(block, bits, power):
    for grid in GRIDS:
        width = 4 if grid == "NF4" else bits
        plain = sizing.quantize_block(block, bits=width, grid=grid)
        scaled = sizing.quantize_block([value * 2.0**power for value in block], bits=width, grid=grid)
        assert scaled.codes == plain.codes
        assert scaled.weights == tuple(value * 2.0**power for value in plain.weights)


@given(blocks, bits)
def test_the_sign_of_all_weights_does_not_matter(block, bits):
    mirrored = sizing.quantize_block([-value for value in block], bits=bits)
    assert mirrored.codes == tuple(-code for code in sizing.quantize_block(block, bits=bits).codes)


@pytest.mark.parametrize("name, bits, grid", [("Q8_0", 8, "symmetric"), ("Q4_1", 4, "offset"),
                                              ("Q5_1", 5, "offset")])
def test_gguf_stores_the_same_scales_and_hardly_another_code(name, bits, grid):
    kind = gguf.GGMLQuantizationType[name]
    for row in sizing.weight_slice().rows:
        stored = gguf.quants.quantize(np.array(row, dtype=np.float32), kind)
        theirs = gguf.quants.dequantize(stored, kind)
        ours = sizing.round_trip(row, bits=bits, grid=grid)
        scales = stored.reshape(12, -1)[:, :2].copy().view(np.float16).ravel()
        assert [block.scale for block in ours.blocks] == scales.tolist()
        apart = np.abs(np.array(ours.weights) - theirs) / np.repeat(scales.astype(float), 32)
        assert np.mean(apart > 0.01) < 0.02 and apart.max() < 1.01


def test_llama_cpp_stores_the_same_eight_bit_scales():
    sample = sizing.block_sample()
    for number in range(8):
        stored = sample.block("Q8_0", number)
        ours = sizing.quantize_block(sample.weights[32 * number:32 * number + 32], bits=8)
        assert ours.scale == struct.unpack("<e", stored[:2])[0]
        codes = struct.unpack("32b", stored[2:])
        assert sum(mine != theirs for mine, theirs in zip(ours.codes, codes, strict=True)) <= 1


def test_bitsandbytes_makes_the_same_nf4_blocks():
    sample = sizing.block_sample()
    for number in range(4):
        stored = sample.block("NF4", number)
        ours = sizing.quantize_block(sample.weights[64 * number:64 * number + 64], grid="nf4")
        assert ours.codes == tuple(code for byte in stored[:32] for code in (byte >> 4, byte & 15))
        assert ours.scale == struct.unpack("<f", stored[32:])[0]
        decoded = [entry.value for entry in sizing.decode_block("NF4", stored)]
        assert list(ours.weights) == pytest.approx(decoded, rel=1e-7)


def test_the_values_of_nf4_are_quantiles_of_a_normal_distribution():
    """Dettmers et al., arXiv:2305.14314; the margin is that of bitsandbytes' create_normal_map."""
    margin, quantile = 1 - (1 / 30 + 1 / 32) / 2, NormalDist().inv_cdf
    above = [quantile(margin + (0.5 - margin) * place / 8) for place in range(8)]
    below = [-quantile(margin + (0.5 - margin) * place / 7) for place in range(7)]
    expected = sorted(value / max(above) for value in (*above, 0.0, *below))
    assert list(NF4_TABLE) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("settings, expected", [
    ({"bits": 4}, Fraction(9, 2)), ({"bits": 8}, Fraction(17, 2)),
    ({"bits": 4, "grid": "offset"}, 5), ({"bits": 3, "block_weights": 64, "grid": "offset"}, Fraction(7, 2)),
    ({"bits": 4, "block_weights": None}, 4 + Fraction(16, 384)),
    ({"bits": 2, "block_weights": 16}, 3), ({"grid": "NF4", "block_weights": 64}, Fraction(9, 2)),
    ({"bits": 4, "block_weights": 200}, 4 + Fraction(2 * 16, 384)),
])
def test_bits_per_weight_count_what_is_stored_beside_the_codes(settings, expected):
    assert sizing.round_trip(sizing.weight_slice().row(98), **settings).bits_per_weight == expected


def test_real_formats_take_the_same_bits():
    row = sizing.weight_slice().row(98)
    for name, bits, grid, size in (("Q8_0", 8, "symmetric", 32), ("Q4_0", 4, "symmetric", 32),
                                   ("Q5_1", 5, "offset", 32), ("NF4", 4, "NF4", 64)):
        trip = sizing.round_trip(row, bits=bits, grid=grid, block_weights=size)
        assert trip.bits_per_weight == sizing.load_format(name).bits_per_weight


def test_noise_is_infinitely_far_below_what_was_not_rounded():
    assert sizing.round_trip([0.0] * 5).signal_to_noise_db == math.inf
    trip = sizing.round_trip([1.0, 0.5], bits=2)
    assert trip.weights == (1.0, 0.0) and trip.signal_to_noise_db == pytest.approx(10 * math.log10(5))


def test_blocks_of_zeros_and_of_one_value_survive():
    for grid in GRIDS:
        assert sizing.quantize_block([0.0, 0.0], grid=grid).weights == (0.0, 0.0)
    assert sizing.quantize_block([0.5] * 3, grid="offset").weights == (0.5,) * 3
    assert sizing.quantize_block([1e-9]).weights == (0.0,)  # its scale is 0 in half precision


@pytest.mark.parametrize("given, message", [
    ({"weights": []}, "one or more finite"), ({"weights": [1, math.nan]}, "one or more finite"),
    ({"weights": [math.inf]}, "one or more finite"), ({"weights": 3}, "one or more finite"),
    ({"weights": "ab"}, "one or more finite"), ({"weights": [None]}, "one or more finite"),
    ({"weights": [1], "bits": 1}, "from 2 to 8, not 1"), ({"weights": [1], "bits": 9}, "from 2 to 8, not 9"),
    ({"weights": [1], "bits": 4.0}, "from 2 to 8, not 4.0"), ({"weights": [1], "bits": True}, "not True"),
    ({"weights": [1], "grid": "NF4", "bits": 3}, "NF4 has codes of 4 bits, not of 3"),
    ({"weights": [1], "grid": 4}, "grid must be a str"), ({"weights": [1e9]}, "up to 65,504"),
])
def test_what_cannot_be_quantized_is_refused(given, message):
    with pytest.raises(sizing.InvalidInput, match=message):
        sizing.quantize_block(**given)


def test_an_unknown_grid_and_a_senseless_block_are_refused():
    with pytest.raises(sizing.UnknownName, match="Nearest: symmetric"):
        sizing.quantize_block([1.0], grid="symetric")
    for size in (0, -1, 2.5, "32"):
        with pytest.raises(sizing.InvalidInput, match=r"block_weights must|A block has"):
            sizing.round_trip([1.0], block_weights=size)


def test_the_slice_holds_one_outlier():
    weights = sizing.weight_slice()
    assert len(weights.rows) == 8 and {len(row) for row in weights.rows} == {384}
    def reach(row):
        return max(map(abs, row)) / math.sqrt(sum(value**2 for value in row) / len(row))
    assert [number for number in weights.numbers if reach(weights.row(number)) > 6] == [99]
    assert "Apache-2.0" in weights.licence and "all-MiniLM-L6-v2" in weights.source
    for number in (95, 104, 99.0, "99", True):
        with pytest.raises(sizing.InvalidInput, match="rows 96 to 103"):
            weights.row(number)


RUNS = {(run.grid, run.bits, run.block_weights): run for run in sizing.rounding_lab()
        if run.grid != "format"}


def test_the_lab_ran_all_that_the_chapter_compares():
    assert len(sizing.rounding_lab()) == 28 and sizing.rounding_lab()[0].grid == "none"
    assert {key for key in RUNS if key[0] == "symmetric" and key[2] == 32} == {
        ("symmetric", bits, 32) for bits in range(2, 9)}
    formats = {run.name: run for run in sizing.rounding_lab() if run.grid == "format"}
    assert set(formats) == {"Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1", "MXFP4", "NF4"}
    for name, run in formats.items():
        assert run.bits_per_weight == sizing.load_format(name).bits_per_weight


def test_the_bits_of_the_lab_are_what_the_settings_say():
    for (grid, bits, size), run in RUNS.items():
        if size:
            assert run.bits_per_weight == bits + Fraction(16 if grid == "symmetric" else 32, size)
    rows = RUNS["symmetric", 4, None].bits_per_weight
    assert 4 + Fraction(16, 1536) < rows < 4 + Fraction(16, 384)  # rows of both lengths


def test_the_lessons_of_the_chapter_stand_in_its_results():
    cosines = [RUNS["symmetric", bits, 32].embedding_cosine for bits in range(8, 1, -1)]
    assert cosines == sorted(cosines, reverse=True)
    four, three = RUNS["symmetric", 4, 32], RUNS["symmetric", 3, 32]
    assert four.embedding_cosine > 0.95 and three.embedding_cosine < 0.83
    for bits in (3, 4):
        by_size = [RUNS["symmetric", bits, size].embedding_cosine for size in (16, 32, 64, 128, None)]
        assert by_size == sorted(by_size, reverse=True)
    whole = sizing.rounding_lab()[0]
    assert abs(four.recall_at_1 - whole.recall_at_1) < four.recall_error and four.top10_overlap < 0.9


def test_noise_and_weights_of_the_slice_agree_with_the_whole_model():
    """The lab's NumPy and the package's plain Python, on other weights: the same noise to 1 dB."""
    rows = [row for number, row in enumerate(sizing.weight_slice().rows, 96) if number != 99]
    for bits in range(2, 9):
        mine = sum(sizing.round_trip(row, bits=bits).signal_to_noise_db for row in rows) / len(rows)
        assert mine == pytest.approx(float(RUNS["symmetric", bits, 32].weight_snr_db), abs=1)


def test_searches_name_runs_of_the_lab():
    hits = sizing.rounding_searches()
    names = {run.name for run in sizing.rounding_lab()}
    assert {hit.run for hit in hits} <= names and len({hit.run for hit in hits}) == 8
    assert len(hits) == 8 * 3 * 5
    for name in {hit.run for hit in hits}:
        for search in {hit.search for hit in hits}:
            found = [hit for hit in hits if (hit.run, hit.search) == (name, search)]
            assert [hit.rank for hit in found] == [1, 2, 3, 4, 5]
            assert [hit.similarity for hit in found] == sorted((hit.similarity for hit in found),
                                                               reverse=True)


@pytest.mark.parametrize("change, message", [
    ({"grid": "cubic"}, "the grid is one of none, symmetric"),
    ({"embedding_cosine": Fraction(2)}, "embedding_cosine is a share"),
    ({"still_right": 90}, "That cannot be"), ({"right_answers": 151, "still_right": 1}, "That cannot be"),
    ({"recall_at_1": Fraction(1, 2)}, "recall_at_1 is not"),
    ({"recall_error": Fraction(1, 50)}, "recall_error is not"),
    ({"weight_snr_db": None}, "have a weight_snr_db"), ({"grid": "none"}, "have a weight_snr_db"),
])
def test_a_senseless_run_is_refused(change, message):
    with pytest.raises(sizing.InvalidInput, match=f"rounding_lab.csv, .*{message}"):
        replace(RUNS["symmetric", 4, 32], **change)


def test_a_bad_row_of_the_lab_is_refused_with_its_line(tmp_path):
    file = tmp_path / "rounding_lab.csv"
    good = (DATA / file.name).read_text(encoding="utf-8")
    header, first, second, *_ = good.splitlines()
    for line, message in ((second.replace("0.9999", "much"), "embedding_cosine is 'much'"),
                          (second.replace("8-bit symmetric in blocks of 32", "as published"), "already stands"),
                          (second.rpartition(",\"our")[0] + ",", "source is empty")):
        file.write_text("\n".join([header, first, line]), encoding="utf-8")
        with pytest.raises(sizing.InvalidInput, match=rf"rounding_lab\.csv, line 3: .*{re.escape(message)}"):
            read_table(file, RoundingRun, key=("name",))
    with pytest.raises(sizing.InvalidInput, match="a cosine is at most 1"):
        SearchHit(run="a", search="b", rank=1, found="c", similarity=Fraction(3, 2))
