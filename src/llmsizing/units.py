"""GB is not GiB: the one place where bytes meet their units.

A gigabyte (GB) is 10^9 bytes: download pages and card boxes count in it.
A gibibyte (GiB) is 2^30 bytes: drivers and engines count in it. They differ by 7.4 %.
Inside the package a size is always a whole number of bytes.
"""

import math
from fractions import Fraction

from llmsizing.errors import exact_number, expect, nearest

KIB, MIB, GIB = 2**10, 2**20, 2**30
KB, MB, GB = 10**3, 10**6, 10**9
BILLION = 10**9  #: how parameters are counted: 70B is 70 billion
MILLION = 10**6  #: microseconds in a second

UNITS = {"B": 1, "kB": KB, "MB": MB, "GB": GB, "KiB": KIB, "MiB": MIB, "GiB": GIB}


def format_bytes(count: int | Fraction, unit: str | None = None) -> str:
    """Write a number of bytes for people, with its unit.

    Parameters
    ----------
    count : int or Fraction
        Bytes; a negative number is a shortage.
    unit : str, optional
        "B", "kB", "MB", "GB", "KiB", "MiB" or "GiB". By default the largest of B, KiB, MiB
        and GiB that leaves at least 1.

    Returns
    -------
    str
        Two decimals (none for B) and the unit.

    Raises
    ------
    UnknownName
        If the unit is none of these.
    InvalidInput
        If the count is no finite number, or the unit no str.

    Examples
    --------
    >>> format_bytes(168_000_000_000, "GB"), format_bytes(168_000_000_000)
    ('168.00 GB', '156.46 GiB')

    References
    ----------
    IEC 80000-13 defines the binary prefixes.
    """
    count = exact_number("count", count)
    if unit is None:
        unit = next((u for u in ("GiB", "MiB", "KiB") if abs(count) >= UNITS[u]), "B")
    expect("unit", unit, str, "write 'GiB'")
    if unit not in UNITS:
        raise nearest("unit", unit, UNITS)
    if unit == "B":
        return f"{math.ceil(count):,} B"
    return f"{float(count / UNITS[unit]):,.2f} {unit}"
