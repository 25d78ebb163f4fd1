"""The compute buffer against llama.cpp's own reports, and the allocator that it comes from."""

import math
from dataclasses import replace
from fractions import Fraction
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.architecture import LatentAttention
from llmsizing.catalog import engine_loads
from llmsizing.memory.cache import cache_term
from llmsizing.memory.compute import compute_term, host_compute_term, output_term
from llmsizing.memory.compute.arena import Arena
from llmsizing.memory.placement import placement
from llmsizing.memory.settings import Settings
from llmsizing.memory.weights import layout_of, weights_term

MIB = 2**20
LLAMA = sizing.load_model("Llama-3.1-8B")

#: Recurrent layers whose order of computing Vulkan changes so that gaps add up over the layers.
SCATTERED = ("Granite-4.0-H-Micro", "Nemotron-3-Nano-30B-A3B", "Falcon-H1-0.5B")


def loads(backend, fitted=("yes", "no")):
    return [load for load in engine_loads() if load.backend == backend and load.fitted in fitted]


def miss(load):
    """How far the total of weights, cache and compute buffer is from the report, as a share."""
    model, settings = sizing.load_model(load.model), Settings(**load.settings)
    placed = placement(model, settings, layout_of(model, load.file_type))
    weights = (weights_term(model, load.file_type, placed, 0).usual
               if load.backend == "vulkan" else load.weights_mib * MIB)
    ours = weights + cache_term(model, settings).usual + compute_term(model, settings).usual
    return abs(ours / (load.device_mib * MIB) - 1)


@pytest.mark.parametrize("fitted", ["yes", "no"])
def test_a_device_holds_what_the_engine_reports(fitted):
    misses = sorted((miss(load), load.model) for load in loads("vulkan", fitted))
    regular = [share for share, model in misses if model not in SCATTERED]
    assert len(misses) > 150
    assert median(share for share, _ in misses) < 0.0005
    assert regular[int(0.9 * len(regular))] < 0.005
    assert regular[-1] < 0.015
    assert misses[-1][0] < 0.04


@pytest.mark.parametrize("fitted", ["yes", "no"])
def test_the_cpu_holds_what_the_engine_reports(fitted):
    misses = sorted(miss(load) for load in loads("cpu", fitted))
    assert len(misses) > 80
    assert median(misses) < 0.0005
    assert misses[int(0.9 * len(misses))] < 0.005
    assert misses[-1] < 0.025


@pytest.mark.parametrize("backend", ["vulkan", "cpu"])
def test_the_cache_is_exact(backend):
    """To the fourth digit of a MiB, in which the table is written; the engine counts bytes."""
    for load in loads(backend):
        ours = cache_term(sizing.load_model(load.model), Settings(**load.settings)).usual
        assert ours / MIB == pytest.approx(float(load.kv_cache_mib), abs=0.001), load


def test_ram_beside_the_device():
    for load in loads("vulkan"):
        model, settings = sizing.load_model(load.model), Settings(**load.settings)
        ours = host_compute_term(model, settings).usual / MIB
        assert ours == pytest.approx(float(load.host_compute_mib), rel=0.02, abs=2), load
        assert output_term(model, settings).usual / MIB == pytest.approx(float(load.output_mib),
                                                                         abs=0.006)


def test_reports_are_balanced():
    rows = engine_loads()
    assert len(rows) <= 700 and len({row.model for row in rows}) > 60
    for column, values in (("backend", ("vulkan", "cpu")), ("flash_attention", ("on", "off")),
                           ("logits", ("last", "all")), ("fitted", ("yes", "no")),
                           ("unified_kv", ("yes", "no")), ("swa_full", ("yes", "no"))):
        counts = [sum(getattr(row, column) == value for row in rows) for value in values]
        assert sum(counts) == len(rows) and min(counts) >= 10, column


# DeepSeek-V2-Lite at Q4_K_M as old GGUF files have it, with attn_kv_b: llama.cpp v0.5.0, context,
# then KV cache and compute buffer on a Vulkan device in MiB.
UNFOLDED = [(2048, 540.0, 78.135), (8192, 2160.0, 84.135), (32_768, 8640.0, 108.135),
            (131_072, 34_560.0, 204.135)]


