import math
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.memory.settings import CACHE_TYPES

GIB, MIB = 2**30, 2**20

# llama.cpp v0.5.0, load without allocation, its own memory breakdown: model, context, sequences,
# unified, swa_full, types of keys and values, ubatch, KV cache in MiB.
CACHES = [
    ("Llama-3.1-8B", 8192, 1, False, False, "f16", "f16", 512, 1024.0),
    ("Llama-3.3-70B", 131072, 1, False, False, "f16", "f16", 512, 40960.0),
    ("Llama-3.2-1B", 4096, 1, False, False, "f16", "f16", 512, 128.0),
    ("Qwen2.5-0.5B", 2048, 1, False, False, "f16", "f16", 512, 24.0),
    ("Qwen2.5-7B", 32768, 1, False, False, "f16", "f16", 512, 1792.0),
    ("Qwen3-8B", 8192, 1, False, False, "f16", "f16", 512, 1152.0),
    ("Mistral-7B-v0.3", 16384, 1, False, False, "f16", "f16", 512, 2048.0),
    ("Qwen3-30B-A3B", 65536, 1, False, False, "f16", "f16", 512, 6144.0),
    ("Llama-2-7B", 4096, 1, False, False, "f16", "f16", 512, 2048.0),
    ("Llama-2-13B", 8192, 1, False, False, "f16", "f16", 512, 6400.0),
    ("Phi-3-mini-4k", 4096, 1, False, False, "f16", "f16", 512, 1536.0),
    ("Command-R-v01-35B", 8192, 1, False, False, "f16", "f16", 512, 10240.0),
    ("DeepSeek-V2-Lite", 8192, 1, False, False, "f16", "f16", 512, 243.0),
    ("DeepSeek-V2-Lite", 131072, 1, False, False, "f16", "f16", 512, 3888.0),
    ("Gemma-2-9B", 8192, 1, False, False, "f16", "f16", 512, 2100.0),
    ("Gemma-3-4B", 32768, 1, False, False, "f16", "f16", 512, 814.0),
    ("Gemma-3-27B", 131072, 1, False, False, "f16", "f16", 512, 10864.0),
    ("gpt-oss-20b", 8192, 1, False, False, "f16", "f16", 512, 210.0),
    ("gpt-oss-20b", 131072, 1, False, False, "f16", "f16", 512, 3090.0),
    ("Llama-3.1-8B", 8192, 4, False, False, "f16", "f16", 512, 1024.0),
    ("Llama-3.1-8B", 8192, 4, True, False, "f16", "f16", 512, 1024.0),
    ("Gemma-3-27B", 8192, 8, False, False, "f16", "f16", 512, 3968.0),
    ("Gemma-3-27B", 32768, 8, True, False, "f16", "f16", 512, 6096.0),
    ("gpt-oss-20b", 8192, 4, True, False, "f16", "f16", 512, 216.0),
    ("gpt-oss-20b", 8192, 8, False, False, "f16", "f16", 512, 336.0),
    ("Gemma-2-9B", 8192, 2, False, False, "f16", "f16", 512, 2688.0),
    ("DeepSeek-V2-Lite", 8192, 4, False, False, "f16", "f16", 512, 243.0),
    ("Llama-3.1-8B", 8192, 1, False, False, "q8_0", "q8_0", 512, 544.0),
    ("Llama-3.1-8B", 8192, 1, False, False, "q4_0", "q4_0", 512, 288.0),
    ("Qwen3-8B", 8192, 1, False, False, "q8_0", "f16", 512, 882.0),
    ("Gemma-3-27B", 8192, 1, False, False, "q8_0", "q8_0", 512, 671.5),
    ("gpt-oss-20b", 8192, 1, False, False, "q4_0", "q4_0", 512, 59.062),
    ("Phi-3-mini-4k", 8192, 1, False, False, "q8_0", "q8_0", 512, 1632.0),
    ("Gemma-3-27B", 8192, 1, False, True, "f16", "f16", 512, 3968.0),
    ("Gemma-2-9B", 8192, 1, False, True, "f16", "f16", 512, 2688.0),
    ("gpt-oss-20b", 8192, 1, False, True, "f16", "f16", 512, 384.0),
    ("Gemma-3-4B", 8192, 1, False, True, "f16", "f16", 512, 1088.0),
    ("Gemma-3-4B", 8192, 1, False, False, "f16", "f16", 2048, 508.0),
    ("gpt-oss-20b", 8192, 1, False, False, "f16", "f16", 1024, 222.0),
    ("Gemma-3-27B", 8192, 1, False, False, "f16", "f16", 64, 1160.0),
    ("Gemma-2-9B", 8192, 1, False, False, "f16", "f16", 2048, 2352.0),
]

