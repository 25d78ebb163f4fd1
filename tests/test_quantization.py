import math
import re
from fractions import Fraction

import gguf
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.architecture import ROLES, Tensor
from llmsizing.quantization.dtypes import DTYPES
from llmsizing.quantization.format import QUANTIZED
from llmsizing.quantization.formats import ALIASES

GGUF = [entry for entry in sizing.formats() if entry.family.startswith("GGUF")]
OTHERS = [entry for entry in sizing.formats() if not entry.family.startswith("GGUF")]
SIZES = {kind.name: size for kind, size in gguf.GGML_QUANT_SIZES.items()}

# Types of gguf that are no format for weights, each with its reason.
LEFT_OUT = {
    "Q8_1": "for intermediate results only; no file holds it",
    "Q8_K": "for intermediate results only; no file holds it",
    "I8": "whole numbers, no weights", "I16": "whole numbers, no weights",
    "I32": "whole numbers, no weights", "I64": "whole numbers, no weights",
    "F64": "llama.cpp's quantizer writes none",
}


@pytest.mark.parametrize(
    ("name", "bits"),
    [("q4_k_m", 4), ("F32", 32), ("Q1_0", 1), ("F16", 16), ("BF16", 16), ("Q8_0", 8), ("Q4_K_M", 4), ("IQ3_XXS", 3),
     ("TQ2_0", 2), ("FP16", 16), ("FP8", 8), ("NVFP4", 4), ("MXFP4_MOE", 4)],
)
def test_bits_in_a_name(name, bits):
    assert sizing.nominal_bits(name) == bits


@pytest.mark.parametrize("name", ["", "K_M", "Q", "4 bit", "Q0_0", "Q33", "Q99", None, 4])
def test_a_name_without_bits(name):
    with pytest.raises(sizing.InvalidInput, match="file types look like Q4_K_M"):
        sizing.nominal_bits(name)


@pytest.mark.parametrize("name", sorted(SIZES.keys() - LEFT_OUT.keys()))
def test_blocks_are_those_of_gguf(name):
    entry = sizing.load_format(name)
    assert (entry.block_weights, entry.block_bytes) == SIZES[name]
    assert entry.bits_per_weight == Fraction(8 * SIZES[name][1], SIZES[name][0])


def test_gguf_is_covered():
    """gguf 0.19 does not know Q2_0 yet: a 16-bit scale and 64 codes of 2 bits."""
    assert LEFT_OUT.keys() < SIZES.keys()
    assert {entry.name for entry in GGUF} - SIZES.keys() == {"Q2_0"}
    q2_0 = sizing.load_format("Q2_0")
    assert (q2_0.block_weights, q2_0.block_bytes) == (64, 18)


def test_nothing_is_added_to_the_blocks_of_gguf():
    for entry in GGUF:
        assert (entry.row_bits, entry.column_bits, entry.tensor_bits) == (0, 0, 0), entry.name
        assert all(isinstance(part.bytes, int) for part in entry.parts), entry.name


