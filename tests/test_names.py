import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmsizing as sizing


@pytest.mark.parametrize(("name", "parts"), [
    ("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", ["Qwen3", "30B", "A3B", "UD", "Q4_K_XL"]),
    ("models/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", ["Meta-Llama-3.1", "8B", "Instruct", "Q4_K_M"]),
    ("gemma-3-27b-it-qat-q4_0.gguf", ["gemma-3", "27b", "it", "qat", "q4_0"]),
    ("mmproj-gemma-3-4b-it-f16.gguf", ["mmproj", "gemma-3", "4b", "it", "f16"]),
    ("DeepSeek-R1-0528-UD-IQ1_S-00001-of-00004.gguf",
     ["DeepSeek-R1", "0528", "UD", "IQ1_S", "00001-of-00004"]),
    ("Senku-70B-Full.i1-Q4_K_S.gguf", ["Senku", "70B", "Full", "i1", "Q4_K_S"]),
    ("Mixtral-8x7B-Instruct-v0.1.Q5_K_M.gguf", ["Mixtral", "8x7B", "Instruct", "v0.1", "Q5_K_M"]),
    ("gpt-oss-20b-mxfp4.gguf", ["gpt-oss", "20b", "mxfp4"]),
    ("gemma-4-E4B-it-Q8_0.GGUF", ["gemma-4", "E4B", "it", "Q8_0"]),
    ("C:\\models\\phi-4-Q6_K.gguf", ["phi-4", "Q6_K"]),
    ("日本語.gguf", ["日本語"]),
    ("phi-2.Q4_K_M.gguf", ["phi-2", "Q4_K_M"]),
    ("mymodel.Q8_0.gguf", ["mymodel", "Q8_0"]),
    ("zephyr-7b-beta.Q5_K_S.gguf", ["zephyr", "7b", "beta", "Q5_K_S"]),
    ("starling-lm-7b-alpha.Q4_K_M.gguf", ["starling-lm", "7b", "alpha", "Q4_K_M"]),
    ("gemma_7b_q4_0.gguf", ["gemma", "7b", "q4_0"]),
    ("tuned-1.2407-7B-Q4_0.gguf", ["tuned-1.2407", "7B", "Q4_0"]),
    ("Qwen1.5B.Q4_0.gguf", ["Qwen1.5B", "Q4_0"]),
    ("Qwen2.5-7B-Instruct-1M-Q4_K_M.gguf", ["Qwen2.5", "7B", "Instruct", "1M", "Q4_K_M"]),
    ("Qwen2.5-7B-Instruct-GPTQ-Int4", ["Qwen2.5", "7B", "Instruct", "GPTQ", "Int4"]),
    ("Mistral-7B-v0.1-GPTQ-4bit-g128", ["Mistral", "7B", "v0.1", "GPTQ", "4bit", "g128"]),
    ("unsloth/Llama-3.2-1B-bnb-4bit", ["Llama-3.2", "1B", "bnb-4bit"]),
    ("Llama-3.1-8B-exl3_4.0bpw", ["Llama-3.1", "8B", "exl3", "4.0bpw"]),
    ("Llama-3.1-8B-4.0bpw-h6-exl2", ["Llama-3.1", "8B", "4.0bpw-h6", "exl2"]),
    ("Falcon-H1-7B-Instruct-Q4_K_M.gguf", ["Falcon-H1", "7B", "Instruct", "Q4_K_M"]),
    ("llama3.1:8b-instruct-q4_K_M", ["llama3.1", "8b", "instruct", "q4_K_M"]),
    ("qwen3:8b", ["qwen3", "8b"]),
    ("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:IQ3_M",
     ["Llama-3.2", "3B", "Instruct", "GGUF", "IQ3_M"]),
])
def test_a_file_name_is_read_part_by_part(name, parts):
    read = sizing.read_file_name(name)
    assert [part.text for part in read] == parts
    assert all(part.kind and part.says for part in read)


def sole(text):
    """What is said of a part that stands after a model's name and size."""
    *_, part = sizing.read_file_name(f"model-7B-{text}")
    assert part.text == text
    return part