@pytest.mark.parametrize(("context", "cache", "compute"), UNFOLDED)
def test_mla_of_old_files_caches_all_heads(context, cache, compute):
    model = sizing.load_model("DeepSeek-V2-Lite")
    old = replace(model, name="old", layers=tuple(
        replace(layer, parts=tuple(replace(part, latent_cache=False) if isinstance(part, LatentAttention)
                                   else part for part in layer.parts)) for layer in model.layers))
    settings = Settings(context_tokens=context, backend="vulkan")
    assert cache_term(old, settings).usual == cache * MIB
    assert compute_term(old, settings).usual / MIB == pytest.approx(compute, rel=0.03)
    names = {tensor.name for _, tensor in old.tensors()}
    assert "attn_kv_b.weight" in names and names.isdisjoint({"attn_k_b.weight", "attn_v_b.weight"})


def test_values_without_flash_attention_are_as_wide_as_in_the_widest_layer():
    """Gemma 4: 4 heads of 512 where a layer looks back at all, 16 of 256 where it slides."""
    model = sizing.load_model("Gemma-4-31B")
    on, off = (sizing.kv_cache_bytes(model, context_tokens=32_768, flash_attention=flash)
               for flash in (True, False))
    assert off - on == 10 * 32_768 * (16 * 256 - 4 * 512) * 2


# llama.cpp v0.5.0, loads without allocation on a Vulkan device: compute buffer in MiB.
BUFFERS = [
    ("Gemma-3-27B", 131072, {"swa_full": True}, 419.0),
    ("gpt-oss-20b", 131072, {"swa_full": True}, 342.8),
    ("Gemma-3-27B", 131072, {"sequences": 4, "unified_kv": False}, 196.5),
    ("Llama-3.1-8B", 131072, {"sequences": 4, "unified_kv": False}, 132.0),
    ("Gemma-2-9B", 32768, {"sequences": 8}, 170.0),
    ("Gemma-3-4B", 32768, {"sequences": 8}, 118.5),
    ("Gemma-3-4B", 8192, {"sequences": 8}, 94.0),
]


@pytest.mark.parametrize(("model", "context", "settings", "mib"), BUFFERS)
def test_the_compute_buffer_is_what_the_engine_reserves(model, context, settings, mib):
    term = compute_term(sizing.load_model(model), Settings(context_tokens=context, **settings))
    assert term.usual / MIB == pytest.approx(mib, abs=0.06)
    assert term.low <= term.usual <= term.high


def test_nvidia_copies_a_layer_of_a_quantized_cache():
    """F16 numbers for the cells of one layer, the widest; nothing of what is in F16 already."""
    def copied(model, kv_cache, backend="cuda"):
        term = compute_term(model, Settings(context_tokens=32768, kv_cache=kv_cache, backend=backend))
        copies = [part for part in term.members if part.name == "copy of one layer's cache"]
        assert all(part.low == part.usual == 0 for part in copies)
        return sum(part.high for part in copies)

    assert copied(LLAMA, "q8_0") == copied(LLAMA, "q8_0", "rocm") == 32768 * 2048 * 2
    assert copied(LLAMA, ("f16", "q4_0")) == 32768 * 1024 * 2
    assert copied(sizing.load_model("DeepSeek-V2-Lite"), "q8_0") == 32768 * 576 * 2
    assert copied(sizing.load_model("Gemma-3-27B"), "q8_0") == 32768 * 4096 * 2
    assert copied(LLAMA, "f16") == copied(LLAMA, "q8_0", "metal") == copied(LLAMA, "q8_0", "vulkan") == 0


def test_the_widest_moment_of_a_dense_layer():
    """Gate, up and their product, the residual stream and the mask; one gap as long as the stream."""
    terms = {term.name: term.usual for term in
             compute_term(LLAMA, Settings(context_tokens=8192, backend="vulkan")).members}
    assert terms["gate"] == terms["up"] == terms["product"] == 512 * 14_336 * 4
    assert terms["residual stream"] == 512 * 4096 * 4
    assert terms["mask of the context"] == 512 * 8192 * 2
    assert terms["gaps and small parts"] == pytest.approx(512 * 4096 * 4, rel=0.01)


