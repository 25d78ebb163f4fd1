"""File types against llama.cpp's own quantizer, and the rules one by one."""

import math
from collections import Counter

import pytest

from llmsizing.architecture import read_config
from llmsizing.catalog import models
from llmsizing.errors import InvalidInput, UnknownName
from llmsizing.quantization import file_types, load_file_type, tensor_types, type_counts
from llmsizing.units import MIB

# Weights and bytes of a block, as gguf==0.19.0 has them (GGML_QUANT_SIZES).
BLOCKS = {
    "F32": (1, 4), "F16": (1, 2), "BF16": (1, 2), "Q8_0": (32, 34), "Q5_1": (32, 24),
    "Q5_0": (32, 22), "Q4_1": (32, 20), "Q4_0": (32, 18), "IQ4_NL": (32, 18), "MXFP4": (32, 17),
    "Q6_K": (256, 210), "Q5_K": (256, 176), "Q4_K": (256, 144), "Q3_K": (256, 110),
    "Q2_K": (256, 84), "IQ4_XS": (256, 136), "IQ3_S": (256, 110), "IQ3_XXS": (256, 98),
    "IQ2_S": (256, 82), "IQ2_XS": (256, 74), "IQ2_XXS": (256, 66), "IQ1_M": (256, 56),
    "IQ1_S": (256, 50), "TQ2_0": (256, 66), "TQ1_0": (256, 54),
}


def config(kind, hidden, layers, heads, groups, wide, vocab, **more):
    return {"model_type": kind, "hidden_size": hidden, "num_hidden_layers": layers,
            "num_attention_heads": heads, "num_key_value_heads": groups,
            "intermediate_size": wide, "vocab_size": vocab, **more}


TIED = {"tie_word_embeddings": True}
ATTENTION_OF_GRANITE = (5, 15, 25, 35)

