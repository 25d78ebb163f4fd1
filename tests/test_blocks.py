import json
import random
import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

import llmsizing as sizing
from llmsizing.quantization.blocks import DECODERS

HALF_PRECISION_AT = {"Q8_0": (0,), "Q4_0": (0,), "Q4_K": (0, 2), "IQ4_XS": (0,), "MXFP4": ()}


def made_up(name: str, seed: int) -> bytes:
    """Random bytes, with scales that are finite."""
    source = random.Random(seed)
    data = bytearray(source.randbytes(int(sizing.load_format(name).block_bytes)))
    for place in HALF_PRECISION_AT[name]:
        data[place:place + 2] = struct.pack("<e", source.uniform(-2, 2))
    if name == "MXFP4":
        data[0] = source.randint(30, 220)
    return bytes(data)


@pytest.mark.parametrize("name", HALF_PRECISION_AT)
def test_blocks_decode_as_gguf_decodes_them(name):
    for seed in range(200):
        data = made_up(name, seed)
        ours = np.array([weight.value for weight in sizing.decode_block(name, data)], np.float32)
        theirs = gguf.quants.dequantize(np.frombuffer(data, np.uint8), gguf.GGMLQuantizationType[name])
        assert np.array_equal(ours, theirs), seed


def test_nf4_decodes_as_bitsandbytes_decodes_it():
    file = Path(__file__).with_name("nf4_decoded.json")
    theirs = struct.unpack("<256f", bytes.fromhex(json.loads(file.read_text())["decoded"]))
    sample = sizing.block_sample()
    ours = [weight.value for number in range(4)
            for weight in sizing.decode_block("NF4", sample.block("NF4", number))]
    assert np.array_equal(np.array(ours, np.float32), np.array(theirs, np.float32))


@pytest.mark.parametrize("name", DECODERS)
def test_each_weight_has_its_place_its_bytes_and_true_working(name):
    sample = sizing.block_sample()
    weights = sizing.decode_block(name, sample.block(name))
    layout = sizing.load_format(name)
    assert [weight.index for weight in weights] == list(range(layout.block_weights))
    used = {place for weight in weights for place in weight.bytes_used}
    assert used == set(range(int(layout.block_bytes)))
    for weight in weights:
        text, _, result = weight.working.partition(" = ")
        text = text.split(" (code")[0].replace("×", "*").replace("−", "-").replace("^", "**")
        assert float(result) == pytest.approx(weight.value, rel=1e-4)
        assert eval(text) == pytest.approx(weight.value, rel=2e-4, abs=1e-5)  # noqa: S307


@pytest.mark.parametrize("name", DECODERS)
def test_a_changed_byte_changes_only_the_weights_that_name_it(name):
    block = sizing.block_sample().block(name)
    before = sizing.decode_block(name, block)
    for place in range(len(block)):
        changed = bytearray(block)
        changed[place] ^= 0x11
        after = sizing.decode_block(name, bytes(changed))
        for old, new in zip(before, after, strict=True):
            assert old.value == new.value or place in old.bytes_used


def test_fields_cover_the_block_without_gaps():
    for name in DECODERS:
        fields = sizing.block_fields(name)
        assert [field.start for field in fields[1:]] == [field.end for field in fields[:-1]]
        assert (fields[0].start, fields[-1].end) == (0, int(sizing.load_format(name).block_bytes))


def test_the_sample_is_near_the_weights_that_it_was_made_from():
    sample = sizing.block_sample()
    largest = max(map(abs, sample.weights))
    for name, data in sample.blocks.items():
        layout = sizing.load_format(name)
        blocks = 256 // layout.block_weights
        assert len(data) == blocks * layout.block_bytes
        decoded = [weight.value for number in range(blocks)
                   for weight in sizing.decode_block(name, sample.block(name, number))]
        worst = max(abs(a - b) for a, b in zip(decoded, sample.weights, strict=True))
        assert worst < (0.02 if name == "Q8_0" else 0.25) * largest


@pytest.mark.parametrize(("name", "data", "message"), [
    ("Q4_0", b"", "has 18 bytes, not 0"), ("Q4_0", b"x" * 19, "has 18 bytes, not 19"),
    ("NF4", b"x" * 32, "has 36 bytes, not 32"), ("Q4_0", None, "as bytes, not as NoneType"),
    ("Q4_0", "x" * 18, "as bytes, not as str"), ("Q4_0", [300] * 18, "as bytes, not as list"),
])
def test_what_is_no_block_is_refused(name, data, message):
    with pytest.raises(sizing.InvalidInput, match=message):
        sizing.decode_block(name, data)


def test_a_block_may_be_any_buffer_and_its_format_as_people_type_it():
    block = sizing.block_sample().block("q4-0")
    decoded = sizing.decode_block("Q4_0", block)
    for typed, data in (("q4-0", bytearray(block)), ("Q4 0", np.frombuffer(block, np.uint8))):
        assert sizing.decode_block(typed, data) == decoded
    assert len(sizing.decode_block("bnb-4bit", sizing.block_sample().block("nf4"))) == 64


@pytest.mark.parametrize("name", ["GPTQ 3-bit g32", "NF4 double quant", "HQQ 3-bit g64"])
def test_a_format_that_shares_bytes_between_blocks_has_no_fields(name):
    with pytest.raises(sizing.InvalidInput, match="has no blocks of whole bytes"):
        sizing.block_fields(name)


def test_the_sample_refuses_other_formats_and_numbers():
    sample = sizing.block_sample()
    assert sample.block("Q4_0", 7) == sample.blocks["Q4_0"][-18:]
    for number in (-1, 8, 99, 0.5, None):
        with pytest.raises(sizing.InvalidInput, match="has blocks 0 to 7 of Q4_0, not"):
            sample.block("Q4_0", number)
    for name in ("Q5_K", "nonsense"):
        with pytest.raises(sizing.UnknownName, match=f"in the sample is called '{name}'. (Nearest|Known): .*Q4"):
            sample.block(name)
    with pytest.raises(TypeError):
        sample.blocks["Q4_0"] = b""


@pytest.mark.parametrize("name", ["Q5_1", "GPTQ", ""])
def test_a_format_without_a_decoder_is_named(name):
    with pytest.raises(sizing.UnknownName, match="decoder"):
        sizing.decode_block(name, b"x" * 24)
