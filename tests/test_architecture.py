import dataclasses
import json
import pickle
import time
from collections import Counter
from pathlib import Path

import gguf
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.architecture import FAMILIES, Attention, Experts, LatentAttention, Layer, Tensor
from llmsizing.architecture.config import SYNONYMS
from llmsizing.architecture.families import Family
from llmsizing.architecture.read import TEXT_TYPES
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.catalog.model_table import model_rows

HERE = Path(__file__).parent

# transformers 5.23 classes on the meta device; for the models from Llama-2-7B to OLMo-2-7B the
# last column, the total, also stands in litgpt 0.5.9. The columns are Model's roles:
# embedding, output, attention, feed-forward, experts, router, shared expert, norm, total.
COUNTS = """
Llama-2-7B 131072000 131072000 2147483648 4328521728 0 0 0 266240 6738415616
Llama-2-13B 163840000 163840000 4194304000 8493465600 0 0 0 414720 13015864320
Llama-2-70B 262144000 262144000 12079595520 56371445760 0 0 0 1318912 68976648192
Llama-3.1-8B 525336576 525336576 1342177280 5637144576 0 0 0 266240 8030261248
Llama-3.3-70B 1050673152 1050673152 12079595520 56371445760 0 0 0 1318912 70553706496
Llama-3.1-405B 2101346304 2101346304 71873593344 329772957696 0 0 0 4145152 405853388800
Llama-3.2-1B 262668288 0 167772160 805306368 0 0 0 67584 1235814400
Llama-3.2-3B 394002432 0 704643072 2113929216 0 0 0 175104 3212749824
CodeLlama-34B 262144000 262144000 7247757312 25971130368 0 0 0 794624 33743970304
TinyLlama-1.1B 65536000 65536000 207618048 761266176 0 0 0 92160 1100048384
SmolLM2-135M 28311552 0 26542080 79626240 0 0 0 35136 134515008
SmolLM2-1.7B 100663296 0 402653184 1207959552 0 0 0 100352 1711376384
Falcon3-7B 402653184 402653184 704643072 5945425920 0 0 0 175104 7455550464
Mistral-7B-v0.3 134217728 134217728 1342177280 5637144576 0 0 0 266240 7248023552
Mistral-Large-2411 402653184 402653184 28789702656 93012885504 0 0 0 2174976 122610069504
Mixtral-8x7B 131072000 131072000 1342177280 0 45097156608 1048576 0 266240 46702792704
Mixtral-8x22B 201326592 201326592 4932501504 0 135291469824 2752512 0 694272 140630071296
Qwen2.5-0.5B 136134656 0 44067840 313786368 0 0 0 43904 494032768
Qwen2.5-1.5B 233373696 0 154198016 1156055040 0 0 0 87552 1543714304
Qwen2.5-3B 311164928 0 339830784 2434793472 0 0 0 149504 3085938688
Qwen2.5-7B 544997376 544997376 822212608 5703204864 0 0 0 204288 7615616512
Qwen2.5-14B 778567680 778567680 3020242944 10192158720 0 0 0 496640 14770033664
Qwen2.5-32B 778567680 778567680 4026990592 27179089920 0 0 0 660480 32763876352
Qwen2.5-72B 1245708288 1245708288 12080414720 58133053440 0 0 0 1318912 72706203648
Qwen3-0.6B 155582464 0 176160768 264241152 0 0 0 65536 596049920
Qwen3-1.7B 311164928 0 352321536 1056964608 0 0 0 123904 1720574976
Qwen3-4B 388956160 0 943718400 2689597440 0 0 0 196096 4022468096
Qwen3-8B 622329856 622329856 1509949440 5435817984 0 0 0 308224 8190735360
Qwen3-14B 777912320 777912320 2516582400 10695475200 0 0 0 424960 14768307200
Qwen3-32B 777912320 777912320 6039797760 25165824000 0 0 0 676864 32762123264
Gemma-2-2B 589824000 0 368050176 1656225792 0 0 0 241920 2614341888
Gemma-2-9B 917504000 0 1849688064 6473908224 0 0 0 605696 9241705984
Gemma-2-27B 1179648000 0 2604662784 23441965056 0 0 0 852480 27227128320
Gemma-3-1B 301989888 0 76677120 621084672 0 0 0 134272 999885952
Gemma-3-4B 671088640 0 534773760 2673868800 0 0 0 368128 3880099328
Gemma-3-12B 1006632960 0 2264924160 8493465600 0 0 0 765696 11765788416
Gemma-3-27B 1409286144 0 4095737856 21502623744 0 0 0 1354496 27009002240
Phi-3-mini-4k 98500608 98500608 1207959552 2415919104 0 0 0 199680 3821079552
Phi-4 513802240 513802240 2621440000 11010048000 0 0 0 414720 14659507200
Phi-4-mini 614596608 0 805306368 2415919104 0 0 0 199680 3836021760
OLMo-2-7B 411041792 411041792 2147483648 4328521728 0 0 0 528384 7298617344
gpt-oss-120b 579133440 579133440 955805184 0 114701598720 13275648 0 210240 116829156672
gpt-oss-20b 579133440 579133440 637203456 0 19116933120 2212608 0 141120 20914757184
Qwen3-30B-A3B 311164928 311164928 905969664 0 28991029248 12582912 0 210944 30532122624
DeepSeek-V3-0324 926679040 926679040 11413422080 1189085184 653908770816 106430464 2554331136 1006592 671026404352
DeepSeek-V2-Lite 209715200 209715200 371589120 67239936 14394851328 3407872 449839104 126464 15706484224
GLM-4-9B-0414 620756992 620756992 1426247680 6731857920 0 0 0 659456 9400279040
Command-R-v01-35B 2097152000 0 10737418240 22145925120 0 0 0 335872 34980831232
Mistral-Small-24B-2501 671088640 671088640 2097152000 20132659200 0 0 0 414720 23572403200
Llama-4-Scout 1034485760 1034485760 3019898880 0 96636764160 3932160 6039797760 496640 107769861120
"""
COLUMNS = ("embedding", "output", "attention", "feed-forward", "experts", "router", "shared expert",
           "norm")