def test_without_flash_attention_the_scores_are_the_buffer():
    """Chapter 8's number: heads × tokens × cells × 4 bytes."""
    terms = {term.name: term.usual for term in compute_term(
        LLAMA, Settings(context_tokens=131_072, flash_attention=False, backend="vulkan")).members}
    assert terms["scores"] == 32 * 512 * 131_072 * 4


def test_logits_of_a_whole_step():
    few, all_ = (compute_term(LLAMA, Settings(logits=logits, backend="vulkan")).usual
                 for logits in ("last", "all"))
    assert all_ - 512 * 128_256 * 4 == pytest.approx(512 * 2 * 4096 * 4, rel=0.001)
    assert few < all_


def test_the_order_of_another_device_is_a_range():
    exact = compute_term(LLAMA, Settings(backend="vulkan"))
    assert exact.low == exact.usual == exact.high
    for backend in ("cuda", "rocm", "metal"):
        term = compute_term(LLAMA, Settings(backend=backend))
        assert exact.usual == term.usual < term.high
        assert term.usual - term.low == 512 * (4 + 8 + 8)  # places in caches, new in 2025
        term = compute_term(LLAMA, Settings(backend=backend, logits="all"))
        assert term.usual - term.low == 512 * (4 + 8 + 8 + 4 * 4096)  # and a stream beside all logits
    hybrid = sizing.load_model("Granite-4.0-H-Small")  # 248.8 MiB on Vulkan
    term = compute_term(hybrid, Settings(backend="vulkan"))
    assert term.low == term.usual and term.usual < 248 * MIB < term.high


sizes = st.lists(st.integers(1, 5000), min_size=1, max_size=30)


@given(sizes, st.randoms(use_true_random=False))
def test_tensors_in_an_arena_never_overlap(sizes, random):
    arena, alive = Arena(), []
    for number, size in enumerate(sizes):
        arena.make(str(number), size)
        alive.append(str(number))
        placed = sorted(arena._placed.values())
        assert all(start % 32 == 0 and length % 32 == 0 for start, length in placed)
        assert all(one[0] + one[1] <= two[0] for one, two in zip(placed, placed[1:], strict=False))
        assert arena.widest.end >= max(start + length for start, length in placed)
        if random.random() < 0.5:
            arena.free(alive.pop(random.randrange(len(alive))))
    assert arena.widest.end >= sum(arena.widest.tensors.values())
    arena.free(*alive)
    arena.make("whole", arena.widest.end)
    assert arena._placed["whole"][0] == 0


def test_an_indexer_picks_2048_tokens_in_each_layer():
    terms = {term.name: term.usual for term in compute_term(
        sizing.load_model("DeepSeek-V3.2"), Settings(context_tokens=32_768, backend="vulkan")).members}
    assert terms["tokens picked in each layer"] == 61 * 2048 * 512 * 4


def test_what_lay_there_first_is_told():
    arena = Arena()
    for name in ("first", "second"):
        arena.make(name, 64)
        arena.free(name)
    assert (arena.widest.end, dict(arena.widest.tensors)) == (64, {"first": 64})


@given(st.sampled_from(sizing.models()), st.sampled_from(("last", "all")), st.booleans(),
       st.sampled_from(("cuda", "vulkan", "metal", "cpu")), st.integers(1, 4), st.integers(1, 2048))
def test_every_model_has_a_compute_buffer(model, logits, flash, backend, sequences, ubatch):
    settings = Settings(context_tokens=4096, logits=logits, flash_attention=flash, backend=backend,
                        sequences=sequences, ubatch=ubatch)
    for term in (compute_term(model, settings), host_compute_term(model, settings)):
        assert 0 < term.low <= term.usual <= term.high
        assert term.usual == sum(member.usual for member in term.members)
        assert isinstance(term.usual, Fraction) and math.isfinite(term.usual)


def test_a_layer_that_lost_its_second_norm_still_has_a_buffer():
    """A broken file of a hybrid: attention and Mamba side by side, and one norm for all."""
    model = sizing.load_model("Falcon-H1-0.5B")
    broken = replace(model, layers=tuple(
        replace(layer, others=tuple(tensor for tensor in layer.others if "ffn_norm" not in tensor.name))
        for layer in model.layers))
    assert compute_term(broken, Settings()).usual == pytest.approx(
        float(compute_term(model, Settings()).usual), rel=0.3)