@pytest.mark.parametrize(
    ("name", "bits"),
    [("LLM.int8()", "8"), ("NF4", "9/2"), ("FP4", "9/2"), ("NF4 double quant", "2113/512"),
     ("FP4 double quant", "2113/512"), ("GPTQ 4-bit g32", "37/8"), ("GPTQ 4-bit g64", "69/16"),
     ("GPTQ 4-bit g128", "133/32"), ("GPTQ 4-bit row", "4"), ("GPTQ 8-bit g128", "131/16"),
     ("GPTQ 3-bit g128", "403/128"), ("GPTQ 2-bit g128", "137/64"), ("AWQ 4-bit g32", "37/8"),
     ("AWQ 4-bit g64", "69/16"), ("AWQ 4-bit g128", "133/32"), ("W4A16 g32", "9/2"),
     ("W4A16 g64", "17/4"), ("W4A16 g128", "33/8"), ("W8A16 g128", "65/8"),
     ("FP8 per tensor", "8"), ("FP8 per channel", "8"), ("FP8 block 128", "4097/512"),
     ("MXFP4", "17/4"), ("MXFP4 safetensors", "17/4"), ("NVFP4", "9/2"), ("NVFP4 safetensors", "9/2"),
     ("MLX 2-bit g64", "5/2"), ("MLX 3-bit g64", "7/2"), ("MLX 4-bit g64", "9/2"),
     ("MLX 5-bit g64", "11/2"), ("MLX 6-bit g64", "13/2"), ("MLX 8-bit g64", "17/2"),
     ("MLX 4-bit g32", "5"), ("MLX 4-bit g128", "17/4"), ("MLX MXFP4", "17/4"),
     ("MLX NVFP4", "9/2"), ("MLX MXFP8", "33/4"), ("HQQ 8-bit g64", "17/2"),
     ("HQQ 4-bit g64", "9/2"), ("HQQ 3-bit g64", "37/10"), ("HQQ 2-bit g16", "4"),
     ("EXL3 2.0 bpw", "2"), ("EXL3 3.0 bpw", "3"), ("EXL3 4.0 bpw", "4"), ("EXL3 6.0 bpw", "6"),
     ("EXL2 4-bit g128", "129/32"), ("AQLM 1x16", "2"), ("AQLM 2x8", "2"),
     ("torchao int4 g128", "17/4"), ("torchao int8", "8")],
)
def test_bits_per_weight_are_exact(name, bits):
    assert sizing.load_format(name).bits_per_weight == Fraction(bits)


@pytest.mark.parametrize(
    ("name", "rows", "columns", "bits"),
    [("LLM.int8()", 1024, 4096, 8 + Fraction(32, 4096)),
     ("FP8 per channel", 1024, 4096, 8 + Fraction(16, 4096)),
     ("FP8 per tensor", 1024, 4096, 8 + Fraction(16, 1024 * 4096)),
     ("FP8 block 128", 1024, 4096, Fraction(4097, 512)),
     ("GPTQ 4-bit g128", 1024, 4096, Fraction(133, 32) + Fraction(32, 1024)),
     ("GPTQ 4-bit row", 1024, 4096, 4 + Fraction(20, 4096) + Fraction(32, 1024)),
     ("AWQ 4-bit g128", 1024, 4096, Fraction(133, 32)),
     ("NVFP4 safetensors", 1024, 4096, Fraction(9, 2) + Fraction(32, 1024 * 4096)),
     ("EXL3 3.0 bpw", 1024, 4096, 3 + Fraction(16, 4096) + Fraction(16, 1024)),
     ("AQLM 1x16", 1024, 4096, 2 + Fraction(16, 4096) + Fraction(2**16 * 8 * 16, 1024 * 4096)),
     ("AQLM 2x8", 1024, 4096, 2 + Fraction(16, 4096) + Fraction(2 * 2**8 * 8 * 16, 1024 * 4096)),
     ("torchao int8", 1024, 4096, 8 + Fraction(40, 4096)),
     ("Q4_K", 1024, 4096, Fraction(9, 2)), ("NF4", 1024, 4096, Fraction(9, 2))],
)
def test_rows_columns_and_tensors_add_their_own(name, rows, columns, bits):
    entry = sizing.load_format(name)
    exact = bits * rows * columns / 8
    assert exact.denominator == 1 and entry.tensor_bytes((rows, columns)) == exact
    assert entry.tensor_bytes((8, rows, columns)) == 8 * exact


def test_plain_numbers_are_as_large_as_numpys():
    """BF16 and 8-bit floats numpy does not have; F16 and F32 are formats."""
    kinds = {"F": "f", "I": "i", "U": "u"}
    for entry in DTYPES:
        size = (1 if entry.name in ("BOOL", "F8_E4M3", "F8_E5M2")
                else numpy.dtype(f"{kinds[entry.name[0]]}{int(entry.name[1:]) // 8}").itemsize)
        assert sizing.load_format(entry.name).tensor_bytes((3, 5)) == 15 * size, entry.name


def test_exl2_keeps_an_order_and_two_scales_a_group():
    """exllamav2's q_invperm (32 bits a column), q_groups (2 × 16 bits) and q_scale_max (16 bits)."""
    rows, columns = 1024, 4096
    groups = columns // 128
    codes, scales = rows * columns * 4 // 8, rows * groups * 4 // 8
    more = columns * 4 + groups * 2 * 2 + groups * 2
    assert sizing.load_format("EXL2 4-bit g128").tensor_bytes((rows, columns)) == codes + scales + more