# The same source, one file type: Q4_K_M. Model, context, sequences, unified, types of keys and
# values, ubatch, then weights + KV cache + compute buffer on the device, and weights in RAM, in MiB.
DEVICES = [
    ("Llama-3.1-8B", 8192, 1, False, "f16", "f16", 512, 5535.502, 281.812),
    ("Llama-3.1-8B", 131072, 1, False, "f16", "f16", 512, 21015.502, 281.812),
    ("Llama-3.1-8B", 8192, 1, False, "f16", "f16", 2048, 5859.531, 281.812),
    ("Llama-3.3-70B", 32768, 1, False, "f16", "f16", 512, 50451.495, 563.625),
    ("Llama-3.2-1B", 8192, 1, False, "f16", "f16", 512, 1082.819, 205.488),
    ("Llama-2-7B", 4096, 1, False, "f16", "f16", 512, 5953.44, 70.312),
    ("Llama-2-13B", 8192, 8, True, "f16", "f16", 512, 13921.969, 87.891),
    ("Mistral-7B-v0.3", 32768, 1, False, "f16", "f16", 512, 8325.526, 72.0),
    ("Qwen2.5-0.5B", 8192, 1, False, "f16", "f16", 512, 509.717, 137.942),
    ("Qwen2.5-7B", 131072, 1, False, "f16", "f16", 512, 11589.1, 292.359),
    ("Qwen3-8B", 8192, 4, True, "f16", "f16", 512, 5703.354, 333.844),
    ("Qwen3-30B-A3B", 32768, 1, False, "f16", "f16", 512, 20712.43, 166.922),
    ("Command-R-v01-35B", 8192, 1, False, "f16", "f16", 512, 30963.416, 1640.625),
    ("DeepSeek-V2-Lite", 32768, 1, False, "f16", "f16", 512, 10851.473, 112.5),
    ("Gemma-2-9B", 8192, 1, False, "f16", "f16", 512, 7706.914, 717.773),
    ("Gemma-3-4B", 32768, 1, False, "f16", "f16", 512, 3293.7, 525.0),
    ("Gemma-3-4B", 8192, 1, False, "f16", "f16", 1024, 2936.217, 525.0),
    ("Gemma-3-27B", 131072, 1, False, "f16", "f16", 512, 26930.142, 1102.5),
    ("Gemma-3-27B", 32768, 8, True, "f16", "f16", 512, 22073.142, 1102.5),
    ("gpt-oss-20b", 131072, 1, False, "f16", "f16", 512, 17986.356, 379.709),
    ("gpt-oss-20b", 8192, 4, True, "f16", "f16", 512, 14992.606, 379.709),
    ("Phi-3-mini-4k", 4096, 1, False, "f16", "f16", 512, 3832.205, 52.84),
]

CONFIG = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
          "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256,
          "max_position_embeddings": 8192}
SLIDING = {**CONFIG, "model_type": "gemma3_text", "num_hidden_layers": 6, "head_dim": 16,
           "sliding_window": 512}
LATENT = {**CONFIG, "model_type": "deepseek_v2", "kv_lora_rank": 32, "qk_nope_head_dim": 16,
          "qk_rope_head_dim": 8, "v_head_dim": 16, "n_routed_experts": 4, "num_experts_per_tok": 2,
          "moe_intermediate_size": 32, "first_k_dense_replace": 1}
RECURRENT = {**CONFIG, "model_type": "nemotron_h", "head_dim": 16, "hybrid_override_pattern": "M*M-",
             "mamba_num_heads": 4, "mamba_head_dim": 16, "ssm_state_size": 16, "n_groups": 2}
SMALL = [sizing.read_config(config) for config in (CONFIG, SLIDING, LATENT, RECURRENT)]
LLAMA = sizing.load_model("Llama-3.1-8B")

