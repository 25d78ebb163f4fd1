"""vLLM, transformers and MLX: settings as commands and files, for repositories of safetensors."""

from llmsizing.deployment.launch import Flag, Step
from llmsizing.deployment.llama_family import Wanted
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput
from llmsizing.memory.settings import Settings
from llmsizing.quantization import load_format

VLLM_SPEC = "vllm@002f10e0c: vllm/engine/arg_utils.py, vllm/config/cache.py; docs/features/quantization/bnb.md"
TRANSFORMERS_SPEC = "transformers==5.23.0: utils/quantization_config.py; bitsandbytes==0.50.2"
MLX_SPEC = "mlx-lm==0.32.2: mlx_lm/server.py, mlx_lm/convert.py"
LOOPBACK = Flag(words=("--host", "127.0.0.1"), sets="who may ask: this machine alone")
#: As vLLM calls them on its command line.
VLLM_CACHES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32"}
TORCH_TYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32"}
#: By format of bitsandbytes, the arguments of BitsAndBytesConfig.
BITSANDBYTES = {
    "LLM.int8()": ("load_in_8bit=True",),
    "NF4": ("load_in_4bit=True", 'bnb_4bit_quant_type="nf4"'),
    "NF4 double quant": ("load_in_4bit=True", 'bnb_4bit_quant_type="nf4"', "bnb_4bit_use_double_quant=True"),
    "FP4": ("load_in_4bit=True", 'bnb_4bit_quant_type="fp4"'),
    "FP4 double quant": ("load_in_4bit=True", 'bnb_4bit_quant_type="fp4"', "bnb_4bit_use_double_quant=True"),
}


def vllm_steps(wanted: Wanted) -> tuple[Step, ...]:
    """One command."""
    given = wanted.settings
    keys, values = given.kv_cache
    if keys != values:
        raise InvalidInput(f"vLLM has one type for keys and values, not {keys} and {values}.")
    flags = [
        Flag(words=("--max-model-len", str(given.conversation_tokens)), setting="context_tokens",
             sets="tokens of the longest conversation", terms=wanted.of("KV cache")),
        Flag(words=("--max-num-seqs", str(_at_once(given))), setting="sequences",
             sets="conversations computed at once", terms=wanted.of("KV cache", "CUDA graphs")),
        Flag(words=("--max-num-batched-tokens", str(given.max_num_batched_tokens)),
             setting="max_num_batched_tokens", sets="tokens computed at a time",
             terms=wanted.of("compute buffer")),
        Flag(words=("--gpu-memory-utilization", f"{float(given.gpu_memory_utilization):g}"),
             setting="gpu_memory_utilization",
             sets="part of the device that it takes, all in all; what is left of it becomes KV cache",
             terms=wanted.of(*wanted.terms)),
        Flag(words=("--kv-cache-dtype", VLLM_CACHES.get(keys, keys)), setting="kv_cache",
             sets="type of keys and values", terms=wanted.of("KV cache")),
    ]
    if _family(wanted) == "bitsandbytes":
        flags.append(Flag(words=("--quantization", "bitsandbytes"), setting="weights",
                          sets="quantize while loading", terms=wanted.of("weights")))
    elif wanted.weights in TORCH_TYPES:
        flags.append(Flag(words=("--dtype", TORCH_TYPES[wanted.weights]), setting="weights",
                          sets="type of the weights", terms=wanted.of("weights")))
    if given.device_count > 1:
        flags.append(Flag(words=("--tensor-parallel-size", str(given.device_count)), setting="devices",
                          sets="devices that share each layer", terms=wanted.of("weights", "KV cache")))
    if given.enforce_eager:
        flags.append(Flag(words=("--enforce-eager",), setting="enforce_eager", sets="no CUDA graphs",
                          terms=wanted.of("CUDA graphs")))
    source = Flag(words=(wanted.file,), setting="file", sets="the repository, or a folder of it",
                  terms=wanted.of("weights"))
    return (Step(program=("vllm", "serve"), flags=(source, *flags, LOOPBACK)),)


