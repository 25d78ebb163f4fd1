"""this_machine against what the tools of real machines printed, as their owners posted it."""

import re
import subprocess
import sys
import time
import types
from fractions import Fraction
from pathlib import Path

import nbformat
import pytest

import llmsizing as sizing
from llmsizing.choosing import asking, this_machine
from llmsizing.choosing.asking import Answers
from llmsizing.units import GIB, MIB

ROOT = Path(__file__).resolve().parents[1]
MEMINFO = "MemTotal:       {} kB\nMemFree:          812345 kB\nMemAvailable:   {} kB\n"
A100 = "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-7fdaf0a5-179b-f636-d15d-daf243e3ff16)\n"


def recorded(system="Linux", commands=None, files=None, nvml=(), threads=8) -> Answers:
    """Answers of a machine that we do not have: by the start of a command, by a file's path."""
    commands, files = commands or {}, files or {}

    def run(*words):
        typed = " ".join(words)
        return next((told for start, told in commands.items() if typed.startswith(start)), "")

    def find(pattern):
        tail = pattern.rpartition("*")[2]
        return sorted(path for path in files if path.startswith("/sys/class/drm") and path.endswith(tail))

    return Answers(system, run, lambda path: files.get(path, ""), find, lambda: list(nvml), threads)


def with_ram(total_kib, free_kib=4_000_000, **more) -> dict[str, str]:
    return {"/proc/meminfo": MEMINFO.format(total_kib, free_kib), **more}


