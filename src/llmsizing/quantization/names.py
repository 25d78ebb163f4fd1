"""Formats of weights: from their names to the bits that they really take."""

import re

from llmsizing.errors import InvalidInput


def nominal_bits(file_type: str) -> int:
    """Read the bits that a file type has in its name: the Q that the rule of thumb is given.

    The name is not the size: Llama-3.1-8B at Q4_K_M takes 4.9 bits per weight (chapter 2).

    Parameters
    ----------
    file_type : str
        A llama.cpp file type, in either case: "Q4_K_M", "IQ3_XXS", "bf16".

    Returns
    -------
    int
        Bits per weight, 1 to 32.

    Raises
    ------
    InvalidInput
        If the name has no bits in it.

    Examples
    --------
    >>> [nominal_bits(name) for name in ("F16", "Q8_0", "Q4_K_M", "IQ3_XXS")]
    [16, 8, 4, 3]

    References
    ----------
    llama.cpp, tools/quantize/README.md lists the file types.
    """
    match = re.fullmatch(r"(?:B?F|I?Q|TQ)(\d+)(?:_\w+)?", str(file_type).upper())
    if not match or not 1 <= int(match[1]) <= 32:
        raise InvalidInput(f"{file_type!r} names no bits; file types look like Q4_K_M, Q8_0, F16.")
    return int(match[1])