PARTS = {"codes", "scale", "zero point", "bias", "trellis", "scale of 256 scales"}


def test_families_and_the_parts_of_a_block_are_called_by_known_words():
    families = {"bitsandbytes", "GPTQ", "AWQ", "compressed-tensors", "FP8", "4-bit float", "MLX",
                "EXL3", "EXL2", "HQQ", "AQLM", "torchao"}
    assert {entry.family for entry in OTHERS} == families
    assert {part.name for entry in OTHERS for part in entry.parts} == PARTS


def test_bytes_are_rounded_up_once_for_all_matrices_of_a_stack():
    """3 · 5 weights of 403/128 bits, and 32 bits for each of 5 columns: 25.9 bytes a matrix."""
    entry = sizing.load_format("GPTQ 3-bit g128")
    one = (15 * Fraction(403, 128) + 5 * 32) / 8
    assert entry.tensor_bytes((3, 5)) == math.ceil(one) == 26
    assert entry.tensor_bytes((32, 3, 5)) == math.ceil(32 * one) == 829 < 32 * 26


@pytest.mark.parametrize("shape", [(), (-1, 3), (0, 3), (3, 2.5), 12, "12", None, ("3",)])
def test_a_shape_that_is_none(shape):
    with pytest.raises(sizing.InvalidInput, match="A shape is a tuple of whole numbers from 1"):
        sizing.load_format("Q4_0").tensor_bytes(shape)


def test_a_vector_is_one_row():
    assert sizing.load_format("F32").tensor_bytes((4096,)) == 16384
    assert sizing.load_format("LLM.int8()").tensor_bytes((4096,)) == 4096 + 4


@pytest.mark.parametrize("entry", sizing.formats(), ids=lambda entry: entry.name)
def test_a_tensor_takes_whole_bytes(entry):
    for shape in ((1,), (3, 5), (7, 3, 5), (4096, 14336)):
        made = entry.tensor_bytes(shape)
        least = entry.bits_per_weight * math.prod(shape) / 8
        assert isinstance(made, int) and made >= least


@given(st.sampled_from(sizing.formats()), st.integers(1, 10**5), st.integers(1, 10**5))
def test_more_weights_take_no_fewer_bytes(entry, rows, columns):
    assert entry.tensor_bytes((rows, columns)) <= entry.tensor_bytes((rows + 1, columns))
    assert entry.tensor_bytes((rows, columns)) <= entry.tensor_bytes((rows, columns + 1))
    assert entry.tensor_bytes((rows, columns)) <= entry.tensor_bytes((2, rows, columns))


@pytest.mark.parametrize("entry", sizing.formats(), ids=lambda entry: entry.name)
def test_the_working_is_true_arithmetic(entry):
    found = re.fullmatch(r"\((.+)\) bytes · 8 / ([\d,]+) weights = ([\d.]+)", entry.working)
    fields = [field.split(" ", 1) for field in found[1].split(" + ")]
    assert [name for _, name in fields] == [part.name for part in entry.parts]
    total = sum(Fraction(size.replace(",", "")) for size, _ in fields)
    weights = int(found[2].replace(",", ""))
    assert 8 * total / weights == entry.bits_per_weight
    assert abs(Fraction(found[3]) - entry.bits_per_weight) <= Fraction(1, 200_000)


def test_names_are_unique_and_each_format_says_where_it_comes_from():
    entries = sizing.formats()
    assert len({re.sub(r"[^a-z0-9]", "", entry.name.lower()) for entry in entries}) == len(entries) >= 100
    for entry in entries:
        assert entry.leaves and re.search(r"(==|@)\S+:", entry.source), entry.name
        assert entry.quantizes in QUANTIZED and entry.rest in ("BF16", "F32"), entry.name
        assert entry.block_weights > 0 and all(part.bytes > 0 and part.name for part in entry.parts)
        assert sizing.load_format(entry.name) is entry


