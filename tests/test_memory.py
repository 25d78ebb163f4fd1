import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.catalog import engine_contexts, engine_file_types, reported_models
from llmsizing.memory import stored_bytes, stored_tensors

PARAMETERS = st.integers(min_value=10_000, max_value=10**15)
BITS = st.integers(min_value=1, max_value=32)


@pytest.mark.parametrize(("bits", "total"), [(16, 168_000_000_000), (4, 42_000_000_000)])
def test_the_articles_two_examples(bits, total):
    rule = sizing.rule_of_thumb(parameters=70e9, bits=bits)
    assert rule.total_bytes == total
    assert isinstance(rule.total_bytes, int)
    assert rule["weights"].bytes == 70_000_000_000 * bits // 8


def test_every_symbol_of_the_formula_is_shown():
    text = str(sizing.rule_of_thumb(parameters=70e9, bits=16))
    for symbol in ("(P)", "(4B)", "0.5 (Q/32)", "1.2"):
        assert symbol in text
    assert "168.00 GB" in text and "156.46 GiB" in text


@given(PARAMETERS, BITS)
def test_it_is_p_times_q_over_eight_times_1_2(parameters, bits):
    exact = Fraction(parameters * bits, 8) * Fraction(6, 5)
    assert sizing.rule_of_thumb(parameters=parameters, bits=bits).total_bytes == math.ceil(exact)


@given(PARAMETERS, BITS, st.integers(min_value=1, max_value=10**6))
def test_it_grows_with_parameters_and_bits(parameters, bits, more):
    at = sizing.rule_of_thumb(parameters=parameters, bits=bits).total.usual
    if parameters + more <= 10**15:
        assert sizing.rule_of_thumb(parameters=parameters + more, bits=bits).total.usual > at
    if bits < 32:
        assert sizing.rule_of_thumb(parameters=parameters, bits=bits + 1).total.usual > at


@pytest.mark.parametrize("parameters", [-7e9, 0, 70, 1e18, float("nan"), float("inf"), "70B", None])
def test_nonsensical_parameters(parameters):
    with pytest.raises(sizing.InvalidInput, match="parameters must .* for a 70B model write 70e9"):
        sizing.rule_of_thumb(parameters=parameters, bits=4)


@pytest.mark.parametrize("bits", [-4, 0, 0.09, 33, 1000, float("nan"), "4", None, True])
def test_nonsensical_bits(bits):
    with pytest.raises(sizing.InvalidInput, match="bits must .* usual values are 16, 8 and 4"):
        sizing.rule_of_thumb(parameters=7e9, bits=bits)


def test_the_bounds_themselves_are_allowed():
    assert sizing.rule_of_thumb(parameters=10**15, bits=32).total_bytes == 48 * 10**14
    assert sizing.rule_of_thumb(parameters=10_000, bits=1).total_bytes == 1500
    for parameters, bits in ((10**15 + 1, 4), (9_999, 4), (7e9, 32.1)):
        with pytest.raises(sizing.InvalidInput):
            sizing.rule_of_thumb(parameters=parameters, bits=bits)


def test_fractions_of_bits_are_fine():
    assert sizing.rule_of_thumb(parameters=8e9, bits=4.5).total_bytes == 5_400_000_000
    assert sizing.rule_of_thumb(parameters=1e9, bits=0.1).total_bytes == 15_000_000


@pytest.mark.parametrize("model", reported_models(), ids=lambda model: model.name)
def test_the_engines_kv_cache_is_what_the_shape_says(model):
    """Independent of the engine: 2 · layers · KV heads · head size · 2 bytes per token."""
    mixers = [layer.attention for layer in model.layers]
    if any(mixer.window for mixer in mixers):  # sliding windows: less than this
        assert model.name.startswith("Gemma")
        return
    per_token = sum(2 * mixer.num_key_value_heads * mixer.head_dim * 2 for mixer in mixers)
    for tokens in (2048, 8192, 131072):
        report = sizing.engine_report(model.name, weights="Q4_K_M", context_tokens=tokens)
        assert report["KV cache"].bytes == per_token * tokens