# llama.cpp v0.5.0, llama_model_quantize(dry_run=true), no imatrix: the tensors in MiB.
# Llama 3's rope_freqs.weight, 256 bytes at most, is no tensor of ours.
ENGINE = {
    "Llama-3.1-8B": (config("llama", 4096, 32, 32, 8, 14336, 128256), {
        "F16": 15317.02, "Q8_0": 8137.64, "Q6_K": 6282.97, "Q5_K_M": 5459.93, "Q5_K_S": 5332.43,
        "Q4_K_M": 4685.3, "Q4_K_S": 4467.8, "Q4_0": 4437.8, "Q4_1": 4885.12, "IQ4_XS": 4269.15,
        "IQ4_NL": 4481.8, "Q3_K_L": 4114.27, "Q3_K_M": 3825.27, "Q3_K_S": 3487.27,
        "IQ3_M": 3602.02, "IQ3_S": 3504.27, "IQ3_XS": 3348.27, "IQ3_XXS": 3229.48, "Q2_K": 3024.38,
        "IQ2_M": 2804.23, "IQ2_XXS": 2280.59, "IQ1_S": 1918.59}),
    "Llama-2-7B": (config("llama", 4096, 32, 32, 32, 11008, 32000), {
        "Q5_0": 4435.49, "Q5_1": 4829.3, "Q4_K_M": 3891.24, "Q2_K": 2414.82, "IQ3_S": 2811.02,
        "Q3_K_M": 3144.52, "IQ3_M": 2969.86, "IQ3_XS": 2666.27, "IQ4_XS": 3477.84, "Q4_K_S": 3677.37,
        "IQ3_XXS": 2576.26, "IQ2_M": 2249.73, "IQ2_XXS": 1768.31, "IQ1_S": 1457.06}),
    "Llama-3.3-70B": (config("llama", 8192, 80, 64, 8, 28672, 128256), {
        "Q4_K_M": 40543.11, "Q3_K_M": 32672.53, "Q2_K": 25145.77, "IQ2_XXS": 18205.19,
        "Q4_K_S": 38470.61, "IQ4_XS": 36489.3, "IQ3_M": 30450.03, "IQ3_S": 29472.53,
        "IQ3_XXS": 27326.95}),
    "Llama-3.2-1B": (config("llama", 2048, 16, 32, 8, 8192, 128256, **TIED), {
        "Q4_K_M": 762.81, "IQ3_XXS": 544.85}),
    "Qwen2.5-0.5B": (config("qwen2", 896, 24, 14, 2, 4864, 151936, **TIED), {
        "Q8_0": 500.79, "Q4_K_M": 373.71, "Q3_K_M": 333.33, "Q4_0": 330.17, "IQ4_XS": 329.49,
        "IQ2_XXS": 300.98}),
    "Qwen2.5-72B": (config("qwen2", 8192, 80, 64, 8, 29568, 152064), {
        "Q4_K_M": 45213.44, "Q3_K_S": 32884.41}),
    "Gemma-3-4B": (config("gemma3_text", 2560, 34, 8, 4, 10240, 262144), {
        "BF16": 7401.4, "Q4_K_M": 2368.18, "IQ1_S": 1074.26, "IQ4_XS": 2167.65, "Q3_K_M": 1994.88,
        "IQ3_M": 1888.4, "IQ3_XS": 1770.7, "IQ3_XXS": 1661.95, "IQ2_M": 1460.39}),
    "Phi-3-mini": (config("phi3", 3072, 32, 32, 32, 8192, 32064), {
        "Q4_K_M": 2285.03, "Q3_K_L": 2098.18, "IQ3_M": 1768.93, "IQ3_XXS": 1531.46, "Q2_K": 1437.64,
        "IQ4_NL": 2086.66, "Q3_K_M": 1870.93}),
    "Command-R-35B": (config("cohere", 8192, 40, 64, 64, 22528, 256000), {
        "Q4_K_M": 20519.41, "IQ4_NL": 19391.91}),
    "Mixtral-8x7B": (config("mixtral", 4096, 32, 32, 8, 14336, 32000, num_local_experts=8,
                            num_experts_per_tok=2), {
        "Q4_K_M": 27129.87, "Q3_K_L": 23049.27, "IQ3_M": 20437.27, "IQ2_S": 13472.66}),
    "Qwen3-30B-A3B": (config("qwen3_moe", 2048, 48, 32, 4, 6144, 151936, head_dim=128,
                             num_experts=128, num_experts_per_tok=8, moe_intermediate_size=768), {
        "Q4_K_M": 17691.34, "IQ3_XS": 12009.12, "IQ2_M": 9692.71, "MXFP4_MOE": 16285.4,
        "Q4_K_S": 16641.65, "Q3_K_M": 14024.62, "IQ3_M": 12881.37, "IQ3_S": 12677.37,
        "IQ3_XXS": 11879.71, "Q2_K": 10731.35, "IQ2_XXS": 7796.57}),
    "gpt-oss-20b": (config("gpt_oss", 2880, 24, 64, 8, 2880, 201088, num_experts=32,
                           num_experts_per_tok=4), {
        "Q4_K_M": 15060.55, "Q2_K": 11494.17, "MXFP4_MOE": 11536.18, "IQ3_M": 11624.95,
        "IQ3_XXS": 11589.09, "IQ2_XXS": 11447.76}),
    "DeepSeek-V2-Lite": (config(
        "deepseek_v2", 2048, 27, 16, 16, 10944, 102400, n_routed_experts=64, num_experts_per_tok=6,
        moe_intermediate_size=1408, n_shared_experts=2, first_k_dense_replace=1, q_lora_rank=None, kv_lora_rank=512,
        qk_nope_head_dim=128, qk_rope_head_dim=64, v_head_dim=128), {
        "Q4_K_M": 9883.84, "Q6_K": 13418.04, "IQ2_M": 6038.01, "Q3_K_S": 7140.57, "IQ3_XS": 6792.66,
        "IQ3_XXS": 6697.32, "IQ4_XS": 8243.27, "Q2_K": 6135.09}),
    "LFM2-1.2B": (config("lfm2", 2048, 16, 32, 8, 12288, 65536, conv_L_cache=3,
                         full_attn_idxs=[2, 5, 8, 10, 12, 14]), {
        "Q4_K_M": 694.76, "Q2_K_S": 437.18, "IQ1_M": 309.71}),
    "Granite-4.0-H-Tiny": (config(
        "granitemoehybrid", 1536, 40, 12, 4, 512, 100352, num_local_experts=64,
        num_experts_per_tok=6, shared_intermediate_size=1024, mamba_d_conv=4, mamba_d_head=64,
        mamba_d_state=128, mamba_n_heads=48, **TIED, layer_types=[
            "attention" if layer in ATTENTION_OF_GRANITE else "mamba" for layer in range(40)]), {
        "Q4_K_M": 4031.55, "Q2_K": 2462.77, "IQ2_XS": 1994.91}),
    "Qwen3-Next-80B-A3B": (config(
        "qwen3_next", 2048, 48, 16, 2, 5120, 151936, num_experts=512, num_experts_per_tok=10,
        moe_intermediate_size=512, shared_expert_intermediate_size=512), {
        "Q4_K_M": 46237.05, "IQ2_M": 24982.95, "TQ1_0": 16500.17}),
    "Gemma 3n": (config("gemma3n_text", 2048, 35, 8, 2, 16384, 262400), {
        "Q8_0": 7006.92, "Q4_K_M": 4612.43, "TQ2_0": 3326.74}),
    "biases in every matrix": (config(
        "starcoder2", 2560, 26, 20, 4, 10240, 49152, use_bias=True), {
        "Q4_K_M": 1139.96, "Q4_K_S": 1061.98, "IQ3_M": 863.38}),
    "experts with biases": (config(
        "gpt_oss", 2304, 20, 40, 5, 2304, 201088, head_dim=64, num_local_experts=24,
        num_experts_per_tok=3, sliding_window=200), {"IQ2_S": 2745.55, "IQ1_S": 1984.14}),
}
# The same with an importance matrix.
WITH_IMATRIX = {
    "Llama-3.1-8B": {"Q4_0": 4451.8, "Q5_0": 5346.43, "IQ3_XXS": 3115.73, "IQ4_NL": 4453.8,
                     "IQ4_XS": 4234.15, "Q4_K_M": 4685.3},
    "Llama-2-7B": {"Q4_0": 3658.62, "Q5_0": 4446.24, "IQ3_XXS": 2464.91, "IQ4_NL": 3647.87,
                   "IQ4_XS": 3450.96, "Q4_K_M": 3891.24},
    "Mixtral-8x7B": {"Q4_0": 25329.87, "Q5_0": 30849.49, "IQ3_XXS": 17396.66, "IQ4_NL": 25281.87,
                     "IQ4_XS": 23917.96, "Q4_K_M": 27129.87},
    "Qwen2.5-0.5B": {"Q4_0": 330.95, "Q5_0": 373.6, "IQ3_XXS": 312.57, "IQ4_NL": 330.66,
                     "IQ4_XS": 327.54, "Q4_K_M": 373.71},
}
CASES = [(model, file_type, mib)
         for model, (_, sizes) in ENGINE.items() for file_type, mib in sizes.items()]
