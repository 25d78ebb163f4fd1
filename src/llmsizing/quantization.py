"""Formats of weights: from their names to the bits that they really take."""

import re

from llmsizing.errors import InvalidInput


def nominal_bits(file_type: str) -> int:
    """Read the bits that a file type has in its name: the Q that the rule of thumb is given.

    The name is not the size: a Q4_K_M file holds 4.8 to 5.2 bits per weight, as chapter 2 shows.

    Parameters
    ----------
    file_type : str
        A llama.cpp file type: "Q4_K_M", "IQ3_XXS", "BF16".

    Raises
    ------
    InvalidInput
        If the name has no bits in it.

    Examples
    --------
    >>> [nominal_bits(name) for name in ("F16", "Q8_0", "Q4_K_M", "IQ3_XXS")]
    [16, 8, 4, 3]
    """
    match = re.fullmatch(r"(?:B?F|I?Q|TQ)(\d+)(?:_\w+)?", str(file_type))
    if not match:
        raise InvalidInput(f"{file_type!r} names no bits; file types look like Q4_K_M, Q8_0, F16.")
    return int(match[1])
