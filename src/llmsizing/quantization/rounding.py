"""A quantizer to read and to run: from weights to codes and back, block by block.

It is written to be followed, not to be fast. Real formats differ from it in details, which chapter
5 of the book points out.
"""

import math
import struct
from bisect import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from llmsizing.errors import InvalidInput, exact_number, expect, fold, nearest, shown
from llmsizing.quantization.blocks import NF4_TABLE

LEAST_BITS, MOST_BITS = 2, 8
BITS_OF_HALF, BITS_OF_SINGLE = 16, 32
#: Between two neighbours of the table: from here on the upper one is nearer.
NF4_MIDDLES = tuple((low + high) / 2 for low, high in zip(NF4_TABLE, NF4_TABLE[1:], strict=False))


@dataclass(frozen=True)
class RoundedBlock:
    """A block of weights as codes that share a scale.

    Parameters
    ----------
    grid : str
        "symmetric", "offset" or "NF4": what the codes stand for.
    bits : int
        Bits of a code.
    codes : tuple of int
        One for each weight.
    scale, offset : float
        A weight is ``offset + scale × code``; with NF4 it is the scale times a value of the table.
    """

    grid: str
    bits: int
    codes: tuple[int, ...]
    scale: float
    offset: float = 0.0

    @property
    def weights(self) -> tuple[float, ...]:
        """What the codes decode to."""
        return tuple(self._value(code) for code in self.codes)

    @property
    def levels(self) -> tuple[float, ...]:
        """Every value that a code of this block can stand for, in rising order."""
        top = 2 ** (self.bits - 1) - 1
        codes = range(-top, top + 1) if self.grid == "symmetric" else range(2**self.bits)
        return tuple(self._value(code) for code in codes)

    def _value(self, code: int) -> float:
        return self.scale * NF4_TABLE[code] if self.grid == "NF4" else self.offset + self.scale * code


@dataclass(frozen=True)
class RoundTrip:
    """Weights that were quantized and decoded again, with what that cost.

    Parameters
    ----------
    original : tuple of float
        The weights before.
    blocks : tuple of RoundedBlock
        In their order.
    """

    original: tuple[float, ...]
    blocks: tuple[RoundedBlock, ...]

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """The weights after."""
        return tuple(weight for block in self.blocks for weight in block.weights)

    @property
    def bits_per_weight(self) -> Fraction:
        """Codes, scales and offsets, for each weight."""
        beside = sum(GRIDS[block.grid][1] for block in self.blocks)
        codes = sum(block.bits * len(block.codes) for block in self.blocks)
        return Fraction(codes + beside, len(self.original))

    @property
    def signal_to_noise_db(self) -> float:
        """How far the error lies below the weights, in decibels.

        Six more halve the error. It is infinite where nothing was lost.
        """
        noise = sum((after - before) ** 2
                    for before, after in zip(self.original, self.weights, strict=True))
        signal = sum(weight**2 for weight in self.original)
        return 10 * math.log10(signal / noise) if noise else math.inf


def quantize_block(weights: Iterable[float], *, bits: int = 4, grid: str = "symmetric") -> RoundedBlock:
    """Turn a block of weights into codes that share a scale.

    With a *symmetric* grid the largest size in the block gets the largest code, and codes run from
    −(2^(bits−1) − 1) to 2^(bits−1) − 1: ``scale = max|w| / (2^(bits−1) − 1)``,
    ``code = round(w / scale)``. With an *offset* they start at the smallest weight:
    ``scale = (max − min) / (2^bits − 1)``, ``code = round((w − min) / scale)``. Scale and offset
    are half-precision numbers, and codes count in the scale as it is stored. With *NF4* a code
    points to the nearest of 16 values, which follow a normal distribution, times ``max|w|``.

    Parameters
    ----------
    weights : iterable of float
        One block, of any length.
    bits : int
        Bits of a code, from 2 to 8; NF4 has 4.
    grid : str
        "symmetric", "offset" or "NF4".

    Returns
    -------
    RoundedBlock

    Raises
    ------
    InvalidInput
        If the bits are out of range, there is no weight, one is no finite number, or they are too
        large for a scale in half precision.
    UnknownName
        If there is no such grid.

    Examples
    --------
    >>> block = quantize_block([0.7, -0.32, 0.04], bits=4)
    >>> block.codes, round(block.scale, 4)
    ((7, -3, 0), 0.1)
    >>> quantize_block([0.25, 0.5, 1.0], bits=2, grid="offset").weights
    (0.25, 0.5, 1.0)

    References
    ----------
    Dettmers et al., "QLoRA", arXiv:2305.14314: blockwise absmax and NF4;
    bitsandbytes==0.50.2:functional.py: the table.
    """
    values = _finite(weights)
    quantize, _ = GRIDS[_grid_named(grid, bits)]
    try:
        return quantize(values, bits)
    except OverflowError:
        raise InvalidInput("A scale in half precision goes up to 65,504: the largest of these weights,"
                           f" {max(map(abs, values)):g}, is too large for {bits} bits.") from None