COUNTED = [(line.split()[0], *map(int, line.split()[1:])) for line in COUNTS.split("\n") if line]

# Random configs of 2 to 13 layers with what transformers 5.23.0 counts for them on the meta device.
WITNESS = json.loads((HERE / "architecture_counts.json").read_text(encoding="utf-8"))

LLAMA = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256,
         "max_position_embeddings": 2048}
MIXTRAL = {**LLAMA, "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}
NEMOTRON = {**LLAMA, "model_type": "nemotron_h", "hybrid_override_pattern": "M*",
            "mamba_num_heads": 4, "mamba_head_dim": 16, "ssm_state_size": 16}
GEMMA = {**LLAMA, "model_type": "gemma3_text", "head_dim": 16}
DEEPSEEK = {**LLAMA, "model_type": "deepseek_v3", "num_hidden_layers": 3, "kv_lora_rank": 32,
            "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16, "moe_intermediate_size": 32,
            "num_experts": 8, "num_experts_per_tok": 2, "n_shared_experts": 2, "first_k_dense_replace": 0}


# Such configs with one key left out, and what 5.23.0 then counts and which windows it takes.
DEFAULTS = json.loads((HERE / "architecture_defaults.json").read_text(encoding="utf-8"))


def of(config, **changes):
    return sizing.read_config({**config, **changes})


def written(folder, text):
    file = folder / "config.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row[0])
def test_every_tensor_is_counted(row):
    name, *roles, total = row
    model = sizing.load_model(name)
    assert model.parameters == total
    assert tuple(model.parameters_by_role[role] for role in COLUMNS) == tuple(roles)


def test_fifty_models_are_counted():
    assert len({name for name, *_ in COUNTED}) == 50


@pytest.mark.parametrize("kind", sorted({row["config"]["model_type"] for row in WITNESS}))
def test_counts_are_those_of_the_families_own_class(kind):
    rows = [row for row in WITNESS if row["config"]["model_type"] == kind]
    assert [sizing.read_config(row["config"]).parameters for row in rows] == [row["total"] for row in rows]


@pytest.mark.parametrize("kind", sorted({row["config"]["model_type"] for row in DEFAULTS}))
def test_what_is_left_out_is_what_the_families_own_class_takes(kind):
    for row in DEFAULTS:
        if row["config"]["model_type"] == kind:
            model = sizing.read_config(row["config"])
            assert model.parameters == row["total"], row["without"]
            windows = [layer.attention and layer.attention.window for layer in model.layers]
            assert windows == row.get("windows", windows), row["without"]


#: Names of gguf-py's tables, and three that they lack: Apertus' activation, a router's scale.
GGUF_NAMES = {name.removeprefix("blk.{bid}.") for name in gguf.TENSOR_NAMES.values()} | {
    "xielu.alpha_p", "xielu.alpha_n", "ffn_gate_inp.scale"}


@pytest.mark.parametrize("kind", sorted(FAMILIES))
def test_tensors_are_called_as_gguf_calls_them(kind):
    models = [model for model in sizing.models() if model.model_type == kind]
    models += [sizing.read_config(row["config"]) for row in WITNESS if row["config"]["model_type"] == kind]
    names = {tensor.name for model in models for tensor, _ in model.tensor_counts}
    assert len(names) > 8
    assert {name for name in names if name not in GGUF_NAMES
            and name.removesuffix(".weight").removesuffix(".bias") not in GGUF_NAMES} == set()


def test_where_a_pattern_counts_and_where_a_list_does():
    """transformers==5.23.0: Ernie's last sparse layer, Qwen's windows, Kimi's and PLaMo's kinds."""
    ernie = {**LLAMA, "model_type": "ernie4_5_moe", "num_hidden_layers": 4, "moe_num_experts": 8, "moe_k": 2,
             "moe_intermediate_size": 32, "moe_layer_start_index": 1, "moe_layer_interval": 1}
    def sparse(**more):
        return [any(isinstance(part, Experts) for part in layer.parts) for layer in of(ernie, **more).layers]
    assert sparse() == sparse(moe_layer_end_index=-1) == sparse(moe_layer_end_index=3) == [False] + [True] * 3
    assert sparse(moe_layer_end_index=1) == [False, True, False, False]
    qwen = {**LLAMA, "model_type": "qwen2", "sliding_window": 64, "num_hidden_layers": 3, "max_window_layers": 1}
    def windows(**more):
        return [layer.attention.window for layer in of(qwen, **more).layers]
    assert windows() == windows(use_sliding_window=False) == [None] * 3
    assert windows(use_sliding_window=True) == [None, 64, 64]
    kimi = {**DEEPSEEK, "model_type": "kimi_linear", "num_hidden_layers": 2, "linear_attn_config": {
        "num_heads": 4, "head_dim": 16, "short_conv_kernel_size": 4, "full_attn_layers": [2]}}
    def full(**more):
        return [layer.attention is not None for layer in of(kimi, **more).layers]
    assert full() == [False, True]
    assert full(layer_types=["full_attention", "linear_attention"]) == [True, False]
    cohere = {**LLAMA, "model_type": "cohere2", "num_hidden_layers": 4, "sliding_window": 64}
    assert [layer.attention.window for layer in of(cohere).layers] == [64, 64, 64, None]
    assert [layer.attention.window for layer in of(cohere, sliding_window_pattern=2).layers] == [64, None] * 2
    plamo = sizing.load_model("PLaMo-2-1B")
    assert [layer.attention is not None for layer in plamo.layers] == [False, True] * 8


def test_without_tables_for_each_layer_there_are_none():
    small = {**LLAMA, "model_type": "gemma4_text", "head_dim": 16, "vocab_size_per_layer_input": 256}
    with_tables, without, none = (of(small, hidden_size_per_layer_input=size) for size in (8, 0, None))
    assert without == none
    for name in ("per_layer_token_embd.weight", "inp_gate.weight", "proj.weight"):
        assert name in {tensor.name for tensor, _ in with_tables.tensor_counts}
        assert name not in {tensor.name for tensor, _ in none.tensor_counts}


def test_layers_that_read_anothers_keys_store_none():
    """Gemma-3n-E2B: 30 layers, the last 10 have none of their own."""
    kept = [(layer.attention.keys_per_token, layer.attention.values_per_token)
            for layer in sizing.load_model("Gemma-3n-E2B").layers]
    assert kept == [(2 * 256, 2 * 256)] * 20 + [(0, 0)] * 10


def test_falcons_mixer_is_twice_as_wide_as_the_model_if_nothing_else_is_said():
    falcon = {**LLAMA, "model_type": "falcon_h1", "mamba_n_heads": 4, "mamba_d_state": 16, "mamba_d_conv": 4}
    (mixer,) = {part for layer in of(falcon, mamba_d_ssm=None).layers for part in layer.parts
                if isinstance(part, Mamba2)}
    assert mixer.num_heads * mixer.head_dim == 2 * 64
    (mixer,) = {part for layer in of(falcon).layers for part in layer.parts if isinstance(part, Mamba2)}
    assert mixer.num_heads * mixer.head_dim == 1024  # FalconH1Config


@pytest.mark.parametrize(("method", "corrected"), [("greedy", False), ("group_limited_greedy", False),
                                                   ("noaux_tc", True)])
def test_deepseeks_router_is_corrected_where_nothing_else_balances_it(method, corrected):
    names = {tensor.name for tensor, _ in of(DEEPSEEK, topk_method=method).tensor_counts}
    assert ("exp_probs_b.bias" in names) == corrected


def test_mimos_sliding_layers_have_heads_of_their_own():
    mimo = {**MIXTRAL, "model_type": "mimo_v2_flash", "head_dim": 24, "v_head_dim": 16, "moe_intermediate_size": 32,
            "swa_num_attention_heads": 4, "swa_num_key_value_heads": 4, "swa_head_dim": 20, "swa_v_head_dim": 12,
            "hybrid_layer_pattern": [0, 1], "moe_layer_freq": [0, 1], "layer_types": [
                "full_attention", "sliding_attention"]}
    heads = [(part.num_key_value_heads, part.head_dim, part.value_head_dim, part.window)
             for part in (layer.attention for layer in of(mimo, sliding_window=64).layers)]
    assert heads == [(2, 24, 16, None), (4, 20, 12, 64)]


def test_a_breakdown_multiplies_only_what_there_is_more_than_once():
    lines = str(of(LLAMA).parameter_breakdown())
    assert "1 tensors" not in lines and "2 tensors" in lines


def test_states_by_hand():
    """A state of each head, and the tokens that a convolution of four keeps: three."""
    sizes = {"hidden_size": 64, "conv_kernel": 4}
    inner, mamba = 6 * 8, {"num_heads": 6, "head_dim": 8, "state_size": 16}
    assert Mamba2(**sizes, **mamba, n_groups=2).state_numbers == inner * 16 + (inner + 2 * 2 * 16) * 3
    assert PlamoMamba(**sizes, **mamba, step_size=64).state_numbers == inner * 16 + inner * 3
    delta = GatedDeltaNet(**sizes, num_key_heads=2, num_value_heads=4, key_head_dim=8, value_head_dim=16)
    assert delta.state_numbers == 4 * 8 * 16 + (2 * 2 * 8 + 4 * 16) * 3
    assert KimiDelta(**sizes, num_heads=4, head_dim=8).state_numbers == 4 * 8 * 8 + 3 * 4 * 8 * 3
    assert ShortConvolution(**sizes).state_numbers == 64 * 3


@pytest.mark.parametrize(("kind", "values"), [
    ("GPT-2", {"n_embd": 64, "n_inner": 96, "n_layer": 2, "n_head": 4, "n_positions": 2048}),
    ("CTRL", {"n_embd": 64, "n_inner": 96, "n_layer": 2, "n_head": 4, "n_ctx": 2048}),
    ("MPT", {"d_model": 64, "n_layers": 2, "n_heads": 4, "ffn_dim": 96}),
    ("ChatGLM", {"num_layers": 2, "ffn_hidden_size": 96, "multi_query_group_num": 2, "padded_vocab_size": 256,
                 "seq_length": 2048}),
    ("Falcon", {"num_kv_heads": 2}), ("RWKV's and Baichuan's", {"model_max_length": 2048, "n_head_kv": 2}),
    ("DBRX", {"dim": 64, "max_sequence_length": 2048})])
def test_keys_of_older_families_are_read(kind, values):
    """Each writes the same model in other words."""
    same = {64: "hidden_size", 96: "intermediate_size", 4: "num_attention_heads",
            256: "vocab_size", 2048: "max_position_embeddings"}
    config = dict(LLAMA)
    for name, value in values.items():
        key = ("num_hidden_layers" if "layer" in name else "num_key_value_heads") if value == 2 else same[value]
        del config[key]
        config[name] = value
    assert sizing.read_config(config) == of(LLAMA)


def test_the_witness_knows_each_family():
    """PLaMo 2 has no class in transformers."""
    seen = {row["config"]["model_type"] for row in WITNESS}
    assert {*FAMILIES, *TEXT_TYPES} - seen == {"plamo2"}


@pytest.mark.parametrize("key", ["num_key_value_heads", "num_kv_heads"])
def test_null_is_no_default(key):
    """Qwen3's class has 32 heads for keys and values where the key is left out; null is none."""
    qwen = {**LLAMA, "model_type": "qwen3", "num_attention_heads": 64, "head_dim": 2}
    del qwen["num_key_value_heads"]
    heads = [layer.parts[0].num_key_value_heads for config in (qwen, {**qwen, key: None})
             for layer in sizing.read_config(config).layers[:1]]
    assert heads == [32, 64]


@pytest.mark.parametrize(
    ("name", "published", "printed"),
    [("Mixtral-8x7B", 12.9, "active"), ("Mixtral-8x22B", 39.2, "active"),
     ("Qwen3-235B-A22B", 22, "active"), ("Qwen3-30B-A3B", 3.3, "active, cut"),
     ("DeepSeek-V3-0324", 37, "active, cut"), ("DeepSeek-R1", 37, "active, cut"),
     ("Kimi-K2", 32, "active, cut"), ("GLM-4.5", 32, "read, cut"), ("Llama-4-Scout", 17, "active"),
     ("gpt-oss-20b", 3.6, "read"), ("gpt-oss-120b", 5.1, "read"),
     ("Granite-4.0-H-Small", 9, "active"), ("LFM2-8B-A1B", 1.5, "active, cut"),
     ("Gemma-3n-E2B", 2, "active"), ("Gemma-4-E2B", 2.3, "active")],
)
def test_active_and_read_parameters_are_as_published(name, published, printed):
    """To the digits that are printed; some makers cut the rest off instead of rounding."""
    model = sizing.load_model(name)
    count = model.active_parameters if printed.startswith("active") else model.read_parameters
    digits = 0 if published == int(published) else 1
    shown = count / 1e9
    if printed.endswith("cut"):
        shown = int(shown * 10**digits) / 10**digits
    assert round(shown, digits) == published


@pytest.mark.parametrize("model", sizing.models(), ids=lambda model: model.name)
def test_parts_add_up(model):
    breakdown = model.parameter_breakdown()
    assert breakdown.unit == "parameters"
    assert breakdown.total.usual == model.parameters == sum(model.parameters_by_role.values())
    assert {term.name: term.usual for term in breakdown.terms} == {
        role: count for role, count in model.parameters_by_role.items() if count}
    listed = sum(tensor.count for _, tensor in model.tensors() if tensor.role != "buffer")
    assert listed == model.parameters
    assert 0 < model.read_parameters <= model.active_parameters <= model.parameters


def test_a_small_model_by_hand():
    d, ff, v, kv = 64, 96, 256, 2 * 16
    layer = 2 * d * d + 2 * d * kv + 3 * d * ff + 2 * d
    assert of(LLAMA).parameters == 2 * layer + 2 * v * d + d
    assert of(LLAMA, tie_word_embeddings=True).parameters == 2 * layer + v * d + d
    assert of(LLAMA, attention_bias=True).parameters - of(LLAMA).parameters == 2 * (2 * d + 2 * kv)
    assert of(LLAMA, num_hidden_layers=3).parameters - of(LLAMA).parameters == layer


def test_no_one_can_change_a_models_counts():
    model = of(LLAMA)
    before = model.parameters_by_role
    model.parameters_by_role.pop("norm")
    before["attention"] = 0
    assert sum(model.parameters_by_role.values()) == model.parameters == of(LLAMA).parameters
    assert model.read_parameters == of(LLAMA).read_parameters
    assert isinstance(model.tensor_counts, tuple)
    assert pickle.loads(pickle.dumps(model)) == model  # what is kept of a count travels, too


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Gemma-3-27B", "DeepSeek-V3-0324", "Nemotron-3-Nano-30B-A3B"])
def test_each_different_tensor_is_counted_as_often_as_it_occurs(name):
    model = sizing.load_model(name)
    assert dict(model.tensor_counts) == Counter(tensor for _, tensor in model.tensors())
    assert len(model.tensor_counts) < 40


@pytest.mark.parametrize(("config", "name", "shape"), [
    ({**LLAMA, "model_type": "granitemoehybrid", "layer_types": ["attention"] * 2, "num_local_experts": 0,
      "shared_intermediate_size": 0}, "ffn_up.weight", "0, 64"),
    ({**LLAMA, "model_type": "falcon_h1", "mamba_d_ssm": 2, "mamba_n_heads": 4, "mamba_d_state": 16,
      "mamba_d_conv": 4}, "ssm_norm.weight|ssm_out.weight", "64, 0")])
def test_a_tensor_without_numbers_is_named(config, name, shape):
    with pytest.raises(sizing.InvalidInput, match=rf"its values make ({name}) of the shape \({shape}\)"):
        sizing.read_config(config)


def test_a_model_of_many_layers_is_read_at_once():
    start = time.process_time()
    assert of(LLAMA, num_hidden_layers=2_000).num_hidden_layers == 2_000
    assert time.process_time() - start < 0.5


def test_a_tensor_that_a_layer_has_twice_counts_twice():
    twice = Layer((), 2 * (Tensor("same.weight", (8,), "norm"),))
    model = dataclasses.replace(of(LLAMA), layers=(twice,) * 3, others=())
    assert model.parameters_by_role["norm"] == 3 * 2 * 8
    assert dict(model.tensor_counts) == Counter(tensor for _, tensor in model.tensors())


@pytest.mark.parametrize(("kind", "default"), [("gpt_neox", True), ("gpt_oss", True), ("glm4", True), ("apertus", False),
                                               ("llama", False), ("phimoe", False)])
def test_a_bias_of_attention_by_hand(kind, default):
    """Queries 64, keys and values 32 each, output 64; GLM's output has none."""
    config = {**MIXTRAL, "model_type": kind, "head_dim": 16}
    with_bias, without = (of(config, attention_bias=bias) for bias in (True, False))
    assert of(config) == (with_bias if default else without)
    assert with_bias.parameters - without.parameters == 2 * (64 + 2 * 32 + (0 if kind == "glm4" else 64))


def norms_of(config, **changes):
    more = of(config, **changes).parameters_by_role["norm"]
    return more - of({**config, "model_type": "llama"}).parameters_by_role["norm"]


def test_norms_of_heads_by_hand():
    """4 heads of 16 for queries, 2 for keys. Cohere's are a matrix: one norm for each head."""
    assert norms_of(LLAMA, model_type="qwen3", head_dim=16) == 2 * (16 + 16)
    assert norms_of(LLAMA, model_type="olmo2") == 2 * (4 * 16 + 2 * 16)
    cohere = {"model_type": "cohere", "use_qk_norm": True}
    assert norms_of(LLAMA, **cohere) == 2 * (4 * 16 + 2 * 16) - 2 * 64  # and one norm for both parts


def test_norms_of_an_unknown_kind_are_refused():
    heads = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
             "value_head_dim": 16}
    for kind in ("each", "heads", None):
        with pytest.raises(sizing.UnknownName, match=f"No kind of norms is called {kind!r}"):
            Attention(**heads, norms=kind)
    assert len(Attention(**heads).tensors()) + 2 == len(Attention(**heads, norms="head").tensors())


