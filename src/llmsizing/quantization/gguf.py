"""GGUF's formats, field by field, as llama.cpp's structs have them."""

from llmsizing.quantization.format import Format, Part

SOURCE = "llama.cpp@0c1e57098:ggml/src/ggml-common.h; gguf==0.19.0:gguf/constants.py"


def _format(family: str, name: str, weights: int, note: str = "", **fields: int) -> Format:
    parts = tuple(Part(field.replace("_", " "), size) for field, size in fields.items())
    return Format(name=name, family=family, block_weights=weights, parts=parts,
                  quantizes="all matrices but routers", rest="F32", tables_in_ram=True,
                  exceptions="each file type decides for the rest", note=note, source=SOURCE)


def _plain(name: str, weights: int, note: str = "", **fields: int) -> Format:
    return _format("GGUF plain", name, weights, note, **fields)


def _legacy(name: str, weights: int, note: str = "", **fields: int) -> Format:
    return _format("GGUF legacy", name, weights, note, **fields)


def _k(name: str, note: str = "", **fields: int) -> Format:
    return _format("GGUF K-quant", name, 256, note, **fields)


def _i(name: str, weights: int = 256, note: str = "", **fields: int) -> Format:
    return _format("GGUF I-quant", name, weights, note, **fields)


def _ternary(name: str, note: str = "", **fields: int) -> Format:
    return _format("GGUF ternary", name, 256, note, **fields)


def _float4(name: str, weights: int, note: str = "", **fields: int) -> Format:
    return _format("GGUF 4-bit float", name, weights, note, **fields)


GGUF_FORMATS = (
    _plain("F32", 1, "single precision", value=4),
    _plain("F16", 1, "half precision: 5 bits of exponent, 10 of fraction", value=2),
    _plain("BF16", 1, "the exponent of F32, 7 bits of fraction", value=2),
    _legacy("Q1_0", 128, "the sign alone; gguf-py cannot decode it yet", scale=2, codes=16),
    _legacy("Q2_0", 64, "two bits for -1, 0, 1, 2; new in 2026", scale=2, codes=16),
    _legacy("Q4_0", 32, "one scale, symmetric", scale=2, codes=16),
    _legacy("Q4_1", 32, "scale and minimum", scale=2, minimum=2, codes=16),
    _legacy("Q5_0", 32, "the fifth bits lie apart", scale=2, high_bits=4, codes=16),
    _legacy("Q5_1", 32, "", scale=2, minimum=2, high_bits=4, codes=16),
    _legacy("Q8_0", 32, "also for the KV cache", scale=2, codes=32),
    _k("Q2_K", "16 sub-blocks of 16", scales_and_minimums=16, codes=64,
       scale_of_scales=2, scale_of_minimums=2),
    _k("Q3_K", "16 sub-blocks of 16, no minimum", high_bits=32, codes=64, scales=12,
       scale_of_scales=2),
    _k("Q4_K", "8 sub-blocks of 32, scales and minimums of 6 bits", scale_of_scales=2,
       scale_of_minimums=2, scales_and_minimums=12, codes=128),
    _k("Q5_K", "Q4_K with a fifth bit", scale_of_scales=2, scale_of_minimums=2,
       scales_and_minimums=12, high_bits=32, codes=128),
    _k("Q6_K", "16 sub-blocks of 16, scales of 8 bits", codes=128, high_bits=64, scales=16,
       scale_of_scales=2),
    _i("IQ1_S", note="codes point into a table of 2,048 patterns of 8 weights",
       scale=2, codes=32, high_bits_and_scales=16),
    _i("IQ1_M", note="its scale is hidden in the sub-blocks' scales", codes=32, high_bits=16,
       scales=8),
    _i("IQ2_XXS", note="a table of 256 patterns of 8 weights", scale=2,
       codes_signs_and_scales=64),
    _i("IQ2_XS", note="a table of 512 patterns of 8 weights", scale=2, codes_and_signs=64,
       scales=8),
    _i("IQ2_S", note="a table of 1,024 patterns of 8 weights", scale=2, codes_and_signs=64,
       high_bits=8, scales=8),
    _i("IQ3_XXS", note="a table of 256 patterns of 4 weights", scale=2,
       codes_signs_and_scales=96),
    _i("IQ3_S", note="a table of 512 patterns of 4 weights", scale=2, codes=64, high_bits=8,
       signs=32, scales=4),
    _i("IQ4_NL", 32, "codes point into a table of 16 values", scale=2, codes=16),
    _i("IQ4_XS", note="IQ4_NL with 8 sub-blocks, scales of 6 bits", scale_of_scales=2,
       high_bits_of_scales=2, low_bits_of_scales=4, codes=128),
    _ternary("TQ1_0", "five weights of -1, 0, 1 in a byte", codes_by_five=48, codes_by_four=4,
             scale=2),
    _ternary("TQ2_0", "two bits for -1, 0, 1", codes=64, scale=2),
    _float4("MXFP4", 32, "scale is a power of two, codes are 4-bit floats", scale=1, codes=16),
    _float4("NVFP4", 64, "one 8-bit float as scale for 16 weights", scales=4, codes=32),
)
