"""Settings: how a model is to be run, checked once and passed along."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction

from llmsizing.catalog import Device
from llmsizing.errors import InvalidInput, exact_number, nearest
from llmsizing.quantization import load_format

#: What llama.cpp accepts for -ctk and -ctv, by the format of each number.
CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
ENGINES = ("llama.cpp",)
LOGITS = ("last", "all")
BACKENDS = ("cuda", "rocm", "vulkan", "metal", "cpu")
ALL = "all"
LONGEST = 100_000_000  # tokens; a longer context is a typing error
MOST_SEQUENCES = 10_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a model is run. The defaults are llama.cpp's own for one conversation at a time.

    Parameters
    ----------
    context_tokens : int
        Tokens of context in all, as llama.cpp's -c counts them.
    kv_cache : str or (str, str)
        Type of keys and values: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 or iq4_nl.
    sequences : int
        Conversations at once. They share the context.
    unified_kv : bool
        Whether the conversations share one cache; otherwise each gets its part of it.
    swa_full : bool
        Whether sliding layers keep the whole context, too.
    ubatch : int
        Tokens computed at a time.
    flash_attention : bool
        Whether attention is computed in pieces, so that no table of context × tokens is stored.
    logits : str
        "last": room for the logits of one token of each conversation, as llama-server reserves
        it. "all": of every token of a step, as llama-bench, llama-perplexity and older builds do.
    backend : str
        What computes: "cuda", "rocm", "vulkan", "metal", or "cpu", where all lies in RAM.
    offload : int or "all"
        Layers on the device, as llama.cpp's -ngl counts them: from the last one, and the output
        layer is one of them.
    experts_on_cpu : int
        Of how many layers, from the first one, the experts stay in RAM (--n-cpu-moe).
    devices : int or tuple of Device
        Devices that share the layers.
    vision : bool
        Whether a vision (or audio) tower lies on the device, too.
    engine : str
        "llama.cpp".
    """

    context_tokens: int = 8192
    kv_cache: str | tuple[str, str] = "f16"
    sequences: int = 1
    unified_kv: bool = True
    swa_full: bool = False
    ubatch: int = 512
    flash_attention: bool = True
    logits: str = "last"
    backend: str = "cuda"
    offload: int | str = ALL
    experts_on_cpu: int = 0
    devices: int | tuple[Device, ...] = 1
    vision: bool = False
    engine: str = "llama.cpp"

    def __post_init__(self) -> None:
        for name, most, hint in (
            ("context_tokens", LONGEST, "It counts tokens: usual values are 4096 to 131072."),
            ("sequences", MOST_SEQUENCES, "It counts conversations at once."),
            ("ubatch", 65_536, "It counts tokens computed at a time: llama.cpp takes 512."),
        ):
            object.__setattr__(self, name, _whole(name, getattr(self, name), most, hint))
        for name in ("unified_kv", "swa_full", "flash_attention", "vision"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(f"{name} must be True or False, not {getattr(self, name)!r}.")
        object.__setattr__(self, "kv_cache", _cache_types(self.kv_cache))
        object.__setattr__(self, "experts_on_cpu", _whole(
            "experts_on_cpu", self.experts_on_cpu, 10_000, "It counts layers.", at_least=0))
        if self.offload != ALL:
            object.__setattr__(self, "offload", _whole(
                "offload", self.offload, 10_000, 'It counts layers, or is "all".', at_least=0))
        object.__setattr__(self, "devices", _devices(self.devices))
        for kind, value, known in (("engine", self.engine, ENGINES), ("backend", self.backend, BACKENDS),
                                   ("kind of logits", self.logits, LOGITS)):
            if value not in known:
                raise nearest(kind, value, known)
        if not self.flash_attention and self.kv_cache[1] not in ("f32", "f16", "bf16"):
            raise InvalidInput(f"llama.cpp keeps values as {self.kv_cache[1]} only with flash attention:"
                               " leave flash_attention=True, or keep values as f16.")

    @property
    def bytes_per_number(self) -> tuple[Fraction, Fraction]:
        """What a number of a key and of a value takes."""
        keys, values = (load_format(kind).bits_per_weight / 8 for kind in self.kv_cache)
        return keys, values


def conversations(settings: Settings) -> str:
    """The word that stands after their number."""
    return "conversation" if settings.sequences == 1 else "conversations"


def settings_of(given: Mapping[str, object]) -> Settings:
    """Settings from keywords; an unknown one is answered with the nearest."""
    known = [field.name for field in fields(Settings)]
    for name in given:
        if name not in known:
            raise nearest("setting", name, known)
    return Settings(**given)


def _devices(given: object) -> int | tuple[Device, ...]:
    if isinstance(given, Device):
        return (given,)
    if isinstance(given, (list, tuple)):
        if not given or not all(isinstance(one, Device) for one in given):
            raise InvalidInput("devices must be a number, or a list of what load_device returns.")
        return tuple(given)
    return _whole("devices", given, 1_000, "It counts devices that share the layers.")


def _whole(name: str, value: object, most: int, hint: str, *, at_least: int = 1) -> int:
    number = exact_number(name, value, at_least=at_least, at_most=most, hint=hint)
    if number.denominator != 1:
        raise InvalidInput(f"{name} must be a whole number, not {value!r}. {hint}")
    return int(number)


def _cache_types(kv_cache: object) -> tuple[str, str]:
    pair = (kv_cache, kv_cache) if isinstance(kv_cache, str) else kv_cache
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise InvalidInput(f"kv_cache must be a type or a pair of types, not {kv_cache!r}.")
    types = tuple(str(kind).lower() for kind in pair)
    for kind in types:
        if kind not in CACHE_TYPES:
            raise nearest("type of a KV cache", kind, CACHE_TYPES)
    return types