def test_all_attention_has_a_window_and_latent_attention_none():
    latent = of(DEEPSEEK).layers[0].attention
    assert isinstance(latent, LatentAttention) and latent.window is None
    assert dataclasses.replace(latent, window=512).window == 512


def test_llama_4_looks_back_within_a_chunk():
    config = {**MIXTRAL, "model_type": "llama4_text", "intermediate_size_mlp": 96, "num_hidden_layers": 4}
    assert [layer.attention.window for layer in of(config).layers] == [8192] * 3 + [None]
    assert [layer.attention.window for layer in of(config, attention_chunk_size=512,
            no_rope_layers=[0, 1, 0, 1]).layers] == [None, 512, None, 512]


def test_a_mistake_of_ours_is_not_blamed_on_a_config(monkeypatch):
    for bug in (AttributeError, LookupError, TypeError):
        def raises(c, bug=bug):
            raise bug("a bug")
        monkeypatch.setitem(FAMILIES, "llama", Family(raises))
        with pytest.raises(bug, match="^.?a bug"):
            of(LLAMA)
    for theirs in (ZeroDivisionError, OverflowError, ValueError):
        def raises(c, theirs=theirs):
            raise theirs("their values")
        monkeypatch.setitem(FAMILIES, "llama", Family(raises))
        with pytest.raises(sizing.InvalidInput, match="config: a value has the wrong kind .*their values"):
            of(LLAMA)