def round_trip(weights: Iterable[float], *, bits: int = 4, block_weights: int | None = 32,
               grid: str = "symmetric") -> RoundTrip:
    """Quantize weights block by block and decode them again.

    Parameters
    ----------
    weights : iterable of float
        A row of a matrix.
    bits, grid
        As in `quantize_block`.
    block_weights : int or None
        Weights that share a scale; None for the whole row. The last block may be shorter.

    Returns
    -------
    RoundTrip

    Raises
    ------
    InvalidInput, UnknownName
        As `quantize_block`, and if the block is no whole number from 1.

    Examples
    --------
    >>> trip = round_trip([0.06, -0.2, 0.3, 8.0], bits=4, block_weights=2)
    >>> [round(weight, 2) for weight in trip.weights]
    [0.06, -0.2, 0.0, 8.0]
    >>> trip.bits_per_weight
    Fraction(12, 1)
    """
    values = _finite(weights)
    if block_weights is None:
        block_weights = len(values)
    if exact_number("block_weights", block_weights, at_least=1).denominator != 1:
        raise InvalidInput(f"A block has a whole number of weights, not {block_weights!r}.")
    size = int(block_weights)
    starts = range(0, len(values), size)
    return RoundTrip(values, tuple(quantize_block(values[start:start + size], bits=bits, grid=grid)
                                   for start in starts))


def _symmetric(values: tuple[float, ...], bits: int) -> RoundedBlock:
    scale = _half(max(map(abs, values)) / (2 ** (bits - 1) - 1))
    codes = tuple(round(value / scale) for value in values) if scale else (0,) * len(values)
    return RoundedBlock("symmetric", bits, codes, scale)


def _offset(values: tuple[float, ...], bits: int) -> RoundedBlock:
    top, lowest = 2**bits - 1, min(values)
    scale, offset = _half((max(values) - lowest) / top), _half(lowest)
    codes = tuple(min(max(round((value - offset) / scale), 0), top) if scale else 0 for value in values)
    return RoundedBlock("offset", bits, codes, scale, offset)


def _nf4(values: tuple[float, ...], bits: int) -> RoundedBlock:
    scale = max(map(abs, values))
    codes = tuple(bisect(NF4_MIDDLES, value / scale) if scale else 7 for value in values)
    return RoundedBlock("NF4", bits, codes, scale)


#: How a block is quantized, and the bits that it stores beside the codes.
GRIDS: dict[str, tuple[Callable[[tuple[float, ...], int], RoundedBlock], int]] = {
    "symmetric": (_symmetric, BITS_OF_HALF),
    "offset": (_offset, 2 * BITS_OF_HALF),
    "NF4": (_nf4, BITS_OF_SINGLE),
}


def _half(number: float) -> float:
    """The nearest number of half precision."""
    return struct.unpack("<e", struct.pack("<e", number))[0]


def _finite(weights: Iterable[float]) -> tuple[float, ...]:
    try:
        values = tuple(map(float, weights))
    except (TypeError, ValueError, OverflowError):
        values = ()
    if not values or not all(map(math.isfinite, values)):
        raise InvalidInput("Weights are a list of one or more finite numbers.")
    return values


def _grid_named(grid: str, bits: int) -> str:
    """The grid as `GRIDS` spells it, where it has codes of so many bits."""
    expect("grid", grid, str, "write 'symmetric', 'offset' or 'NF4'")
    known = {fold(name): name for name in GRIDS}
    if fold(grid) not in known:
        raise nearest("grid", grid, GRIDS)
    if type(bits) is not int or not LEAST_BITS <= bits <= MOST_BITS:
        raise InvalidInput(f"bits must be a whole number from {LEAST_BITS} to {MOST_BITS}, not"
                           f" {shown(bits)}.")
    if known[fold(grid)] == "NF4" and bits != 4:
        raise InvalidInput(f"NF4 has codes of 4 bits, not of {bits}.")
    return known[fold(grid)]
