"""Found: a device that a machine has, as its tools name it, with what our catalog knows of it."""

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from llmsizing.catalog import SYSTEM_RAM, Device, load_device
from llmsizing.errors import InvalidInput, UnknownName
from llmsizing.units import GIB, MIB

NEARLY = Fraction(1, 8)  #: how far what a tool lists may lie below what is sold; ECC takes a sixteenth
#: What tools call a device without saying which of several it is.
MEANT = {"nvidia h200": "h200 sxm"}
#: What is sold, in GB, a little more than what tools list.
SIZES = (4, 6, 8, 10, 11, 12, 16, 18, 20, 24, 32, 36, 40, 48, 64, 80, 96, 128, 141, 180, 192, 256, 512)


@dataclass(frozen=True, kw_only=True)
class Found(Device):
    """A device of this machine. It serves wherever one of the catalog does.

    Parameters
    ----------
    free_bytes : int or None
        What no program uses now; None if nobody says it.
    catalog_name : str
        What the catalog calls it; "" if it does not know it. Then ``bandwidth_gb_per_s`` is None.
    """

    bandwidth_gb_per_s: Fraction | None = None
    source: str = ""
    accessed: str = ""
    free_bytes: int | None = None
    catalog_name: str = ""

    @property
    def now(self) -> "Found":
        """The device as full as it is now: with no more to see than what is free."""
        if self.free_bytes is None:
            return self
        low, high = (Fraction(min(size, self.free_bytes), MIB) for size in self.visible_range)
        return replace(self, visible_low_mib=low, visible_high_mib=high)


def found_card(name: str, total: int, free: int | None, *, vendor: str, source: str) -> Found:
    """A card with memory of its own, matched to the catalog by its name and memory."""
    known = in_catalog(name, total)
    if known is None:
        return Found(name=name, vendor=vendor, segment="consumer", sold_gb=_sold(total),
                     listed_mib=Fraction(total, MIB), free_bytes=free, source=source)
    same_size = known.sold_bytes * (1 - NEARLY) <= total <= known.sold_bytes
    low, high = known.visible_range if same_size else (total, total)
    return _as_known(known, name, total, free, source, low=min(low, total), high=min(high, total))


def found_part(name: str, total: int, free: int | None, *, source: str) -> Found:
    """A part of a divided NVIDIA card (MIG): its memory is its own, its bandwidth a share."""
    return Found(name=name, vendor="NVIDIA", segment="data center", sold_gb=_sold(total),
                 listed_mib=Fraction(total, MIB), visible_low_mib=Fraction(total, MIB),
                 visible_high_mib=Fraction(total, MIB), free_bytes=free, source=source)


def found_shared(name: str, ram: int, free: int | None, *, vendor: str, source: str,
                 visible: int | None = None) -> Found:
    """A chip whose GPU shares the computer's RAM, all of it or what it may use (``visible``)."""
    known = in_catalog(name, ram)
    if known is None:
        most = Fraction(ram if visible is None else visible, MIB)
        segment = "embedded" if vendor == "NVIDIA" else "unified"
        return Found(name=name, vendor=vendor, segment=segment, sold_gb=_sold(ram),
                     listed_mib=Fraction(ram, MIB), visible_low_mib=most, visible_high_mib=most,
                     free_bytes=free, source=source)
    low, high = (min(size, ram) for size in known.visible_range)
    return _as_known(known, known.name, ram, free, source,
                     low=low if visible is None else visible, high=high if visible is None else visible)


def found_ram(total: int, free: int | None, *, source: str) -> Found:
    """The computer's RAM; its tools do not say how fast it is."""
    plain = Found(name=f"RAM of {_sold(total)} GB", vendor=SYSTEM_RAM, segment=SYSTEM_RAM,
                  sold_gb=_sold(total), free_bytes=free, source=source)
    low, high = (Fraction(min(size, total), MIB) for size in plain.visible_range)
    return replace(plain, visible_low_mib=low, visible_high_mib=high)


def in_catalog(name: str, total: int) -> Device | None:
    """The device that a tool's name means, among equal names the one with so much memory."""
    plain = re.sub(r"\bdeveloper kit\b|\bw/ .*|-(?=pcie|sxm)|(?<=pcie)-|(?<=sxm\d)-", " ", name.casefold())
    plain = MEANT.get(plain, plain)
    sizes = sorted({_sold(total), *(size for size in SIZES if total / GIB <= size <= total / GIB * 1.1)})
    for typed in (*(f"{plain} {size} GB" for size in sizes), plain):
        try:
            return load_device(typed)
        except (UnknownName, InvalidInput):
            continue
    return None


def _as_known(known: Device, name: str, total: int, free: int | None, source: str, *, low: int,
              high: int) -> Found:
    facts = {field: getattr(known, field) for field in
             ("vendor", "segment", "memory_type", "bandwidth_gb_per_s", "source_url")}
    return Found(**facts, name=name, sold_gb=max(known.sold_gb, _sold(total)),
                 listed_mib=Fraction(total, MIB), visible_low_mib=Fraction(low, MIB),
                 visible_high_mib=Fraction(high, MIB), free_bytes=free, source=source,
                 catalog_name=known.name)


def _sold(total: int) -> int:
    return math.ceil(total / GIB)