def test_idle_experts_are_not_active():
    model = of(MIXTRAL)
    expert = 3 * 64 * 96
    assert model.parameters - model.active_parameters == 2 * 6 * expert
    assert model.active_parameters - model.read_parameters == 256 * 64
    assert of(MIXTRAL, tie_word_embeddings=True).read_parameters == of(
        MIXTRAL, tie_word_embeddings=True).active_parameters


def test_windows_stand_where_the_pattern_says():
    model = of(GEMMA, num_hidden_layers=12, sliding_window=512)
    assert [layer.attention.window for layer in model.layers] == 2 * ([512] * 5 + [None])
    model = of(GEMMA, num_hidden_layers=4, sliding_window=512, sliding_window_pattern=2)
    assert [layer.attention.window for layer in model.layers] == [512, None, 512, None]
    kinds = ["full_attention", "sliding_attention"]
    model = of(GEMMA, num_hidden_layers=2, sliding_window=512, layer_types=kinds)
    assert [layer.attention.window for layer in model.layers] == [None, 512]


def test_a_file_a_folder_and_a_dict_say_the_same(tmp_path):
    file = written(tmp_path, json.dumps(LLAMA))
    for given_as in (file, str(file), tmp_path, str(tmp_path)):
        assert sizing.read_config(given_as).layers == of(LLAMA).layers