@pytest.mark.parametrize("model", reported_models(), ids=lambda model: model.name)
def test_our_kv_cache_is_the_engines(model):
    for tokens in engine_contexts(model.name):
        report = sizing.engine_report(model.name, weights="F16", context_tokens=tokens)
        assert sizing.kv_cache_bytes(model, context_tokens=tokens) == report["KV cache"].bytes


@pytest.mark.parametrize("model", reported_models(), ids=lambda model: model.name)
def test_our_budget_is_near_the_engines_report(model):
    """The weights to the digits of the report, the compute buffer as part of the total to 1 %."""
    for weights in engine_file_types(model.name):
        budget = sizing.vram_budget(model, weights=weights, context_tokens=8192)
        report = sizing.engine_report(model.name, weights=weights, context_tokens=8192)
        assert budget["weights"].bytes == pytest.approx(report["weights"].bytes, abs=2**20 / 1000)
        ours = budget.total_bytes - budget["runtime"].bytes
        assert ours == pytest.approx(report.total_bytes, rel=0.01)


def roles_in(name, weights):
    """The roles that a model stores in the format that was asked for."""
    found = sizing.load_format(weights).name
    return {tensor.role for _, tensor, stored in stored_tensors(sizing.load_model(name), weights)
            if stored == found}


def test_which_parts_of_a_hybrid_each_kind_of_format_quantizes():
    name = "Qwen3-Next-80B-A3B"
    linear = {"attention", "state space", "shared expert", "experts"}
    assert roles_in(name, "GPTQ 4-bit g128") == linear
    assert roles_in(name, "NF4") == linear - {"experts"}
    assert roles_in(name, "MXFP4 safetensors") == {"experts"}
    assert roles_in(name, "MLX 4-bit g64") == linear | {"embedding", "output"}
    routers = {stored for _, tensor, stored in stored_tensors(sizing.load_model(name), "MLX 4-bit g64")
               if tensor.role == "router"}
    assert routers == {"MLX 8-bit g64"}


def test_mlx_quantizes_tables_for_each_layer_too():
    """And the embedding, which is the output layer here."""
    tables = {"embedding", "per-layer embedding"}
    assert tables < roles_in("Gemma-3n-E2B", "MLX 4-bit g64")
    assert not tables & roles_in("Gemma-3n-E2B", "AWQ 4-bit g128")


def test_tables_for_each_layer_are_looked_up_in_ram_too():
    model = sizing.load_model("Gemma-3n-E2B")
    stored = stored_tensors(model, "Q8_0")
    tables = [stored_bytes(tensor, name) for _, tensor, name in stored if "embedding" in tensor.role]
    tied = next(stored_bytes(tensor, name) for _, tensor, name in stored if tensor.role == "embedding")
    assert len(tables) == 2
    assert sizing.host_budget(model, weights="Q8_0")["weights"].bytes == sum(tables)
    here = sizing.vram_budget(model, weights="Q8_0")["weights"].bytes
    assert here == sizing.weight_bytes(model, "Q8_0") - sum(tables) + tied


@pytest.mark.parametrize("weights", ["NF4", "GPTQ 4-bit g128", "AWQ 4-bit g128", "MLX 4-bit g64", "FP8"])
@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Llama-3.2-1B", "Gemma-3n-E2B"])
def test_what_runs_without_llama_cpp_keeps_every_tensor_on_the_card(name, weights):
    model = sizing.load_model(name)
    here = sizing.vram_budget(model, weights=weights)["weights"].bytes
    assert here == sizing.weight_bytes(model, weights)
    assert sizing.host_budget(model, weights=weights)["weights"].bytes == 0


def test_exllama_looks_up_in_ram_and_quantizes_the_output_layer_to_six_bits():
    """Llama-3.1-8B: 128,256 · 4,096 weights of 6 bits, and 16 for each row and column."""
    head = (128_256 * 4096 * 6 + 16 * (128_256 + 4096)) // 8
    embedding = 2 * 128_256 * 4096
    model = sizing.load_model("Llama-3.1-8B")
    assert sizing.weight_bytes(model, "EXL3 4.0 bpw") == 4_940_376_576
    stored = {tensor.name: stored_bytes(tensor, name)
              for _, tensor, name in stored_tensors(model, "EXL3 4.0 bpw")}
    assert stored["output.weight"] == head and stored["token_embd.weight"] == embedding
    assert sizing.host_budget(model, weights="EXL3 4.0 bpw")["weights"].bytes == embedding
    here = sizing.vram_budget(model, weights="EXL3 4.0 bpw")["weights"].bytes
    assert here == 4_940_376_576 - embedding