CASES += [(model, f"{file_type} imatrix", mib)
          for model, sizes in WITH_IMATRIX.items() for file_type, mib in sizes.items()]


def model_of(name):
    return read_config(ENGINE[name][0], name=name)


def types_of(model, file_type):
    """The block type by full name."""
    return {tensor.name if layer is None else f"blk.{layer}.{tensor.name}": block
            for layer, tensor, block in tensor_types(model, file_type)}


def mib_of(model, file_type):
    total = 0
    for _, tensor, block in tensor_types(model, file_type):
        weights, size = BLOCKS[block]
        assert tensor.shape[-1] % weights == 0, f"{tensor.name}: no whole {block} in a row"
        total += math.prod(tensor.shape) // weights * size
    return total / MIB


@pytest.mark.parametrize(("name", "file_type", "mib"), CASES)
def test_files_are_as_large_as_llama_cpp_says(name, file_type, mib):
    assert mib_of(model_of(name), file_type) == pytest.approx(mib, abs=0.006)


def layers_with(types, part, block):
    return [int(name.split(".")[1]) for name, found in types.items()
            if part in name and found == block]


def test_which_layers_of_llama_get_more_bits_at_q4_k_m():
    types = types_of(model_of("Llama-3.1-8B"), "Q4_K_M")
    more = [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]
    assert layers_with(types, "attn_v", "Q6_K") == layers_with(types, "ffn_down", "Q6_K") == more
    assert types["output.weight"] == "Q6_K" and types["token_embd.weight"] == "Q4_K"
    assert Counter(types.values()) == {"F32": 65, "Q6_K": 33, "Q4_K": 193}