def test_a_byte_order_mark_does_no_harm(tmp_path):
    file = written(tmp_path, b"\xef\xbb\xbf" + json.dumps(LLAMA).encode())
    assert sizing.read_config(file).parameters == of(LLAMA).parameters


@pytest.mark.parametrize("key", ["text_config", "llm_config", "language_config"])
def test_the_language_model_is_found_inside(key):
    outer = {"model_type": "llava", key: LLAMA, "vision_config": {"hidden_size": 9}}
    model = sizing.read_config(outer)
    assert (model.parameters, model.model_type) == (of(LLAMA).parameters, "llama")
    assert model.modality == "text, image"
    tied = sizing.read_config({**outer, "tie_word_embeddings": True})
    assert tied.tie_word_embeddings and tied.parameters == model.parameters - 256 * 64


@pytest.mark.parametrize("row", [row for row in WITNESS if "text_config" in row["config"]],
                         ids=lambda row: row["config"]["model_type"])
def test_a_language_model_inside_need_not_name_its_type(row):
    inside = {key: value for key, value in row["config"]["text_config"].items() if key != "model_type"}
    assert sizing.read_config({**row["config"], "text_config": inside}).parameters == row["total"]


def test_a_thinker_holds_a_text_config():
    outer = {"model_type": "qwen2_5_omni", "thinker_config": {"text_config": LLAMA}}
    assert sizing.read_config(outer).parameters == of(LLAMA).parameters


