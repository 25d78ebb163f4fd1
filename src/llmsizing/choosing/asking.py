"""Asking a machine: its commands, its files and its drivers, never for long and never in vain."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 6  #: seconds; nvidia-smi wakes a sleeping card in two or three
BROWSER = "Emscripten"  #: what Python in a page calls its system

Card = tuple[str, int, int]  #: name, bytes in all, bytes free


@dataclass(frozen=True)
class Answers:
    """Where answers about a machine come from: the machine itself, or what was recorded of one.

    Parameters
    ----------
    system : str
        As `platform.system` calls it: "Linux", "Darwin", "Windows"; in a page "Emscripten".
    run : callable
        From the words of a command to what it printed, or its complaint; "" if there is no such
        command, or it takes longer than `PATIENCE`.
    read : callable
        From a file's path to its text; "" if it cannot be read.
    find : callable
        From a pattern of paths to those that exist, in order.
    nvml : callable
        What NVIDIA's library says of each device; nothing if it is not there or does not work.
    threads : int
        What the processor runs at once; 0 if the system does not say.
    """

    system: str
    run: Callable[..., str]
    read: Callable[[str], str]
    find: Callable[[str], list[str]]
    nvml: Callable[[], list[Card]]
    threads: int = 0

    def number(self, path: str) -> int:
        """The whole number that a file holds, or 0."""
        text = self.read(path).strip()
        return int(text) if text.isdecimal() else 0


def of_this_machine() -> Answers:
    """Answers of the machine that runs this."""
    import os
    import platform

    return Answers(platform.system(), _run, _read, _find, _nvml_soon, os.cpu_count() or 0)


def _run(*words: str) -> str:
    """What a command prints. One that takes too long is ended, with all that it has started."""
    import shutil
    import subprocess

    if shutil.which(words[0]) is None:
        return ""
    try:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, errors="replace",
                                   start_new_session=True)
    except OSError:
        return ""
    try:
        told, complaint = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        _end(process)
        return ""
    return told.strip() or complaint.strip()


def _end(process) -> None:
    """End a command and its children, and wait for no one: a hung driver lets nothing die."""
    import os
    import signal

    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    for pipe in (process.stdout, process.stderr):
        pipe.close()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _find(pattern: str) -> list[str]:
    try:
        return sorted(str(path) for path in Path("/").glob(pattern.lstrip("/")))
    except OSError:
        return []


def _nvml_soon() -> list[Card]:
    """What NVML says, if it says it soon: a thread waits for a driver that hangs."""
    import threading

    found: list[Card] = []
    asking = threading.Thread(target=lambda: found.extend(nvml_cards()), daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return [] if asking.is_alive() else found


def nvml_cards() -> list[Card]:
    """Ask NVIDIA's library, through nvidia-ml-py where it is installed."""
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
        cards = [pynvml.nvmlDeviceGetHandleByIndex(number)
                 for number in range(pynvml.nvmlDeviceGetCount())]
        return [_card(pynvml, part) for card in cards for part in _parts(pynvml, card)]
    except pynvml.NVMLError:  # no driver, no right to ask, or memory that it shares with the CPU
        return []


def _parts(pynvml, card) -> list:
    """A card, or the devices that it is divided into (MIG)."""
    try:
        is_divided = pynvml.nvmlDeviceGetMigMode(card)[0]
    except pynvml.NVMLError:  # most cards cannot be divided
        return [card]
    found = []
    for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(card) if is_divided else 0):
        try:
            found.append(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(card, number))
        except pynvml.NVMLError:  # the numbers have gaps
            continue
    return found or [card]


def _card(pynvml, device) -> Card:
    name, memory = pynvml.nvmlDeviceGetName(device), pynvml.nvmlDeviceGetMemoryInfo(device)
    return name if isinstance(name, str) else name.decode(), int(memory.total), int(memory.free)