@pytest.mark.parametrize(("name", "leaves"), [
    ("AWQ 4-bit g128",
     "embedding, output layer, routers, norms, biases and convolutions stay in 16 bits"),
    ("NF4", "embedding, output layer, experts, routers, norms, biases and convolutions stay in"
            " 16 bits; experts because they are one tensor (transformers 5)"),
    ("MXFP4 safetensors", "all but the matrices of the experts stays in 16 bits"),
    ("MLX 4-bit g64",
     "norms, biases and convolutions stay in 16 bits; routers get MLX 8-bit g64;"
     " in some families routers are quantized as the rest, or stay"),
    ("EXL3 3.0 bpw", "embedding, routers, norms, biases and convolutions stay in 16 bits;"
                     " the output layer gets EXL3 6.0 bpw; the embedding lies in RAM"),
    ("EXL2 4-bit g128", "embedding, routers, norms, biases and convolutions stay in 16 bits;"
                        " the output layer gets EXL2 6.3-bit g128; the embedding lies in RAM"),
    ("Q4_K", "routers, norms, biases and convolutions stay in 32 bits; the embedding lies in RAM;"
             " each file type decides for the rest"),
])
def test_what_a_format_leaves_in_words(name, leaves):
    assert sizing.load_format(name).leaves == leaves


@pytest.mark.parametrize("entry", sizing.formats(), ids=lambda entry: entry.name)
def test_the_words_say_what_each_role_is_stored_in(entry):
    called = {"embedding": "embedding", "output": "output layer", "experts": "experts",
              "router": "routers"}
    stays, *_ = entry.leaves.split(";")
    for role in set(ROLES) - {"norm", "buffer"}:
        stored = entry.format_of(Tensor("a.weight", (64, 128), role))
        assert sizing.load_format(stored)
        if role in called and not stays.startswith("all but") and entry.name != entry.rest:
            assert (called[role] in stays) == (stored == entry.rest), role
        if stored not in (entry.name, entry.rest):
            assert stored in entry.leaves
    assert entry.format_of(Tensor("a.weight", (64,), "attention")) == entry.rest
    assert entry.format_of(Tensor("ffn_up_exps.bias", (8, 64), "experts")) == entry.rest
    assert entry.format_of(Tensor("ssm_conv1d.weight", (64, 4), "state space")) == entry.rest


def test_the_head_of_exl2_has_8_bits_for_15_percent_and_6_for_the_rest():
    head = sizing.load_format("EXL2 6.3-bit g128")
    eight, six = (sizing.load_format(f"EXL2 {bits}-bit g128").bits_per_weight for bits in (8, 6))
    assert head.bits_per_weight == Fraction(15, 100) * eight + Fraction(85, 100) * six


def test_a_list_of_formats_is_ones_own():
    sizing.formats().clear()
    assert sizing.formats()[0] is sizing.formats()[0]


def test_every_alias_leads_to_a_format_and_hides_none():
    names = {re.sub(r"[^a-z0-9]", "", entry.name.lower()) for entry in sizing.formats()}
    assert set(ALIASES.values()) <= names
    assert not ALIASES.keys() & names


@pytest.mark.parametrize(
    ("typed", "name"),
    [("q4_k", "Q4_K"), ("Q4 K", "Q4_K"), ("iq4-nl", "IQ4_NL"), ("iq2_xxs", "IQ2_XXS"), ("IQ2_S", "IQ2_S"),
     ("nf4", "NF4"), ("bnb-4bit", "NF4"), ("bitsandbytes 4-bit", "NF4"), ("qlora", "NF4 double quant"),
     ("NF4 (double quant)", "NF4 double quant"), ("int8", "LLM.int8()"), ("llm.int8", "LLM.int8()"),
     ("gptq", "GPTQ 4-bit g128"), ("gptq-int4", "GPTQ 4-bit g128"), ("GPTQ-Int8", "GPTQ 8-bit g128"),
     ("gptq 4bit G32", "GPTQ 4-bit g32"), ("awq", "AWQ 4-bit g128"), ("AWQ-INT4", "AWQ 4-bit g128"),
     ("w4a16", "W4A16 g128"), ("fp8", "FP8 per tensor"), ("FP8 block", "FP8 block 128"),
     ("bf16", "BF16"), ("bfloat16", "BF16"), ("FP16", "F16"), ("float16", "F16"), ("fp32", "F32"),
     ("mlx-4bit", "MLX 4-bit g64"), ("MLX 8 bit", "MLX 8-bit g64"), ("hqq", "HQQ 4-bit g64"),
     ("mxfp4", "MXFP4"), ("torchao-int8", "torchao int8"), ("exl3 4.0bpw", "EXL3 4.0 bpw"),
     ("gptq int4 g128", "GPTQ 4-bit g128"), ("gptq-4bit-32g", "GPTQ 4-bit g32"), ("AWQ int4 g64", "AWQ 4-bit g64"),
     ("GPTQ-Int3", "GPTQ 3-bit g128"), ("w8a16", "W8A16 g128"), ("FP8 E4M3", "FP8 per tensor"),
     ("float8_e4m3fn", "FP8 per tensor"), ("fp8-dynamic", "FP8 per channel"), ("exl3 4bpw", "EXL3 4.0 bpw"),
     ("MXFP4 (GGUF)", "MXFP4"), ("int4 torchao", "torchao int4 g128"), ("ｎｆ４", "NF4")],
)
def test_formats_are_found_as_people_type_them(typed, name):
    assert sizing.load_format(typed).name == name


