"""llama.cpp, Ollama and LM Studio: settings as commands and files."""

from dataclasses import dataclass

from llmsizing.architecture import Model
from llmsizing.deployment.launch import Flag, Step
from llmsizing.errors import InvalidInput
from llmsizing.memory.settings import ALL, Settings
from llmsizing.units import MIB

SPEC = "llama.cpp@0c1e57098:tools/server/README.md; llama-server --help of build 10434"
OLLAMA_SPEC = "ollama@fb3076099: docs/modelfile.mdx, docs/api.md, docs/faq.mdx, envconfig/config.go"
STUDIO_SPEC = "lmstudio-ai/docs@c6854fb: 3_cli/0_local-models/load.md, import.md, 3_cli/1_serve"
OLLAMA_ADDRESS = "127.0.0.1:11434"
STUDIO_PORT = 1234
USUAL = Settings()  #: what llama-server takes by itself


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What every engine's writer gets: the model, its weights, how it runs, and where it lies."""

    model: Model
    weights: str | None
    settings: Settings
    file: str
    terms: tuple[str, ...]

    def of(self, *names: str) -> tuple[str, ...]:
        """Those of the names that are terms of the budget."""
        return tuple(name for name in names if name in self.terms)

    @property
    def name(self) -> str:
        """What the model is called where an engine wants a name: letters, digits, dots, dashes."""
        return "-".join("".join(letter if letter.isalnum() or letter in ".-" else " "
                                for letter in self.model.name).lower().split())


def llama_cpp_steps(wanted: Wanted, *, program: tuple[str, ...]) -> tuple[Step, ...]:
    """One command: llama-server, or llama serve."""
    given = wanted.settings
    if given.logits == ALL:
        raise InvalidInput("llama-server makes room for one token's logits of each conversation:"
                           ' leave logits="last". With "all" llama-bench and llama-perplexity run.')
    flags = [
        Flag(words=("-m", wanted.file), setting="file", sets="the file of weights",
             terms=wanted.of("weights")),
        *_where(wanted),
        Flag(words=("-c", str(given.context_tokens)), setting="context_tokens",
             sets="tokens of context in all", terms=wanted.of("KV cache", "compute buffer")),
        Flag(words=("-np", str(given.sequences)), setting="sequences", sets="conversations at once",
             terms=wanted.of("KV cache", "compute buffer")),
        *_sharing(wanted),
        Flag(words=("-fa", "on" if given.flash_attention else "off"), setting="flash_attention",
             sets="attention in pieces", terms=wanted.of("compute buffer")),
        *_cache_types(wanted),
        *_rest(wanted),
    ]
    return (Step(program=program, flags=tuple(flags)),)


def _where(wanted: Wanted) -> list[Flag]:
    given = wanted.settings
    if given.backend == "cpu":
        return [Flag(words=("-dev", "none"), setting="backend", sets="no device, all in RAM",
                     terms=wanted.of("weights", "KV cache", "compute buffer"))]
    flags = [Flag(words=("-ngl", str(given.offload)), setting="offload",
                  sets="layers on the device", terms=wanted.of("weights", "KV cache"))]
    if given.experts_on_cpu:
        flags.append(Flag(words=("--n-cpu-moe", str(given.experts_on_cpu)), setting="experts_on_cpu",
                          sets="layers whose experts stay in RAM", terms=wanted.of("weights")))
    if given.device_count > 1:
        flags.append(Flag(words=("-ts", _split(given)), setting="devices",
                          sets="part of each device", terms=wanted.of("weights", "KV cache")))
    return flags


