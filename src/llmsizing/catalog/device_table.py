"""The devices of data/devices.csv."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.catalog.names import find
from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import UnknownName, shown
from llmsizing.units import GIB, MIB

#: Words in a device's name that many add and nobody needs.
NOISE = ("nvidia", "geforce", "tesla", "amd", "radeon", "intel", "graphics", "gpu", "card", "generation")

#: What people write where a name has other words: computers, spelled-out numbers, nvidia-smi's names.
SPELLINGS = (
    (r"\(r\)|\(tm\)|[®™]", ""),
    (r"mac ?book (pro|air)|\bi?mac (pro|mini|studio)\b|\bimac\b", "apple"),
    (r"\bframework desktop\b", "strix halo"),
    (r"\bmobile\b", "laptop"),
    (r"\bsingle[- ]channel\b", "1 channel"),
    (r"\bdual[- ]channel\b", "2 channels"),
    (r"\bquad[- ]channel\b", "4 channels"),
    (r"\b([2-9]|1\d)[- ]channel\b", r"\1 channels"),
    (r"\bsxm\d\b", "sxm"),
    (r"\bh100 80 ?gb hbm3\b", "h100 sxm 80 gb"),
)

#: How people write that they have several.
SEVERAL = r"(?:\d{1,2}\s*[x×*]\s*|(?:dual|two|quad|four)\s+)(?=[a-z]|\d{3})"

#: Segments of cards with memory of their own.
CARDS = ("consumer", "laptop", "workstation", "data center")

SYSTEM_RAM = "system RAM"

#: Bytes of plain RAM that we leave to the operating system: the least that Windows 11 asks for
#: (Microsoft, "Windows 11 system requirements": 4 GB).
OPERATING_SYSTEM = 4 * GIB


@dataclass(frozen=True, kw_only=True)
class Device:
    """What holds a model: a card, a computer whose memory is shared, or plain RAM.

    It has three memories. *Sold* is what the box says. *Listed* is what the driver's tool says
    (nvidia-smi). *Visible* is what a program can get, and what budgets use.

    Parameters
    ----------
    name, vendor, segment, memory_type : str
        "RTX 4090", "NVIDIA", "consumer", "GDDR6X".
    sold_gb : int
        Memory on the box, in what the box calls GB.
    listed_mib : Fraction or None
        What the driver's tool lists, in MiB.
    visible_low_mib, visible_high_mib : Fraction or None
        The range that was reported for this device, in MiB; None if none was read.
    bandwidth_gb_per_s : Fraction
        Of its memory, in 10^9 bytes per second.
    source, source_url, second_source, visible_source, accessed, notes : str
        What was read, a second place that agrees, where the visible memory was reported.
    """

    name: str
    vendor: str
    segment: str
    memory_type: str = ""
    sold_gb: int
    listed_mib: Fraction | None = None
    visible_low_mib: Fraction | None = None
    visible_high_mib: Fraction | None = None
    bandwidth_gb_per_s: Fraction
    source: str
    source_url: str = ""
    second_source: str = ""
    visible_source: str = ""
    accessed: str
    notes: str = ""

    @property
    def sold_bytes(self) -> int:
        """Bytes of the memory on the box; its makers write GB and mean GiB."""
        number = self.sold_gb
        return number * GIB

    @property
    def is_system_memory(self) -> bool:
        """Whether programs see all of the computer's RAM, so that host and device share it.

        Macs and Strix Halo give their GPU a part of it; what stays in RAM lies in the rest.
        """
        return (self.segment in ("embedded", SYSTEM_RAM)
                or (self.vendor, self.segment) == ("NVIDIA", "unified"))

    @property
    def has_own_memory(self) -> bool:
        """Whether it is a card with memory of its own, so that RAM beside it is more room."""
        return self.segment in CARDS

    @property
    def takes_another(self) -> bool:
        """Whether a second one can stand beside it."""
        return self.has_own_memory and self.segment != "laptop"

    @property
    def visible_is_reported(self) -> bool:
        """Whether someone reported the visible memory of this very device."""
        return self.visible_low_mib is not None and self.visible_high_mib is not None

    @property
    def visible_range(self) -> tuple[int, int]:
        """Bytes that a program can get, from the least to the most."""
        if self.visible_is_reported:
            return int(self.visible_low_mib * MIB), int(self.visible_high_mib * MIB)
        if self.segment == SYSTEM_RAM:
            return max(0, self.sold_bytes - OPERATING_SYSTEM), self.sold_bytes
        low, high = (int(self.sold_bytes * share) for share in share_visible(self))
        listed = high if self.listed_mib is None else int(self.listed_mib * MIB)
        return min(low, listed), min(high, listed)

    @property
    def visible_bytes(self) -> int:
        """Bytes to count with, which are the least of the range."""
        return self.visible_range[0]


def devices() -> list[Device]:
    """All devices of the catalog, in the order of data/devices.csv.

    Returns
    -------
    list of Device

    Examples
    --------
    >>> from llmsizing import format_bytes
    >>> [format_bytes(device.visible_bytes) for device in devices() if device.name == "L4"]
    ['22.03 GiB']
    """
    return list(_devices())


def load_device(name: str) -> Device:
    """Find a device by its name, as people type it.

    Parameters
    ----------
    name : str
        "4090", "NVIDIA GeForce RTX 4090", "m4 max 128gb". A name that several devices share
        needs its memory: "RTX 3060 12 GB".

    Returns
    -------
    Device

    Raises
    ------
    UnknownName
        With the nearest names, or with all that it could mean.

    Examples
    --------
    >>> device = load_device("rtx 4090")
    >>> device.sold_gb, float(device.bandwidth_gb_per_s)
    (24, 1008.0)
    """
    text = str(name).casefold()
    for written, meant in SPELLINGS:
        text = re.sub(written, meant, text)
    several = re.match(SEVERAL, text.strip())
    if several:
        one = text.strip()[several.end():]
        raise UnknownName(f"{shown(name)} means several devices, and a name stands for one: {_one(one)}")
    try:
        return find("device", text, _by_name(), noise=NOISE)
    except UnknownName as unknown:
        raise UnknownName(str(unknown).replace(shown(text), shown(name), 1)) from None


def share_visible(device: Device) -> tuple[Fraction, Fraction]:
    """What part of the sold memory programs can get on devices like this one, least and most."""
    shares = [Fraction(size, other.sold_bytes) for other in _alike(device)
              for size in other.visible_range]
    return (min(shares), min(Fraction(1), max(shares))) if shares else (Fraction(1), Fraction(1))


def _alike(device: Device) -> list[Device]:
    """Devices of the same vendor whose visible memory was reported, the nearest that there are.

    A computer's system takes a part that depends on the size of its memory, so the next sizes
    count. A card's driver takes a part that depends on the memory's type: error correction costs
    GDDR a sixteenth, HBM brings its own.
    """
    known = [other for other in _devices()
             if other.visible_is_reported and other.vendor == device.vendor]
    segment = [other for other in known if other.segment == device.segment]
    if device.segment not in CARDS:
        sizes = {other.sold_gb for other in segment}
        nearest = {max((size for size in sizes if size <= device.sold_gb), default=0),
                   min((size for size in sizes if size >= device.sold_gb), default=0)}
        return [other for other in segment if other.sold_gb in nearest]
    same_type = [other for other in segment if _has_hbm(other) == _has_hbm(device)]
    cards = [other for other in known if other.segment in CARDS]
    return next((group for group in (same_type, segment, cards) if len(group) >= 3), cards)


def _has_hbm(device: Device) -> bool:
    return device.memory_type.startswith("HBM")


def _one(text: str) -> str:
    """The device that is meant by one of several, or those that could be meant."""
    try:
        return f"{load_device(text).name}."
    except UnknownName as unknown:
        return str(unknown)


@cache
def _by_name() -> dict[str, Device]:
    """Each device by its name, and by its name with its memory; RAM also with that word."""
    names = {device.name: device for device in _devices()}
    for device in _devices():
        sized = device.name if " GB" in device.name else f"{device.name} {device.sold_gb} GB"
        names.setdefault(f"{sized} RAM" if device.segment == SYSTEM_RAM else sized, device)
    return names


@cache
def _devices() -> tuple[Device, ...]:
    return read_table(DATA / "devices.csv", Device, key=("name",))