#: A config in which each key with synonyms stands under its own name, with no value that is a default.
NAMED = {
    "first_k_dense_replace": {**DEEPSEEK, "first_k_dense_replace": 2},
    "n_shared_experts": DEEPSEEK, "num_experts": DEEPSEEK, "num_experts_per_tok": DEEPSEEK,
    "layer_types": {**GEMMA, "sliding_window": 512, "layer_types": ["full_attention", "sliding_attention"]},
    **dict.fromkeys(("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
                     "head_dim", "intermediate_size", "max_position_embeddings", "vocab_size"),
                    {**LLAMA, "head_dim": 8})}
SYNONYM_PAIRS = [(key, name) for key, names in SYNONYMS.items() for name in names]


@pytest.mark.parametrize(("key", "name"), SYNONYM_PAIRS)
def test_a_key_is_understood_under_each_of_its_names(key, name):
    right = of(NAMED[key])
    others = {old: value for old, value in NAMED[key].items() if old != key}
    for beside in ({}, {key: None}):  # null is as good as missing
        read = sizing.read_config({**others, **beside, name: NAMED[key][key]})
        assert read == right and read.active_parameters == right.active_parameters
    try:
        assert sizing.read_config(others) != right  # the value does count
    except sizing.InvalidInput as missing:
        assert f"{key} is missing" in str(missing) and name in str(missing)


def test_a_keys_own_name_goes_before_its_synonyms():
    assert of(LLAMA, n_embd=128, dim=32, d_model=5) == of(LLAMA)
    assert of(LLAMA, head_dim=8, attention_head_dim=32) == of(LLAMA, head_dim=8)


@pytest.mark.parametrize("values", [["full_attention"], ["full_attention"] * 3, []])
def test_a_list_has_as_many_entries_as_there_are_layers(values):
    for key in ("layer_types", "layers_block_type"):
        with pytest.raises(sizing.InvalidInput, match=f"must list 2 layers, but has {len(values)} entries"):
            of(GEMMA, **{key: values})


def test_a_list_of_layers_is_no_longer_than_any_model():
    config = {**MIXTRAL, "model_type": "qwen3_moe", "moe_intermediate_size": 32}
    assert of(config, mlp_only_layers=[0] * 2_000) == of(config, mlp_only_layers=[0])
    with pytest.raises(sizing.InvalidInput, match="mlp_only_layers is .*a list of at most 2,000 layers' numbers"):
        of(config, mlp_only_layers=[0] * 2_001)


def test_older_nemotrons_call_the_length_of_a_head_by_another_name():
    assert of(NEMOTRON, attention_head_dim=32) == of(NEMOTRON, head_dim=32)
    assert of(NEMOTRON, attention_head_dim=32).layers[1].attention.head_dim == 32
    assert of(NEMOTRON).layers[1].attention.head_dim == 128


@pytest.mark.parametrize(
    ("further", "native_type"),
    [({}, ""), ({"torch_dtype": "bfloat16"}, "bf16"), ({"dtype": "float16"}, "f16"),
     ({"torch_dtype": "float32"}, "f32"), ({"torch_dtype": "float8_e4m3fn"}, "float8_e4m3fn"),
     ({"torch_dtype": "bfloat16", "quantization_config": {"quant_method": "fp8"}}, "fp8"),
     ({"quantization_config": {}, "torch_dtype": "bfloat16"}, "bf16")],
)
def test_how_the_weights_are_stored(further, native_type):
    assert of(LLAMA, **further).native_type == native_type
    if "quantization_config" not in further:
        nested = sizing.read_config({"model_type": "mistral3", "text_config": {**LLAMA, **further}})
        assert nested.native_type == native_type


@pytest.mark.parametrize(
    ("further", "modality"),
    [({}, "text"), ({"vision_config": {"depth": 2}}, "text, image"),
     ({"audio_config": {"depth": 2}}, "text, audio"), ({"vision_config": None}, "text"),
     ({"vision_config": {"depth": 2}, "audio_config": {"depth": 2}}, "text, image, audio")],
)
def test_what_a_model_takes_in(further, modality):
    assert of(LLAMA, **further).modality == modality


def test_a_model_is_called_as_its_config_or_folder_is(tmp_path, monkeypatch):
    assert of(LLAMA).name == "this model"
    assert of(LLAMA, _name_or_path="maker/Tiny-1B/").name == "Tiny-1B"
    assert sizing.read_config(LLAMA, name="Mine").name == "Mine"
    folder = tmp_path / "Tiny-2B"
    folder.mkdir()
    file = written(folder, json.dumps(LLAMA))
    assert sizing.read_config(folder).name == sizing.read_config(file).name == "Tiny-2B"
    assert sizing.read_config(file.rename(folder / "tiny.json")).name == "tiny"
    written(folder, json.dumps(LLAMA))
    monkeypatch.chdir(folder)
    assert sizing.read_config(".").name == sizing.read_config("config.json").name == "Tiny-2B"


def test_what_is_known_besides_is_kept():
    model = sizing.read_config(LLAMA, repo="a/b", licence="mit", vision_parameters=7)
    assert (model.repo, model.licence, model.vision_parameters) == ("a/b", "mit", 7)