def test_exllama_stores_a_tied_output_layer_a_second_time():
    model = sizing.load_model("Llama-3.2-1B")
    assert "output.weight" in {tensor.name for _, tensor, _ in stored_tensors(model, "EXL2 4-bit g128")}
    assert "output.weight" not in {tensor.name for _, tensor, _ in stored_tensors(model, "NF4")}
    there = sizing.host_budget(model, weights="EXL2 4-bit g128")["weights"].bytes
    here = sizing.vram_budget(model, weights="EXL2 4-bit g128")["weights"].bytes
    assert there == 2 * model.embedding.count
    assert here == sizing.weight_bytes(model, "EXL2 4-bit g128") - there


def test_kimi_k2_5_is_as_large_as_its_repository():
    """kaito@056b8280b1a8, model_catalog.yaml: 554.32 GiB, its vision tower and small files in it."""
    model = sizing.load_model("Kimi-K2.5")
    files = sizing.weight_bytes(model, "W4A16 g32 experts") + 2 * model.vision_parameters
    assert files / 2**30 == pytest.approx(554.32, abs=0.06)


def test_a_models_name_is_no_model():
    for ask in (sizing.weight_bytes, stored_tensors):
        with pytest.raises(sizing.InvalidInput, match=r"write load_model\('Llama-3.1-8B'\)"):
            ask("Llama-3.1-8B", "Q4_K_M")
    with pytest.raises(sizing.InvalidInput, match="load_model"):
        sizing.weight_bytes(None, "NF4")


@pytest.mark.parametrize("weights", [4, ("f16",)])
def test_weights_are_named_by_text(weights):
    with pytest.raises(sizing.InvalidInput, match="weights must be a str, .*: a file type or format"):
        sizing.weight_bytes(sizing.load_model("Llama-3.1-8B"), weights)


def test_unknown_weights_get_the_nearest_of_both_lists():
    with pytest.raises(sizing.UnknownName, match="No file type or format .* Nearest: .*Q4_K_M"):
        sizing.weight_bytes(sizing.load_model("Llama-3.1-8B"), "Q4_K_N")
    with pytest.raises(sizing.UnknownName, match="No file type or format .* Nearest: .*AWQ 4-bit"):
        sizing.weight_bytes(sizing.load_model("Llama-3.1-8B"), "AWQ 5-bit g128")


def test_sliding_windows_save_kv_cache():
    sliding = [model for model in reported_models() if model.name.startswith("Gemma")]
    assert len(sliding) == 3
    for model in sliding:
        full = sum(4 * layer.attention.num_key_value_heads * layer.attention.head_dim
                   for layer in model.layers) * 131072
        report = sizing.engine_report(model.name, weights="F16", context_tokens=131072)
        assert report["KV cache"].bytes < full


def test_f16_weights_on_the_device_are_two_bytes_each_less_the_embedding():
    """Published: Llama-3.1-8B has 128,256 · 4,096 weights in its untied input embedding."""
    model = sizing.load_model("Llama-3.1-8B")
    report = sizing.engine_report(model.name, weights="F16", context_tokens=2048)
    expected = 2 * (model.parameters - 128_256 * 4096)
    assert report["weights"].bytes == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("file_type", "published_gib"),
    [("F16", 14.96), ("Q8_0", 7.95), ("Q6_K", 6.14), ("Q5_K_M", 5.33), ("Q4_K_M", 4.58),
     ("Q3_K_M", 3.74), ("Q2_K", 2.95)],
)
def test_weights_and_embedding_make_the_published_file(file_type, published_gib):
    """Sizes from llama.cpp's tools/quantize/README.md; the embedding's share is its bits there."""
    embedding_bits = {"F16": 16, "Q8_0": 8.5, "Q6_K": 6.5625, "Q5_K_M": 5.5, "Q4_K_M": 4.5,
                      "Q3_K_M": 3.4375, "Q2_K": 2.625}[file_type]
    report = sizing.engine_report("Llama-3.1-8B", weights=file_type, context_tokens=2048)
    total = report["weights"].bytes + 128_256 * 4096 * embedding_bits / 8
    assert total / 2**30 == pytest.approx(published_gib, abs=0.007)