# RLinf/RLinf#255: two cards, 507 and 459 MiB in use.
TWO_CARDS = recorded(commands={
    "nvidia-smi -L": "GPU 0: NVIDIA GeForce RTX 4090\nGPU 1: NVIDIA GeForce RTX 4090",
    "nvidia-smi --query": "NVIDIA GeForce RTX 4090, 24564, 24057\nNVIDIA GeForce RTX 4090, 24564, 24105",
}, files=with_ram(65_536_000))
# AlexsJones/llmfit#52: WSL 2 keeps nvidia-smi off the path; 1,138 of 16,303 MiB in use, 30.17 GB of RAM.
WSL = recorded(commands={
    "/usr/lib/wsl/lib/nvidia-smi -L": "GPU 0: NVIDIA GeForce RTX 5080",
    "/usr/lib/wsl/lib/nvidia-smi --query": "NVIDIA GeForce RTX 5080, 16303, 15165",
}, files=with_ram(31_635_538, 29_779_558))
# unslothai/unsloth#10703 for nvidia-smi, leptonai/gpud#1170 for the memory (bytes there).
SPARK = recorded(commands={
    "nvidia-smi -L": "GPU 0: NVIDIA GB10", "nvidia-smi --query": "NVIDIA GB10, [N/A], [N/A]",
}, files=with_ram(128_501_256_192 // 1024, 7_976_902_656 // 1024))
# Chen-zexi/vllm-cli#11: "Orin (nvgpu), [N/A]"; the board's name as in dusty-nv/jetson-containers#1403.
ORIN = recorded(commands={
    "nvidia-smi -L": "GPU 0: Orin (nvgpu)", "nvidia-smi --query": "Orin (nvgpu), [N/A], [N/A]",
}, files=with_ram(64_350_000, **{"/proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0"}))
# sgl-project/sglang#3331: on other versions of its system nvidia-smi does not work at all.
ORIN_WITHOUT = recorded(files=with_ram(
    64_350_000, **{"/proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0"}))
# DataDog/datadog-agent#33120 lists seven parts; Stability-AI/StableSwarmUI#388 may not ask their memory.
DIVIDED = recorded(commands={
    "nvidia-smi -L": A100 + "".join(f"  MIG 1g.10gb     Device  {n}: (UUID: MIG-{n})\n" for n in range(7)),
    "nvidia-smi --query": "NVIDIA A100-SXM4-80GB, [Insufficient Permissions], [Insufficient Permissions]",
}, files=with_ram(1_000_000_000))
# marimo-team/marimo#9237.
ROCM = recorded(commands={"rocm-smi": """{"card0": {"GPU use (%)": "0",
  "VRAM Total Memory (B)": "21458059264", "VRAM Total Used Memory (B)": "27856896",
  "Card Series": "Radeon RX 7900 XT", "Card Model": "0x744c", "GFX Version": "gfx1100"}}"""},
    files=with_ram(32_000_000))
# nathaninline/ajean#39, and a warning before the JSON as amd-smi prints it without rights.
AMD_SMI = recorded(commands={"amd-smi static": """Permission needed to access required GPU device node(s):
{"gpu_data": [{"gpu": 0, "asic": {"market_name": "AMD Radeon RX 7800 XT"},
  "vram": {"type": "GDDR6", "size": {"value": 16368, "unit": "MB"}}}]}"""}, files=with_ram(32_000_000))
# mudler/LocalAI#7761: a card, and a processor's own GPU beside it.
DRM = "/sys/class/drm/card{}/device/"
BESIDE = recorded(files=with_ram(64_000_000, **{
    DRM.format(0) + "mem_info_vram_total": "17163091968", DRM.format(0) + "mem_info_vram_used": "692142080",
    DRM.format(0) + "device": "0x73bf", DRM.format(1) + "mem_info_vram_total": "67108864",
    DRM.format(1) + "mem_info_vram_used": "26079232", DRM.format(1) + "device": "0x164e"}))
# noamsto/nix-amd-ai#42: Strix Halo whose limit was raised to 96 GiB.
HALO = recorded(files=with_ram(127_000_000, **{
    "/proc/cpuinfo": "model name\t: AMD RYZEN AI MAX+ 395 w/ Radeon 8060S\n",
    DRM.format(1) + "mem_info_vram_total": "4294967296",
    DRM.format(1) + "mem_info_gtt_total": "103079215104"}))
# 0xBakeer/inference-atlas#194 for the chip; vm_stat as in HMCL-dev/HMCL#4876.
VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                3857.
Pages active:                            446206.
Pages inactive:                          443760.
Pages speculative:                         1075.
Pages wired down:                        181483."""


def mac(limit="0", chip="Apple M5 Max", cores=40, size=128 * GIB, macos=""):
    return recorded("Darwin", commands={
        "sw_vers": macos,
        "sysctl -n machdep.cpu.brand_string": chip, "sysctl -n hw.memsize": str(size),
        "sysctl -n iogpu.wired_limit_mb": limit, "vm_stat": VM_STAT,
        "ioreg": f'+-o AGXAcceleratorG17X\n    "gpu-core-count" = {cores}\n'})


# intel/compute-runtime#586: 6.3 of 8 GB visible; #624: a card without resizable BAR shows 243 MiB.
def arc(name, size):
    return recorded(commands={"clinfo": f"""Number of devices                                 1
  Device Name                                     {name}
  Device Vendor                                   Intel(R) Corporation
  Global memory size                              {size} (6.325GiB)
  Max memory allocation                           127506432 (121.6MiB)"""}, files=with_ram(16_000_000))


@pytest.mark.parametrize(("answers", "names", "total_mib", "free_mib"), [
    (TWO_CARDS, ["RTX 4090"] * 2, 24564, 24057), (WSL, ["RTX 5080"], 16303, 15165),
    (ROCM, ["RX 7900 XT"], 20464, 20437.4), (AMD_SMI, ["RX 7800 XT"], 16368, 16368),
    (mac(), ["Apple M5 Max (40-core GPU) 128 GB"], 131072, 448692 * 16384 / MIB),
    (mac(chip="Apple M2 Pro", cores=19, size=32 * GIB), ["Apple M2 Pro 32 GB"], 32768, None),
    (SPARK, ["DGX Spark (GB10)"], 122548.3, 7607.4), (ORIN, ["Jetson AGX Orin 64 GB"], 62841.8, None),
    (ORIN_WITHOUT, ["Jetson AGX Orin 64 GB"], 62841.8, None),
    (arc("Intel(R) Graphics [0x56a1]", 6791413760), ["Arc A750"], 6476.8, None),
    (HALO, ["Ryzen AI Max+ 395 128 GB (Strix Halo)"], 124023.4, None),
], ids=("two cards", "WSL", "rocm-smi", "amd-smi", "Mac", "older Mac", "GB10", "Jetson", "bare Jetson", "Arc",
        "Strix Halo"))
def test_a_recorded_machine_is_recognized(answers, names, total_mib, free_mib):
    machine = this_machine(answers)
    assert [one.catalog_name for one in machine.devices] == names
    first = machine.devices[0]
    assert float(first.listed_mib) == pytest.approx(total_mib, abs=0.1)
    assert first.bandwidth_gb_per_s == sizing.load_device(names[0]).bandwidth_gb_per_s
    if free_mib:
        assert first.free_bytes / MIB == pytest.approx(free_mib, abs=0.1)
    low, high = first.visible_range
    assert 0 < low <= high <= float(first.listed_mib) * MIB
    assert machine.device is first and machine.ram.visible_bytes > 0 and not machine.notes


def test_what_a_gpu_may_use_of_shared_memory():
    (halo,), (spark,) = this_machine(HALO).devices, this_machine(SPARK).devices
    assert halo.visible_bytes == 103_079_215_104 and spark.is_system_memory
    assert spark.visible_range[1] <= 128_501_256_192
    (plain,), (raised,) = this_machine(mac()).devices, this_machine(mac("118000")).devices
    assert plain.visible_range == sizing.load_device("Apple M5 Max 128 GB (40-core GPU)").visible_range
    assert raised.visible_bytes == 118_000 * MIB
    known = sizing.load_device("Apple M2 Pro 32 GB")
    for macos, may_use in (("15.7", known.visible_range[0]), ("26.5.1", known.visible_range[1])):
        (chip,) = this_machine(mac(chip="Apple M2 Pro", cores=19, size=32 * GIB, macos=macos)).devices
        assert chip.visible_range == (may_use, may_use)


def test_a_divided_card_is_its_parts():
    machine = this_machine(DIVIDED)
    assert len(machine.devices) == 7
    assert {one.name for one in machine.devices} == {"NVIDIA A100-SXM4-80GB MIG 1g.10gb"}
    assert {one.visible_bytes for one in machine.devices} == {10 * GIB}
    assert machine.devices[0].bandwidth_gb_per_s is None and machine.devices[0].free_bytes is None


def test_a_processors_own_gpu_counts_as_ram_and_an_unnamed_card_keeps_its_memory():
    machine = this_machine(BESIDE)
    (card,) = machine.devices
    assert card.name == "AMD GPU 0x73bf" and card.bandwidth_gb_per_s is None
    assert card.free_bytes == 17_163_091_968 - 692_142_080
    assert 0.9 * 16 * GIB < card.visible_bytes <= 17_163_091_968
    assert "borrows its memory from RAM" in machine.notes[0]


@pytest.mark.parametrize("complaint", [
    "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.124",
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest"
    " NVIDIA driver is installed and running.", "No devices were found"])
def test_a_drivers_complaint_becomes_a_note(complaint):
    """tinygrad/open-gpu-kernel-modules#47 for the first."""
    machine = this_machine(recorded(commands={"nvidia-smi": complaint}, files=with_ram(16_000_000)))
    assert not machine.devices and machine.device is machine.ram
    assert any(" ".join(complaint.split())[:40] in note for note in machine.notes)


def test_a_machine_that_says_nothing_is_unknown():
    machine = this_machine(recorded(threads=0))
    assert machine.device is None and machine.ram is None and not machine.devices
    assert str(machine).count("unknown") == 5
    assert "RTX 5080" in str(this_machine(WSL)) and "960.00" in str(this_machine(WSL))
    windows = this_machine(recorded("Windows", commands={"powershell": "16601132 7402364"}))
    assert windows.ram.free_bytes == 7_402_364 * 1024 and "On Windows" in windows.notes[0]


GARBAGE = ("{", "[]", "{}", "null", '{"card0": 5}', '{"card0": {"Card Series": 3}}', '{"gpu_data": 3}',
           '{"gpu_data": [3, {"asic": {}, "vram": 4}, {"asic": {"market_name": 1}, "vram": {"size": {}}}]}',
           "a, b, c", ",,,", "GPU, 99999999999999999999, -1", "Device Name\nGlobal memory size",
           "  Device Name   Intel(R) X\n  Global memory size   ", "Apple", "Apple M\n", "page size of 0", "½",
           "model name\t: AI MAX", "MemTotal: x kB\nMemTotal: 9 kB", "MIG 0g.0gb", "1", "\0\0")


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows", "", "Plan 9"])
def test_no_answer_of_a_tool_raises(system):
    """Every tool and every file says the same nonsense."""
    for text in GARBAGE:
        everywhere = Answers(system, lambda *words, text=text: text, lambda path, text=text: text,
                             lambda pattern: ["/sys/class/drm/card0/device/mem_info_vram_total"],
                             lambda: [("", 0, 0)] if text == "1" else [], 1)
        machine = this_machine(everywhere)
        assert str(machine) and all(one.visible_range for one in machine.devices), text


def test_a_page_says_that_it_cannot_see_the_machine():
    machine = this_machine(recorded("Emscripten", commands={"nvidia-smi": "never asked"}))
    assert machine.device is None and "A page cannot see" in str(machine)


def test_a_container_has_what_it_may_use():
    machine = this_machine(recorded(files=with_ram(
        64_000_000, 60_000_000, **{"/sys/fs/cgroup/memory.max": str(8 * GIB)})))
    assert machine.ram.visible_range == (4 * GIB, 8 * GIB) and "A container may use 8.0" in machine.notes[0]
    unlimited = this_machine(recorded(files=with_ram(64_000_000, **{"/sys/fs/cgroup/memory.max": "max\n"})))
    assert unlimited.ram.free_bytes == 4_000_000 * 1024 and not unlimited.notes


@pytest.mark.parametrize("answers", [TWO_CARDS, WSL, SPARK, ORIN, DIVIDED, ROCM, BESIDE, HALO, mac()])
def test_what_is_found_works_as_a_device(answers):
    machine = this_machine(answers)
    model = sizing.load_model("Llama-3.1-8B")
    for device in (*machine.devices, machine.ram):
        budget = sizing.vram_budget(model, weights="Q4_K_M", devices=device)
        left = sizing.headroom(budget, device)
        assert left.low == int(device.visible_range[0] - budget.total.high)
        assert sizing.room_for(model, device, weights="Q4_K_M").low <= left.low
        if device.free_bytes is not None:
            assert device.now.visible_bytes == min(device.visible_bytes, device.free_bytes)
    assert this_machine(DIVIDED).devices[0].now is not None


class Library(types.SimpleNamespace):
    """nvidia-ml-py's functions with the answers of a machine; what it raises is its own error."""


def library(cards, *, mig=None, broken=""):
    """NVML of a machine with such cards: name, bytes in all, bytes free."""

    class NVMLError(Exception):
        pass

    def refuse(*_):
        raise NVMLError(broken or "Not Supported")

    def part(_card, number):
        return mig[number] if number in (mig or {}) else refuse()

    return Library(
        NVMLError=NVMLError, nvmlInit=refuse if broken == "init" else lambda: None,
        nvmlDeviceGetCount=lambda: len(cards), nvmlDeviceGetHandleByIndex=lambda number: cards[number],
        nvmlDeviceGetMigMode=(lambda card: (1, 1)) if mig else refuse,
        nvmlDeviceGetMaxMigDeviceCount=lambda card: 7, nvmlDeviceGetMigDeviceHandleByIndex=part,
        nvmlDeviceGetName=lambda card: card[0],
        nvmlDeviceGetMemoryInfo=refuse if broken == "memory" else lambda card: Library(
            total=card[1], free=card[2]))


def test_nvml_is_asked_where_it_is_installed(monkeypatch):
    # club-3090#390: 15,005 of 24,576 MiB in use. XuehaiPan/nvitop#8: parts of 19,968 MiB.
    card = (b"NVIDIA GeForce RTX 3090", 24576 * MIB, (24576 - 15005) * MIB)
    monkeypatch.setitem(sys.modules, "pynvml", library([card]))
    assert asking.nvml_cards() == [(card[0].decode(), card[1], card[2])]
    assert this_machine(recorded(nvml=asking.nvml_cards())).devices[0].catalog_name == "RTX 3090"
    parts = {0: ("NVIDIA A100-SXM4-80GB MIG 2g.20gb", 19968 * MIB, 5602 * MIB),
             2: ("NVIDIA A100-SXM4-80GB MIG 2g.20gb", 19968 * MIB, 10142 * MIB)}
    monkeypatch.setitem(sys.modules, "pynvml", library([("A100", 0, 0)], mig=parts))
    machine = this_machine(recorded(nvml=asking.nvml_cards()))
    assert [one.visible_bytes for one in machine.devices] == [19968 * MIB] * 2
    for broken in ("init", "memory"):  # NVIDIA/nvidia-container-toolkit#842: no permission for memory
        monkeypatch.setitem(sys.modules, "pynvml", library([card], broken=broken))
        assert asking.nvml_cards() == []
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert asking.nvml_cards() == []


def test_a_tool_that_hangs_or_is_missing_costs_little(monkeypatch, tmp_path):
    monkeypatch.setattr(asking, "PATIENCE", 0.3)
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nsleep 60 &\nsleep 60\n", encoding="utf-8")
    tool.chmod(0o755)
    ask = asking.of_this_machine()
    begun = time.monotonic()
    assert ask.run(str(tool)) == "" and ask.run("no-such-tool") == "" and ask.run(str(tmp_path)) == ""
    assert time.monotonic() - begun < 5
    assert not subprocess.run(["pgrep", "-f", str(tool)], capture_output=True, check=False).stdout
    monkeypatch.setattr(asking, "nvml_cards", lambda: time.sleep(60))
    assert ask.nvml() == [] and time.monotonic() - begun < 10
    assert ask.read("/no/such/file") == "" and ask.find("/no/such/*") == []


@pytest.mark.parametrize("answers", [WSL, mac(), recorded(files=with_ram(32_000_000))])
def test_the_block_to_copy_in_the_chapter_runs(answers, monkeypatch, capsys):
    """On a card, a Mac and a plain computer, and on the one that runs the tests."""
    chapter = nbformat.read(ROOT / "notebooks" / "10_choosing.ipynb", as_version=4)
    (block,) = [block for cell in chapter.cells
                for block in re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL)]
    assert "this_machine()" in block and "import llmsizing as sizing" in block
    exec(block, {})
    monkeypatch.setattr(sizing, "this_machine", lambda: this_machine(answers))
    capsys.readouterr()
    exec(block, {})
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("device") and told[-1] in ("fits", "tight", "does not fit")
    assert sum(" GiB" in line and ("fits" in line or "tight" in line) for line in told) == 10


def test_this_very_machine_is_asked():
    machine = this_machine()
    assert machine.ram.visible_bytes > 0 and machine.cores > 0
    assert machine.ram.listed_mib is None or machine.ram.listed_mib > Fraction(100)
