"""A sample of real weights, and the same weights in several formats."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from llmsizing.errors import InvalidInput
from llmsizing.quantization.blocks import name_among
from llmsizing.quantization.formats import load_format


@dataclass(frozen=True)
class BlockSample:
    """Real weights and the same weights in several formats, from data/block_sample.json.

    Parameters
    ----------
    weights : tuple of float
        256 weights of a real model.
    blocks : mapping
        From format to the bytes of all blocks that hold these weights. It cannot be changed.
    source, blocks_source : str
        Where the weights were read, and what made the blocks.
    """

    weights: tuple[float, ...]
    blocks: Mapping[str, bytes]
    source: str
    blocks_source: str

    def block(self, format_name: str, number: int = 0) -> bytes:
        """One block of a format.

        Parameters
        ----------
        format_name : str
            One of ``blocks``, as `load_format` finds it.
        number : int
            Which block, from 0.

        Returns
        -------
        bytes

        Raises
        ------
        InvalidInput
            If there is no block of that number.
        UnknownName
            If the sample has no such format; with the nearest ones.

        Examples
        --------
        >>> block_sample().block("Q4_0", 7)[:2].hex()
        '0f26'
        """
        name = name_among(self.blocks, "format in the sample", format_name)
        size = int(load_format(name).block_bytes)
        last = len(self.blocks[name]) // size - 1
        if not isinstance(number, int) or not 0 <= number <= last:
            raise InvalidInput(f"The sample has blocks 0 to {last} of {name}, not {number!r}.")
        return self.blocks[name][number * size:(number + 1) * size]


@cache
def block_sample() -> BlockSample:
    """Read the sample.

    Returns
    -------
    BlockSample

    Examples
    --------
    >>> len(block_sample().weights), len(block_sample().block("Q4_0"))
    (256, 18)
    """
    file = resources.files("llmsizing") / "data" / "block_sample.json"
    read = json.loads(file.read_text(encoding="utf-8"))
    return BlockSample(
        weights=struct.unpack("<256e", bytes.fromhex(read["half_precision"])),
        blocks=MappingProxyType({name: bytes.fromhex(text)
                                 for name, text in read["blocks"].items()}),
        source=read["source"],
        blocks_source=read["blocks_source"],
    )
