"""Which layers lie on which device, and which in RAM, as llama.cpp places them."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from llmsizing.architecture import Model, Tensor, expect_model
from llmsizing.memory.settings import ALL, Settings
from llmsizing.quantization import Format

RAM = -1  #: the place of what lies on no device


@dataclass(frozen=True)
class Placement:
    """Where each layer, the input's tables and the output layer lie. Make one with `placement`.

    All that asks what lies where asks here: weights, cache, copies, reads.

    Parameters
    ----------
    layers : tuple of int
        For each layer the number of its device, or `RAM`.
    tables, output : int
        Where the input embedding and the output layer lie.
    experts_in_ram : int
        Of how many layers, from the first one, the experts lie in RAM.
    """

    layers: tuple[int, ...]
    tables: int
    output: int
    experts_in_ram: int

    def layers_at(self, place: int) -> tuple[int, ...]:
        """Numbers of the layers that lie at a place."""
        return tuple(number for number, where in enumerate(self.layers) if where == place)

    @property
    def is_whole(self) -> bool:
        """Whether all layers and the output lie in one place, with all their experts."""
        return not self.experts_in_ram and set(self.layers) == {self.output}

    def places_of(self, number: int | None, tensor: Tensor, *,
                  serves_as_output: bool = False) -> set[int]:
        """Where a tensor lies: a tied embedding is an input table and an output layer."""
        if tensor.role in ("embedding", "per-layer embedding"):
            return {self.tables, self.output} if serves_as_output else {self.tables}
        if number is None:
            return {self.output}
        in_ram = tensor.role == "experts" and number < self.experts_in_ram
        return {RAM if in_ram else self.layers[number]}


def placement(model: Model, settings: Settings, layout: Format) -> Placement:
    """Place a model's layers as llama.cpp does.

    In words: layers go to devices from the last one on, as many as ``offload`` says, and the
    output layer counts as the last of them. Several devices share them in their order, in
    proportion to their memory. The input embedding stays in RAM. With the backend "cpu" all
    lies in one place, and so do formats that run in other engines: they move nothing to RAM.

    Parameters
    ----------
    model : Model
        Its layers are placed.
    settings : Settings
        With offload, experts_on_cpu, devices and backend.
    layout : Format
        What most weights are stored in: it knows whether its engine leaves tables in RAM.

    Returns
    -------
    Placement

    References
    ----------
    llama.cpp@0c1e57098: src/llama-model.cpp, load_tensors.
    """
    expect_model(model)
    length = model.num_hidden_layers
    if settings.backend == "cpu" or not layout.tables_in_ram:
        return _placed(length, length + 1, 0, shares(settings), tables=0)
    moved = length + 1 if settings.offload == ALL else min(settings.offload, length + 1)
    return _placed(length, moved, settings.experts_on_cpu, shares(settings), tables=RAM)


@lru_cache(maxsize=512)  # a search for the longest context places the same layers again
def _placed(length: int, moved: int, experts: int, parts: tuple[Fraction, ...], tables: int) -> Placement:
    first = length + 1 - moved
    bounds = [sum(parts[:number + 1]) for number in range(len(parts))]

    def device_of(number: int) -> int:
        if number < first:
            return RAM
        share = Fraction(number - first, moved)
        return next(device for device, bound in enumerate(bounds) if share < bound)

    where = tuple(device_of(number) for number in range(length + 1))
    return Placement(where[:-1], tables, where[-1], experts)


def shares(settings: Settings) -> tuple[Fraction, ...]:
    """What part of the layers each device gets: equal parts, or by the memory that it shows."""
    if isinstance(settings.devices, int):
        return (Fraction(1, settings.devices),) * settings.devices
    sizes = [device.visible_bytes for device in settings.devices]
    return tuple(Fraction(size, sum(sizes)) for size in sizes)
