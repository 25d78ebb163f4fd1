"""The engines that this package knows."""

from fractions import Fraction

from llmsizing.catalog.names import find
from llmsizing.engines.engine import Engine, EngineDefault
from llmsizing.units import GIB, MIB

#: What llama.cpp accepts for -ctk and -ctv.
GGUF_CACHES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
SHARED = ("context_tokens", "kv_cache", "sequences", "devices", "vision", "backend", "engine")
LLAMA = "llama.cpp@0c1e57098:tools/server"
OLLAMA = "ollama@fb3076099"
VLLM = "vllm@002f10e0c:vllm/config/cache.py"
VLLM_BATCHES = "vllm:vllm/engine/arg_utils.py, EngineArgs.get_batch_defaults (2026)"
MLX = "mlx-lm==0.32.2:mlx_lm"
TRANSFORMERS = "transformers==5.23.0"
STUDIO_PAGE = "lmstudio.ai/docs/app/advanced/parallel-requests"


def _default(setting, value, source: str, note: str = "") -> EngineDefault:
    return EngineDefault(setting=setting, value=value, note=note, source=source)


_LLAMA_CPP = Engine(
    name="llama.cpp", aliases=("llama-server", "llama-cli", "llama"), family="llama.cpp",
    version="0c1e57098 (2026-10-01)", source="its source and tools/server/README.md",
    settings=(*SHARED, "unified_kv", "swa_full", "ubatch", "flash_attention", "logits", "offload",
              "experts_on_cpu", "cache_ram_mib"),
    kv_caches=GGUF_CACHES,
    defaults=(
        _default("context_tokens", None, f"{LLAMA}/README.md (-c, --fit, --fit-ctx)",
                 "the model's own, which --fit lowers to 4,096 at least until it fits"),
        _default("sequences", 4, f"{LLAMA}/server.cpp",
                 "llama-server; llama-cli takes 1"),
        _default("unified_kv", True, f"{LLAMA}/server.cpp",
                 "only if the number of slots is left to llama-server; with -np it is off"),
        _default("kv_cache", "f16", f"{LLAMA}/README.md (-ctk, -ctv)"),
        _default("flash_attention", True, f"{LLAMA}/README.md (-fa auto)", "where the device has it"),
        _default("ubatch", 512, f"{LLAMA}/README.md (-ub)"),
        _default("swa_full", False, f"{LLAMA}/README.md (--swa-full)",
                 "the C library's own default is True, and some bindings keep it"),
        _default("cache_ram_mib", 8192, f"{LLAMA}/README.md (--cache-ram)",
                 "RAM for earlier prompts, taken as they come"),
        _default("fit_target_mib", GIB // MIB, f"{LLAMA}/README.md (--fit-target)",
                 "what --fit leaves free on each device"),
    ),
)

_OLLAMA = Engine(
    name="Ollama", family="llama.cpp", version="fb3076099 (2026-08-21), with llama.cpp b10488",
    source="its source and docs/",
    settings=(*SHARED, "ubatch", "flash_attention", "offload"),
    kv_caches=("f16", "q8_0", "q4_0"), context_is_each=True,
    defaults=(
        _default("context_tokens", None, f"{OLLAMA}:server/routes.go, docs/context-length.mdx",
                 "by the memory of all GPUs: 4,096, from 23 GiB 32,768, from 47 GiB 262,144; no"
                 " more than the model's own, and lower steps if it does not fit"),
        _default("sequences", 1, f"{OLLAMA}:envconfig/config.go (OLLAMA_NUM_PARALLEL)",
                 "the context is multiplied by it"),
        _default("unified_kv", False, f"{OLLAMA}:llm/llama_server.go",
                 "it passes -np, and each conversation gets a cache of its own"),
        _default("kv_cache", "f16", f"{OLLAMA}:docs/faq.mdx (OLLAMA_KV_CACHE_TYPE)"),
        _default("flash_attention", True, f"{OLLAMA}:docs/faq.mdx", "where the device has it"),
        _default("ubatch", None, f"{OLLAMA}:server/sched.go (generationBatchForContext)",
                 "512 up to 4,096 tokens, 1,024 up to 32,768, 2,048 beyond; less if memory is short"),
        _default("swa_full", False, f"{OLLAMA}:llm/llama_server.go", "as llama-server"),
    ),
)

_LM_STUDIO = Engine(
    name="LM Studio", aliases=("lmstudio", "lms", "llmster"), family="llama.cpp",
    version="0.4", source="lmstudio.ai/docs and its issue tracker: it is closed source",
    settings=(*SHARED, "unified_kv", "swa_full", "ubatch", "flash_attention", "offload",
              "experts_on_cpu"),
    kv_caches=GGUF_CACHES,
    defaults=(
        _default("context_tokens", None, "lmstudio.ai/docs/cli/load",
                 "a setting of the model; no page that was read says what it is by default"),
        _default("sequences", 4, STUDIO_PAGE, "Max Concurrent Predictions"),
        _default("unified_kv", True, STUDIO_PAGE, "they share one context, as in llama.cpp"),
        _default("kv_cache", "f16", "lmstudio-ai/lmstudio-bug-tracker#900, a log of 0.3.23"),
        _default("flash_attention", True, "lmstudio-ai/lmstudio-bug-tracker#900, a log of 0.3.23",
                 "seen in a log; older versions had it off"),
        _default("ubatch", 512, "lmstudio-ai/lmstudio-bug-tracker#900, a log of 0.3.23"),
        _default("swa_full", True, "lmstudio-ai/lmstudio-bug-tracker#900, a log of 0.3.23",
                 "sliding layers keep the whole context; newer versions were not read"),
    ),
)