models = st.sampled_from(SMALL)
weight_types = st.sampled_from(["F16", "Q8_0", "Q4_K_M", "NF4", "MLX 4-bit g64"])
contexts = st.integers(1, 200_000)
caches = st.sampled_from(CACHE_TYPES)
asked = st.fixed_dictionaries({
    "context_tokens": contexts, "kv_cache": st.tuples(caches, caches), "sequences": st.integers(1, 64),
    "unified_kv": st.booleans(), "swa_full": st.booleans(), "ubatch": st.integers(1, 4096)})


@pytest.mark.parametrize("row", CACHES, ids=str)
def test_the_kv_cache_is_the_engines(row):
    name, context, sequences, unified, full, keys, values, ubatch, mib = row
    ours = sizing.kv_cache_bytes(
        sizing.load_model(name), context_tokens=context, sequences=sequences, unified_kv=unified,
        swa_full=full, kv_cache=(keys, values), ubatch=ubatch)
    assert round(ours / MIB, 3) == mib


def test_the_caches_are_of_many_kinds():
    assert len(CACHES) >= 30
    assert {row[2] for row in CACHES} == {1, 2, 4, 8}
    assert {row[5] for row in CACHES} == {"f16", "q8_0", "q4_0"}


@pytest.mark.parametrize("row", DEVICES, ids=str)
def test_what_lies_on_the_device_is_near_the_engines_total(row):
    name, context, sequences, unified, keys, values, ubatch, device_mib, host_mib = row
    given = {"weights": "Q4_K_M", "context_tokens": context, "sequences": sequences,
             "unified_kv": unified, "kv_cache": (keys, values), "ubatch": ubatch}
    budget = sizing.vram_budget(sizing.load_model(name), **given)
    ours = budget.total_bytes - budget["runtime"].bytes
    assert ours / MIB == pytest.approx(device_mib, rel=0.015)
    host = sizing.host_budget(sizing.load_model(name), **given)
    assert host["weights"].bytes / MIB == pytest.approx(host_mib, abs=0.001)


def test_a_cache_by_hand():
    """Llama-3.1-8B: 32 layers, 8 heads of 128 for keys and values, 2 bytes each."""
    per_token = 32 * 2 * 8 * 128 * 2
    assert sizing.kv_cache_bytes(LLAMA, context_tokens=8192) == 8192 * per_token
    assert sizing.kv_cache_bytes(LLAMA, context_tokens=5000) == 5120 * per_token
    assert sizing.kv_cache_bytes(LLAMA, context_tokens=1) == 256 * per_token
    q8_0 = 8192 * per_token * 17 // 32
    assert sizing.kv_cache_bytes(LLAMA, context_tokens=8192, kv_cache="q8_0") == q8_0
    mixed = sizing.kv_cache_bytes(LLAMA, context_tokens=8192, kv_cache=("q8_0", "f16"))
    assert mixed == (q8_0 + 8192 * per_token) // 2


def test_keys_and_values_have_types_of_their_own():
    """MLA keeps 512 + 64 numbers as keys in each of 27 layers, and no values of its own."""
    mla = sizing.load_model("DeepSeek-V2-Lite")
    cells = 8192 * 27
    assert sizing.kv_cache_bytes(mla, kv_cache=("q8_0", "f16")) == cells * 576 * 34 // 32
    assert sizing.kv_cache_bytes(mla, kv_cache=("f16", "q8_0")) == cells * 576 * 2
    assert sizing.kv_cache_bytes(LLAMA, kv_cache=("q8_0", "f16")) == 8192 * 32 * 1024 * (34 + 64) // 32


@pytest.mark.parametrize(
    ("context", "sequences", "cells"),
    [(513, 2, 2 * 512), (512, 2, 2 * 256), (256, 200, 200 * 256), (8192, 3, 3 * 2816)],
)
def test_each_cache_of_several_is_rounded_up(context, sequences, cells):
    """llama.cpp rounds the whole context first, then each part of it."""
    made = sizing.kv_cache_bytes(LLAMA, context_tokens=context, sequences=sequences, unified_kv=False)
    assert made == cells * 32 * 2 * 1024 * 2


def test_a_model_that_keeps_nothing_is_refused():
    forgetful = sizing.read_config({
        "model_type": "nemotron_h", "hidden_size": 64, "intermediate_size": 96,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
        "vocab_size": 256, "hybrid_override_pattern": "--", "mamba_num_heads": 4,
        "mamba_head_dim": 16, "ssm_state_size": 16})
    with pytest.raises(sizing.InvalidInput, match="no layer that keeps anything"):
        sizing.kv_cache_bytes(forgetful)


