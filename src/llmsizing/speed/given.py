"""What a speed is asked for: settings, devices and the RAM beside them, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmsizing.architecture import Model, expect_model
from llmsizing.catalog import Device, load_device
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput, expect
from llmsizing.memory.settings import LLAMA_CPP, USUAL_BACKENDS, Settings, settings_of
from llmsizing.speed.constants import CARD_AND_RAM, OTHERS, PROCESSOR
from llmsizing.speed.costs import kind_of
from llmsizing.speed.work import Work, work_of

#: The RAM of a usual computer, where none is named.
USUAL_RAM = "DDR5-5600, 2 channels, 32 GB"
#: Settings that stand in a budget, too, and that a speed depends on.
TAKEN = ("kv_cache", "sequences", "unified_kv", "swa_full", "ubatch", "flash_attention", "backend",
         "offload", "experts_on_cpu", "devices")
MLX = "MLX"
SAME_KERNELS = ("llama.cpp", "Ollama", "LM Studio", MLX)  #: with runs in decode_runs.csv, or the same kernels


@dataclass(frozen=True)
class Given:
    """What a speed is computed from: the work on the devices and in RAM, and the devices."""

    model: Model
    weights: str | None
    device: Device
    host: Device
    engine: str
    settings: Settings
    on_device: Work
    in_ram: Work
    notes: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Which runs it is like: those of a vendor, of processors, or of cards with a part in RAM."""
        if not same_kernels(self.engine, self.device):
            return OTHERS
        kind = kind_of(self.device)
        return CARD_AND_RAM if self.in_ram.tensors and kind != PROCESSOR else kind


def same_kernels(engine: str, device: Device) -> bool:
    """Whether runs of an engine on such a device were fitted, or runs with the same kernels."""
    return engine in SAME_KERNELS and (engine != MLX or device.vendor == "Apple")


def given_of(model: Model, device: Device, *, weights: str | None, context_tokens: int, engine: str,
             host: Device | None, settings: Mapping[str, Any]) -> Given:
    """Check what a speed is asked for, and count the work.

    Raises
    ------
    InvalidInput, UnknownName
        As `decode_speed` does.
    """
    expect_model(model)
    expect("device", device, Device, "write load_device('RTX 4090')")
    if host is not None:
        expect("host", host, Device, f"write load_device({USUAL_RAM!r})")
    named = load_engine(engine).name
    for name in settings:
        if name not in TAKEN:
            settings_of({"engine": LLAMA_CPP, name: settings[name]})  # says what is wrong with an unknown one
            raise InvalidInput(f"A speed does not depend on {name}: leave it out.")
    usual = {"devices": device, "backend": USUAL_BACKENDS.get(device.vendor, "vulkan")}
    made = settings_of({**usual, **settings, "context_tokens": context_tokens})
    on_device, in_ram = work_of(model, weights, made)
    ram, notes = _host(device, host, in_ram)
    for one in (device, *([ram] if in_ram.tensors else ())):
        if one.bandwidth_gb_per_s is None:  # this_machine found it, and the catalog does not know it
            raise InvalidInput(f"The bandwidth of {one.name} is not known, so neither is a speed: name a"
                               " device of the catalog, such as load_device('RTX 4090').")
    if not same_kernels(named, device):
        where = f" on devices of {device.vendor}" if named in SAME_KERNELS else ""
        notes += (f"No runs of {named}{where} were fitted: this is what llama.cpp's kernels would do.",)
    return Given(model, weights, device, ram, named, made, on_device, in_ram, notes)


def _host(device: Device, host: Device | None, in_ram: Work) -> tuple[Device, tuple[str, ...]]:
    """The RAM beside the device, and what to say of it."""
    if host is not None:
        return host, ()
    if not device.has_own_memory:
        return device, ()
    ram = load_device(USUAL_RAM)
    return ram, (f"RAM is taken as {ram.name}: name yours with host=.",) if in_ram.tensors else ()
