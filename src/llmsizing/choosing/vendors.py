"""What each maker's tools say of the devices in a machine, read into `Found` records and notes."""

import json
import re
from collections.abc import Iterator

from llmsizing.catalog import apple_working_set, load_device
from llmsizing.choosing.asking import Answers
from llmsizing.choosing.found import Found, found_card, found_part, found_shared
from llmsizing.units import GIB, MIB

SMI = ("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi")  # the second is where WSL keeps it
QUERY = ("--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
COMPLAINTS = ("failed", "error", "no devices")
WIRED_LIMIT = "iogpu.wired_limit_mb"  #: macOS counts it in MiB, whatever it is called
SMALLEST = 2 * GIB  #: a card with less is a processor's own GPU, which borrows RAM

Lines = Iterator[Found | str]  #: devices, and sentences for the reader


def nvidia(asked: Answers, ram: int, free: int) -> Lines:
    """Cards by NVML, else by nvidia-smi; chips that share the RAM (GB10, Jetson) by the RAM."""
    board = asked.read("/proc/device-tree/model").strip("\0\n ")
    by_library = asked.nvml()
    for name, total, left in by_library:
        yield (found_part if " MIG " in name else _nvidia_card)(name, total, left, source="NVML")
    if by_library:
        return
    smi, listed = next(((path, told) for path in SMI if (told := asked.run(path, "-L"))), ("", ""))
    told = asked.run(smi, *QUERY) if smi else ""
    if any(word in told.casefold() for word in COMPLAINTS):
        yield f"nvidia-smi says: {' '.join(told.split())[:160]}"
    elif told:
        for line in told.splitlines():
            yield from _one_line(line, listed, board, ram, free)
    elif "jetson" in board.casefold():
        yield found_shared(board, ram, free, vendor="NVIDIA", source="/proc")


def _one_line(line: str, listed: str, board: str, ram: int, free: int) -> Lines:
    """What nvidia-smi says of one card: its memory, or that it is divided, or that it has none."""
    name, *numbers = (part.strip() for part in line.split(","))
    total, left = ((*(_whole(number) * MIB for number in numbers), 0, 0)[:2])
    parts = re.findall(r"MIG (\d+g\.(\d+)gb)", listed)
    if total:
        yield _nvidia_card(name, total, left, source="nvidia-smi")
    elif parts:
        for profile, size in parts:
            yield found_part(f"{name} MIG {profile}", int(size) * GIB, None, source="nvidia-smi -L")
    elif "GB10" in name or "jetson" in board.casefold():
        yield found_shared(board or name, ram, free, vendor="NVIDIA", source="/proc")
    else:
        yield f"nvidia-smi names {name} and not its memory."


def _nvidia_card(name: str, total: int, left: int | None, *, source: str) -> Found:
    return found_card(name, total, left, vendor="NVIDIA", source=source)


def amd(asked: Answers, ram: int, free: int) -> Lines:
    """Cards by the kernel's files, named by AMD's tools; Strix Halo by what its GPU may map."""
    names = _amd_names(asked)
    folders = [path.rpartition("/")[0]
               for path in asked.find("/sys/class/drm/card*/device/mem_info_vram_total")]
    sizes = [(asked.number(f"{folder}/mem_info_vram_total"), asked.number(f"{folder}/mem_info_vram_used"),
              asked.number(f"{folder}/mem_info_gtt_total"), asked.read(f"{folder}/device").strip())
             for folder in folders] or [(total, used, 0, "") for _, total, used in names]
    processor = re.search(r"model name\s*:\s*(.+)", asked.read("/proc/cpuinfo"))
    for number, (total, used, mapped, code) in enumerate(sizes):
        name = next((called for called, size, _ in names if size == total),
                    names[number][0] if number < len(names) else f"AMD GPU {code}".strip())
        if processor and "AI MAX" in processor[1].upper():
            yield found_shared(processor[1], ram, free, vendor="AMD", source="/sys/class/drm",
                               visible=max(total, mapped))
        elif total >= SMALLEST:
            yield found_card(name, total, max(0, total - used), vendor="AMD",
                             source="/sys/class/drm" if folders else "AMD's tools")
        elif total:
            yield f"{name} borrows its memory from RAM: count with the RAM."


def _amd_names(asked: Answers) -> list[tuple[str, int, int]]:
    """Name, bytes in all and in use, as rocm-smi says it, or its successor amd-smi."""
    told = _json(asked.run("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json"))
    cards = [(_at(card, "Card Series") or _at(card, "Card series"), _at(card, "VRAM Total Memory (B)"),
              _at(card, "VRAM Total Used Memory (B)"), 1)
             for key, card in sorted(told.items()) if key.startswith("card")]
    if not cards:
        listed = _json(asked.run("amd-smi", "static", "--asic", "--vram", "--json")).get("gpu_data")
        cards = [(_at(gpu, "asic", "market_name"), _at(gpu, "vram", "size", "value"), 0, MIB)
                 for gpu in (listed if isinstance(listed, list) else ())]
    return [(str(name or "AMD GPU"), _whole(total) * unit, _whole(used) * unit)
            for name, total, used, unit in cards]


def apple(asked: Answers, ram: int, free: int) -> Lines:
    """A Mac's chip: its GPU may use a part of the memory, which a setting can raise."""
    chip = asked.run("sysctl", "-n", "machdep.cpu.brand_string")
    if not chip.startswith("Apple"):
        return
    told = asked.run("ioreg", "-r", "-c", "AGXAccelerator", "-d", "1")
    cores = re.search(r'"gpu-core-count" = (\d+)', told)
    limit = MIB * _whole(asked.run("sysctl", "-n", WIRED_LIMIT))
    named = f"{chip} ({cores[1]}-core GPU)" if cores else chip
    variants = [found_shared(name, ram, free, vendor="Apple", source="sysctl", visible=limit or None)
                for name in (named, chip)]
    made = next((one for one in variants if one.catalog_name), variants[1])
    version = re.match(r"\d+", asked.run("sw_vers", "-productVersion"))
    if made.catalog_name and version and not limit:
        may_use = apple_working_set(load_device(made.catalog_name), macos=int(version[0]))
        made = found_shared(made.catalog_name, ram, free, vendor="Apple", source="sysctl", visible=may_use)
    yield made


def intel(asked: Answers, ram: int, free: int) -> Lines:
    """Arc cards by OpenCL's list; other GPUs of Intel borrow RAM."""
    name = ""
    for line in asked.run("clinfo").splitlines():
        what, _, value = line.strip().partition("   ")
        name = value.strip() if what == "Device Name" else name
        size = _whole(value.split()[0]) if what == "Global memory size" and value else 0
        if not size or not name.startswith("Intel(R)") or "CPU" in name or "FPGA" in name:
            continue
        called = next((card for code, card in ARC.items() if code in name), name)
        made = found_card(called, size, None, vendor="Intel", source="clinfo")
        yield made if made.catalog_name else f"{name} borrows its memory from RAM: count with the RAM."


#: Cards that older drivers name by a number.
ARC = {"[0x56a0]": "Arc A770", "[0x56a1]": "Arc A750", "[0x56a5]": "Arc A380"}


def _json(text: str) -> dict:
    """The JSON object in what a tool printed, warnings before it left out; {} if there is none."""
    try:
        found = json.loads(text[text.index("{"):])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _at(data: object, *path: str) -> object:
    """What lies at a path in nested objects, or None."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _whole(value: object) -> int:
    text = str(value).strip()
    return int(text) if text.isdecimal() else 0
