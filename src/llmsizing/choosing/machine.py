"""this_machine: what the reader has, as records that budgets take for devices."""

import re
from dataclasses import dataclass

from llmsizing.choosing.asking import BROWSER, Answers, of_this_machine
from llmsizing.choosing.found import Found, found_ram
from llmsizing.choosing.vendors import amd, apple, intel, nvidia
from llmsizing.tables import Table, table
from llmsizing.units import GIB, KIB, MIB

UNKNOWN = "unknown"
IN_A_PAGE = ("A page cannot see the machine that shows it. Run this in Python on the machine itself, or"
             " name the device: load_device('RTX 4090').")
ON_WINDOWS = ("No NVIDIA card answered. On Windows we ask no others: name yours, load_device('RX 7900 XTX').")
WINDOWS_RAM = ("(Get-CimInstance Win32_OperatingSystem | ForEach-Object { \"$($_.TotalVisibleMemorySize)"
               " $($_.FreePhysicalMemory)\" })")


@dataclass(frozen=True, repr=False)
class Machine:
    """What a machine has. Make one with `this_machine`; it prints as a table.

    Parameters
    ----------
    devices : tuple of Found
        Cards, and chips that share the computer's RAM; none where nobody found any.
    ram : Found or None
        The computer's RAM; None if nobody says it.
    cores : int
        What the processor runs at once; 0 if it does not say.
    system : str
        "Linux", "Darwin" (macOS), "Windows".
    notes : tuple of str
        What a reader should know: what a tool complained of, what was left out.
    """

    devices: tuple[Found, ...]
    ram: Found | None
    cores: int
    system: str
    notes: tuple[str, ...] = ()

    @property
    def device(self) -> Found | None:
        """The device on which a model would run, which is the one that shows most, else the RAM."""
        return max(self.devices, key=lambda one: one.visible_bytes, default=self.ram)

    @property
    def table(self) -> Table:
        """One row for each device and the RAM."""
        rows = [_row(one) for one in (*self.devices, *((self.ram,) if self.ram else ()))]
        return table(rows or [{"device": UNKNOWN, "in all, GiB": UNKNOWN, "free": UNKNOWN,
                               "GB per second": UNKNOWN}])

    def __str__(self) -> str:
        cores = f"{self.cores} cores" if self.cores else f"cores {UNKNOWN}"
        return "\n".join([str(self.table), f"{self.system or UNKNOWN}, {cores}", *self.notes])

    __repr__ = __str__


def this_machine(answers: Answers | None = None) -> Machine:
    """Find out what this machine has: cards, memory in all and free, bandwidth, cores.

    It asks NVIDIA's library or nvidia-smi, the kernel's files and rocm-smi or amd-smi, clinfo,
    and macOS's sysctl. A tool that is missing, complains or hangs costs a few seconds at most and
    leaves its part unknown. Bandwidth comes from the catalog, for devices that it knows by name;
    the speed of plain RAM is unknown.

    Parameters
    ----------
    answers : Answers, optional
        What to ask instead of this machine: answers that were recorded on another.

    Returns
    -------
    Machine
        Its devices go wherever one of the catalog does: ``what_fits(this_machine().device)``.

    Examples
    --------
    >>> machine = this_machine()
    >>> machine.cores >= 0 and all(one.visible_bytes >= 0 for one in machine.devices)
    True
    """
    asked = of_this_machine() if answers is None else answers
    if asked.system == BROWSER:
        return Machine((), None, 0, "a page", (IN_A_PAGE,))
    total, free, source, notes = _memory(asked)
    found = [told for vendor in (nvidia, amd, intel, apple) for told in vendor(asked, total, free)]
    devices = tuple(told for told in found if isinstance(told, Found))
    notes += [told for told in found if isinstance(told, str)]
    if asked.system == "Windows" and not devices:
        notes.append(ON_WINDOWS)
    ram = found_ram(total, free, source=source) if total else None
    return Machine(devices, ram, asked.threads, asked.system, tuple(dict.fromkeys(notes)))


def _memory(asked: Answers) -> tuple[int, int, str, list[str]]:
    """RAM in all and free, in bytes, who says it, and what limits it."""
    if asked.system == "Darwin":
        pages = asked.run("vm_stat")
        size = re.search(r"page size of (\d+)", pages)
        unused = sum(map(int, re.findall(r"Pages (?:free|inactive|speculative):\s+(\d+)", pages)))
        text = asked.run("sysctl", "-n", "hw.memsize")
        return int(text) if text.isdecimal() else 0, unused * int(size[1]) if size else 0, "sysctl", []
    if asked.system == "Windows":
        numbers = re.findall(r"\d+", asked.run("powershell", "-NoProfile", "-Command", WINDOWS_RAM))
        total, free = (int(number) * KIB for number in numbers[:2]) if len(numbers) > 1 else (0, 0)
        return total, free, "Windows", []
    facts = dict(re.findall(r"(\w+):\s+(\d+) kB", asked.read("/proc/meminfo")))
    total, free = (int(facts.get(name, 0)) * KIB for name in ("MemTotal", "MemAvailable"))
    limit = asked.number("/sys/fs/cgroup/memory.max") or asked.number(
        "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    if 0 < limit < total:
        return limit, min(free, limit), "cgroup", [
            f"A container may use {limit / GIB:.1f} of {total / GIB:.1f} GiB of RAM."]
    return total, free, "/proc/meminfo", []


def _row(one: Found) -> dict[str, object]:
    listed = one.listed_mib * MIB if one.listed_mib else one.visible_range[1]
    return {"device": one.name, "in all, GiB": float(listed / GIB),
            "free": UNKNOWN if one.free_bytes is None else one.free_bytes / GIB,
            "GB per second": float(one.bandwidth_gb_per_s) if one.bandwidth_gb_per_s else UNKNOWN}