def test_seventy_billion_never_keep_values_at_four_bits():
    types = types_of(model_of("Llama-3.3-70B"), "Q4_K_M")
    assert {block for name, block in types.items() if "attn_v" in name} == {"Q5_K", "Q6_K"}


@pytest.mark.parametrize(("kind", "groups", "raised"), [
    ("llama", 8, True), ("mistral", 8, True), ("qwen2", 8, True), ("qwen2", 64, True),
    ("llama", 64, False), ("qwen3", 8, False)])
def test_what_counts_as_a_model_of_seventy_billion(kind, groups, raised):
    """LLM_TYPE_70B: 80 layers of llama's or qwen2's kind; llama's 65B, whose heads share no key, is another."""
    types = types_of(read_config(config(kind, 8192, 80, 64, groups, 22016, 32000, head_dim=128)), "Q4_K_M")
    assert ("Q4_K" not in {block for name, block in types.items() if "attn_v" in name}) == raised


def test_eight_experts_leave_room_for_keys_and_values():
    types = types_of(model_of("Mixtral-8x7B"), "Q4_K_M")
    assert {types[f"blk.9.attn_{which}.weight"] for which in "kv"} == {"Q8_0"}
    assert types["blk.9.attn_output.weight"] == "Q5_K"
    assert types["blk.0.ffn_gate_inp.weight"] == "F32"
    assert types_of(model_of("Mixtral-8x7B"), "Q3_K_L")["blk.9.attn_output.weight"] == "Q3_K"


@pytest.mark.parametrize(("file_type", "query", "down"), [
    ("Q6_K", "Q8_0", "Q6_K"), ("Q5_K_S", "Q5_1", "Q5_K"), ("Q4_K_S", "Q5_0", "Q4_K"),
    ("Q3_K_S", "Q4_0", "Q3_K"), ("IQ4_XS", "IQ4_NL", "IQ4_XS"), ("IQ1_S", "IQ4_NL", "IQ1_S"),
    ("TQ1_0", "Q4_0", "TQ1_0"), ("Q4_0", "Q4_0", "Q4_0"),
])
def test_rows_of_896_do_not_divide_into_blocks_of_256(file_type, query, down):
    """Of Qwen2.5-0.5B only ffn_down has rows that do: 4864 = 19 · 256."""
    types = types_of(model_of("Qwen2.5-0.5B"), file_type)
    assert types["blk.9.attn_q.weight"] == query
    assert types["blk.9.ffn_down.weight"] == down
    assert types["token_embd.weight"] == "Q8_0"


def test_rows_that_do_not_divide_at_all_stay_in_16_bits():
    odd = read_config(config("llama", 1000, 2, 8, 8, 4096, 32000, head_dim=128))
    assert types_of(odd, "Q4_K_M")["blk.0.attn_q.weight"] == "F16"
    assert types_of(odd, "Q4_K_M")["blk.0.attn_output.weight"] == "Q4_K"


def test_a_tied_embedding_is_stored_once_and_as_an_output():
    for file_type, block in [("Q4_K_M", "Q6_K"), ("IQ2_XXS", "Q5_K"), ("Q8_0", "Q8_0")]:
        types = types_of(model_of("Llama-3.2-1B"), file_type)
        assert types["token_embd.weight"] == block and "output.weight" not in types
    assert types_of(model_of("Gemma 3n"), "Q4_K_M")["per_layer_token_embd.weight"] == "Q6_K"