def test_a_state_does_not_grow_with_the_context():
    """Two of four layers are Mamba-2: 64 channels · 16 states and 3 · 128 of the convolution, F32."""
    state = 2 * (64 * 16 + 3 * (64 + 2 * 2 * 16)) * 4
    cache = 2 * 2 * 16 * 2 * 256
    assert sizing.kv_cache_bytes(SMALL[3], context_tokens=256) == state + cache
    assert sizing.kv_cache_bytes(SMALL[3], context_tokens=512) == state + 2 * cache
    assert sizing.kv_cache_bytes(SMALL[3], context_tokens=256, sequences=3) == 3 * state + cache


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Qwen2.5-7B", "Gemma-3-4B", "gpt-oss-20b", "Mixtral-8x7B"])
def test_weights_in_sixteen_bits_are_two_bytes_each(name):
    """F16 and BF16 files keep vectors, biases and routers in 32 bits."""
    model = sizing.load_model(name)
    wide = sum(tensor.count for _, tensor in model.tensors()
               if not tensor.is_matrix or tensor.role == "router" or tensor.name.endswith(".bias"))
    for weights in ("F16", "BF16"):
        assert 0 <= sizing.weight_bytes(model, weights) - 2 * model.parameters <= 2 * wide


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Qwen2.5-7B", "Qwen3-8B", "Llama-2-7B"])
def test_weights_in_q8_0_are_eight_and_a_half_bits_each(name):
    model = sizing.load_model(name)
    vectors = sum(tensor.count for _, tensor in model.tensors() if not tensor.is_matrix)
    expected = (model.parameters - vectors) * 34 // 32 + 4 * vectors
    assert sizing.weight_bytes(model, "Q8_0") == expected


def test_nf4_leaves_embedding_and_output_in_sixteen_bits():
    model = sizing.load_model("Qwen3-8B")
    outside = 2 * model.embedding.count
    norms = model.parameters_by_role["norm"]
    inside = model.parameters - outside - norms
    made = sizing.weight_bytes(model, "NF4")
    assert made == inside * 9 // 16 + 2 * (outside + norms)
    assert 8 * made / model.parameters == pytest.approx(6.25, abs=0.005)
    assert sizing.weight_bytes(model, "MLX 4-bit g64") == (inside + outside) * 9 // 16 + 2 * norms


def test_a_vision_tower_is_a_term_of_its_own():
    model = sizing.load_model("Gemma-3-4B")
    plain = sizing.vram_budget(model, weights="Q4_K_M")
    seeing = sizing.vram_budget(model, weights="Q4_K_M", vision=True)
    assert seeing["vision tower"].bytes == 2 * model.vision_parameters
    assert seeing.total_bytes - plain.total_bytes == 2 * model.vision_parameters
    with pytest.raises(sizing.InvalidInput, match="vision tower of Llama-3.1-8B is not known"):
        sizing.vram_budget(LLAMA, weights="Q4_K_M", vision=True)


@pytest.mark.parametrize("typed", ["", "Q4_K_Q", "Q9_0", "int3"])
def test_weights_of_an_unknown_type(typed):
    for ask in (sizing.weight_bytes, lambda m, w: sizing.vram_budget(m, weights=w),
                lambda m, w: sizing.host_budget(m, weights=w)):
        with pytest.raises(sizing.UnknownName, match="No file type or format is called"):
            ask(LLAMA, typed)


def test_a_budget_shows_its_parts():
    budget = sizing.vram_budget(LLAMA, weights="Q4_K_M", context_tokens=8192)
    assert [term.name for term in budget.terms] == ["weights", "KV cache", "compute buffer", "runtime"]
    assert budget["KV cache"].bytes == GIB
    assert budget["runtime"].low < budget["runtime"].usual < budget["runtime"].high
    assert budget.note == ""
    assert budget.title == "Llama-3.1-8B at Q4_K_M, 8,192 tokens of context"


def test_a_context_beyond_the_models_own_is_named():
    small = sizing.load_model("Llama-2-7B")
    assert "was made for 4,096 tokens" in sizing.vram_budget(small, weights="F16", context_tokens=4097).note
    assert sizing.vram_budget(small, weights="F16", context_tokens=4096).note == ""
    nameless = sizing.read_config({"model_type": "llama", "hidden_size": 64, "vocab_size": 256,
                                   "intermediate_size": 96, "num_hidden_layers": 2,
                                   "num_attention_heads": 4})
    assert sizing.vram_budget(nameless, weights="F16", context_tokens=10**6).note == ""


