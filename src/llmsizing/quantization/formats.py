"""Format: how a block of weights is stored, from which its bits per weight follow."""

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.errors import UnknownName, fold, nearest
from llmsizing.quantization.file_types import file_types


@dataclass(frozen=True)
class Part:
    """One field of a block.

    Parameters
    ----------
    name : str
        What it holds: "scale", "codes".
    bytes : int or Fraction
        Its size in each block; a fraction where several blocks share it.
    """

    name: str
    bytes: int | Fraction


@dataclass(frozen=True, kw_only=True)
class Format:
    """A way to store a matrix of weights, block by block.

    Parameters
    ----------
    name, family : str
        "Q4_K" of "GGUF K-quant".
    block_weights : int
        Weights in a block.
    parts : tuple of Part
        The fields of a block, in their order.
    row_bits, column_bits, tensor_bits : int or Fraction
        Bits stored once for each row (output), column (input) and tensor.
    square : int
        Side of a block that is a square of rows and columns, or 0. Squares at the edges count whole.
    quantizes : str
        Which tensors it is used for: "all matrices", "linear layers", "linear layers, no experts"
        or "experts".
    leaves : str
        What stays in 16 or 32 bits.
    note, source : str
        A sentence for the reader, and what was read.

    Examples
    --------
    >>> from llmsizing import load_format
    >>> load_format("Q4_K").bits_per_weight
    Fraction(9, 2)
    """

    name: str
    family: str
    block_weights: int
    parts: tuple[Part, ...]
    row_bits: int = 0
    column_bits: int | Fraction = 0
    tensor_bits: int = 0
    square: int = 0
    quantizes: str = "all matrices"
    leaves: str = ""
    note: str = ""
    source: str = ""

    @property
    def block_bytes(self) -> Fraction:
        """Bytes of one block."""
        return Fraction(sum(part.bytes for part in self.parts))

    @property
    def bits_per_weight(self) -> Fraction:
        """Bits per weight of the blocks, exactly; what rows, columns and tensors add is not in it."""
        return 8 * self.block_bytes / self.block_weights

    @property
    def working(self) -> str:
        """The arithmetic behind the bits per weight, as it is written.

        >>> from llmsizing import load_format
        >>> load_format("Q4_0").working
        '(2 scale + 16 codes) bytes · 8 / 32 weights = 4.5'
        """
        fields = " + ".join(f"{_bytes_text(part.bytes)} {part.name}" for part in self.parts)
        return (f"({fields}) bytes · 8 / {self.block_weights:,} weights ="
                f" {_decimals(self.bits_per_weight)}")

    def tensor_bytes(self, shape: tuple[int, ...]) -> int:
        """Whole bytes of a tensor of this format.

        Parameters
        ----------
        shape : tuple of int
            Rows, columns; stacked matrices have further numbers before them.

        Returns
        -------
        int
            Rounded up once, at the end.
        """
        *stacked, rows, columns = (1, *shape) if len(shape) == 1 else shape
        matrices = math.prod(stacked)
        if self.square:
            codes, scale = self.parts
            squares = -(-rows // self.square) * -(-columns // self.square)
            bits = 8 * (codes.bytes * rows * columns / self.block_weights + scale.bytes * squares)
        else:
            bits = self.bits_per_weight * rows * columns
        bits += self.row_bits * rows + self.column_bits * columns + self.tensor_bits
        return math.ceil(matrices * bits / 8)


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
    return list(_formats())


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
    UnknownName
        With the nearest names. A file type such as Q4_K_M is no format: it mixes several.

    Examples
    --------
    >>> load_format("nf4 double quant").bits_per_weight
    Fraction(2113, 512)
    """
    wanted = fold(str(name))
    wanted = ALIASES.get(wanted, wanted)
    for entry in _formats():
        if fold(entry.name) == wanted:
            return entry
    if wanted in {fold(entry.name) for entry in file_types()} or re.fullmatch(r"q\dk(s|m|l|xl)", wanted):
        raise UnknownName(
            f"{name!r} is a file type, not a format: such a file mixes several formats."
            " file_types() lists them, weight_bytes() adds them up."
        )
    raise nearest("format", name, [entry.name for entry in _formats()])


#: What people type, folded, and the format that they mean.
ALIASES = {
    "fp32": "f32", "float32": "f32", "float": "f32", "fp16": "f16", "float16": "f16",
    "half": "f16", "bfloat16": "bf16", "int8": "llmint8", "bnbint8": "llmint8",
    "bitsandbytes8bit": "llmint8", "bitsandbytesint8": "llmint8", "bnb8bit": "llmint8",
    "bnb4bit": "nf4", "bitsandbytes4bit": "nf4", "bnbnf4": "nf4", "bitsandbytesnf4": "nf4",
    "qlora": "nf4doublequant", "nf4dq": "nf4doublequant", "nf4doublequantization": "nf4doublequant",
    "nf4withdoublequantization": "nf4doublequant", "nf4withdoublequant": "nf4doublequant",
    "fp4dq": "fp4doublequant", "fp4doublequantization": "fp4doublequant",
    "fp4withdoublequantization": "fp4doublequant", "fp4withdoublequant": "fp4doublequant",
    "gptq": "gptq4bitg128", "gptq4bit": "gptq4bitg128", "gptqint4": "gptq4bitg128",
    "gptq8bit": "gptq8bitg128", "gptqint8": "gptq8bitg128",
    "awq": "awq4bitg128", "awq4bit": "awq4bitg128", "awqint4": "awq4bitg128",
    "w4a16": "w4a16g128", "fp8": "fp8pertensor", "fp8tensor": "fp8pertensor",
    "fp8channel": "fp8perchannel", "fp8block": "fp8block128", "fp8blockwise": "fp8block128",
    "fp8block128x128": "fp8block128",
    "mlx4bit": "mlx4bitg64", "mlx8bit": "mlx8bitg64", "mlx6bit": "mlx6bitg64",
    "mlx5bit": "mlx5bitg64", "mlx3bit": "mlx3bitg64", "mlx2bit": "mlx2bitg64",
    "hqq": "hqq4bitg64", "hqq4bit": "hqq4bitg64",
}


@cache
def _formats() -> tuple[Format, ...]:
    from llmsizing.quantization import checkpoints, gguf  # they are made of what stands here

    return (*gguf.FORMATS, *checkpoints.FORMATS)


def _bytes_text(size: int | Fraction) -> str:
    size = Fraction(size)
    return f"{size.numerator:,}" if size.denominator == 1 else str(size)


def _decimals(number: Fraction) -> str:
    return f"{float(number):.5f}".rstrip("0").rstrip(".")