def _split(given: Settings) -> str:
    if isinstance(given.devices, int):
        return ",".join("1" for _ in range(given.devices))
    return ",".join(str(device.visible_bytes // MIB) for device in given.devices)


def _sharing(wanted: Wanted) -> list[Flag]:
    """llama-server gives each conversation a part of its own as soon as -np tells their number."""
    given = wanted.settings
    if given.sequences == 1 or not given.unified_kv:
        return []
    return [Flag(words=("-kvu",), setting="unified_kv", sets="one cache for all conversations",
                 terms=wanted.of("KV cache", "compute buffer"))]


def _cache_types(wanted: Wanted) -> list[Flag]:
    if wanted.settings.kv_cache == USUAL.kv_cache:
        return []
    (keys, values), cache = wanted.settings.kv_cache, wanted.of("KV cache")
    return [Flag(words=("-ctk", keys), setting="kv_cache", sets="type of the keys", terms=cache),
            Flag(words=("-ctv", values), setting="kv_cache", sets="type of the values", terms=cache)]


def _rest(wanted: Wanted) -> list[Flag]:
    given, flags = wanted.settings, []
    if given.ubatch != USUAL.ubatch:
        flags.append(Flag(words=("-ub", str(given.ubatch)), setting="ubatch",
                          sets="tokens computed at a time", terms=wanted.of("KV cache", "compute buffer")))
    if given.swa_full:
        flags.append(Flag(words=("--swa-full",), setting="swa_full",
                          sets="sliding layers keep the whole context",
                          terms=wanted.of("KV cache", "compute buffer")))
    if given.cache_ram_mib != USUAL.cache_ram_mib:
        flags.append(Flag(words=("--cache-ram", str(given.cache_ram_mib)), setting="cache_ram_mib",
                          sets="MiB of RAM for earlier prompts"))
    if given.vision:
        flags.append(Flag(words=("--mmproj", f"mmproj-{wanted.name}.gguf"), setting="vision",
                          sets="the file of the vision tower", terms=wanted.of("vision tower")))
    return flags


def ollama_steps(wanted: Wanted) -> tuple[Step, ...]:
    """A Modelfile, the server with its variables, and the two commands that use both."""
    given = wanted.settings
    keys, values = given.kv_cache
    if keys != values:
        raise InvalidInput(f"Ollama has one type for keys and values, not {keys} and {values}:"
                           f' write kv_cache="{keys}".')
    layers = given.offload if given.offload != ALL else wanted.model.num_hidden_layers + 1
    file = Step(file="Modelfile", flags=(
        Flag(words=("FROM", _modelfile_path(wanted.file)), setting="file", sets="the file of weights",
             terms=wanted.of("weights")),
        Flag(words=("PARAMETER", "num_ctx", str(given.conversation_tokens)), setting="context_tokens",
             sets="tokens of context of each conversation",
             terms=wanted.of("KV cache", "compute buffer")),
        Flag(words=("PARAMETER", "num_gpu", str(0 if given.backend == "cpu" else layers)),
             setting="offload", sets="layers on the device, the output layer is one",
             terms=wanted.of("weights", "KV cache")),
        Flag(words=("PARAMETER", "num_batch", str(given.ubatch)), setting="ubatch",
             sets="tokens computed at a time", terms=wanted.of("KV cache", "compute buffer")),
    ))
    cache = wanted.of("KV cache")
    server = Step(program=("ollama", "serve"), environment=(
        Flag(words=("OLLAMA_HOST", OLLAMA_ADDRESS), sets="who may ask: this machine alone"),
        Flag(words=("OLLAMA_NUM_PARALLEL", str(given.sequences)), setting="sequences",
             sets="conversations at once, each with a context of its own", terms=cache),
        Flag(words=("OLLAMA_FLASH_ATTENTION", str(int(given.flash_attention))),
             setting="flash_attention", sets="attention in pieces", terms=wanted.of("compute buffer")),
        Flag(words=("OLLAMA_KV_CACHE_TYPE", keys), setting="kv_cache", sets="type of keys and values",
             terms=cache),
    ))
    create = Flag(words=("-f", "Modelfile"), sets="")
    return file, server, Step(program=("ollama", "create", wanted.name), flags=(create,)), Step(
        program=("ollama", "run", wanted.name))


def _modelfile_path(file: str) -> str:
    """A path as a Modelfile reads it: a line of its own, spaces inside are its part."""
    rooted = file.startswith(("/", "~", "./", "../")) or file[1:3] in (":\\", ":/")
    path = file if rooted else f"./{file}"
    return f'"{path}"' if path != path.strip() else path


def lm_studio_steps(wanted: Wanted) -> tuple[Step, ...]:
    """Bring the file in, load it, start the server."""
    given = wanted.settings
    part = "max" if given.offload == ALL else f"{given.offload / (wanted.model.num_hidden_layers + 1):.2f}"
    file = Flag(words=(wanted.file,), setting="file", sets="the file of weights", terms=wanted.of("weights"))
    bring = Flag(words=("--symbolic-link", "--user-repo", f"local/{wanted.name}"),
                 sets="LM Studio's list of models points to the file")
    load = (
        Flag(words=("--gpu", "off" if given.backend == "cpu" else part), setting="offload",
             sets="part of the layers on the device", terms=wanted.of("weights", "KV cache")),
        Flag(words=("--context-length", str(given.context_tokens)), setting="context_tokens",
             sets="tokens of context in all", terms=wanted.of("KV cache", "compute buffer")),
        Flag(words=("--identifier", wanted.name), sets="the name to ask for"),
    )
    return (Step(program=("lms", "import"), flags=(file, bring)),
            Step(program=("lms", "load", f"local/{wanted.name}"), flags=load),
            Step(program=("lms", "server", "start"), flags=(
                Flag(words=("--port", str(STUDIO_PORT)), sets="where it listens, on this machine"),)))


def lm_studio_notes(wanted: Wanted) -> tuple[str, ...]:
    """What LM Studio takes from its window alone."""
    given = wanted.settings
    keys, values = given.kv_cache
    told = [f"Max Concurrent Predictions {given.sequences}",
            f"Flash Attention {'on' if given.flash_attention else 'off'}",
            f"K Cache Quantization Type {keys}", f"V Cache Quantization Type {values}"]
    more = [f"layers whose experts stay on the CPU: {given.experts_on_cpu}"] if given.experts_on_cpu else []
    return ("No flag of lms load sets these. Set them once in the model's load settings: "
            + ", ".join([*told, *more]) + ".",)