def _at_once(given: Settings) -> int:
    """As many conversations as the budget holds, unless it was made for another limit."""
    usual = load_engine("vLLM").default("max_num_seqs").value
    return given.sequences if given.max_num_seqs == usual else given.max_num_seqs


def transformers_steps(wanted: Wanted) -> tuple[Step, ...]:
    """A Python file that loads and answers once, and the command that runs it."""
    given = wanted.settings
    weights = wanted.of("weights")
    exact = TORCH_TYPES.get(wanted.weights or "", "bfloat16")
    lines = [
        Flag(words=("from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig",),
             sets=""),
        Flag(words=(f"name = {wanted.file!r}",), setting="file", sets="the repository, or a folder of it",
             terms=weights),
        Flag(words=(f"quantization = {_bitsandbytes(wanted)}",), setting="weights",
             sets="how the matrices are stored", terms=weights),
        Flag(words=(f'model = AutoModelForCausalLM.from_pretrained(name, dtype="{exact}",'
                    ' device_map="auto", quantization_config=quantization)',),
             setting="offload", sets='"auto" fills the device first, then RAM', terms=weights),
        Flag(words=("tokenizer = AutoTokenizer.from_pretrained(name)",), sets=""),
        Flag(words=(f'chats = [[{{"role": "user", "content": "Hello"}}]] * {given.sequences}',),
             setting="sequences", sets="rows of the batch", terms=wanted.of("KV cache")),
        Flag(words=("inputs = tokenizer.apply_chat_template(chats, add_generation_prompt=True,"
                    ' return_tensors="pt", return_dict=True).to(model.device)',), sets=""),
        Flag(words=(f"answers = model.generate(**inputs, max_length={given.conversation_tokens})",),
             setting="context_tokens", sets="prompt and answer together, at most",
             terms=wanted.of("KV cache", "compute buffer")),
        Flag(words=("print(tokenizer.batch_decode(answers, skip_special_tokens=True))",), sets=""),
    ]
    return Step(file="run.py", flags=tuple(lines)), Step(program=("python", "run.py"))


def _bitsandbytes(wanted: Wanted) -> str:
    if _family(wanted) != "bitsandbytes":
        return "None"  # as the repository says, or none
    arguments = BITSANDBYTES[load_format(wanted.weights or "").name]
    compute = ('bnb_4bit_compute_dtype="bfloat16"',) if "load_in_4bit=True" in arguments else ()
    return f"BitsAndBytesConfig({', '.join((*arguments, *compute))})"


def mlx_steps(wanted: Wanted) -> tuple[Step, ...]:
    """Quantize the repository into a folder, and serve it."""
    cache = wanted.of("KV cache")
    folder = f"{wanted.name}-mlx"
    convert = Step(program=("mlx_lm.convert",), flags=(
        Flag(words=("--hf-path", wanted.file), setting="file", sets="the repository, or a folder of it",
             terms=wanted.of("weights")),
        Flag(words=("--mlx-path", folder), sets="where the result goes, on the disk"),
        Flag(words=_mlx_quantization(wanted), setting="weights", sets="how the matrices are stored",
             terms=wanted.of("weights"))))
    serve = Step(program=("mlx_lm.server",), flags=(
        Flag(words=("--model", folder), sets="what it serves"),
        Flag(words=("--decode-concurrency", str(wanted.settings.sequences)), setting="sequences",
             sets="conversations computed at once", terms=cache),
        Flag(words=("--max-tokens", str(wanted.settings.conversation_tokens)), setting="context_tokens",
             sets="the longest answer; the cache grows with the tokens, nothing is reserved", terms=cache),
        LOOPBACK))
    return convert, serve


def _mlx_quantization(wanted: Wanted) -> tuple[str, ...]:
    if _family(wanted) != "MLX":
        return ("--dtype", TORCH_TYPES.get(wanted.weights or "", "bfloat16"))
    _, kind, *group = load_format(wanted.weights or "").name.split()
    if not group:
        return "-q", "--q-mode", kind.lower()
    return "-q", "--q-bits", kind.removesuffix("-bit"), "--q-group-size", group[0].removeprefix("g")


def _family(wanted: Wanted) -> str:
    return load_format(wanted.weights).family if wanted.weights else ""