def test_an_embedding_of_its_own_is_smaller():
    for file_type, block in [("Q4_K_M", "Q4_K"), ("IQ2_XXS", "Q2_K"), ("IQ3_XXS", "IQ3_S"),
                             ("TQ2_0", "Q4_K"), ("MXFP4_MOE", "Q8_0")]:
        assert types_of(model_of("Llama-3.1-8B"), file_type)["token_embd.weight"] == block


def test_values_that_four_heads_share_get_more_bits_in_small_files():
    for file_type, base in (("Q2_K_S", "Q2_K"), ("IQ3_S", "IQ3_S"), ("IQ3_XS", "IQ3_S")):
        for name, block in (("Llama-3.1-8B", "Q4_K"), ("Llama-2-7B", base)):
            assert types_of(model_of(name), file_type)["blk.9.attn_v.weight"] == block


def test_fused_attention_counts_as_values():
    types = types_of(model_of("Phi-3-mini"), "Q3_K_M")
    assert layers_with(types, "attn_qkv", "Q5_K") == [0, 1]


def test_small_matrices_stay_as_they_are():
    for file_type in ("Q8_0", "IQ1_S"):
        types = types_of(model_of("Gemma 3n"), file_type)
        assert types["blk.0.altup_correct_coef.weight"] == "F32"
        assert types["blk.0.laurel_l.weight"] == types["per_layer_model_proj.weight"] == "F16"
    types = types_of(model_of("LFM2-1.2B"), "Q4_K_M")
    assert types["blk.0.shortconv.conv.weight"] == "F32"
    assert types["blk.0.shortconv.in_proj.weight"] == "Q4_K"
    types = types_of(model_of("Granite-4.0-H-Tiny"), "Q4_K_M")
    assert types["blk.0.ssm_conv1d.weight"] == types["blk.0.ssm_a"] == "F32"
    assert types["blk.0.ssm_in.weight"] == "Q4_K"
    types = types_of(model_of("gpt-oss-20b"), "Q4_K_M")
    assert types["blk.0.ffn_down_exps.bias"] == types["blk.0.ffn_gate_inp.weight"] == "F32"
    types = types_of(model_of("Qwen3-Next-80B-A3B"), "Q4_K_M")
    assert types["blk.0.ffn_gate_inp_shexp.weight"] == "F32"


def test_latent_attention_is_stored_split():
    types = types_of(model_of("DeepSeek-V2-Lite"), "Q4_K_M")
    assert types["blk.0.attn_k_b.weight"] == "Q5_0"  # rows of 128
    assert types["blk.0.attn_v_b.weight"] == "Q4_K"  # rows of 512


def test_a_hybrid_whose_first_layer_has_no_attention_has_no_groups():
    assert types_of(model_of("LFM2-1.2B"), "Q2_K")["blk.2.attn_v.weight"] == "Q3_K"
    assert types_of(model_of("Llama-3.2-1B"), "Q2_K")["blk.2.attn_v.weight"] == "Q4_K"
    assert types_of(model_of("Qwen3-Next-80B-A3B"), "Q2_K")["blk.3.attn_v.weight"] == "Q4_K"


def test_only_experts_become_mxfp4():
    types = types_of(model_of("gpt-oss-20b"), "MXFP4_MOE")
    assert {name.split(".")[2] for name, block in types.items() if block == "MXFP4"} == {
        "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"}
    assert types["output.weight"] == types["blk.0.attn_q.weight"] == "Q8_0"


@pytest.mark.parametrize("file_type", file_types(), ids=lambda entry: entry.name)
def test_every_tensor_has_a_type_and_every_row_whole_blocks(file_type):
    for name in ENGINE:
        model = model_of(name)
        assert len(tensor_types(model, file_type)) == sum(1 for _ in model.tensors())
        assert mib_of(model, file_type) > 0


def test_tensors_come_in_the_order_of_llama_cpp():
    order = [(layer, tensor.name)
             for layer, tensor, _ in tensor_types(model_of("Llama-3.1-8B"), "F16")]
    assert [name for _, name in order[:4]] == [
        "output.weight", "output_norm.weight", "token_embd.weight", "attn_k.weight"]
    assert order[3][0] == 0 and order[-1] == (31, "ffn_up.weight")


