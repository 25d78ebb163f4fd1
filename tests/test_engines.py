"""What engines take by default, settings by engine, and budgets of vLLM, transformers and MLX."""

from dataclasses import replace
from fractions import Fraction

import pytest

import llmsizing as sizing
from llmsizing.engines import WINDOW_NOT_USED, ollama_context, ollama_ubatch
from llmsizing.memory.other_engines.checkpoint import checkpoint_tensors
from llmsizing.memory.other_engines.vllm_cache import blocks_of
from llmsizing.memory.runtime import (
    cuda_graphs_term,
    driver_term,
    vllm_library_term,
    workspace_term,
)
from llmsizing.memory.settings import Settings, settings_of

GIB, MIB = 2**30, 2**20
QWEN = sizing.load_model("Qwen3-8B")


@pytest.mark.parametrize(
    ("typed", "name"),
    [("llama-server", "llama.cpp"), ("llama.cpp", "llama.cpp"), ("ollama", "Ollama"),
     ("lmstudio", "LM Studio"), ("LM-Studio", "LM Studio"), ("vllm", "vLLM"), ("hf", "transformers"),
     ("mlx-lm", "MLX"), ("MLX", "MLX")],
)
def test_engines_are_found_as_people_type_them(typed, name):
    assert sizing.load_engine(typed).name == name


def test_every_default_has_a_source_and_what_depends_says_on_what():
    for engine in sizing.engines():
        assert engine.version and engine.source
        settings = [entry.setting for entry in engine.defaults]
        assert len(settings) == len(set(settings))
        for entry in engine.defaults:
            assert entry.source
            assert entry.value is not None or entry.note
    assert {engine.family for engine in sizing.engines()} >= set(WINDOW_NOT_USED)


def test_an_unknown_default_is_answered_with_the_nearest():
    with pytest.raises(sizing.UnknownName, match="default of vLLM is called 'blocksize'"):
        sizing.load_engine("vllm").default("blocksize")


def test_defaults_that_the_book_rests_on_stay():
    assert settings_of({}) == Settings()
    assert (Settings().context_tokens, Settings().sequences, Settings().ubatch) == (8192, 1, 512)


@pytest.mark.parametrize(
    ("card", "context"),
    [("RTX 3060 12 GB", 4096), ("L4", 4096), ("RTX 4090", 32_768), ("A100 SXM 80 GB", 262_144)],
)
def test_ollama_takes_its_context_from_the_cards(card, context):
    """docs/context-length.mdx of Ollama: less than 24 GiB 4k, from 24 32k, from 48 256k."""
    given = settings_of({"engine": "ollama", "devices": [sizing.load_device(card)]})
    assert given.context_tokens == context
    two = settings_of({"engine": "ollama", "devices": [sizing.load_device(card)] * 2})
    assert two.context_tokens >= context
    assert settings_of({"engine": "ollama"}).context_tokens == 4096


def test_ollama_bounds():
    assert [ollama_context(size * GIB) for size in (22, 23, 46, 47)] == [4096, 32_768, 32_768, 262_144]
    assert [ollama_ubatch(tokens) for tokens in (4096, 4097, 32_768, 32_769)] == [512, 1024, 1024, 2048]


def test_a_context_of_each_conversation_is_multiplied():
    """Ollama passes -c num_ctx × parallel; a log: 131,072 × 2 (ollama/ollama#16480)."""
    given = settings_of({"engine": "ollama", "context_tokens": 131_072, "sequences": 2})
    assert (given.context_tokens, given.unified_kv, given.ubatch) == (262_144, False, 2048)
    shared = settings_of({"context_tokens": 131_072, "sequences": 2})
    assert shared.context_tokens == 131_072
    budget = sizing.vram_budget(sizing.load_model("gpt-oss-120b"), weights="MXFP4_MOE", engine="ollama",
                                context_tokens=131_072, sequences=2, ubatch=1024)
    assert budget["KV cache"].bytes == (9216 + 90) * MIB


