"""Formats of checkpoints and other engines: bitsandbytes, GPTQ, AWQ, FP8, MLX, EXL, HQQ, AQLM."""

from collections.abc import Iterator
from fractions import Fraction

from llmsizing.quantization.format import Format, Part

HALF, SINGLE = 2, 4  # bytes of a 16-bit and of a 32-bit scale
BITS_OF_HALF, BITS_OF_SINGLE = 16, 32
HEAD_OF_EXL2 = Fraction(63, 10)  # bits of codes: 0.15 · 8 + 0.85 · 6


def _codes(weights: int, bits: int | Fraction) -> Part:
    return Part("codes", Fraction(weights * bits) / 8)


def _bitsandbytes() -> Iterator[Format]:
    common = {"family": "bitsandbytes", "quantizes": "linear layers, no experts",
              "exceptions": "experts because they are one tensor (transformers 5)"}
    library = "bitsandbytes==0.50.2:bitsandbytes"
    leaves_read_in = "transformers==5.23.0:quantizers/base.py, integrations/bitsandbytes.py"
    yield Format(name="LLM.int8()", block_weights=1, parts=(_codes(1, 8),),
                 row_bits=BITS_OF_SINGLE,
                 note="one F32 scale for each row; outlier columns are computed in 16 bits",
                 source=f"{library}/nn/modules.py; {leaves_read_in}", **common)
    for name, values in (("NF4", "codes point into a table of 16 values"), ("FP4", "4-bit floats")):
        source = f"{library}/functional.py; {leaves_read_in}"
        yield Format(name=name, block_weights=64, parts=(_codes(64, 4), Part("scale", SINGLE)),
                     note=values, source=source, **common)
        yield Format(name=f"{name} double quant", block_weights=64,
                     parts=(_codes(64, 4), Part("scale", 1),
                            Part("scale of 256 scales", Fraction(SINGLE, 256))),
                     note=f"{values}; the scales are stored in 8 bits", source=source, **common)


def _gptq() -> Iterator[Format]:
    common = {"family": "GPTQ", "quantizes": "linear layers",
              "column_bits": 32,  # g_idx
              "source": "gptqmodel==7.7.0:gptqmodel/nn_modules/qlinear/__init__.py"}
    for bits in (4, 8, 3, 2):
        for group in (32, 64, 128):
            yield Format(name=f"GPTQ {bits}-bit g{group}", block_weights=group,
                         parts=(_codes(group, bits), Part("scale", HALF),
                                Part("zero point", Fraction(bits, 8))),
                         note="zero points are stored where they are all equal, too", **common)
        yield Format(name=f"GPTQ {bits}-bit row", block_weights=8, parts=(_codes(8, bits),),
                     row_bits=BITS_OF_HALF + bits,
                     note="group size -1: one scale and zero point for each row", **common)


def _awq() -> Iterator[Format]:
    for group in (32, 64, 128):
        yield Format(name=f"AWQ 4-bit g{group}", family="AWQ", block_weights=group,
                     parts=(_codes(group, 4), Part("scale", HALF), Part("zero point", Fraction(4, 8))),
                     quantizes="linear layers", note="g128 is usual",
                     source="autoawq==0.2.9:awq/modules/linear/gemm.py")


def _compressed_tensors() -> Iterator[Format]:
    family, note = "compressed-tensors", "symmetric: no zero points"
    written_by = "compressed-tensors==0.20.0:compressors/pack_quantized/base.py"
    for name, bits, group in (("W4A16 g32", 4, 32), ("W4A16 g64", 4, 64), ("W4A16 g128", 4, 128),
                              ("W8A16 g128", 8, 128)):
        yield Format(name=name, family=family, block_weights=group,
                     parts=(_codes(group, bits), Part("scale", HALF)),
                     quantizes="linear layers", exceptions="the recipe's ignore list may say more",
                     note=note, source=written_by)
    yield Format(name="W4A16 g32 experts", family=family, block_weights=32,
                 parts=(_codes(32, 4), Part("scale", HALF)), quantizes="experts",
                 note=f"Kimi K2.5 as it was released; {note}",
                 source=f"{written_by}; ai-dynamo/aiconfigurator@095f58a51c4c:aic-core/src/"
                        "aiconfigurator_core/model_configs/moonshotai--Kimi-K2.5_config.json")


def _float8() -> Iterator[Format]:
    common = {"family": "FP8", "quantizes": "linear layers"}
    written_by = "compressed-tensors==0.20.0:compressors/naive_quantized/base.py"
    yield Format(name="FP8 per tensor", block_weights=1, parts=(_codes(1, 8),),
                 tensor_bits=BITS_OF_HALF, note="one BF16 scale for each matrix",
                 source=written_by, **common)
    yield Format(name="FP8 per channel", block_weights=1, parts=(_codes(1, 8),),
                 row_bits=BITS_OF_HALF, note="one BF16 scale for each row",
                 source=written_by, **common)
    yield Format(name="FP8 block 128", block_weights=128 * 128,
                 parts=(_codes(128 * 128, 8), Part("scale", SINGLE)), square=128,
                 note="one F32 scale for a square of 128 × 128 weights, as DeepSeek-V3 has it",
                 source="deepseek-ai/DeepSeek-V3@9b4e978:README_WEIGHTS.md", **common)