def test_the_longest_context_stops_where_the_model_does():
    """In whole steps of 256 tokens, unless the model's own context lies between two."""
    config = {"model_type": "llama", "hidden_size": 64, "vocab_size": 256, "intermediate_size": 96,
              "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 1000}
    card = sizing.load_device("RTX 4090")
    assert sizing.longest_context(sizing.read_config(config), card, weights="F16") == 768


def test_what_stays_in_ram():
    """The embedding in its own type, and F32 logits; a tied one lies on the device as well."""
    host = sizing.host_budget(LLAMA, weights="Q8_0", sequences=3)
    assert host["weights"].bytes == 128_256 * 4096 * 34 // 32
    assert host["output buffer"].bytes == 3 * 128_256 * 4
    assert host["compute buffer"].bytes > 2 * 512 * 4096 * 4 + 512 * 8192 * 2  # tokens twice, a mask
    kept = host["prompt cache"]
    assert (kept.low, kept.usual, kept.high) == (0, 0, 8 * GIB)
    assert host.total_bytes == sum(host[name].bytes for name in ("weights", "compute buffer", "output buffer"))
    without = sizing.host_budget(LLAMA, weights="Q8_0", cache_ram_mib=0)
    assert "prompt cache" not in [term.name for term in without.terms]
    tied = sizing.load_model("Llama-3.2-1B")
    on_device = sizing.vram_budget(tied, weights="Q8_0")["weights"].bytes
    assert on_device == sizing.weight_bytes(tied, "Q8_0")
    assert sizing.host_budget(tied, weights="Q8_0")["weights"].bytes == tied.embedding.count * 34 // 32


def test_weights_on_the_device_and_in_ram_make_the_file():
    for name in ("Llama-3.1-8B", "Qwen3-30B-A3B", "gpt-oss-20b"):
        model = sizing.load_model(name)
        for weights in ("F16", "Q4_K_M", "NF4"):
            both = (sizing.vram_budget(model, weights=weights)["weights"].bytes
                    + sizing.host_budget(model, weights=weights)["weights"].bytes)
            assert both == sizing.weight_bytes(model, weights)


@pytest.mark.parametrize(
    ("device", "weights", "context", "verdict"),
    [("RTX 4090", "Q4_K_M", 8192, "fits"), ("RTX 4090", "F16", 8192, "fits"),
     ("RTX 3060 12 GB", "F16", 8192, "does not fit"), ("RTX 3060 12 GB", "Q8_0", 32_768, "tight"),
     ("RTX 4090", "Q4_K_M", 1_000_000, "does not fit"), ("GTX 1060 6 GB", "Q8_0", 2048, "does not fit")],
)
def test_a_verdict_is_what_headroom_says(device, weights, context, verdict):
    budget = sizing.vram_budget(LLAMA, weights=weights, context_tokens=context)
    left = sizing.headroom(budget, sizing.load_device(device))
    assert left.verdict == verdict
    assert left.low <= left.usual <= left.high and left.bytes == (left.low, left.usual, left.high)


@pytest.mark.parametrize(("low", "high", "verdict"), [(0, 5, "fits"), (-1, 0, "tight"), (-5, -1, "does not fit")])
def test_an_exact_fit_fits(low, high, verdict):
    assert sizing.Headroom(low, low, high).verdict == verdict


@pytest.mark.parametrize(
    ("device", "counts"),
    [("DDR4-3200, 2 channels, 16 GB", True), ("DGX Spark (GB10)", True), ("RTX 4090", False),
     ("Apple M1 16 GB", False)],
)
def test_what_stays_in_ram_counts_where_the_devices_memory_is_the_ram(device, counts):
    model, device = sizing.load_model("Gemma-4-E4B"), sizing.load_device(device)
    budget, host = sizing.vram_budget(model, weights="BF16"), sizing.host_budget(model, weights="BF16")
    alone, both = sizing.headroom(budget, device), sizing.headroom(budget, device, host=host)
    taken = host.total if counts else sizing.sum_of("none", sizing.product("nothing", sizing.Factor(0, "bytes")))
    for name, part in (("usual", taken.usual), ("low", taken.high), ("high", taken.low)):
        assert getattr(alone, name) - getattr(both, name) == pytest.approx(float(part), abs=1)


def test_an_embedding_in_ram_leaves_less_context_there():
    """Gemma-4-E4B in 16 bits: 6.5 GiB of tables beside 8.4 GiB of weights."""
    model, ram = sizing.load_model("Gemma-4-E4B"), sizing.load_device("DDR4-3200, 2 channels, 16 GB")
    assert sizing.longest_context(model, ram, weights="BF16") == 0
    assert sizing.headroom(sizing.vram_budget(model, weights="BF16"), ram).verdict == "fits"


def test_headroom_is_what_a_device_shows_less_the_budget():
    budget = sizing.vram_budget(LLAMA, weights="Q4_K_M")
    device = sizing.load_device("RTX 4090")
    left = sizing.headroom(budget, device)
    least, most = device.visible_range
    assert left.bytes == (int(least - budget.total.high), int(least - budget.total.usual),
                          int(most - budget.total.low))
    with pytest.raises(sizing.InvalidInput, match="counts parameters; headroom needs bytes"):
        sizing.headroom(LLAMA.parameter_breakdown(), device)


@pytest.mark.parametrize(
    ("model", "device", "settings"),
    [("Llama-3.1-8B", "RTX 3060 12 GB", {"weights": "Q8_0"}),
     ("Llama-3.1-8B", "RTX 3060 12 GB", {"weights": "Q8_0", "kv_cache": "q8_0"}),
     ("Llama-3.1-8B", "RTX 4090", {"weights": "F16"}),
     ("Llama-3.1-8B", "RTX 4090", {"weights": "Q4_K_M"}),
     ("Gemma-3-27B", "RTX 4090", {"weights": "Q4_K_M"}),
     ("gpt-oss-20b", "RTX 3060 12 GB", {"weights": "Q4_K_M"}),
     ("Qwen3-30B-A3B", "RTX 4090", {"weights": "Q4_K_M", "sequences": 4, "unified_kv": False}),
     ("Llama-2-7B", "L4", {"weights": "Q4_0"})],
)
def test_the_longest_context_fits_and_the_next_does_not(model, device, settings):
    model, device = sizing.load_model(model), sizing.load_device(device)
    longest = sizing.longest_context(model, device, **settings)

    def verdict(tokens):
        budget = sizing.vram_budget(model, context_tokens=tokens, **settings)
        return sizing.headroom(budget, device).verdict

    assert longest % 256 == 0 and 0 <= longest <= model.max_position_embeddings
    assert longest == 0 or verdict(longest) == "fits"
    assert longest + 256 > model.max_position_embeddings or verdict(longest + 256) != "fits"


def test_no_context_fits_where_the_weights_do_not():
    big, small = sizing.load_model("Llama-3.3-70B"), sizing.load_device("RTX 3060 12 GB")
    assert sizing.longest_context(big, small, weights="Q4_K_M") == 0
    with pytest.raises(sizing.InvalidInput, match="leave it out"):
        sizing.longest_context(big, small, weights="Q4_K_M", context_tokens=8192)


WRONG = [
    ({"context_tokens": 0}, "context_tokens must be from 1 to 100,000,000, but is 0"),
    ({"context_tokens": -5}, "context_tokens must be"), ({"context_tokens": 10**9}, "context_tokens must be"),
    ({"context_tokens": 1.5}, "context_tokens must be a whole number, not 1.5"),
    ({"context_tokens": float("nan")}, "context_tokens must be a finite number"),
    ({"context_tokens": float("inf")}, "context_tokens must be a finite number"),
    ({"context_tokens": "8k"}, "context_tokens must be a finite number, not '8k'"),
    ({"context_tokens": None}, "context_tokens must be"), ({"context_tokens": True}, "context_tokens must be"),
    ({"sequences": 0}, "sequences must be"), ({"sequences": 2.5}, "sequences must be a whole number"),
    ({"sequences": 10**6}, "sequences must be"), ({"ubatch": 0}, "ubatch must be"),
    ({"ubatch": -512}, "ubatch must be"), ({"ubatch": 10**9}, "ubatch must be"),
    ({"unified_kv": 1}, "unified_kv must be True or False, not 1"),
    ({"swa_full": "no"}, "swa_full must be True or False, not 'no'"),
    ({"kv_cache": 8}, "kv_cache must be a type or a pair of types, not 8"),
    ({"kv_cache": ("f16",)}, "kv_cache must be a type or a pair"), ({"kv_cache": None}, "kv_cache must be"),
    ({"kv_cache": ("f16", "f16", "f16")}, "kv_cache must be a type or a pair"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=str)
def test_a_setting_that_makes_no_sense(settings, message):
    for ask in (sizing.vram_budget, sizing.host_budget):
        with pytest.raises(sizing.InvalidInput, match=message):
            ask(LLAMA, weights="Q4_K_M", **settings)
    with pytest.raises(sizing.InvalidInput, match=message):
        sizing.kv_cache_bytes(LLAMA, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"kv_cache": "q8"}, "No type of a KV cache is called 'q8'. Nearest: q8_0"),
     ({"kv_cache": ("f16", "Q6_K")}, "No type of a KV cache is called 'q6_k'. "),
     ({"engine": "exllama"}, "No engine is called 'exllama'"), ({"engine": None}, "No engine is called None"),
     ({"context": 8192}, "No setting is called 'context'. Nearest: context_tokens"),
     ({"kvcache": "f16"}, "No setting is called 'kvcache'. Nearest: kv_cache"),
     ({"batch": 512}, "No setting is called 'batch'. Nearest: .*ubatch")],
)
def test_a_setting_that_is_not_known(settings, message):
    for ask in (sizing.vram_budget, sizing.host_budget):
        with pytest.raises(sizing.UnknownName, match=message):
            ask(LLAMA, weights="Q4_K_M", **settings)