def test_lm_studio_serves_four_and_keeps_whole_windows():
    given = settings_of({"engine": "lm studio"})
    assert (given.sequences, given.unified_kv, given.swa_full) == (4, True, True)
    gemma = sizing.load_model("Gemma-3-27B")
    studio, plain = (sizing.vram_budget(gemma, weights="Q4_K_M", engine=engine, context_tokens=32_768)
                     for engine in ("lm studio", "llama.cpp"))
    assert studio["KV cache"].bytes > 4 * plain["KV cache"].bytes


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"engine": "vllm", "experts_on_cpu": 3}, "vLLM has no setting experts_on_cpu: leave it out"),
     ({"engine": "ollama", "swa_full": True}, "Ollama has no setting swa_full"),
     ({"gpu_memory_utilization": 0.9}, "llama.cpp has no setting gpu_memory_utilization"),
     ({"engine": "vllm", "gpu_memory_utilization": 92}, "gpu_memory_utilization must be from 0.01 to 1"),
     ({"engine": "mlx", "devices": 2}, "MLX is sized on one device"),
     ({"engine": "vllm", "enforce_eager": 1}, "enforce_eager must be True or False")],
)
def test_settings_that_an_engine_does_not_have(settings, message):
    weights = "BF16" if "engine" in settings and settings["engine"] != "ollama" else "Q4_K_M"
    with pytest.raises(sizing.InvalidInput, match=message):
        sizing.vram_budget(QWEN, weights=weights, **settings)


@pytest.mark.parametrize(
    ("engine", "weights", "message"),
    [("vllm", "Q4_K_M", "vLLM does not run Q4_K_M: choose BF16"),
     ("mlx", "NF4", "MLX does not run NF4"), ("hf", "EXL3 4.0 bpw", "transformers does not run EXL3")],
)
def test_weights_that_an_engine_does_not_run(engine, weights, message):
    with pytest.raises(sizing.InvalidInput, match=message):
        sizing.vram_budget(QWEN, weights=weights, engine=engine)


@pytest.mark.parametrize("weights", [["BF16"], 16])
def test_weights_that_are_no_text(weights):
    with pytest.raises(sizing.InvalidInput, match="weights must be a str"):
        sizing.vram_budget(QWEN, weights=weights, engine="vllm")


def test_unknown_weights_and_cache_types_are_answered_by_engine():
    with pytest.raises(sizing.UnknownName, match="format of vLLM is called 'NF5'. Nearest: NF4"):
        sizing.vram_budget(QWEN, weights="NF5", engine="vllm")
    with pytest.raises(sizing.UnknownName, match="KV cache in vLLM is called 'q8_0'"):
        sizing.vram_budget(QWEN, weights="BF16", engine="vllm", kv_cache="q8_0")


def test_qwen3_8b_in_nf4_is_six_and_a_quarter_bits():
    sizes = sum(size for _, size in checkpoint_tensors(QWEN, "NF4", "hf"))
    assert round(8 * sizes / QWEN.parameters, 2) == 6.25


def test_a_tied_embedding_lies_on_the_device_once_and_nothing_stays_in_ram():
    model = sizing.load_model("Qwen3-0.6B")
    budget = sizing.vram_budget(model, weights="BF16", engine="hf")
    assert budget["weights"].bytes == 2 * model.parameters
    assert sizing.host_budget(model, weights="BF16", engine="hf").total_bytes == 0


def test_transformers_cache_grows_exactly_and_mlx_by_256():
    for engine, tokens, cached in (("hf", 1000, 1000), ("mlx", 1000, 1024), ("mlx", 1024, 1024)):
        budget = sizing.vram_budget(QWEN, weights="BF16", engine=engine, context_tokens=tokens)
        assert budget["KV cache"].bytes == 36 * 2 * 8 * 128 * 2 * cached
    two = sizing.vram_budget(QWEN, weights="BF16", engine="hf", context_tokens=1000, sequences=2)
    assert two["KV cache"].bytes == 2 * 36 * 2 * 8 * 128 * 2 * 1000


def test_sliding_layers_keep_their_window_in_transformers():
    """gpt-oss-20b: 12 layers of 128 tokens, 12 of all; 8 heads of 64 for keys and for values."""
    model = sizing.load_model("gpt-oss-20b")
    budget = sizing.vram_budget(model, weights="MXFP4 safetensors", engine="hf", context_tokens=10_000)
    assert budget["KV cache"].bytes == 12 * (128 + 10_000) * 2 * 8 * 64 * 2


