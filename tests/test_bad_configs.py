"""Values that make no sense, in every kind of config; and cases that were wrong once."""

import re
import time

import pytest

import llmsizing as sizing
from llmsizing.catalog.tables import DATA

GIB = 2**30
LLAMA = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256,
         "max_position_embeddings": 2048}
MIXTRAL = {**LLAMA, "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}
MOE = {**MIXTRAL, "moe_intermediate_size": 32}
NEMOTRON = {**LLAMA, "model_type": "nemotron_h", "head_dim": 16, "hybrid_override_pattern": "M*",
            "mamba_num_heads": 4, "mamba_head_dim": 16, "ssm_state_size": 16}
NEMOTRON_MOE = {**NEMOTRON, "hybrid_override_pattern": "ME", "n_routed_experts": 4, "num_experts_per_tok": 2,
                "moe_intermediate_size": 32, "moe_shared_expert_intermediate_size": 32}
LFM2 = {**LLAMA, "model_type": "lfm2"}
LLAMA4 = {**MOE, "model_type": "llama4_text", "intermediate_size_mlp": 96}
ERNIE = {**MOE, "model_type": "ernie4_5_moe"}
LATENT = {"kv_lora_rank": 32, "qk_nope_head_dim": 16, "v_head_dim": 16}
KIMI = {**MOE, **LATENT, "model_type": "kimi_linear", "qk_rope_head_dim": 8, "num_experts": 4}
GEMMA4 = {**LLAMA, "model_type": "gemma4_text", "hidden_size_per_layer_input": 0, "num_hidden_layers": 6}
GEMMA3N = {**LLAMA, "model_type": "gemma3n_text", "num_kv_shared_layers": 0}
MIMO = {**MOE, "model_type": "mimo_v2_flash", "head_dim": 16, "v_head_dim": 16, "sliding_window": 64,
        "hybrid_layer_pattern": [0, 1]}
QWEN_MOE = {**MOE, "model_type": "qwen3_moe"}
GRANITE_H = {**LLAMA, "model_type": "granitemoehybrid", "mamba_n_heads": 4, "mamba_d_state": 16,
             "mamba_d_conv": 4, "shared_intermediate_size": 96}

CRASHES = [
    (QWEN_MOE, "mlp_only_layers", 5), (QWEN_MOE, "mlp_only_layers", "x"),
    (LFM2, "full_attn_idxs", 5), (LFM2, "full_attn_idxs", "x"),
    (LFM2, "block_ffn_dim_multiplier", "x"), (LFM2, "block_ffn_dim_multiplier", float("nan")),
    (LFM2, "block_ffn_dim_multiplier", 1e308), (LFM2, "block_ffn_dim_multiplier", [1]),
    (LFM2, "block_ffn_dim_multiplier", -1), (LFM2, "block_ffn_dim_multiplier", 0),
    (LLAMA4, "moe_layers", 5), (LLAMA4, "moe_layers", "x"), (LLAMA4, "no_rope_layers", 5),
    (LLAMA4, "no_rope_layers", [0]), (LLAMA4, "no_rope_layers", {"a": 1}),
    (NEMOTRON, "hybrid_override_pattern", 5), (NEMOTRON, "hybrid_override_pattern", [[1]]),
    (NEMOTRON, "layer_types", [[1], [1]]),
    (KIMI, "linear_attn_config", 5), (KIMI, "linear_attn_config", [1]),
    (KIMI, "linear_attn_config", {"num_heads": 2, "head_dim": 16, "full_attn_layers": 5}),
    (KIMI, "linear_attn_config", {"num_heads": 2, "head_dim": 16, "short_conv_kernel_size": "x"}),
    (KIMI, "linear_attn_config", {"num_heads": 2, "head_dim": 16, "short_conv_kernel_size": -3}),
    (GEMMA3N, "intermediate_size", [float("inf")] * 2), (GEMMA3N, "intermediate_size", [-5] * 2),
    (ERNIE, "moe_layer_end_index", "x"), (ERNIE, "moe_layer_end_index", [1]),
    (GEMMA4, "per_layer_config", 5), (GEMMA4, "per_layer_config", "64"),
    (GEMMA4, "per_layer_config", {"5": 5}), (GEMMA4, "per_layer_config", {"5": {"weird": 1}}),
    (GEMMA4, "per_layer_config", {"5": {"head_dim": "x"}}),
    (GEMMA4, "per_layer_config", {"5": {"head_dim": -4}}),
    (GEMMA4, "per_layer_config", {5: {"head_dim": -4}, "5": 5}),
    (GEMMA4, "per_layer_config", {"²": {}, "05": {"head_dim": []}}),
    (MIMO, "moe_layer_freq", []), (MIMO, "moe_layer_freq", [0]),
    (GRANITE_H, "mamba_n_heads", 1000),
]


@pytest.mark.parametrize("value", [["bf16"], {"a": 1}, 5])
def test_a_senseless_dtype_is_left_out(value):
    assert sizing.read_config({**LLAMA, "torch_dtype": value}).native_type == ""


@pytest.mark.parametrize(("config", "key", "value"), CRASHES, ids=lambda v: repr(v)[:40])
def test_a_senseless_value_of_any_family_is_refused(config, key, value):
    with pytest.raises(sizing.InvalidInput, match=key):
        model = sizing.read_config({**config, key: value})
        assert model.parameters > 0
        assert all(min(t.shape) > 0 for _, t in model.tensors())


def test_per_layer_config_and_global_heads_together():
    sizing.read_config({**GEMMA4, "attention_k_eq_v": True, "num_global_key_value_heads": 1,
                        "per_layer_config": {"5": {"head_dim": 32, "num_key_value_heads": 1}}})


def test_a_pattern_has_no_more_layers_than_any_model():
    start = time.perf_counter()
    with pytest.raises(sizing.InvalidInput):
        sizing.read_config({**NEMOTRON, "hybrid_override_pattern": "M" * 1_000_000})
    assert time.perf_counter() - start < 1


def test_muse_glimmers_default_head_dim_and_output_bias():
    config = {"model_type": "muse_glimmer_text", "num_attention_heads": 16, "hidden_size": 64, "num_key_value_heads": 4,
              "num_hidden_layers": 7, "vocab_size": 320, "intermediate_size": 96}
    assert sizing.read_config(config).parameters == 3383104  # row 690
    bias = {**config, "head_dim": 16, "attention_bias": True}
    more = sizing.read_config(bias).parameters - sizing.read_config({**bias, "attention_bias": False}).parameters
    assert more == 7 * (256 + 2 * 64 + 64)


def test_nemotrons_default_head_dim_is_128_and_its_latent_matrices_have_the_bias():
    config = {key: value for key, value in NEMOTRON.items() if key != "head_dim"}
    assert sizing.read_config(config).layers[1].attention.head_dim == 128
    latent = {**NEMOTRON_MOE, "moe_latent_size": 48}
    plain = sizing.read_config(latent).parameters
    shared = 64 + 32  # down and up of the shared expert
    assert sizing.read_config({**latent, "mlp_bias": True}).parameters - plain == shared + 48 + 64


def test_deepseek_v2s_mlp_bias():
    config = {**MOE, **LATENT, "model_type": "deepseek_v2", "qk_rope_head_dim": 8, "n_shared_experts": 1}
    more = sizing.read_config({**config, "mlp_bias": True}).parameters - sizing.read_config(config).parameters
    assert more == 2 * (2 * 32 + 64)


def test_mxfp4_of_gpt_oss_is_as_released():
    """openai/gpt-oss-20b: the experts' matrices in 4.25 bits, all the rest, their biases too, in BF16."""
    model = sizing.load_model("gpt-oss-20b")
    experts = sum(tensor.count for _, tensor in model.tensors()
                  if tensor.role == "experts" and len(tensor.shape) == 3)
    assert sizing.weight_bytes(model, "MXFP4 safetensors") == experts * 17 // 32 + 2 * (model.parameters - experts)
    assert sizing.weight_bytes(model, "MXFP4 safetensors") == 13_761_264_768


def test_nf4_leaves_stacked_experts_in_sixteen_bits_as_the_format_says():
    model = sizing.load_model("Mixtral-8x7B")
    assert "experts because" in sizing.load_format("NF4").leaves
    assert sizing.weight_bytes(model, "NF4") > 1.9 * model.parameters_by_role["experts"]


@pytest.mark.parametrize("ask", [sizing.vram_budget, sizing.host_budget])
def test_weights_of_a_type_that_cannot_be_a_name(ask):
    with pytest.raises(sizing.InvalidInput, match="weights must be a str, .*: a file type or format"):
        ask(sizing.load_model("Llama-3.1-8B"), weights=[])


@pytest.mark.parametrize(("typed", "name"), [
    ("unsloth/Llama-3.1-8B-Instruct-GGUF", "Llama-3.1-8B"), ("bartowski/Qwen2.5-7B-Instruct-GGUF", "Qwen2.5-7B"),
    ("deepseek-r1:671b", "DeepSeek-R1"), ("phi4:14b", "Phi-4"),
    ("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "Llama-3.1-8B"), ("gemma3:4b-it-qat", "Gemma-3-4B"),
    ("llama3.1:8b-instruct-q4_K_M", "Llama-3.1-8B"), ("Ｌｌａｍａ 3.1 8Ｂ", "Llama-3.1-8B"),
    ("Qwen_Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "Qwen3-30B-A3B"),
    ("DeepSeek-R1-Distill-Qwen-32B-Q4_K_M-00001-of-00002.gguf", "DeepSeek-R1-Distill-Qwen-32B")])
def test_more_model_names(typed, name):
    assert sizing.load_model(typed).name == name


def test_another_makers_model_is_not_taken_for_llama_3():
    for typed in ("llama 3 8b", "llama3:8b", "meta-llama/Meta-Llama-3-8B-Instruct", "Llama-3-8B-Q8_0.gguf"):
        assert sizing.load_model(typed).name == "Llama-3-8B"  # not Llama-3-Youko-8B
    with pytest.raises(sizing.UnknownName, match="these: Llama-3-8B, Llama-3-ELYZA-JP-8B, .*, Llama-3-70B"):
        sizing.load_model("llama 3")


def test_llama_3_3_means_the_same_with_and_without_a_space():
    assert sizing.load_model("llama3.3") is sizing.load_model("llama 3.3")


@pytest.mark.parametrize("typed", ["mmproj-Qwen3-8B-Q8_0.gguf", "Q4_K_M.gguf", "qwen3-4b-thinking-2507-Q4_K_M"])
def test_a_file_of_no_known_model_is_taken_for_none(typed):
    with pytest.raises(sizing.UnknownName):
        sizing.load_model(typed)


@pytest.mark.parametrize(("typed", "name"), [
    ("H100 SXM", "H100 SXM 80 GB"), ("tesla t4", "T4"), ("RTX 4090 24GB", "RTX 4090"), ("4080 16 gb", "RTX 4080"),
    ("MacBook Pro M3 Max 64GB", "Apple M3 Max (40-core GPU) 64 GB"), ("Mac mini M4 32GB", "Apple M4 32 GB"),
    ("mac studio m2 ultra 192", "Apple M2 Ultra 192 GB"), ("macbook air m2 16gb", "Apple M2 16 GB"),
    ("NVIDIA A100-SXM4-80GB", "A100 SXM 80 GB"), ("Tesla V100-SXM2-32GB", "V100 SXM 32 GB"),
    ("NVIDIA H100 80GB HBM3", "H100 SXM 80 GB"), ("4090 mobile", "RTX 4090 Laptop"),
    ("Intel(R) Arc(TM) A770 Graphics", "Arc A770 16 GB"), (4090, "RTX 4090"),
    ("ddr5-6000 dual channel 64 GB", "DDR5-6000, 2 channels, 64 GB"),
    ("framework desktop 128gb", "Ryzen AI Max+ 395 128 GB (Strix Halo)")])
def test_more_device_names(typed, name):
    assert sizing.load_device(typed).name == name


@pytest.mark.parametrize(("typed", "says"), [
    ("4x A100", "'4x A100' means several devices, .* one: .*these: A100 PCIe 40 GB, A100 SXM"),
    ("2x3090", "a name stands for one: RTX 3090.$"), ("dual RTX 4090", "a name stands for one: RTX 4090.$"),
    ("ddr5-6000 dual channel", "'ddr5-6000 dual channel' could be .* these: DDR5-6000, 2 channels, 32 GB, "),
    ("64GB RAM", "'64GB RAM' could be any device of these: DDR4-3200, 2 channels, 64 GB, "),
    ("M3 Max 65 GB", "'M3 Max 65 GB'. Nearest: Apple M3 Max"), ("mi250", "Nearest: Instinct MI250X")])
def test_what_is_no_one_device_is_told_with_what_fits(typed, says):
    with pytest.raises(sizing.UnknownName, match=says):
        sizing.load_device(typed)


@pytest.mark.parametrize("name", ["MI300X", "Radeon PRO W7900", "MI50 32 GB"])
def test_a_card_of_its_own_shows_nearly_all_of_its_memory(name):
    device = sizing.load_device(name)
    assert device.visible_bytes > 0.85 * device.sold_gb * GIB  # 0.488: taken from Strix Halo


@pytest.mark.parametrize("typed", ["IQ3_XS", "MXFP4_MOE"])
def test_more_file_types_are_no_formats(typed):
    with pytest.raises(sizing.UnknownName, match="is a file type, not a format"):
        sizing.load_format(typed)


def test_squares_of_fp8_are_whole():
    """DeepSeek-V3's kv_a_proj_with_mqa: 576 rows make 5 rows of squares, not 4.5."""
    assert sizing.load_format("FP8 block 128").tensor_bytes((576, 7168)) == 576 * 7168 + 4 * 5 * 56


#: Hosts of package registries; pieced together here, so that this file names none either.
REGISTRY = re.compile("|".join(rf"{owner}\.(org|com)" for owner in ("py" + "pi", "npm" + "js"))
                      + "|python" + "hosted|files" + r"\.python")


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.iterdir()))
def test_data_names_no_registrys_host(name):
    assert not REGISTRY.search((DATA / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("host", ["py" "pi.org", "npm" "js.com", "files.python" "hosted.org", "registry.npm" "js.org"])
def test_a_registrys_host_would_be_seen(host):
    assert REGISTRY.search(f"a row,https://{host}/p/x,2024")