@pytest.mark.parametrize(("text", "kind", "says", "does_not_say"), [
    ("8B", "size", "about 8 billion parameters in all", "makers round"),
    ("A3B", "size", "3 billion parameters serve each token", "that is all of them"),
    ("E2B", "size", '"effective" size: 2 billion parameters without the tables', "the tables are in it"),
    ("16E", "size", "16 experts in a layer", "how many of them serve a token"),
    ("8x7B", "size", "8 experts in a model of the class 7B", "less than 8 × 7"),
    ("1M", "context", "reads up to about 1 million tokens", "KV cache"),
    ("128k", "context", "reads up to about 128 thousand tokens", "KV cache"),
    ("it", "fine-tune", "follow instructions", ""),
    ("Instruct", "fine-tune", "follow instructions", ""),
    ("chat", "fine-tune", "follow instructions", ""),
    ("pt", "fine-tune", "the base model", ""),
    ("base", "fine-tune", "the base model", ""),
    ("thinking", "fine-tune", "thinks before it answers", "how long"),
    ("reasoning", "fine-tune", "thinks before it answers", "how long"),
    ("distill", "fine-tune", "a larger one's answers", "this one has its own"),
    ("v0.3", "version", "the version", ""),
    ("2507", "version", "the month of release", ""),
    ("UD", "maker", "Unsloth Dynamic", "how large it is"),
    ("i1", "maker", "importance matrix", ""),
    ("imat", "maker", "made with an importance matrix", "which texts"),
    ("imatrix", "maker", "made with an importance matrix", "which texts"),
    ("qat", "training", "quantization-aware training", "as large as without"),
    ("00001-of-00004", "shard", "one piece", "add all pieces up"),
    ("mmproj", "companion", "vision or audio tower", "another file"),
    ("Q4_K_M", "file type", "Q4_K_M: The usual choice", "how many bits per weight"),
    ("FP16", "file type", "F16: Half precision", "how many bits per weight"),
    ("Q4_K_XL", "file type", "about 4 bits, by a recipe of whoever made it", "no such file type"),
    ("NVFP4", "file type", "about 4 bits, by a recipe", "no such file type"),
    ("mxfp4", "file type", "the experts in MXFP4", "what the rest is stored in"),
    ("AWQ", "format", "AWQ: linear layers in 4 bits", "stay in 16 bits"),
    ("GPTQ", "format", "GPTQ: linear layers rounded", "stay in 16 bits"),
    ("bnb-4bit", "format", "bitsandbytes: linear layers in 4 bits, mostly NF4", "the scales"),
    ("bnb-8bit", "format", "bitsandbytes: linear layers in 8 bits", "what stays in 16 bits"),
    ("FP4", "format", "linear layers in 4-bit floats", "NVFP4 or MXFP4"),
    ("HQQ", "format", "without example texts", "stay in 16 bits"),
    ("AQLM", "format", "tables of weights", "how many codes"),
    ("safetensors", "format", "transformers and vLLM", "config.json"),
    ("abliterated", "fine-tune", "refuses less", "as large as without"),
    ("exl2", "format", "for ExLlama", "the bpw says so"),
    ("4.0bpw", "format", "4.0 bits per weight, on average", "the output layer (mostly 6)"),
    ("4_25bpw-h8", "format", "4.25 bits per weight, on average over the layers, and 8 in the output",
     "what the embedding takes (16 bits)"),
    ("3_5bpw", "format", "3.5 bits per weight, on average", "the embedding takes (16 bits)"),
    ("FP8", "format", "linear layers in 8-bit floats", "a matrix, a row or a block"),
    ("FP8-dynamic", "format", "linear layers in 8-bit floats", "a matrix, a row or a block"),
    ("Int4", "format", "codes of 4 bits", "what the scales add"),
    ("8bit", "format", "codes of 8 bits", "what the scales add"),
    ("W4A16", "format", "codes of 4 bits", "what the scales add"),
    ("g128", "format", "so many weights share a scale", "zero point"),
    ("MLX", "format", "embedding and output layer are quantized, too", "the group"),
    ("GGUF", "format", "files for llama.cpp", "which file type"),
    ("Tess", "model", "the model's name", ""),
])
def test_each_part_says_what_it_says_and_what_it_leaves_open(text, kind, says, does_not_say):
    part = sole(text)
    assert part.kind == kind
    assert says in part.says and does_not_say in part.does_not_say
    assert bool(does_not_say) == bool(part.does_not_say)


def test_millions_count_parameters_unless_a_size_came_before():
    *_, small = sizing.read_file_name("gemma-3-270m")
    assert (small.kind, small.says) == ("size", "about 270 million parameters in all")


def test_llama_4_counts_what_is_active_and_its_experts():
    scout = sizing.read_file_name("Llama-4-Scout-17B-16E-Instruct-UD-Q4_K_XL-00001-of-00002.gguf")
    said = {part.text: part.says for part in scout}
    assert said["17B"] == "17 billion parameters serve each token"  # 109 billion in all
    assert said["16E"] == "16 experts in a layer"


def test_a_links_ending_is_no_part_of_the_name():
    link = "https://huggingface.co/x/Q/resolve/main/Qwen3-8B-Q4_K_M.gguf?download=true"
    assert [part.text for part in sizing.read_file_name(link)] == ["Qwen3", "8B", "Q4_K_M"]


def test_every_file_type_is_known_in_a_name():
    for entry in sizing.file_types():
        *_, last = sizing.read_file_name(f"model-7B-{entry.name}.gguf")
        assert last.kind == "file type" and "recipe" not in last.says, entry.name


@pytest.mark.parametrize("name", ["", "-", "...", "x" * 301, "   "])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(sizing.InvalidInput, match="A file's name has 1 to 300 characters"):
        sizing.read_file_name(name)


@pytest.mark.parametrize("name", [None, 4, ["x"], b"x"])
def test_a_name_is_text(name):
    with pytest.raises(sizing.InvalidInput, match="A file's name is text such as"):
        sizing.read_file_name(name)


@given(st.text(alphabet="Q4_K.M-:7Bb i1xA\n日", max_size=40))
def test_any_name_is_read_to_its_end(name):
    try:
        parts = sizing.read_file_name(name)
    except sizing.InvalidInput:
        return
    assert parts and all(part.text and part.says for part in parts)
