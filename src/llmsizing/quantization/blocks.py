"""Blocks byte by byte: from the bytes of one block to its weights, with the working of each.

The layouts are those of llama.cpp's structs and of bitsandbytes; the decoders are written to be
read, not to be fast.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from llmsizing.errors import InvalidInput, UnknownName, nearest
from llmsizing.quantization.formats import load_format

#: IQ4_NL and IQ4_XS: what each of the 16 codes stands for (llama.cpp, kvalues_iq4nl).
IQ4_TABLE = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)
#: MXFP4: 4-bit floats, one bit of sign, two of exponent, one of fraction (OCP MX, E2M1).
E2M1_TABLE = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0,
              -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0)
#: NF4: the 16 values (bitsandbytes, functional.py).
NF4_TABLE = (-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
             -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
             0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
             0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0)


@dataclass(frozen=True)
class Weight:
    """One decoded weight.

    Parameters
    ----------
    index : int
        Its place in the block, from 0.
    value : float
        What it decodes to.
    bytes_used : tuple of int
        Places in the block of the bytes that it is made of.
    working : str
        The arithmetic, with the numbers of this block.
    """

    index: int
    value: float
    bytes_used: tuple[int, ...]
    working: str


@dataclass(frozen=True)
class Field:
    """A field of a block: its name and where it lies, from ``start`` to before ``end``."""

    name: str
    start: int
    end: int


def block_fields(format_name: str) -> list[Field]:
    """The fields of a format's block and where they lie.

    Parameters
    ----------
    format_name : str
        As `load_format` finds it.

    Returns
    -------
    list of Field
        In the order of the block, without gaps.

    Raises
    ------
    InvalidInput
        If a field takes no whole bytes, as where several blocks share it.
    UnknownName
        If there is no such format.

    Examples
    --------
    >>> [(field.name, field.start, field.end) for field in block_fields("Q4_0")]
    [('scale', 0, 2), ('codes', 2, 18)]
    """
    layout = load_format(format_name)
    fields, start = [], 0
    for part in layout.parts:
        if part.bytes != int(part.bytes):
            raise InvalidInput(f"{layout.name} has no blocks of whole bytes: {part.name} takes"
                               f" {part.bytes} of a byte in each. Q4_0 or NF4 have.")
        fields.append(Field(part.name, start, start + int(part.bytes)))
        start += int(part.bytes)
    return fields


def decode_block(format_name: str, data: bytes) -> list[Weight]:
    """Decode one block by hand.

    Parameters
    ----------
    format_name : str
        Q8_0, Q4_0, Q4_K, IQ4_XS, MXFP4 or NF4, as `load_format` finds it.
    data : bytes
        One block: as many bytes as the format's ``block_bytes``.

    Returns
    -------
    list of Weight
        In the order in which the matrix holds them.

    Raises
    ------
    UnknownName
        If the format has no decoder here.
    InvalidInput
        If the data are no bytes, or of another length.

    Examples
    --------
    >>> block = bytes.fromhex("0038") + bytes([0x98] * 16)
    >>> decode_block("Q4_0", block)[16].working
    '0.5 × (9 − 8) = 0.5'

    References
    ----------
    llama.cpp@0c1e57098: ggml/src/ggml-quants.c; bitsandbytes==0.50.2: backends/default/ops.py.
    """
    name = name_among(DECODERS, "format with a decoder", format_name)
    try:
        block = memoryview(data).tobytes()
    except TypeError:
        raise InvalidInput(f"A block is given as bytes, not as {type(data).__name__}:"
                           ' bytes.fromhex("0038...") makes some.') from None
    needed = int(load_format(name).block_bytes)
    if len(block) != needed:
        raise InvalidInput(f"A block of {name} has {needed} bytes, not {len(block)}.")
    return DECODERS[name](block)


def name_among(names: Iterable[str], kind: str, format_name: str) -> str:
    """The one of ``names`` that `load_format` finds, or the exception with the nearest ones."""
    try:
        name = load_format(format_name).name
    except UnknownName:
        raise nearest(kind, format_name, names) from None
    if name not in names:
        raise nearest(kind, format_name, names)
    return name


def _q8_0(data: bytes) -> list[Weight]:
    scale = _half(data, 0)
    codes = struct.unpack("32b", data[2:])
    return [_scaled(index, scale, code, f"{code}", (0, 1, 2 + index))
            for index, code in enumerate(codes)]


def _q4_0(data: bytes) -> list[Weight]:
    """Low halves of the bytes are the first 16 weights, high halves the last 16."""
    scale = _half(data, 0)
    return [_scaled(index, scale, code - 8, f"({code} − 8)", (0, 1, place))
            for index, code, place in _halves(data, start=2, length=16)]


def _q4_k(data: bytes) -> list[Weight]:
    """Eight sub-blocks of 32 weights, each with a scale and a minimum of 6 bits."""
    scale_of_scales, scale_of_minimums = _half(data, 0), _half(data, 2)
    weights = []
    for pair in range(4):
        for index, code, place in _halves(data, start=16 + 32 * pair, length=32):
            sub = 2 * pair + index // 32
            scale, minimum, places = _six_bits(data, sub)
            value = scale_of_scales * scale * code - scale_of_minimums * minimum
            working = (f"{scale_of_scales:.5g} × {scale} × {code} − {scale_of_minimums:.5g} ×"
                       f" {minimum} = {value:.5g}")
            weights.append(Weight(64 * pair + index, value, (0, 1, 2, 3, *places, place), working))
    return weights


def _six_bits(data: bytes, sub: int) -> tuple[int, int, tuple[int, ...]]:
    """Scale and minimum of a sub-block of Q4_K, and the bytes from 4 to 15 that hold them.

    The first four lie in 6 bits of a byte each. The others have their low 4 bits in the last four
    bytes, and their high 2 bits in what the first left free.
    """
    packed = data[4:16]
    if sub < 4:
        return packed[sub] & 63, packed[sub + 4] & 63, (4 + sub, 8 + sub)
    low, high_scale, high_minimum = packed[sub + 4], packed[sub - 4] >> 6, packed[sub] >> 6
    return (low & 15) | high_scale << 4, (low >> 4) | high_minimum << 4, (sub, 4 + sub, 8 + sub)


def _iq4_xs(data: bytes) -> list[Weight]:
    """Eight sub-blocks of 32 weights with a scale of 6 bits; codes point into a table."""
    scale_of_scales, high = _half(data, 0), int.from_bytes(data[2:4], "little")
    weights = []
    for sub in range(8):
        low_place = 4 + sub // 2
        low = data[low_place] >> 4 * (sub % 2) & 15
        scale = (low | (high >> 2 * sub & 3) << 4) - 32
        for index, code, place in _halves(data, start=8 + 16 * sub, length=16):
            value = scale_of_scales * scale * IQ4_TABLE[code]
            working = (f"{scale_of_scales:.5g} × {scale} × {IQ4_TABLE[code]} (code {code})"
                       f" = {value:.5g}")
            used = (0, 1, 2 + sub // 4, low_place, place)
            weights.append(Weight(32 * sub + index, value, used, working))
    return weights


def _mxfp4(data: bytes) -> list[Weight]:
    """The scale is a power of two; codes are 4-bit floats."""
    exponent = data[0] - 127
    weights = []
    for index, code, place in _halves(data, start=1, length=16):
        value = 2.0**exponent * E2M1_TABLE[code]
        working = f"2^{exponent} × {E2M1_TABLE[code]:g} (code {code}) = {value:.5g}"
        weights.append(Weight(index, value, (0, place), working))
    return weights


def _nf4(data: bytes) -> list[Weight]:
    """The high half of each byte comes first; codes point into a table."""
    (scale,) = struct.unpack("<f", data[32:])
    weights = []
    for place, byte in enumerate(data[:32]):
        for half, code in enumerate((byte >> 4, byte & 15)):
            value = scale * NF4_TABLE[code]
            working = f"{scale:.5g} × {NF4_TABLE[code]:.5g} (code {code}) = {value:.5g}"
            weights.append(Weight(2 * place + half, value, (place, 32, 33, 34, 35), working))
    return weights


DECODERS: dict[str, Callable[[bytes], list[Weight]]] = {
    "Q8_0": _q8_0, "Q4_0": _q4_0, "Q4_K": _q4_k, "IQ4_XS": _iq4_xs, "MXFP4": _mxfp4, "NF4": _nf4,
}


def _half(data: bytes, start: int) -> float:
    """A half-precision number."""
    return struct.unpack_from("<e", data, start)[0]


def _halves(data: bytes, *, start: int, length: int) -> list[tuple[int, int, int]]:
    """Index, code and place of each half byte: all low halves first, then all high ones."""
    places = range(start, start + length)
    low = [(index, data[place] & 15, place) for index, place in enumerate(places)]
    return low + [(length + index, data[place] >> 4, place) for index, place in enumerate(places)]


def _scaled(index: int, scale: float, code: int, text: str, used: tuple[int, ...]) -> Weight:
    value = scale * code
    return Weight(index, value, used, f"{scale:.5g} × {text} = {value:.5g}")
