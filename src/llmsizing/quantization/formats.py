"""The list of formats, and how one is found by its name."""

import re

from llmsizing.errors import InvalidInput, UnknownName, expect, fold, nearest
from llmsizing.quantization.checkpoints import CHECKPOINT_FORMATS
from llmsizing.quantization.dtypes import DTYPES
from llmsizing.quantization.file_types import PRECISIONS, FileType, file_types, load_file_type
from llmsizing.quantization.format import Format
from llmsizing.quantization.gguf import GGUF_FORMATS

FORMATS = (*GGUF_FORMATS, *CHECKPOINT_FORMATS)
_BY_NAME = {fold(entry.name): entry for entry in FORMATS}
_BY_EXACT_NAME = {entry.name: entry for entry in (*FORMATS, *DTYPES)}


def formats() -> list[Format]:
    """All formats, family by family.

    Returns
    -------
    list of Format

    Examples
    --------
    >>> formats()[0].name
    'F32'
    """
    return list(FORMATS)


def load_format(name: str) -> Format:
    """Find a format by its name, as people type it.

    Parameters
    ----------
    name : str
        "Q4_K", "nf4", "GPTQ 4-bit g128", "bf16". Case, spaces and dashes do not count.

    Returns
    -------
    Format

    Raises
    ------
    InvalidInput
        If the name is no text.
    UnknownName
        With the nearest names. A file type such as Q4_K_M is no format: it mixes several.

    Examples
    --------
    >>> load_format("nf4 double quant").bits_per_weight
    Fraction(2113, 512)
    """
    if not isinstance(name, str):
        raise InvalidInput(f"A format is named by text such as 'Q4_K' or 'NF4', not {name!r}.")
    if name in _BY_EXACT_NAME:
        return _BY_EXACT_NAME[name]
    wanted = next((ALIASES[text] for text in (fold(name), _plain(name)) if text in ALIASES), _plain(name))
    if wanted in _BY_NAME:
        return _BY_NAME[wanted]
    if wanted in {fold(entry.name) for entry in file_types()} or re.fullmatch(r"q\dk(s|m|l|xl)", wanted):
        raise UnknownName(
            f"{name!r} is a file type, not a format: such a file mixes several formats."
            " file_types() lists them, weight_bytes() adds them up."
        )
    family = [entry.name for entry in FORMATS if fold(entry.family) == FAMILIES.get(wanted, wanted)]
    if family:
        listed = ", ".join(family[:6]) + (" …" if len(family) > 6 else "")
        raise UnknownName(f"{name!r} is a family of formats: {listed}.")
    raise nearest("format", name, [entry.name for entry in FORMATS], like=wanted)


def file_type_or_format(weights: str) -> FileType | Format:
    """Find what a setting ``weights`` names: a file type, or else a format.

    Raises
    ------
    InvalidInput
        If the name is no text.
    UnknownName
        With the nearest names of both.

    Examples
    --------
    >>> file_type_or_format("q4_k_m").name, file_type_or_format("nf4").name
    ('Q4_K_M', 'NF4')
    """
    expect("weights", weights, str, "a file type or format such as Q4_K_M")
    for load in (load_file_type, load_format):
        try:
            return load(weights)
        except UnknownName:
            continue
    known = [entry.name for entry in (*file_types(), *FORMATS)]
    raise nearest("file type or format", weights, known)


def _plain(name: str) -> str:
    """A format's name, folded, with 4bit for int4 and g128 for 128g."""
    bits = re.sub(r"^(gptq|awq|mlx|hqq|)int(?=[2-8])([2-8])(bit)?", r"\1\2bit", fold(name))
    return re.sub(r"(?<=bit)(\d+)g$", r"g\1", bits)


#: What people type, folded, and the format that they mean.
ALIASES = {
    **PRECISIONS, "float": "f32", "half": "f16", "int8": "llmint8", "bnbint8": "llmint8",
    "bitsandbytes8bit": "llmint8", "bitsandbytesint8": "llmint8", "bnb8bit": "llmint8",
    "bnb4bit": "nf4", "bitsandbytes4bit": "nf4", "bnbnf4": "nf4", "bitsandbytesnf4": "nf4",
    "qlora": "nf4doublequant", "nf4dq": "nf4doublequant", "nf4doublequantization": "nf4doublequant",
    "nf4withdoublequantization": "nf4doublequant", "nf4withdoublequant": "nf4doublequant",
    "fp4dq": "fp4doublequant", "fp4doublequantization": "fp4doublequant",
    "fp4withdoublequantization": "fp4doublequant", "fp4withdoublequant": "fp4doublequant",
    "gptq": "gptq4bitg128", "gptq4bit": "gptq4bitg128", "gptq8bit": "gptq8bitg128",
    "gptq3bit": "gptq3bitg128", "gptq2bit": "gptq2bitg128",
    "awq": "awq4bitg128", "awq4bit": "awq4bitg128",
    "w4a16": "w4a16g128", "w8a16": "w8a16g128", "fp8": "fp8pertensor", "fp8tensor": "fp8pertensor",
    "fp8e4m3": "fp8pertensor", "fp8e4m3fn": "fp8pertensor", "float8e4m3fn": "fp8pertensor",
    "fp8channel": "fp8perchannel", "fp8dynamic": "fp8perchannel",
    "fp8block": "fp8block128", "fp8blockwise": "fp8block128", "fp8block128x128": "fp8block128",
    "mlx4bit": "mlx4bitg64", "mlx8bit": "mlx8bitg64", "mlx6bit": "mlx6bitg64",
    "mlx5bit": "mlx5bitg64", "mlx3bit": "mlx3bitg64", "mlx2bit": "mlx2bitg64",
    "hqq": "hqq4bitg64", "hqq4bit": "hqq4bitg64",
    "mxfp4gguf": "mxfp4", "nvfp4gguf": "nvfp4",
    "torchaoint4": "torchaoint4g128", "int4torchao": "torchaoint4g128", "int8torchao": "torchaoint8",
    **{f"exl3{bits}bpw": f"exl3{bits}0bpw" for bits in (2, 3, 4, 5, 6, 8)},
}

#: Short names of families, folded.
FAMILIES = {"bnb": "bitsandbytes", "llmcompressor": "compressedtensors"}