def test_a_report_says_where_it_comes_from():
    report = sizing.engine_report("llama 3.1 8b", weights="Q4_K_M", context_tokens=8192)
    assert report.note.startswith("Source: llama.cpp v0.5.0")


def test_a_report_beyond_the_models_own_context_says_so():
    asked = {"weights": "q4_k_m", "context_tokens": 8192.0}
    beyond = sizing.engine_report("llama 2 7b", **asked)
    assert "was made for 4,096 tokens" in beyond.note
    assert beyond.title == "llama.cpp: Llama-2-7B at Q4_K_M, 8,192 tokens of context"
    assert "made for" not in sizing.engine_report("llama 3.1 8b", **asked).note


@pytest.mark.parametrize(
    ("parameters", "words"),
    [(70e9, "70 billion"), (8_030_261_248, "8.03 billion"), (494_032_768, "494,032,768"),
     (12_345, "12,345"), (1e9, "1 billion"), (12_345.4, "12,345")],
)
def test_the_title_counts_as_people_do(parameters, words):
    assert f"{words} parameters" in sizing.rule_of_thumb(parameters=parameters, bits=4).title


def test_reports_that_do_not_exist():
    with pytest.raises(sizing.UnknownName, match="No model is called 'Llama-9'"):
        sizing.engine_report("Llama-9", weights="Q4_K_M", context_tokens=8192)
    with pytest.raises(sizing.UnknownName, match="'Q4_K_L'. Nearest: Q4_K_M"):
        sizing.engine_report("Llama-3.1-8B", weights="Q4_K_L", context_tokens=8192)
    with pytest.raises(sizing.InvalidInput, match="at 2,048, 4,096, .* not 5000"):
        sizing.engine_report("Llama-3.1-8B", weights="Q4_K_M", context_tokens=5000)


def test_a_gap_names_what_it_is_about():
    gap = sizing.rule_of_thumb_gap("llama 3.1 8b", weights="q8_0", context_tokens=2048)
    assert (gap.model.name, gap.weights, gap.context_tokens) == ("Llama-3.1-8B", "Q8_0", 2048)
    with pytest.raises(sizing.UnknownName, match="'nonsense'"):
        sizing.rule_of_thumb_gap("llama 3.1 8b", weights="nonsense", context_tokens=2048)


def test_gaps_cover_each_model_file_type_and_native_context():
    gaps = sizing.rule_of_thumb_gaps()
    assert len({(g.model.name, g.weights, g.context_tokens) for g in gaps}) == len(gaps) == 448
    assert all(g.context_tokens <= g.model.max_position_embeddings for g in gaps)


def test_a_gaps_error_and_needed_overhead_say_the_same():
    for gap in sizing.rule_of_thumb_gaps():
        assert gap.needed_overhead * (1 + gap.error) == pytest.approx(1.2)


@pytest.mark.parametrize("weights", ["Q4_K_M", "IQ4_XS imatrix", "NF4"])
def test_a_table_of_weights_counts_each_tensor_and_byte(weights):
    model = sizing.load_model("Qwen3-30B-A3B")
    shown = sizing.weight_table(model, weights)
    assert shown.columns == ("tensor", "format", "how many", "bytes")
    assert sum(row[2] for row in shown.rows) == len(list(model.tensors()))
    assert sum(row[3] for row in shown.rows) == sizing.weight_bytes(model, weights)
    assert [row[3] for row in shown.rows] == sorted((row[3] for row in shown.rows), reverse=True)


def test_the_mix_of_llama_3_1_8b_at_q4_k_m():
    """Half of attn_v and ffn_down get Q6_K, as its dry run prints."""
    rows = sizing.weight_table(sizing.load_model("Llama-3.1-8B"), "Q4_K_M").rows
    mixed = {tensor: {row[1]: row[2] for row in rows if row[0] == tensor}
             for tensor in ("attn_v", "ffn_down", "ffn_up", "output")}
    half = {"Q6_K": 16, "Q4_K": 16}
    assert mixed == {"attn_v": half, "ffn_down": half, "ffn_up": {"Q4_K": 32}, "output": {"Q6_K": 1}}