USUAL = [(typed.format(bits), name.format(bits)) for typed, name, rates in (
    ("gptq-{}bit", "GPTQ {}-bit g128", (2, 3, 4, 8)), ("mlx {}-bit", "MLX {}-bit g64", (2, 3, 4, 5, 6, 8)),
    ("exl3 {}bpw", "EXL3 {}.0 bpw", (2, 3, 4, 5, 6, 8)), ("w{}a16", "W{}A16 g128", (4, 8)),
    ("nf{}-dq", "NF{} double quant", (4,)), ("FP{} dq", "FP{} double quant", (4,)),
    ("nf{} with double quantization", "NF{} double quant", (4,)),
    ("hqq-{}bit", "HQQ {}-bit g64", (4,)), ("awq-{}bit", "AWQ {}-bit g128", (4,))) for bits in rates]


@pytest.mark.parametrize(("typed", "name"), USUAL)
def test_bits_alone_mean_the_usual_group(typed, name):
    assert sizing.load_format(typed).name == name


@pytest.mark.parametrize(
    ("typed", "message"),
    [("Q7_K", "No format is called 'Q7_K'. Nearest: .*Q6_K"), ("nf5", "Nearest: NF4"),
     ("gptq 5-bit g128", "Nearest: GPTQ . ?-?bit g128"), ("", "Known: F32, F16, .* more"),
     ("int4", "Nearest: GPTQ 4-bit g32, .*AWQ 4-bit"), ("8-bit", "Nearest: GPTQ 8-bit"), ("q4", "Nearest: Q4_0, Q4_1, Q4_K"),
     ("exl3", "'exl3' is a family of formats: EXL3 2.0 bpw, .*, EXL3 8.0 bpw.$"), ("MLX", "a family of formats: MLX 2-bit g32, .* ….$"),
     ("bnb", r"a family of formats: LLM.int8\(\), NF4, "),
     ("llm-compressor", "a family of formats: W4A16 g32, ")],
)
def test_an_unknown_format_gets_names_that_exist(typed, message):
    with pytest.raises(sizing.UnknownName, match=message):
        sizing.load_format(typed)


@pytest.mark.parametrize("typed", [None, [], 4, ("f16",), b"f16"])
def test_a_format_is_named_by_text(typed):
    with pytest.raises(sizing.InvalidInput, match="named by text such as 'Q4_K' or 'NF4', not"):
        sizing.load_format(typed)


@pytest.mark.parametrize("typed", ["Q4_K_M", "q5_k_s", "Q3_K_L", "Q2_K_S", "IQ2_M", "iq3_m", "Q6_K_L"])
def test_a_file_type_is_no_format(typed):
    with pytest.raises(sizing.UnknownName, match=f"'{typed}' is a file type, not a format"):
        sizing.load_format(typed)


@given(st.one_of(st.text(), st.none(), st.integers(), st.floats(), st.lists(st.text())))
def test_nothing_but_our_exceptions_is_raised(typed):
    try:
        sizing.load_format(typed)
    except (sizing.UnknownName, sizing.InvalidInput):
        pass
