"""Computers whose memory the GPU shares: how much of it the GPU may use."""

from llmsizing.catalog.device_table import Device
from llmsizing.errors import InvalidInput, exact_number, expect
from llmsizing.units import GIB

#: The first version of macOS that lets the GPU use more.
NEW_WORKING_SET = 26


def apple_working_set(device: Device, *, macos: int) -> int:
    """What a Mac's GPU may use, by the version of macOS.

    macOS says it as recommendedMaxWorkingSetSize. It was 2/3 of the memory up to 32 GB and 3/4
    beyond; since macOS 26 it is 74 to 84 %. ``sudo sysctl iogpu.wired_limit_mb=N`` sets another
    limit until the next start.

    Parameters
    ----------
    device : Device
        A Mac.
    macos : int
        The version: 15, 26.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    InvalidInput
        If the device is no Mac, or the version makes no sense.

    Examples
    --------
    >>> from llmsizing import format_bytes, load_device
    >>> mac = load_device("Apple M1 Max 64 GB")
    >>> [format_bytes(apple_working_set(mac, macos=version)) for version in (15, 26)]
    ['48.00 GiB', '51.84 GiB']

    References
    ----------
    Logs of Metal's recommendedMaxWorkingSetSize, in the column visible_source of devices.csv.
    """
    expect("device", device, Device, "write load_device('Apple M4 Max 128 GB')")
    if device.vendor != "Apple":
        raise InvalidInput(f"{device.name} is no Mac: use its visible_bytes.")
    version = exact_number("macos", macos, at_least=11, at_most=99, hint="Versions are 11 to 26.")
    older, newer = device.visible_range
    return newer if version >= NEW_WORKING_SET else older


def apu_memory(device: Device, *, carve_out_gib: float = 0.5, gtt_gib: float | None = None) -> int:
    """What the GPU of a Strix Halo computer may use under Linux.

    It is the larger of two: what the BIOS reserves, and the part of the rest that the driver may
    map (GTT), by default half of it; ``ttm.pages_limit``, in pages of 4 KiB, sets it.

    Parameters
    ----------
    device : Device
        From `load_device`.
    carve_out_gib : float
        What the BIOS reserves, in GiB: 0.5 to 96.
    gtt_gib : float, optional
        The limit of GTT in GiB, if it was set.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    InvalidInput
        If the device is none of these, or has less memory than that.

    Examples
    --------
    >>> from llmsizing import format_bytes, load_device
    >>> box = load_device("Ryzen AI Max+ 395 128 GB")
    >>> [format_bytes(size) for size in (apu_memory(box), apu_memory(box, gtt_gib=120))]
    ['63.75 GiB', '120.00 GiB']

    References
    ----------
    rocm.docs.amd.com/en/latest/reference/system-optimization/rdna3-5.html: "By default, the GTT
    limit is set to approximately 50 percent of total system RAM."
    """
    expect("device", device, Device, "write load_device('Ryzen AI Max+ 395 128 GB')")
    if (device.vendor, device.segment) != ("AMD", "unified"):
        raise InvalidInput(f"{device.name} does not share its memory in this way: use its visible_bytes.")
    most = device.sold_bytes // GIB
    reserved = exact_number("carve_out_gib", carve_out_gib, at_least=0, at_most=most) * GIB
    rest = device.sold_bytes - reserved
    mapped = rest / 2
    if gtt_gib is not None:
        mapped = min(rest, exact_number("gtt_gib", gtt_gib, at_least=0, at_most=most) * GIB)
    return int(max(reserved, mapped))
