"""What an engine does for one token: what it reads, unpacks, computes and starts, and where."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from llmsizing.architecture import Experts, LatentAttention, Model
from llmsizing.memory.cache import cache_term, used_window
from llmsizing.memory.placement import RAM, Placement, placement
from llmsizing.memory.settings import Settings
from llmsizing.memory.weights import different_tensors, layout_of, stored_bytes, table_is_output

#: Formats whose weights are numbers as they stand, and those of 2 and 3 bits by how they unpack.
PLAIN = ("F32", "F16", "BF16")
FEW_BITS = ("Q2_K", "Q3_K")
TABLES = "IQ"  #: formats of this name look weights up in tables; IQ4_NL's has 16 entries


@dataclass(frozen=True)
class Counted:
    """What tensors of one kind add up to, for one token.

    Parameters
    ----------
    read_bytes : Fraction
        Bytes of weights that are read.
    unpacked : dict of str to Fraction
        Weights by how they are unpacked: "plain", "packed", "few bits", "tables".
    tensors : int
        How many there are.
    """

    read_bytes: Fraction
    unpacked: dict[str, Fraction]
    tensors: int


@dataclass(frozen=True)
class Work:
    """What is done for one token at one place, the devices together or RAM.

    Parameters
    ----------
    dense, experts : Counted
        Tensors that serve every token, and experts that the router picks.
    cache_bytes : int
        Keys, values and states that are read for one conversation.
    attention : int
        Operations of attention for one conversation.
    layers : int
        Layers at this place, and in RAM also those whose experts alone lie there.
    picked : Fraction
        What part of the experts a token uses; 0 if there are none.
    """

    dense: Counted
    experts: Counted
    cache_bytes: int
    attention: int
    layers: int
    picked: Fraction

    def of_experts(self, sequences: int) -> Fraction:
        """How many times one token's experts are read, if as many tokens choose independently."""
        if sequences == 1 or not self.picked:
            return Fraction(1)
        left = (1 - float(self.picked)) ** sequences
        return Fraction((1 - left) / float(self.picked))

    def read_bytes(self, sequences: int = 1) -> Fraction:
        """Bytes of weights that are read for a token of each conversation."""
        return self.dense.read_bytes + self.experts.read_bytes * self.of_experts(sequences)

    def unpacked(self, how: str, sequences: int = 1) -> Fraction:
        """Weights that are unpacked in one way for a token of each conversation."""
        return (self.dense.unpacked.get(how, Fraction(0))
                + self.experts.unpacked.get(how, Fraction(0)) * self.of_experts(sequences))

    @property
    def tensors(self) -> int:
        """How many tensors are used, each by a kernel of its own."""
        return self.dense.tensors + self.experts.tensors

    @property
    def weights(self) -> Fraction:
        """Weights that one token uses."""
        return sum((*self.dense.unpacked.values(), *self.experts.unpacked.values()), Fraction(0))


def work_of(model: Model, weights: str | None, settings: Settings) -> tuple[Work, Work]:
    """What is done on the devices, and what in RAM, for a token of one conversation."""
    placed = placement(model, settings, layout_of(model, weights))
    alone = _alone(settings)
    return _work(model, weights, placed, alone, ram=False), _work(model, weights, placed, alone, ram=True)


@lru_cache(maxsize=256)
def _alone(settings: Settings) -> Settings:
    """The settings of one of the conversations."""
    if settings.sequences == 1:
        return settings
    return Settings(context_tokens=settings.conversation_tokens, kv_cache=settings.kv_cache,
                    swa_full=settings.swa_full, ubatch=settings.ubatch,
                    flash_attention=settings.flash_attention, backend=settings.backend)


def _work(model: Model, weights: str | None, placed: Placement, alone: Settings, *, ram: bool) -> Work:
    here = tuple(number for number, place in enumerate(placed.layers) if (place == RAM) == ram)
    dense, experts = _counted(model, weights, placed, ram)
    cached = cache_term(model, alone, here).bytes if here else 0
    moved = min(placed.experts_in_ram, len(model.layers)) if ram else 0
    return Work(dense, experts, cached, _attention(model, alone, here) if here else 0,
                len(here) + sum(number not in here for number in range(moved)), picked(model))


@lru_cache(maxsize=8192)  # searches ask for the same files again
def _counted(model: Model, weights: str | None, placed: Placement, ram: bool) -> tuple[Counted, Counted]:
    """The tensors at one place: those that serve every token, and experts."""
    tied = table_is_output(model, weights)
    size: Counter[bool] = Counter()
    tensors: Counter[bool] = Counter()
    unpacked: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for number, tensor, name, times in different_tensors(model, weights, placed):
        is_output = tied and tensor.role == "embedding"
        if tensor.role in ("embedding", "per-layer embedding") and not is_output:
            continue
        (place,) = {placed.output} if is_output else placed.places_of(number, tensor)
        if (place == RAM) == ram:
            expert = tensor.role == "experts"
            size[expert] += times * stored_bytes(tensor, name)
            tensors[expert] += times
            unpacked[expert][_how(name)] += times * tensor.count
    return (_sum(size[False], unpacked[False], tensors[False], Fraction(1)),
            _sum(size[True], unpacked[True], tensors[True], picked(model)))


def _sum(size: int, unpacked: Counter[str], tensors: int, share: Fraction) -> Counted:
    return Counted(size * share, {how: count * share for how, count in unpacked.items()}, tensors)


def _how(name: str) -> str:
    """How the weights of a format are unpacked."""
    if name in PLAIN:
        return "plain"
    if name in FEW_BITS:
        return "few bits"
    return "tables" if name.startswith(TABLES) and name != "IQ4_NL" else "packed"


@lru_cache(maxsize=512)
def picked(model: Model) -> Fraction:
    """What part of its experts a token uses; 0 for a model without."""
    parts = (part for layer in model.layers for part in layer.parts if isinstance(part, Experts))
    first = next(parts, None)
    return Fraction(first.num_experts_per_tok, first.num_experts) if first else Fraction(0)


def _attention(model: Model, alone: Settings, layers: tuple[int, ...]) -> int:
    """Operations of attention for one token: queries by keys, and weights by values."""
    total = 0
    for (heads, numbers, window), count in _mixers(model, layers).items():
        seen = min(alone.context_tokens, used_window(model, window, alone) or alone.context_tokens)
        total += 2 * count * heads * numbers * seen
    return total


@lru_cache(maxsize=512)
def _mixers(model: Model, layers: tuple[int, ...]) -> Counter[tuple[int, int, int | None]]:
    """Heads, numbers of a key and a value, and window of each kind of attention, and how many."""
    kinds: Counter[tuple[int, int, int | None]] = Counter()
    for mixer in filter(None, (model.layers[number].attention for number in layers)):
        latent = isinstance(mixer, LatentAttention)
        numbers = 2 * mixer.kv_lora_rank + mixer.qk_rope_head_dim if latent else 2 * mixer.head_dim
        kinds[mixer.num_attention_heads, numbers, mixer.window] += 1
    return kinds