def test_settings_are_read_as_people_type_them():
    usual = sizing.vram_budget(LLAMA, weights="Q4_K_M", context_tokens=8192, kv_cache="q8_0").total_bytes
    for context, cache in ((8192.0, "Q8_0"), (8192, ["q8_0", "Q8_0"])):
        assert sizing.vram_budget(LLAMA, weights="q4_k_m", context_tokens=context,
                                  kv_cache=cache).total_bytes == usual


@given(models, weight_types, asked)
def test_a_budget_is_the_sum_of_its_terms_and_nothing_is_negative(model, weights, settings):
    budget = sizing.vram_budget(model, weights=weights, **settings)
    assert budget.total.usual == sum(term.usual for term in budget.terms)
    assert budget.total_bytes == math.ceil(budget.total.usual) and isinstance(budget.total_bytes, int)
    for term in budget.terms:
        assert 0 < term.low <= term.usual <= term.high and isinstance(term.bytes, int)
    host = sizing.host_budget(model, weights=weights, **settings)
    assert host.total.usual == sum(term.usual for term in host.terms)
    assert host["output buffer"].usual > 0 <= host["weights"].usual  # none in RAM at NF4
    assert sizing.kv_cache_bytes(model, **settings) == budget["KV cache"].bytes


@given(models, asked, contexts)
def test_bytes_grow_with_the_context(model, settings, more):
    longer = {**settings, "context_tokens": settings["context_tokens"] + more}
    for part in ("KV cache", "compute buffer"):
        assert (sizing.vram_budget(model, weights="F16", **settings)[part].usual
                <= sizing.vram_budget(model, weights="F16", **longer)[part].usual)