_VLLM = Engine(
    name="vLLM", family="vLLM", version="002f10e0c (2026), 0.21 and later",
    source="its source and logs of 0.21 to 0.27",
    runs=("GPTQ", "AWQ", "compressed-tensors", "FP8", "4-bit float", "bitsandbytes"),
    settings=(*SHARED, "gpu_memory_utilization", "max_num_batched_tokens", "max_num_seqs",
              "enforce_eager"),
    kv_caches=("auto", "f16", "bf16", "fp8"), context_is_each=True,
    defaults=(
        _default("context_tokens", None, "vllm:vllm/config/model.py (max_model_len)",
                 "the model's own; it refuses to start if one such conversation does not fit"),
        _default("kv_cache", "auto", VLLM, "the model's type, nearly always bf16"),
        _default("gpu_memory_utilization", Fraction(23, 25), VLLM,
                 "of the device's memory it takes all of this; it was 0.9 before 0.20"),
        _default("block_size", 16, VLLM,
                 "tokens; in hybrid models more, until a block is as large as a state"),
        _default("max_num_batched_tokens", 2048, VLLM_BATCHES,
                 "the server; 8,192 from 70 GiB, but not on an A100"),
        _default("max_num_seqs", 256, VLLM_BATCHES, "the server; 1,024 from 70 GiB, but not on an A100"),
        _default("enforce_eager", False, "vllm-project/vllm: CUDA graphs are on by default",
                 "since 0.21 their memory is counted before the KV cache is sized"),
        _default("enable_prefix_caching", True, VLLM),
    ),
)

_TRANSFORMERS = Engine(
    name="transformers", aliases=("hf", "huggingface"), family="transformers", version="5.23.0",
    source="the package's source",
    runs=("GPTQ", "AWQ", "compressed-tensors", "FP8", "4-bit float", "bitsandbytes", "HQQ",
          "AQLM", "torchao"),
    settings=SHARED, kv_caches=("bf16", "f16", "f32"), context_is_each=True,
    defaults=(
        _default("context_tokens", None, f"{TRANSFORMERS}:cache_utils.py (DynamicCache)",
                 "the cache grows with the tokens; nothing is reserved"),
        _default("sequences", 1, f"{TRANSFORMERS}:generation/utils.py", "rows of the batch"),
        _default("kv_cache", "bf16", f"{TRANSFORMERS}:cache_utils.py", "the model's type"),
        _default("logits_to_keep", 1, f"{TRANSFORMERS}:generation/utils.py",
                 "only the last token of a prompt gets logits"),
    ),
)

_MLX = Engine(
    name="MLX", aliases=("mlx-lm", "mlxlm"), family="MLX", version="0.32.2",
    source="the package's source", runs=("MLX",),
    settings=SHARED, kv_caches=("bf16", "f16"), context_is_each=True,
    defaults=(
        _default("context_tokens", None, f"{MLX}/models/cache.py (KVCache.step)",
                 "the cache grows in steps of 256 tokens; nothing is reserved"),
        _default("sequences", 1, f"{MLX}/generate.py"),
        _default("kv_cache", "bf16", f"{MLX}/models/cache.py", "the model's type"),
        _default("backend", "metal", f"{MLX}/generate.py"),
        _default("prefill_step_size", 2048, f"{MLX}/generate.py", "tokens of a prompt at a time"),
        _default("wired_limit", None, f"{MLX}/generate.py (wired_limit)",
                 "it asks the system to keep as much resident as it recommends for the GPU"),
    ),
)

_ENGINES = (_LLAMA_CPP, _OLLAMA, _LM_STUDIO, _VLLM, _TRANSFORMERS, _MLX)
_NAMES = {name: engine for engine in _ENGINES for name in (engine.name, *engine.aliases)}


def engines() -> list[Engine]:
    """The engines that this package knows, with what they do by default.

    Returns
    -------
    list of Engine

    Examples
    --------
    >>> [engine.name for engine in engines()]
    ['llama.cpp', 'Ollama', 'LM Studio', 'vLLM', 'transformers', 'MLX']
    """
    return list(_ENGINES)


def load_engine(name: str) -> Engine:
    """Find an engine by its name, as people type it.

    Parameters
    ----------
    name : str
        "llama-server", "ollama", "lmstudio", "vllm", "hf", "mlx-lm".

    Returns
    -------
    Engine

    Raises
    ------
    UnknownName
        With the nearest names.

    Examples
    --------
    >>> load_engine("hf").name
    'transformers'
    """
    return (isinstance(name, str) and _NAMES.get(name)) or find("engine", name, _NAMES)


def ollama_context(memory_bytes: int) -> int:
    """The context that Ollama takes by default, from the memory of all GPUs together.

    >>> ollama_context(24 * 2**30)
    32768

    References
    ----------
    ollama@fb3076099:server/routes.go. The bounds are 1 GiB lower than its page says, because a
    card shows a little less than it is sold with.
    """
    return 262_144 if memory_bytes >= 47 * GIB else 32_768 if memory_bytes >= 23 * GIB else 4096


def ollama_ubatch(context_tokens: int) -> int:
    """Tokens that Ollama computes at a time, from the context of all conversations together.

    It takes less if that does not fit, which is not looked at here.

    >>> ollama_ubatch(4096), ollama_ubatch(8192), ollama_ubatch(65_536)
    (512, 1024, 2048)

    References
    ----------
    ollama@fb3076099:server/sched.go.
    """
    times = 4 if context_tokens > 32_768 else 2 if context_tokens > 4096 else 1
    return times * 512