@pytest.mark.parametrize(("name", "near"), [("foo", "notes"), ("licenc", "licence"), ("model", "modality")])
def test_an_unknown_keyword_gets_the_nearest(name, near):
    with pytest.raises(sizing.UnknownName, match=f"No keyword of read_config is called '{name}'. .*{near}"):
        sizing.read_config(LLAMA, **{name: ""})


@pytest.mark.parametrize("name", ["layers", "others", "hidden_size", "vocab_size", "model_type"])
def test_what_the_config_tells_is_no_keyword(name):
    with pytest.raises(sizing.InvalidInput, match=f"{name} is read from the config: change it there"):
        sizing.read_config(LLAMA, **{name: ()})


@pytest.mark.parametrize(("known", "message"), [
    ({"licence": ["a"]}, "licence must be a str, not the list"), ({"notes": None}, "notes must be a str, not None"),
    ({"name": 5}, "name must be a str, not the int 5"), ({"repo": 5}, "repo must be a str"),
    ({"vision_parameters": -1}, "vision_parameters must be from 0, but is -1"),
    ({"vision_parameters": "7"}, "vision_parameters must be a finite number"),
    ({"vision_parameters": True}, "vision_parameters must be a finite number"),
    ({"vision_parameters": 7.0}, "vision_parameters must be an int, not the float 7.0")])
def test_what_is_known_besides_is_of_its_kind(known, message):
    with pytest.raises(sizing.InvalidInput, match=message):
        sizing.read_config(LLAMA, **known)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "Expecting value in line 1, column 1; is it cut off"),
     (json.dumps(LLAMA)[:40], "in line 1, column .*; is it cut off"),
     ("[1, 2]", "holds a list, but a config is an object"),
     ("null", "holds a NoneType, but a config is an object"),
     ('"llama"', "holds a str"),
     (" " * 11_000_000, "has 10.49 MiB; a config.json has a few KiB"),
     ("[" * 200_000, "cannot be read as JSON: maximum recursion depth"),
     ('{"a":' * 200_000, "cannot be read as JSON: maximum recursion depth"),
     (b"\x93NUMPY\x01\x00\xff\xfe", "cannot be read: it is no text in UTF-8"),
     (b"GGUF\x03\x00\x00\x00", "cannot be read as JSON"),
     ('{"model_type": "llama", "hidden_size": 1' + "0" * 5000 + "}", "cannot be read as JSON")],
    ids=["empty", "cut off", "list", "null", "text", "large", "deep list", "deep object", "binary",
         "GGUF", "long number"],
)
def test_a_file_that_is_no_config(tmp_path, text, message):
    file = written(tmp_path, text)
    start = time.perf_counter()
    with pytest.raises(sizing.InvalidInput, match=message) as raised:
        sizing.read_config(file)
    assert str(file) in str(raised.value) and time.perf_counter() - start < 1


def test_a_file_that_is_not_there(tmp_path):
    for missing in (tmp_path / "config.json", tmp_path, tmp_path / "a" / "b", "no\0such"):
        with pytest.raises(sizing.InvalidInput, match="cannot be read: "):
            sizing.read_config(missing)
    with pytest.raises(sizing.InvalidInput, match="there is no such file"):
        sizing.read_config(tmp_path)


@pytest.mark.parametrize("config", [None, 5, 1.5, [LLAMA], b"config.json", True])
def test_what_is_neither_path_nor_dict(config):
    with pytest.raises(sizing.InvalidInput, match="A config is a path or a dict, not "):
        sizing.read_config(config)


SENSELESS = [-1, 0, 10**12, 1.5, float("nan"), float("inf"), "64", "", True, False, [64], {"a": 1}]


@pytest.mark.parametrize("value", SENSELESS, ids=repr)
@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "num_attention_heads",
                                 "num_key_value_heads", "vocab_size", "intermediate_size",
                                 "max_position_embeddings", "head_dim"])
def test_a_senseless_number_is_named(tmp_path, key, value):
    file = written(tmp_path, json.dumps({**LLAMA, key: value}))
    with pytest.raises(sizing.InvalidInput) as raised:
        sizing.read_config(file)
    message = str(raised.value)
    assert str(file) in message and f"{key} is " in message and "a whole number from 1 to" in message


@pytest.mark.parametrize(
    ("config", "key"),
    [(LLAMA, "hidden_size"), (LLAMA, "vocab_size"), (LLAMA, "num_hidden_layers"),
     (LLAMA, "num_attention_heads"), (LLAMA, "intermediate_size"), (MIXTRAL, "num_local_experts"),
     (MIXTRAL, "num_experts_per_tok"), (NEMOTRON, "ssm_state_size")],
)
def test_a_missing_key_is_named(tmp_path, config, key):
    file = written(tmp_path, json.dumps({name: value for name, value in config.items() if name != key}))
    with pytest.raises(sizing.InvalidInput, match=rf"is missing; a {config['model_type']} config has it") as raised:
        sizing.read_config(file)
    assert str(file) in str(raised.value) and key in str(raised.value)


@pytest.mark.parametrize("config", [{}, {"model_type": None}, {"model_type": 5}, {"model_type": ["llama"]},
                                    {"text_config": {}}])
def test_a_config_without_model_type(config):
    with pytest.raises(sizing.InvalidInput, match="config: model_type is (missing|.*, but must be text); it names the family"):
        sizing.read_config(config)


@pytest.mark.parametrize(("kind", "near"), [("lama", "llama"), ("qwen33", "qwen3"), ("Mixtral8", "mixtral"),
                                            ("deepseek_v33", "deepseek_v3")])
