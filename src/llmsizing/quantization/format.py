"""Format: how a block of weights is stored, from which its bits per weight follow."""

import math
from dataclasses import dataclass
from fractions import Fraction

from llmsizing.architecture import Tensor
from llmsizing.errors import InvalidInput

_LAYERS = ("attention", "state space", "feed-forward", "shared expert")
_TABLES = ("embedding", "per-layer embedding", "output")

#: The roles that each kind of format quantizes.
QUANTIZED = {
    "all matrices": (*_TABLES, *_LAYERS, "experts", "router"),
    "all matrices but routers": (*_TABLES, *_LAYERS, "experts"),
    "linear layers": (*_LAYERS, "experts"),
    "linear layers, no experts": _LAYERS,
    "experts": ("experts",),
}

#: What a sentence calls the roles that some kind of format leaves alone.
_CALLED = {"embedding": "embedding", "output": "output layer", "experts": "experts",
           "router": "routers"}
_GETS = {"output": "the output layer gets", "router": "routers get"}
_BITS = {"F32": 32, "BF16": 16}


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
    row_bits, tensor_bits : int
        Bits stored once for each row (output) and once for each matrix.
    column_bits : int or Fraction
        Bits stored once for each column (input).
    square : int
        Side of a block that is a square of rows and columns, or 0. Squares at the edges count whole.
    quantizes : str
        Which tensors it is used for: a key of `QUANTIZED`.
    gives : tuple of (str, str)
        Roles that get another format, and which: ("output", "EXL3 6.0 bpw").
    rest : str
        What all else is stored in: "BF16", or "F32" in a GGUF file.
    tables_in_ram : bool
        Whether its engine looks tokens up in RAM; otherwise all tensors lie on the device.
    exceptions : str
        What the sentence `leaves` has to add.
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
    gives: tuple[tuple[str, str], ...] = ()
    rest: str = "BF16"
    tables_in_ram: bool = False
    exceptions: str = ""
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

    @property
    def leaves(self) -> str:
        """What stays in 16 or 32 bits or gets another format, in words.

        >>> from llmsizing import load_format
        >>> load_format("AWQ 4-bit g128").leaves
        'embedding, output layer, routers, norms, biases and convolutions stay in 16 bits'
        """
        quantized, given = QUANTIZED[self.quantizes], dict(self.gives)
        left = [word for role, word in _CALLED.items() if role not in quantized and role not in given]
        if "attention" in quantized:
            words = f"{', '.join([*left, 'norms', 'biases'])} and convolutions stay"
        else:
            words = f"all but the matrices of the {' and '.join(quantized)} stays"
        sentences = [f"{words} in {_BITS[self.rest]} bits"]
        sentences += [f"{_GETS[role]} {other}" for role, other in self.gives]
        sentences += ["the embedding lies in RAM"] if self.tables_in_ram else []
        return "; ".join([*sentences, self.exceptions] if self.exceptions else sentences)

    @property
    def has_own_output(self) -> bool:
        """Whether the output layer is stored by itself even where it is the embedding (tied)."""
        return "output" in dict(self.gives)

    def format_of(self, tensor: Tensor) -> str:
        """The name of the format that a tensor gets in a model that is stored in this one.

        Parameters
        ----------
        tensor : Tensor
            Its role decides. Norms, biases and convolutions are never quantized.

        Returns
        -------
        str

        Examples
        --------
        >>> from llmsizing import load_format, load_model
        >>> load_format("EXL3 4.0 bpw").format_of(load_model("Llama-3.1-8B").embedding)
        'BF16'
        """
        if not tensor.is_matrix or "conv" in tensor.name:
            return self.rest
        if tensor.role in dict(self.gives):
            return dict(self.gives)[tensor.role]
        return self.name if tensor.role in QUANTIZED[self.quantizes] else self.rest

    def tensor_bytes(self, shape: tuple[int, ...]) -> int:
        """Whole bytes of a tensor of this format.

        Parameters
        ----------
        shape : tuple of int
            Rows, columns; stacked matrices have further numbers before them. One number is a row.

        Returns
        -------
        int
            Rounded up once, at the end.

        Raises
        ------
        InvalidInput
            If the shape is no tuple of whole numbers from 1.

        Examples
        --------
        >>> from llmsizing import load_format
        >>> load_format("Q4_0").tensor_bytes((4096, 4096))
        9437184
        """
        if not isinstance(shape, tuple | list) or not shape or not all(
                isinstance(number, int) and number > 0 for number in shape):
            raise InvalidInput("A shape is a tuple of whole numbers from 1, such as (4096, 4096),"
                               f" not {shape!r}.")
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


def _bytes_text(size: int | Fraction) -> str:
    size = Fraction(size)
    return f"{size.numerator:,}" if size.denominator == 1 else str(size)


def _decimals(number: Fraction) -> str:
    return f"{float(number):.5f}".rstrip("0").rstrip(".")