def test_blocks_of_models_with_states_are_as_large_as_a_state():
    """noonghunna/club-3090#1047 prints 1,568 tokens for Qwen3.8-27B, with an fp8 cache."""
    settings = settings_of({"engine": "vllm", "kv_cache": "fp8"})
    held = {holds for _, _, holds in blocks_of(sizing.load_model("Qwen3.8-27B"), settings).kinds}
    assert held == {0, 1568}


def test_groups_have_as_many_layers_as_the_rarest_kind():
    """Gemma-3-27B: 52 sliding layers and 10 others are 6 groups (the last filled up) and 1."""
    blocks = blocks_of(sizing.load_model("Gemma-3-27B"), settings_of({"engine": "vllm"}))
    assert blocks.group_layers == 10
    assert sorted(groups for _, groups, _ in blocks.kinds) == [1, 6]
    budget = sizing.vram_budget(sizing.load_model("Gemma-3-27B"), weights="BF16", engine="vllm",
                                context_tokens=32_768)
    window = -(-(1024 - 1 + 2048) // 16) + 1
    assert budget["KV cache"].bytes == (32_768 // 16 + 6 * window) * 10 * 16 * 8192


def test_heads_are_dealt_out_and_mla_is_kept_by_every_device():
    def cache(model, devices):
        given = settings_of({"engine": "vllm", "devices": devices})
        return blocks_of(sizing.load_model(model), given).block_bytes
    assert cache("Qwen3-8B", 4) * 4 == cache("Qwen3-8B", 8) * 8 == cache("Qwen3-8B", 1)
    assert cache("Qwen3-8B", 16) == cache("Qwen3-8B", 8)  # 8 heads for 16 devices: copied
    assert cache("DeepSeek-V3", 8) == cache("DeepSeek-V3", 1) == 16 * 61 * (512 + 64) * 2


def test_devices_share_matrices_and_copy_norms():
    """Two H100 hold 7.48 GiB each of Llama-3-8B (vllm-project/vllm#10511)."""
    one, two = (sizing.vram_budget(sizing.load_model("Llama-3.1-8B"), weights="BF16", engine="vllm",
                                   devices=devices)["weights"].bytes for devices in (1, 2))
    table, norms = 131_072 * 128 * 2, (2 * 32 + 1) * 4096 * 2
    assert two - one == table + norms  # the sum over both


def test_what_makes_a_latent_vector_is_whole_on_every_device():
    """DeepSeek-V2-Lite: 27 layers, 26 routers among 64 experts, norms of 2048 and 512 numbers."""
    model = sizing.load_model("DeepSeek-V2-Lite")
    one, two = (sizing.vram_budget(model, weights="BF16", engine="vllm", devices=devices)["weights"].bytes
                for devices in (1, 2))
    whole = 27 * 576 * 2048 + 26 * 64 * 2048 + 27 * (2 * 2048 + 512) + 2048
    assert two - one == 2 * (whole + 163_840 * 64)  # the table of positions turns 64 numbers
    indexed = sizing.load_model("DeepSeek-V3.2")
    one, two = (sizing.vram_budget(indexed, weights="BF16", engine="vllm", devices=devices)["weights"].bytes
                for devices in (1, 2))
    plain = sizing.load_model("DeepSeek-V3-0324")
    one_plain, two_plain = (sizing.vram_budget(plain, weights="BF16", engine="vllm", devices=devices)
                            ["weights"].bytes for devices in (1, 2))
    indexer = 64 * 128 * 1536 + 128 * 7168 + 2 * 128 + 64 * 7168
    assert (two - one) - (two_plain - one_plain) == 61 * indexer * 2


def test_without_a_native_context_there_is_no_table_of_positions():
    given = {"weights": "BF16", "engine": "vllm"}
    endless = replace(QWEN, max_position_embeddings=None)
    with_table, without = (sizing.vram_budget(model, **given)["weights"].bytes for model in (QWEN, endless))
    assert with_table - without == 40_960 * 128 * 2


def test_kinds_of_nearly_as_many_layers_share_one_size_of_group():
    """gpt-oss-20b has 12 and 12 layers. Of 12 and 9 the larger decides, of 12 and 8 the smaller."""
    model = sizing.load_model("gpt-oss-20b")
    full = [layer for layer in model.layers if layer.attention.window is None]
    for count, group in ((12, 12), (9, 12), (8, 8)):
        cut = replace(model, layers=tuple(layer for layer in model.layers if layer not in full)
                      + (full[0],) * count)
        assert blocks_of(cut, settings_of({"engine": "vllm"})).group_layers == group


def test_mlx_reads_a_prompt_by_2048_tokens():
    buffers = {tokens: sizing.vram_budget(QWEN, weights="BF16", engine="mlx", context_tokens=tokens)
               ["compute buffer"].usual for tokens in (1000, 2048, 8192)}
    logits = 151_936 * 4
    assert buffers[2048] == buffers[8192]
    assert (buffers[1000] - logits) * 2048 == (buffers[2048] - logits) * 1000
    assert buffers[1000] == 1000 * (3 * 12_288 + 4 * 4096) * 2 + logits


def test_more_devices_than_heads_for_keys_copy_these_alone():
    """Qwen3-8B: 36 layers; keys and values of 8 heads of 128 on 16 devices."""
    eight, sixteen = (sizing.vram_budget(QWEN, weights="BF16", engine="vllm", devices=devices)["weights"].usual
                      / devices for devices in (8, 16))
    matrices = 2 * (QWEN.parameters - QWEN.parameters_by_role["norm"])
    keys_and_values = 36 * 2 * 8 * 128 * 4096 * 2
    assert eight - sixteen == (matrices - keys_and_values) / 8 - (matrices - keys_and_values) / 16


def test_a_step_of_experts_in_vllm():
    """Qwen3-30B-A3B: 8 experts of 768 for each token; gate and up, or the result of 2048, and the product."""
    model = sizing.load_model("Qwen3-30B-A3B")
    for devices, wide in ((1, max(2 * 768, 2048) + 768), (2, max(768, 2048) + 384)):
        budget = sizing.device_budgets(model, weights="BF16", engine="vllm", devices=devices,
                                       max_num_batched_tokens=65_536)[0]
        assert budget["compute buffer"].usual == 65_536 * (2 * 2048 + 8 * wide) * 2


def test_parts_of_vllms_runtime_and_of_ram_are_called_by_name():
    runtime = sizing.vram_budget(QWEN, weights="BF16", engine="vllm")["runtime"]
    assert [part.name for part in runtime.members] == ["driver", "libraries"]
    ram = sizing.host_budget(QWEN, weights="BF16", engine="vllm")
    assert [term.name for term in ram.terms] == ["weights"]


def test_layers_that_share_keys_are_no_part_of_the_cache():
    """Gemma-3n-E2B: 20 of 30 layers keep keys of their own, 4 of them of all tokens; 2 heads of 256."""
    cache = sizing.vram_budget(sizing.load_model("Gemma-3n-E2B"), weights="BF16", engine="hf",
                               context_tokens=4096)["KV cache"]
    assert sorted(part.usual for part in cache.members) == [
        16 * 512 * 2 * 2 * 256 * 2, 4 * 4096 * 2 * 2 * 256 * 2]


def test_a_most_for_each_setting():
    """Ollama's context is each conversation's: of 20 it is 20 times as long at most."""
    for name, most in (("ubatch", 65_536), ("sequences", 256)):
        assert getattr(settings_of({"engine": "ollama", "context_tokens": 8, name: most}), name) == most
        for more in ({}, {"sequences": 20} if name == "ubatch" else {}):
            with pytest.raises(sizing.InvalidInput, match=f"{name} must be from 1 to {most:,}"):
                settings_of({"engine": "ollama", "context_tokens": 8, **more, name: most + 1})
    assert settings_of({"engine": "ollama", "context_tokens": 100_000_000, "sequences": 2})
    for given in ({"engine": "ollama", "sequences": 2, "context_tokens": 100_000_001},
                  {"sequences": 2, "context_tokens": 100_000_001}):
        with pytest.raises(sizing.InvalidInput, match="context_tokens must be from 1 to"):
            settings_of(given)


# What each allowance's source names, in MiB, and whether its ends are those figures.
ALLOWANCES = [
    (driver_term(), (107, 256, 426, 555), "both"),
    (driver_term(backend="cpu"), (64,), ""),
    (vllm_library_term(1), (0.03 * 1024, 0.04 * 1024, 0.16 * 1024), "low"),
    (vllm_library_term(2), (0.2 * 1024, 0.3 * 1024, 0.33 * 1024, 0.39 * 1024, 0.73 * 1024), "both"),
    (cuda_graphs_term(), (0.09 * 1024, 0.36 * 1024, 0.52 * 1024, 2.22 * 1024), "both"),
    (workspace_term(quantized=True), (20, 660), "high"),
    (workspace_term(quantized=False), (20, 33, 47, 198), "high"),
]


@pytest.mark.parametrize(("term", "figures", "ends"), ALLOWANCES, ids=lambda value: getattr(value, "name", ""))
def test_an_allowance_holds_the_figures_that_its_source_names(term, figures, ends):
    low, usual, high = (float(end) / MIB for end in (term.low, term.usual, term.high))
    assert low <= usual <= high and min(figures) * 0.9 <= usual <= max(figures)
    assert low <= min(figures) * 1.03 and max(figures) <= high
    assert ends in ("", "high") or low == pytest.approx(min(figures), rel=0.03)
    assert ends in ("", "low") or high == pytest.approx(max(figures), rel=0.07)


def test_without_graphs_their_memory_is_free():
    graphs = sizing.vram_budget(QWEN, weights="BF16", engine="vllm")["CUDA graphs"]
    eager = sizing.vram_budget(QWEN, weights="BF16", engine="vllm", enforce_eager=True)
    assert graphs.usual > 0 and "CUDA graphs" not in [term.name for term in eager.terms]


def test_a_step_is_its_widest_layer_or_the_choice_of_tokens():
    small, large = (sizing.vram_budget(QWEN, weights="BF16", engine="vllm", max_num_batched_tokens=tokens)
                    ["compute buffer"] for tokens in (2048, 16_384))
    assert small.usual == 256 * 151_936 * 16
    assert large.usual == 16_384 * (2 * 4096 + 3 * 12_288) * 2


def test_what_vllm_leaves_for_its_cache():
    """LMCache/LMCache#3430: 6.37 GiB at 0.9764 of a 24 GB card; the range holds it."""
    device = sizing.load_device("RTX 4090")
    room = sizing.vllm_room(QWEN, device, weights="BF16", context_tokens=16_384,
                            gpu_memory_utilization=0.9764)
    low, usual, high = room.bytes
    assert low < usual < high and low <= 6.37 * GIB <= high
    tokens = room.tokens
    assert list(tokens) == sorted(tokens) and tokens[1] == usual // (16 * 147_456) * 16
    assert usual == int(device.visible_bytes * Fraction(9764, 10_000)) - (
        sum(sizing.vram_budget(QWEN, weights="BF16", engine="vllm", context_tokens=16_384)[name].bytes
            for name in ("weights", "compute buffer", "CUDA graphs")) + 160 * MIB)
    none = sizing.vllm_room(sizing.load_model("Qwen3-32B"), device, weights="BF16")
    assert none.bytes[2] < 0 and none.tokens == (0, 0, 0)
    with pytest.raises(sizing.InvalidInput, match="vllm_room answers for vLLM"):
        sizing.vllm_room(QWEN, device, weights="BF16", engine="ollama")


def test_budgets_of_all_engines_have_the_same_parts():
    for engine, weights in (("ollama", "Q4_K_M"), ("lm studio", "Q4_K_M"), ("vllm", "BF16"),
                            ("hf", "NF4"), ("mlx", "MLX 4-bit g64")):
        budget = sizing.vram_budget(QWEN, weights=weights, engine=engine)
        names = [term.name for term in budget.terms]
        assert names[:3] == ["weights", "KV cache", "compute buffer"] and names[-1] == "runtime"
        assert budget.total.low < budget.total.usual < budget.total.high


def test_a_mac_gives_its_gpu_more_since_macos_26():
    mac = sizing.load_device("Apple M1 Max 64 GB")
    older, newer = (sizing.apple_working_set(mac, macos=version) for version in (15, 26))
    assert older == 48 * GIB
    assert newer / mac.sold_bytes == pytest.approx(0.81, abs=0.01)
    with pytest.raises(sizing.InvalidInput, match="L4 is no Mac"):
        sizing.apple_working_set(sizing.load_device("L4"), macos=26)


def test_strix_halo_maps_half_of_what_the_bios_leaves():
    box = sizing.load_device("Ryzen AI Max+ 395 128 GB")
    assert sizing.apu_memory(box, carve_out_gib=0) == 64 * GIB
    assert sizing.apu_memory(box, carve_out_gib=96) == 96 * GIB
    assert sizing.apu_memory(box, carve_out_gib=64, gtt_gib=100) == 64 * GIB  # no more than there is
    assert abs(sizing.apu_memory(box) - box.visible_bytes) < 2 * GIB  # the least that was reported
    with pytest.raises(sizing.InvalidInput, match="carve_out_gib must be from 0 to 128"):
        sizing.apu_memory(box, carve_out_gib=200)
    with pytest.raises(sizing.InvalidInput, match="does not share its memory"):
        sizing.apu_memory(sizing.load_device("L4"))


def test_a_display_may_take_nothing():
    display = sizing.display_term()
    assert (display.low, display.usual, display.high) == (0, GIB // 2, 3 * GIB // 2)
    assert "assumption" in display.source


def test_most_sequences_counts_a_context_for_each_conversation():
    """Ollama's context is each conversation's, llama.cpp's that of all: the same number fits."""
    device = sizing.load_device("RTX 4090")
    ollama, own = (sizing.most_sequences(QWEN, device, weights="Q4_K_M", tokens_each=8192, **settings)
                   for settings in ({"engine": "ollama", "ubatch": 512}, {"unified_kv": False}))
    assert ollama == own > 4
    vllm = sizing.most_sequences(QWEN, device, weights="NF4", tokens_each=8192, engine="vllm")
    fits = [sizing.headroom(sizing.vram_budget(QWEN, weights="NF4", engine="vllm", sequences=count,
                                               context_tokens=8192), device).verdict
            for count in (vllm, vllm + 1)]
    assert fits[0] == "fits" != fits[1]


def test_changes_are_those_of_llama_cpp():
    with pytest.raises(sizing.InvalidInput, match="changes llama.cpp's settings: leave engine out"):
        sizing.changes_that_fit(QWEN, sizing.load_device("L4"), weights="BF16", engine="vllm")


@pytest.mark.parametrize(("name", "weights", "gib"), [
    ("gpt-oss-20b", "MXFP4", 12.82), ("gpt-oss-20b", "mxfp4", 12.82), ("Qwen3-8B", "NVFP4", 5.96)])
def test_4_bit_floats_are_those_of_checkpoints_where_checkpoints_are_read(name, weights, gib):
    """13.76 GB of safetensors, and 6.25 bits per weight; GGUF has other types of these names."""
    model = sizing.load_model(name)
    for engine in ("vLLM", "transformers"):
        found = sizing.vram_budget(model, weights=weights, engine=engine)["weights"].bytes
        named = sizing.vram_budget(model, weights=f"{weights} safetensors", engine=engine)["weights"].bytes
        assert found == named and found / 2**30 == pytest.approx(gib, rel=0.01)


def test_keys_and_values_that_nothing_uses_are_not_loaded_from_checkpoints():
    model = sizing.load_model("Gemma-3n-E2B")
    held = sizing.vram_budget(model, weights="BF16", engine="transformers")["weights"].bytes
    assert 2 * model.parameters <= held < 2 * model.parameters + 20_000
    assert sizing.weight_bytes(model, "BF16") > held + 2 * 20e6


def test_llama_cpp_is_built_for_256_conversations():
    card = sizing.load_device("H200 SXM")
    for engine in ("llama.cpp", "Ollama", "LM Studio"):
        with pytest.raises(sizing.InvalidInput, match="from 1 to 256, but is 257. .* built for 256 at most"):
            sizing.vram_budget(QWEN, weights="Q4_K_M", engine=engine, sequences=257)
    assert sizing.most_sequences(QWEN, card, weights="Q4_K_M", tokens_each=256) == 256
    assert sizing.most_sequences(QWEN, card, weights="NF4", tokens_each=256, engine="vllm") > 256