@given(models, asked, caches)
def test_bytes_grow_with_the_bits_of_the_cache(model, settings, other):
    bits = {kind: sizing.load_format(kind).bits_per_weight for kind in CACHE_TYPES}
    few, many = sorted((settings["kv_cache"][0], other), key=bits.get)
    values = settings["kv_cache"][1]
    assert (sizing.kv_cache_bytes(model, **{**settings, "kv_cache": (few, values)})
            <= sizing.kv_cache_bytes(model, **{**settings, "kv_cache": (many, values)}))


@given(models, asked)
def test_bytes_grow_with_conversations_that_have_their_own_cache(model, settings):
    """Each gets its part of the context, rounded up."""
    alone = {**settings, "unified_kv": False, "sequences": 1}
    shared = {**settings, "unified_kv": False}
    assert sizing.kv_cache_bytes(model, **alone) <= sizing.kv_cache_bytes(model, **shared)


@given(models, asked, st.integers(1, 4096))
def test_bytes_grow_with_the_tokens_computed_at_a_time(model, settings, more):
    larger = {**settings, "ubatch": settings["ubatch"] + more}
    assert (sizing.vram_budget(model, weights="F16", **settings).total.usual
            <= sizing.vram_budget(model, weights="F16", **larger).total.usual)


@given(asked, st.integers(1, 12), st.sampled_from([CONFIG, SLIDING, LATENT]))
def test_bytes_grow_with_layers(settings, layers, config):
    fewer = sizing.read_config({**config, "num_hidden_layers": layers})
    more = sizing.read_config({**config, "num_hidden_layers": layers + 1})
    assert sizing.kv_cache_bytes(fewer, **settings) < sizing.kv_cache_bytes(more, **settings)
    assert (sizing.vram_budget(fewer, weights="Q8_0", **settings).total.usual
            < sizing.vram_budget(more, weights="Q8_0", **settings).total.usual)
    assert sizing.weight_bytes(fewer, "Q8_0") < sizing.weight_bytes(more, "Q8_0")


anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
                     st.lists(st.text(max_size=4), max_size=3), st.binary(max_size=3),
                     st.dictionaries(st.text(max_size=3), st.integers(), max_size=2))


@given(st.dictionaries(st.sampled_from(["context_tokens", "kv_cache", "sequences", "unified_kv", "swa_full",
                                        "ubatch", "engine", "context"]), anything, max_size=4),
       st.one_of(st.text(), st.none(), st.integers(), st.floats()))
def test_nothing_but_the_two_exceptions_is_raised(settings, weights):
    for ask in (sizing.vram_budget, sizing.host_budget):
        for kind in (weights, "Q8_0"):
            try:
                assert ask(SMALL[0], weights=kind, **settings).total_bytes > 0
            except (sizing.InvalidInput, sizing.UnknownName):
                pass


@settings(max_examples=20)
@given(st.sampled_from(sizing.models()), st.sampled_from(sizing.devices()))
def test_every_model_has_a_budget_and_every_device_a_verdict(model, device):
    budget = sizing.vram_budget(model, weights="Q4_K_M")
    left = sizing.headroom(budget, device)
    assert left.low <= left.usual <= left.high
    assert left.verdict in ("fits", "tight", "does not fit")
    longest = sizing.longest_context(model, device, weights="Q4_K_M")
    assert (longest >= 8192) == (left.verdict == "fits") or model.max_position_embeddings < 8192


@pytest.mark.parametrize("ask", [
    partial(sizing.vram_budget, weights="Q4_K_M"), partial(sizing.host_budget, weights="Q4_K_M"),
    partial(sizing.weight_bytes, weights="Q4_K_M"), sizing.kv_cache_bytes,
    partial(sizing.longest_context, device=sizing.load_device("L4"), weights="Q4_K_M")],
    ids=["vram", "host", "weights", "cache", "longest"])
@pytest.mark.parametrize(("given", "hint"), [
    ("Llama-3.1-8B", "the str 'Llama-3.1-8B': write load_model\\('Llama-3.1-8B'\\)"),
    (None, "not None: write load_model"), (sizing.load_device("L4"), "not the Device .*: write load_model")],
    ids=["name", "none", "device"])
def test_a_name_is_no_model(ask, given, hint):
    with pytest.raises(sizing.InvalidInput, match=f"model must be a Model, .*{hint}"):
        ask(given)


def test_headroom_says_what_it_needs():
    budget, device = sizing.vram_budget(LLAMA, weights="Q4_K_M"), sizing.load_device("L4")
    with pytest.raises(sizing.InvalidInput, match="budget must be a Breakdown, .*: vram_budget makes one"):
        sizing.headroom(device, budget)
    with pytest.raises(sizing.InvalidInput, match="device must be a Device, .*: write load_device"):
        sizing.headroom(budget, "L4")


def test_one_model_beside_needs_no_list():
    model, other = sizing.load_model("Llama-3.1-8B"), sizing.vram_budget(
        sizing.load_model("Qwen3-0.6B"), weights="Q8_0")
    one, listed = (sizing.vram_budget(model, weights="Q4_K_M", beside=beside)
                   for beside in (other, [other]))
    assert one == listed


@pytest.mark.parametrize("beside", [1, None, sizing.load_model("Qwen3-0.6B")])
def test_what_lies_beside_is_a_budget(beside):
    with pytest.raises(sizing.InvalidInput, match="beside must be a list of budgets"):
        sizing.vram_budget(sizing.load_model("Llama-3.1-8B"), weights="Q4_K_M", beside=beside)