def _float4() -> Iterator[Format]:
    family = "4-bit float"
    yield Format(name="MXFP4 safetensors", family=family, block_weights=32,
                 parts=(_codes(32, 4), Part("scale", 1)), quantizes="experts",
                 note="gpt-oss as it was released; a scale is a power of two",
                 source="openai/gpt-oss@7b58334:gpt_oss/torch/weights.py")
    yield Format(name="NVFP4 safetensors", family=family, block_weights=16,
                 parts=(_codes(16, 4), Part("scale", 1)), tensor_bits=BITS_OF_SINGLE,
                 quantizes="linear layers",
                 note="an 8-bit float as scale for 16 weights, one F32 scale for each matrix",
                 source="compressed-tensors==0.20.0:compressors/nvfp4/base.py")


def _mlx() -> Iterator[Format]:
    common = {"family": "MLX", "quantizes": "all matrices", "gives": (("router", "MLX 8-bit g64"),),
              "exceptions": "in some families routers are quantized as the rest, or stay",
              "source": "mlx-lm==0.32.2:mlx_lm/utils.py, models/qwen3_moe.py (quant_predicate);"
                        " mlx==0.32.4:nn/layers/quantized.py"}
    for bits in (2, 3, 4, 5, 6, 8):
        for group in (32, 64, 128):
            yield Format(name=f"MLX {bits}-bit g{group}", block_weights=group,
                         parts=(_codes(group, bits), Part("scale", HALF), Part("bias", HALF)),
                         note="g64 is usual", **common)
    for name, bits, group in (("MLX MXFP4", 4, 32), ("MLX NVFP4", 4, 16), ("MLX MXFP8", 8, 32)):
        yield Format(name=name, block_weights=group, parts=(_codes(group, bits), Part("scale", 1)),
                     note="no scale for the whole matrix", **common)


def _exl() -> Iterator[Format]:
    """Both engines look tokens up in RAM, and store a tied output layer a second time."""
    common = {"quantizes": "linear layers", "tables_in_ram": True}
    for bits in (2, 3, 4, 5, 6, 8):
        yield Format(name=f"EXL3 {bits}.0 bpw", family="EXL3", block_weights=16 * 16,
                     parts=(Part("trellis", 16 * bits * 2),),
                     row_bits=BITS_OF_HALF, column_bits=BITS_OF_HALF,
                     gives=(("output", "EXL3 6.0 bpw"),),
                     note="a tile of 16 × 16 weights; a file's rate is an average of such rates",
                     source="exllamav3==1.6.5:exllamav3/modules/quant/exl3.py, modules/embedding.py,"
                            " conversion/convert_model.py", **common)
    for bits in (2, 3, 4, 5, 6, 8, HEAD_OF_EXL2):
        note = ("what the output layer gets: 8 bits for 15 % of the groups, 6 bits for 85 %"
                if bits == HEAD_OF_EXL2 else
                "a file mixes these; the bpw in its name is the average")
        yield Format(name=f"EXL2 {float(bits):g}-bit g128", family="EXL2", block_weights=128,
                     parts=(_codes(128, bits), Part("scale", Fraction(4, 8))),
                     column_bits=32 + Fraction(48, 128),
                     gives=(("output", f"EXL2 {float(HEAD_OF_EXL2):g}-bit g128"),), note=note,
                     source="exllamav2==0.3.2:exllamav2/conversion/qparams.py, convert_exl2.py,"
                            " exllamav2/model.py", **common)


def _others() -> Iterator[Format]:
    hqq = {"family": "HQQ", "quantizes": "linear layers",
           "source": "hqq==0.2.8.post1:hqq/core/quantize.py, bitpack.py"}
    for bits, group, codes, note in (
        (8, 64, _codes(64, 8), ""),
        (4, 64, _codes(64, 4), ""),
        (3, 64, Part("codes", Fraction(64 * SINGLE, 10)), "ten codes of 3 bits in 32 bits"),
        (2, 16, _codes(16, 2), ""),
    ):
        yield Format(name=f"HQQ {bits}-bit g{group}", block_weights=group,
                     parts=(codes, Part("scale", HALF), Part("zero point", HALF)), note=note, **hqq)
    for name, tables in (("AQLM 1x16", 2**16), ("AQLM 2x8", 2 * 2**8)):
        yield Format(name=name, family="AQLM", block_weights=8, parts=(_codes(8, 2),),
                     row_bits=BITS_OF_HALF, tensor_bits=tables * 8 * BITS_OF_HALF,
                     quantizes="linear layers",
                     note="codes point into tables of 8 weights, which each matrix brings along",
                     source="aqlm==1.1.7:aqlm/inference.py")
    torchao = {"family": "torchao", "quantizes": "linear layers"}
    yield Format(name="torchao int4 g128", block_weights=128,
                 parts=(_codes(128, 4), Part("scale", HALF), Part("zero point", HALF)),
                 source="torchao==0.18.0:quantize_/workflows/int4/int4_tensor.py", **torchao)
    yield Format(name="torchao int8", block_weights=1, parts=(_codes(1, 8),),
                 row_bits=BITS_OF_SINGLE + 8, note="a scale and a zero point for each row",
                 source="torchao==0.18.0:quantize_/workflows/int8/int8_tensor.py", **torchao)


CHECKPOINT_FORMATS = (*_bitsandbytes(), *_gptq(), *_awq(), *_compressed_tensors(), *_float8(), *_float4(),
           *_mlx(), *_exl(), *_others())
