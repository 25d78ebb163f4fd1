"""What a split model needs beside: llama.cpp v0.5.0 on Vulkan, 8,192 tokens, Q4_K_M, no allocation."""

import pytest

import llmsizing as sizing
from llmsizing.memory.compute import copied_weights
from llmsizing.memory.placement import placement
from llmsizing.memory.settings import Settings
from llmsizing.memory.weights import layout_of

MIB = 2**20


def buffers(name, **settings):
    model = sizing.load_model(name)
    budgets = sizing.device_budgets(model, weights="Q4_K_M", backend="vulkan", **settings)
    return [budget["compute buffer"] for budget in budgets]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("Llama-3.1-8B", 172_007_424, 205_561_920), ("Gemma-3-4B", 142_680_064, 163_651_648),
     ("Qwen3-30B-A3B", 138_452_992, 155_230_272)],
)
def test_two_devices_keep_inputs_of_four_steps(name, first, second):
    made = buffers(name, devices=2)
    assert [term.bytes for term in made] == pytest.approx([first, second], abs=MIB // 10)


@pytest.mark.parametrize(
    ("name", "settings", "reported", "within"),
    [("Qwen3-30B-A3B", {"experts_on_cpu": 48}, 236_464_128, 0.001),
     ("Qwen3-30B-A3B", {"experts_on_cpu": 10}, 236_464_128, 0.001),
     ("Qwen3-30B-A3B", {"experts_on_cpu": 1}, 236_464_128, 0.001),
     ("Qwen3-30B-A3B", {"experts_on_cpu": 48, "ubatch": 64}, 174_064_896, 0.001),
     ("Qwen3-30B-A3B", {"experts_on_cpu": 48, "ubatch": 2048}, 450_404_352, 0.001),
     ("gpt-oss-20b", {"experts_on_cpu": 24}, 358_565_888, 0.001),
     ("gpt-oss-20b", {"experts_on_cpu": 1}, 350_177_280, 0.03),
     ("Llama-3.1-8B", {"offload": 10}, 135_792_640, 0.01),
     ("Llama-3.1-8B", {"offload": 0}, 135_792_640, 0.01),
     ("Llama-3.1-8B", {"offload": 10, "ubatch": 2048}, 495_984_640, 0.001),
     ("Llama-3.1-8B", {"offload": 10, "ubatch": 64}, 63_373_568, 0.04),
     ("Qwen3-30B-A3B", {"offload": 24}, 257_949_696, 0.07),
     ("Qwen3-30B-A3B", {"offload": 20}, 257_949_696, 0.07),
     ("Gemma-3-4B", {"offload": 17}, 109_120_512, 0.04)],
)
def test_a_matrix_in_ram_is_copied_to_the_device(name, settings, reported, within):
    (made,) = buffers(name, **settings)
    assert made.usual == pytest.approx(reported, rel=within)


def copied(name, **settings):
    model, weights = sizing.load_model(name), "Q4_K_M"
    return copied_weights(model, weights, placement(model, Settings(**settings), layout_of(model, weights)))


def test_the_largest_matrix_of_each_name_is_copied():
    assert copied("Llama-3.1-8B") == copied("Llama-3.1-8B", offload=33) == {}
    assert copied("Llama-3.1-8B", offload=1, backend="cpu") == {}
    half = copied("Llama-3.1-8B", offload=10)
    assert half["ffn_down.weight"] == 14_336 * 4096 * 210 // 256  # Q6_K in the first layers
    assert half["ffn_up.weight"] == 14_336 * 4096 * 144 // 256 and "output.weight" not in half
    experts = copied("Qwen3-30B-A3B", experts_on_cpu=1)
    assert set(experts) == {f"ffn_{part}_exps.weight" for part in ("gate", "up", "down")}


def test_there_is_nothing_to_copy_where_all_lies_on_the_device_or_in_ram():
    for settings in ({}, {"offload": 33}, {"backend": "cpu", "experts_on_cpu": 10}):
        model = sizing.load_model("Llama-3.1-8B")
        asked = {"backend": settings.get("backend", "cuda"), "weights": "Q4_K_M"}
        budget = sizing.vram_budget(model, **{**asked, **settings})
        assert budget["compute buffer"] == sizing.vram_budget(model, **asked)["compute buffer"]


def test_a_pipeline_needs_all_layers_on_devices_that_copy_while_they_compute():
    model = sizing.load_model("Llama-3.1-8B")

    def piped(**settings):
        budgets = sizing.device_budgets(model, weights="Q4_K_M", devices=2, **settings)
        return ["copies for a pipeline" in [part.name for part in budget["compute buffer"].members]
                for budget in budgets]

    assert piped() == piped(offload=33) == piped(backend="rocm") == [True, True]
    assert piped(offload=32) == piped(backend="metal") == [False, False]


def test_only_the_first_device_gets_the_copies_of_weights():
    made = buffers("Llama-3.1-8B", devices=2, offload=20)
    assert made[0].bytes > made[1].bytes
