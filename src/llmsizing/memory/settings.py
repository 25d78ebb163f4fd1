"""Settings: how a model is to be run, checked once and passed along."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction

from llmsizing.catalog import SYSTEM_RAM, Device
from llmsizing.engines import Engine, load_engine, ollama_context, ollama_ubatch
from llmsizing.errors import InvalidInput, exact_number, nearest, whole_number
from llmsizing.quantization import load_format

LLAMA_CPP = "llama.cpp"
CACHE_TYPES = load_engine(LLAMA_CPP).kv_caches  #: what it accepts for -ctk and -ctv
#: Types of a KV cache that are called otherwise as a format. vLLM's "auto" is the model's type.
CACHE_FORMATS = {"fp8": "FP8 per tensor", "auto": "bf16"}
LOGITS = ("last", "all")
BACKENDS = ("cuda", "rocm", "vulkan", "metal", "cpu")
#: What computes on a device if nothing else is said, by its vendor.
USUAL_BACKENDS = {"NVIDIA": "cuda", "AMD": "rocm", "Apple": "metal", SYSTEM_RAM: "cpu"}
ALL = "all"
LONGEST = 100_000_000  # tokens; a longer context is a typing error
MOST_SEQUENCES = 10_000
#: llama.cpp@0c1e57098: src/llama-cparams.h (LLAMA_MAX_SEQ). It refuses to start with more.
MOST_IN_LLAMA_CPP = 256
FLAGS = ("unified_kv", "swa_full", "flash_attention", "vision", "enforce_eager")
#: Whole numbers, each from the least to the most, and what the message says of it.
COUNTS = {
    "sequences": (1, MOST_SEQUENCES, "It counts conversations at once."),
    "context_tokens": (1, LONGEST, "It counts tokens: usual values are 4096 to 131072."),
    "max_num_batched_tokens": (1, 10_000_000, "It counts tokens: vLLM takes 2048 or 8192."),
    "max_num_seqs": (1, MOST_SEQUENCES, "It counts conversations: vLLM takes 256 or 1024."),
    "ubatch": (1, 65_536, "It counts tokens computed at a time: llama.cpp takes 512."),
    "experts_on_cpu": (0, 10_000, "It counts layers."),
    "cache_ram_mib": (0, 2**40, "It counts MiB: llama-server takes 8192."),
    "offload": (0, 10_000, 'It counts layers, or is "all".'),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a model is run. The defaults are llama.cpp's own for one conversation of 8,192 tokens.

    llama.cpp itself would take the model's own context, lowered until it fits, and llama-server
    four conversations. `settings_of` makes the settings of the other engines: what is left out
    becomes what the engine takes, as `load_engine` says with its source.

    Parameters
    ----------
    context_tokens : int
        Tokens of context of all conversations together, as llama.cpp's -c counts them.
        `settings_of` multiplies it for engines whose context is each conversation's.
    kv_cache : str or (str, str)
        Type of keys and values: of llama.cpp f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 and
        iq4_nl; of vLLM auto, f16, bf16 and fp8.
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
        `settings_of` takes what is usual on the devices that it is given.
    offload : int or "all"
        Layers on the device, as llama.cpp's -ngl counts them: from the last one, and the output
        layer is one of them.
    experts_on_cpu : int
        Of how many layers, from the first one, the experts stay in RAM (--n-cpu-moe).
    cache_ram_mib : int
        RAM that llama-server may fill with earlier prompts, in MiB (--cache-ram); 0 for none.
    devices : int or tuple of Device
        Devices that share the layers, or in vLLM each layer (tensor parallel).
    vision : bool
        Whether a vision (or audio) tower lies on the device, too.
    engine : str
        "llama.cpp", "Ollama", "LM Studio", "vLLM", "transformers" or "MLX".
    gpu_memory_utilization : Fraction
        vLLM: the part of each device's memory that it takes.
    max_num_batched_tokens, max_num_seqs : int
        vLLM: tokens, and conversations, that it computes at a time at most.
    enforce_eager : bool
        vLLM: whether it does without CUDA graphs.
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
    cache_ram_mib: int = 8192
    devices: int | tuple[Device, ...] = 1
    vision: bool = False
    engine: str = "llama.cpp"
    gpu_memory_utilization: Fraction = Fraction(23, 25)
    max_num_batched_tokens: int = 2048
    max_num_seqs: int = 256
    enforce_eager: bool = False

    def __post_init__(self) -> None:
        engine = load_engine(self.engine)
        checked = {"engine": engine.name, "kv_cache": _cache_types(self.kv_cache, engine),
                   "devices": _devices(self.devices)}
        for name, (least, most, hint) in COUNTS.items():
            value = getattr(self, name)
            if name == "sequences" and (most := most_sequences_of(engine)) < MOST_SEQUENCES:
                hint += f" llama.cpp is built for {most} at most."
            if name == "context_tokens" and engine.context_is_each:
                most *= checked["sequences"]
            checked[name] = value if (name, value) == ("offload", ALL) else whole_number(
                name, value, at_least=least, at_most=most, hint=hint)
        checked["gpu_memory_utilization"] = exact_number(
            "gpu_memory_utilization", self.gpu_memory_utilization, at_least=Fraction(1, 100), at_most=1,
            hint="It is a part of the device's memory: vLLM takes 0.92.")
        for name in FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(f"{name} must be True or False, not {getattr(self, name)!r}.")
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        for kind, value, known in (("backend", self.backend, BACKENDS),
                                   ("kind of logits", self.logits, LOGITS)):
            if value not in known:
                raise nearest(kind, value, known)
        if not self.flash_attention and self.kv_cache[1] not in ("f32", "f16", "bf16"):
            raise InvalidInput(f"llama.cpp keeps values as {self.kv_cache[1]} only with flash attention:"
                               " leave flash_attention=True, or keep values as f16.")

    @property
    def bytes_per_number(self) -> tuple[Fraction, Fraction]:
        """What a number of a key and of a value takes."""
        keys, values = (load_format(CACHE_FORMATS.get(kind, kind)).bits_per_weight / 8
                        for kind in self.kv_cache)
        return keys, values

    def cell_bytes(self, keys: int, values: int) -> Fraction:
        """What a token takes in a layer that keeps so many numbers of it as keys and as values.

        >>> Settings(kv_cache=("f16", "q8_0")).cell_bytes(1024, 1024)
        Fraction(3136, 1)
        """
        key_bytes, value_bytes = self.bytes_per_number
        return keys * key_bytes + values * value_bytes

    @property
    def device_count(self) -> int:
        """How many devices there are."""
        return self.devices if isinstance(self.devices, int) else len(self.devices)

    @property
    def conversation_tokens(self) -> int:
        """Tokens of context of each conversation, where all have the same."""
        return -(-self.context_tokens // self.sequences)


def most_sequences_of(engine: Engine) -> int:
    """Conversations at once that an engine takes at most."""
    return MOST_IN_LLAMA_CPP if engine.family == LLAMA_CPP else MOST_SEQUENCES


def conversations(settings: Settings) -> str:
    """The word that stands after their number."""
    return "conversation" if settings.sequences == 1 else "conversations"


def settings_of(given: Mapping[str, object]) -> Settings:
    """Settings from keywords: what is left out becomes what the engine takes.

    Raises
    ------
    UnknownName
        For a keyword or engine that does not exist, with the nearest.
    InvalidInput
        For a setting that the engine does not have, or a value that makes no sense.

    Examples
    --------
    >>> made = settings_of({"engine": "ollama", "context_tokens": 8192, "sequences": 2})
    >>> made.context_tokens, made.conversation_tokens, made.unified_kv, made.ubatch
    (16384, 8192, False, 1024)
    """
    known = [field.name for field in fields(Settings)]
    for name in given:
        if name not in known:
            raise nearest("setting", name, known)
    engine = load_engine(given.get("engine", LLAMA_CPP))
    for name in given:
        if name not in engine.settings:
            raise InvalidInput(f"{engine.name} has no setting {name}: leave it out. It has"
                               f" {', '.join(engine.settings)}.")
    given = {**_usual_backend(given.get("devices")), **given}
    if engine.name == LLAMA_CPP:
        return Settings(**given)
    taken = {entry.setting: entry.value for entry in engine.defaults
             if entry.setting in known and entry.value is not None}
    made = Settings(**{**taken, **given})
    if engine.name == "Ollama":
        made = _as_ollama(made, given)
    if engine.context_is_each:
        made = replace(made, context_tokens=made.context_tokens * made.sequences)
    if engine.name == "Ollama" and "ubatch" not in given:
        made = replace(made, ubatch=ollama_ubatch(made.context_tokens))
    return made


def _usual_backend(devices: object) -> dict[str, str]:
    """The backend of the first device, if devices are given and not their number."""
    first = devices[0] if isinstance(devices, (list, tuple)) and devices else devices
    return {"backend": USUAL_BACKENDS.get(first.vendor, "vulkan")} if isinstance(first, Device) else {}


def _as_ollama(made: Settings, given: Mapping[str, object]) -> Settings:
    """With the context that Ollama takes for the devices; without devices the shortest."""
    if "context_tokens" in given:
        return made
    cards = () if isinstance(made.devices, int) else made.devices
    return replace(made, context_tokens=ollama_context(sum(card.visible_bytes for card in cards)))


def _devices(given: object) -> int | tuple[Device, ...]:
    if isinstance(given, Device):
        return (given,)
    if isinstance(given, (list, tuple, str)):
        if not given or not all(isinstance(one, Device) for one in given):
            raise InvalidInput("devices must be a number, or a list of what load_device returns.")
        return tuple(given)
    return whole_number("devices", given, at_most=1_000, hint="It counts devices that share the layers.")


def _cache_types(kv_cache: object, engine: Engine) -> tuple[str, str]:
    pair = (kv_cache, kv_cache) if isinstance(kv_cache, str) else kv_cache
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise InvalidInput(f"kv_cache must be a type or a pair of types, not {kv_cache!r}.")
    types = tuple(str(kind).lower() for kind in pair)
    where = "" if engine.name == LLAMA_CPP else f" in {engine.name}"
    for kind in types:
        if kind not in engine.kv_caches:
            raise nearest(f"type of a KV cache{where}", kind, engine.kv_caches)
    return types