def test_an_unknown_family_gets_the_nearest(tmp_path, kind, near):
    file = written(tmp_path, json.dumps({**LLAMA, "model_type": kind}))
    with pytest.raises(sizing.UnknownName, match=rf"'{kind}'. Nearest: .*\b{near}\b") as raised:
        sizing.read_config(file)
    assert str(file) in str(raised.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [({**LLAMA, "num_attention_heads": 5, "num_key_value_heads": 5},
      "head_dim is missing, and hidden_size 64 is no multiple of 5 num_attention_heads"),
     ({**LLAMA, "num_key_value_heads": 3}, "4 num_attention_heads cannot share 3 num_key_value_heads"),
     ({**LLAMA, "num_key_value_heads": 8}, "4 num_attention_heads cannot share 8 num_key_value_heads"),
     ({**MIXTRAL, "num_experts_per_tok": 9}, "num_experts_per_tok is 9, but there are only 8 experts"),
     ({**GEMMA, "layer_types": ["full_attention"]}, "layer_types must list 2 layers, but has 1 entries"),
     ({**GEMMA, "layer_types": "full_attention"}, "layer_types must list 2 layers, but has 'full_att"),
     ({**LLAMA, "tie_word_embeddings": "yes"}, "tie_word_embeddings is 'yes', but must be true or false"),
     ({**LLAMA, "attention_bias": 1}, "attention_bias is 1, but must be true or false"),
     ({**NEMOTRON, "hybrid_override_pattern": "M*X?"},
      r"hybrid_override_pattern must say M, \*, - or E for each layer, or layer_types its word, not \?, X"),
     ({**NEMOTRON, "hybrid_override_pattern": ""},
      r"hybrid_override_pattern must say M, \*, - or E for each layer, or layer_types its word\.")],
)
def test_keys_that_contradict_each_other(tmp_path, config, message):
    file = written(tmp_path, json.dumps(config))
    with pytest.raises(sizing.InvalidInput, match=message) as raised:
        sizing.read_config(file)
    assert str(file) in str(raised.value)


def test_null_is_as_good_as_missing():
    assert of(LLAMA, num_key_value_heads=None).layers == of(LLAMA, num_key_value_heads=4).layers
    assert of(LLAMA, hidden_size=64.0).parameters == of(LLAMA).parameters
    assert of(LLAMA, max_position_embeddings=None).max_position_embeddings is None


def test_unknown_keys_do_no_harm():
    assert of(LLAMA, rope_theta="?", anything=[{}], architectures=5).layers == of(LLAMA).layers


any_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.integers(0, 9)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=5)
KEYS = sorted({key for row in WITNESS for key in row["config"]}
              | {key for row in WITNESS for key in row["config"].get("text_config", {})}
              | {name for names in SYNONYMS.values() for name in names})
PLAIN = [LLAMA, MIXTRAL, GEMMA, {**LLAMA, "model_type": "qwen2"}, {**LLAMA, "model_type": "cohere2"},
         {**MIXTRAL, "model_type": "gpt_oss"}, {**MIXTRAL, "model_type": "olmoe"}]


def counted_or_refused(config):
    try:
        model = sizing.read_config(config)
    except (sizing.InvalidInput, sizing.UnknownName):
        return
    assert model.parameters > 0 and model.active_parameters > 0
    assert model.parameter_breakdown().total.usual == model.parameters


@given(st.dictionaries(st.sampled_from(KEYS), any_json))
def test_no_other_exception_is_raised(config):
    for kind in ({}, {"model_type": "llama"}):
        counted_or_refused({**config, **kind})


@given(st.sampled_from(PLAIN), st.dictionaries(st.sampled_from(KEYS), any_json, max_size=3))
def test_no_other_exception_is_raised_for_a_config_that_is_nearly_right(config, changes):
    counted_or_refused({**config, **changes})


def test_plamo_2_counts_as_its_files_weigh():
    """No class in transformers: its files of 5.17 GB hold 32-bit numbers."""
    model = sizing.load_model("PLaMo-2-1B")
    assert round(4 * model.parameters / 1e9, 2) == 5.17
    assert sum(layer.attention is not None for layer in model.layers) == 8


#: Tensors that llama.cpp counted in real files, and their short vectors that are none of ours
#: (Gemma 4: a scale in each layer, and the rotation's frequencies).
REAL_FILES = [
    ("Gemma-3n-E4B", 847, 0),  # ggml-org/llama.cpp#14979
    ("Gemma-3n-E2B", 727, 0),  # invisiofficial/rk-llama.cpp#6
    ("Gemma-4-E4B", 720, 43),  # ggml-org/llama.cpp#21328
    ("Gemma-4-E2B", 601, 36),  # animehacker/llama-turboquant#3
]


@pytest.mark.parametrize(("name", "tensors", "others"), REAL_FILES)
def test_files_hold_keys_and_values_that_nothing_uses(name, tensors, others):
    model = sizing.load_model(name)
    unused = [tensor for _, tensor in model.tensors() if tensor.role == "buffer"]
    sharing = sum(not layer.attention.stores_cache for layer in model.layers)
    assert len(list(model.tensors())) == tensors - others
    assert len(unused) == 3 * sharing > 0  # keys, values, and the keys' norm


@pytest.mark.parametrize("name", ["Gemma-3n-E2B", "Gemma-3n-E4B"])
def test_the_hub_counts_keys_and_values_that_nothing_uses(name):
    model = sizing.load_model(name)
    stored = sum(tensor.count for _, tensor in model.tensors()) + model.vision_parameters
    (row,) = [row for row in model_rows() if row.name == name]
    assert f"{stored / 1e9:.2f}B" == row.published_parameters
    assert model.parameters + model.vision_parameters < stored - 20e6