def test_file_types_run_from_large_to_small():
    names = [entry.name for entry in file_types()]
    sizes = [mib_of(model_of("Llama-3.1-8B"), name) for name in names if name != "MXFP4_MOE"]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(names)) == 33
    at = names.index("MXFP4_MOE")
    around = [mib_of(model_of("Qwen3-30B-A3B"), name) for name in names[at - 1:at + 2]]
    assert around == sorted(around, reverse=True)
    assert all(entry.note.endswith(".") and entry.source for entry in file_types())


@pytest.mark.parametrize(("typed", "meant"), [
    ("Q4_K_M", "Q4_K_M"), ("q4_k_m", "Q4_K_M"), ("Q4 K M", "Q4_K_M"), ("q4-k-m", "Q4_K_M"),
    ("q4km", "Q4_K_M"), ("Q4_K", "Q4_K_M"), ("Q3_K", "Q3_K_M"), ("fp16", "F16"), ("f16", "F16"),
    ("bfloat16", "BF16"), ("iq3 xxs", "IQ3_XXS"), ("mxfp4_moe", "MXFP4_MOE"), ("Q8", "Q8_0"),
    ("Q6", "Q6_K"), ("q5_k", "Q5_K_M"), ("float32", "F32"), ("fp32", "F32"), ("float16", "F16"),
])
def test_names_are_found_as_people_type_them(typed, meant):
    assert load_file_type(typed).name == meant


@pytest.mark.parametrize("name", ["Q4_K_XL", "nf4", ""])
def test_an_unknown_name_lists_the_nearest(name):
    with pytest.raises(UnknownName, match="No file type is called"):
        load_file_type(name)
    with pytest.raises(UnknownName):
        tensor_types(model_of("Llama-3.1-8B"), name)


def test_the_nearest_names_stand_in_the_message():
    with pytest.raises(UnknownName, match="Q4_K_M"):
        load_file_type("Q4_K_N")


@pytest.mark.parametrize("name", [None, 4, ("f16",), []])
def test_a_file_type_is_named_by_text(name):
    with pytest.raises(InvalidInput, match="named by text such as 'Q4_K_M'"):
        load_file_type(name)
    with pytest.raises(InvalidInput, match="named by text such as 'Q4_K_M'"):
        tensor_types(model_of("Llama-3.1-8B"), name)


def test_a_models_name_is_no_model():
    with pytest.raises(InvalidInput, match=r"write load_model\('Llama-3.1-8B'\)"):
        tensor_types("Llama-3.1-8B", "Q4_K_M")
    with pytest.raises(InvalidInput, match="write load_model"):
        tensor_types(None, "Q4_K_M")


@pytest.mark.parametrize("name", ["IQ4_XS imatrix", "i1-IQ4_XS", "iq4 xs (imatrix)", "i1 iq4xs"])
def test_an_importance_matrix_is_named_as_people_name_it(name):
    found = load_file_type(name)
    assert (found.name, found.imatrix) == ("IQ4_XS", True)
    assert not load_file_type("IQ4_XS").imatrix


@pytest.mark.parametrize("name", ["imatrix", "i1", "i1-i1-Q4_0", "Q4_0 imatrix imatrix"])
def test_an_importance_matrix_needs_one_file_type(name):
    with pytest.raises(UnknownName, match="No file type"):
        load_file_type(name)


@pytest.mark.parametrize("name", [file_type.name for file_type in file_types()])
def test_counting_types_is_listing_them(name):
    """The quick way, which sweeps take, and the plain one, on models of every family."""
    chosen = load_file_type(name)
    for model in {model.model_type: model for model in models()}.values():
        listed = Counter((tensor, block) for _, tensor, block in tensor_types(model, chosen))
        counted = Counter()
        for tensor, block, times in type_counts(model, chosen):
            counted[tensor, block] += times
        assert counted == listed, (model.name, name)
