"""The ways to round that the lab compares: our own quantizer in NumPy, and gguf's real formats."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import gguf
import numpy as np

from llmsizing import load_format
from llmsizing.quantization.rounding import BITS_OF_HALF, NF4_MIDDLES, NF4_TABLE

Rounder = Callable[[np.ndarray], np.ndarray]

AT_ONCE = 2**18  # weights: what is rounded in one go, to keep memory low
#: Formats of GGUF files that gguf can write without llama.cpp, and the bits of their codes.
FORMATS = {"Q8_0": 8, "Q5_1": 5, "Q5_0": 5, "Q4_1": 4, "Q4_0": 4, "MXFP4": 4}


@dataclass(frozen=True)
class Way:
    """One way to round.

    Parameters
    ----------
    name, grid : str
        What the results call it, and "symmetric", "offset" or "format".
    bits : int
        Bits of a code.
    block_weights : int or None
        Weights that share a scale; None for the whole row.
    rounder : callable
        From rows to rows.
    """

    name: str
    grid: str
    bits: int
    block_weights: int | None
    rounder: Rounder

    def stored_bits(self, shape: tuple[int, int]) -> int:
        """Bits that a matrix takes: codes, scales and offsets."""
        rows, columns = shape
        if self.grid == "format":
            per_weight = load_format(self.name).bits_per_weight
        else:
            beside = BITS_OF_HALF * (2 if self.grid == "offset" else 1)
            per_weight = self.bits + Fraction(beside, self.block_weights or columns)
        return int(per_weight * rows * columns)

    def __call__(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        """Round a matrix, some rows at a time; it and the sum of the squared errors."""
        step = max(1, AT_ONCE // matrix.shape[1])
        rounded, noise = np.empty_like(matrix), 0.0
        for start in range(0, len(matrix), step):
            rows = slice(start, start + step)
            rounded[rows] = self.rounder(matrix[rows])
            error = rounded[rows] - matrix[rows]
            noise += float(np.vdot(error, error))
        return rounded, noise


def ways() -> Iterator[Way]:
    """All that the lab compares, from the most bits to the fewest within each question."""
    for bits in range(8, 1, -1):
        yield own(bits, 32)
    for bits in (6, 5, 4, 3, 2):
        yield own(bits, 32, grid="offset")
    for bits in (4, 3):
        for block_weights in (16, 64, 128, None):
            yield own(bits, block_weights)
    for name, bits in FORMATS.items():
        yield Way(name, "format", bits, 32, _real(name))
    yield Way("NF4", "format", 4, 64, round_nf4)


def own(bits: int, block_weights: int | None, grid: str = "symmetric") -> Way:
    """Our quantizer with these settings."""
    block = f"blocks of {block_weights}" if block_weights else "whole rows"
    rounder = round_symmetric if grid == "symmetric" else round_offset
    return Way(f"{bits}-bit {grid} in {block}", grid, bits, block_weights,
               lambda rows: rounder(rows, bits=bits, block_weights=block_weights))


def round_symmetric(rows: np.ndarray, *, bits: int, block_weights: int | None) -> np.ndarray:
    """What `llmsizing.round_trip` does with a symmetric grid, for many rows at once."""
    blocks = _blocks(rows, block_weights)
    scale = _half(np.abs(blocks).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1))
    return (np.rint(_ratio(blocks, scale)) * scale).reshape(rows.shape)


def round_offset(rows: np.ndarray, *, bits: int, block_weights: int | None) -> np.ndarray:
    """What `llmsizing.round_trip` does with an offset, for many rows at once."""
    blocks, top = _blocks(rows, block_weights), 2**bits - 1
    lowest = blocks.min(axis=1, keepdims=True)
    scale, offset = _half((blocks.max(axis=1, keepdims=True) - lowest) / top), _half(lowest)
    codes = np.rint(_ratio(blocks - offset, scale)).clip(0, top)
    return (offset + codes * scale).reshape(rows.shape)


def round_nf4(rows: np.ndarray) -> np.ndarray:
    """NF4 in blocks of 64, as bitsandbytes stores it."""
    blocks = _blocks(rows, 64)
    scale = np.abs(blocks).max(axis=1, keepdims=True)
    codes = np.searchsorted(NF4_MIDDLES, _ratio(blocks, scale), side="right")
    return (np.array(NF4_TABLE)[codes] * scale).reshape(rows.shape)


def _real(name: str) -> Rounder:
    """A format of GGUF files, quantized and decoded by gguf's own code."""
    kind = gguf.GGMLQuantizationType[name]
    return lambda rows: gguf.quants.dequantize(gguf.quants.quantize(rows, kind), kind)


def _blocks(rows: np.ndarray, block_weights: int | None) -> np.ndarray:
    return rows.astype(np.float64).reshape(-1, block_weights or rows.shape[1])


def _half(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.float16).astype(np.float64)


def _ratio(blocks: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Weights counted in scales; 0 where the scale is."""
    return np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0)
