"""What a token reads, against the counts that makers publish and what lies where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.memory import stored_bytes, stored_tensors

SPARSE, DENSE = sizing.load_model("Qwen3-30B-A3B"), sizing.load_model("Qwen3-32B")
FAMILIES = ["Llama-3.1-8B", "Llama-3.2-1B", "Qwen3-30B-A3B", "gpt-oss-20b", "Mixtral-8x7B", "Gemma-3n-E2B",
            "DeepSeek-V3-0324", "Llama-4-Scout", "Qwen3.6-35B-A3B", "Nemotron-3-Nano-30B-A3B"]


def buffers(model):
    return sum(stored_bytes(tensor, name) for _, tensor, name in stored_tensors(model, "F32")
               if tensor.role == "buffer")


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("settings", [{}, {"offload": 0}, {"offload": 7}, {"experts_on_cpu": 5},
                                      {"devices": 3}])
def test_at_32_bits_device_and_ram_together_read_four_bytes_a_parameter(name, settings):
    model = sizing.load_model(name)
    asked = {"weights": "F32", **settings}
    both = (sizing.device_reads(model, **asked)["weights"].usual
            + sizing.host_reads(model, **asked)["weights"].usual)
    assert both == 4 * model.read_parameters + buffers(model)


def test_openais_active_parameters_are_read():
    """3.6B of gpt-oss-20b, 5.1B of gpt-oss-120b (openai/gpt-oss, README)."""
    for name, billions in (("gpt-oss-20b", 3.6), ("gpt-oss-120b", 5.1)):
        reads = sizing.device_reads(sizing.load_model(name), weights="F32")
        assert reads["weights"].bytes / 4e9 == pytest.approx(billions, abs=0.05)


def test_one_expert_in_sixteen_is_read():
    """gate, up and down of 8 experts: 3 · 8 · 768 · 2048 weights of a layer, in Q8_0."""
    layer = 3 * 8 * 768 * 2048 * 34 // 32
    for count in (1, 24, 48):
        moved = {"weights": "Q8_0", "experts_on_cpu": count}
        assert sizing.host_reads(SPARSE, **moved).total_bytes == count * layer
        whole = sizing.device_reads(SPARSE, weights="Q8_0").total_bytes
        assert whole - sizing.device_reads(SPARSE, **moved).total_bytes == count * layer


def test_what_is_moved_of_a_dense_model_is_read_whole():
    stays = sizing.host_budget(DENSE, weights="Q4_K_M").total_bytes
    for count in (1, 20, 64):
        asked = {"weights": "Q4_K_M", "offload": 65 - count}
        moved = sizing.host_budget(DENSE, **asked).total_bytes - stays
        assert sizing.host_reads(DENSE, **asked).total_bytes == moved


def test_nothing_is_read_from_ram_where_all_lies_on_the_device():
    reads = sizing.host_reads(DENSE, weights="Q4_K_M")
    assert reads.total_bytes == 0
    assert sizing.device_reads(DENSE, weights="Q4_K_M", offload=0).total_bytes == 0


def test_a_tied_embedding_is_read_where_the_output_lies():
    tied = sizing.load_model("Llama-3.2-1B")
    table = 128_256 * 2048 * 34 // 32
    assert sizing.device_reads(tied, weights="Q8_0", offload=1)["weights"].bytes == pytest.approx(
        table, abs=4 * 2048)
    nowhere = sizing.host_reads(tied, weights="Q8_0", offload=0)["weights"].bytes
    assert nowhere == sizing.weight_bytes(tied, "Q8_0")


def test_a_full_cache_is_read_where_its_layers_lie():
    asked = {"weights": "Q4_K_M", "offload": 33, "context_tokens": 16_384, "kv_cache": "q8_0"}
    device, ram = sizing.device_reads(DENSE, **asked), sizing.host_reads(DENSE, **asked)
    half = 32 * 16_384 * 2 * 1024 * 34 // 32
    assert device["KV cache"].bytes == ram["KV cache"].bytes == half


def test_a_split_over_devices_reads_the_same():
    one, three = (sizing.device_reads(DENSE, weights="Q4_K_M", devices=count) for count in (1, 3))
    assert one.total == three.total


@given(st.sampled_from([sizing.load_model(name) for name in FAMILIES]), st.fixed_dictionaries({
    "weights": st.sampled_from(["F16", "Q4_K_M"]), "context_tokens": st.integers(1, 40_000),
    "offload": st.one_of(st.just("all"), st.integers(0, 60)), "experts_on_cpu": st.integers(0, 50)}))
def test_no_more_is_read_than_lies_there(model, settings):
    pairs = ((sizing.device_reads, sizing.vram_budget), (sizing.host_reads, sizing.host_budget))
    for reads, budget in pairs:
        lies = {term.name: term.usual for term in budget(model, **settings).terms}
        for term in reads(model, **settings).terms:
            assert 0 <= term.usual <= lies.get(term.name, 0)


def test_several_conversations_are_refused():
    for reads in (sizing.device_reads, sizing.host_reads):
        with pytest.raises(sizing.InvalidInput, match="counted for one conversation"):
            reads(SPARSE, weights="Q4_K_M", sequences=2)
        with pytest.raises(sizing.UnknownName, match="Nearest: offload"):
            reads(SPARSE, weights="Q4_K_M", ofload=2)


@pytest.mark.parametrize("engine", ["vllm", "mlx", "transformers"])
@pytest.mark.parametrize("ask", [sizing.device_reads, sizing.host_reads], ids=["device", "RAM"])
def test_reads_are_llama_cpps_alone(ask, engine):
    with pytest.raises(sizing.InvalidInput, match="is counted for llama.cpp, not for .*: leave engine out"):
        ask(sizing.load_model("Qwen3-8B"), weights="BF16", engine=engine)
