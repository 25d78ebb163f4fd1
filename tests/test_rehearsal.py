"""A file of a model's shape, and what a real llama.cpp says of it."""

import importlib.metadata
import resource
import tomllib
from pathlib import Path

import pytest

import llmsizing as sizing
from llmsizing.deployment import rehearsal
from llmsizing.deployment.shape_file import ARCHITECTURES

LLAMA = sizing.load_model("Llama-3.1-8B")


def one_of_each():
    """The smallest model of the catalog for each architecture that is written."""
    found = {}
    for model in sizing.models():
        if model.model_type in ARCHITECTURES:
            found.setdefault(model.model_type, model)
    return list(found.values())


@pytest.mark.parametrize("model", one_of_each(), ids=lambda model: model.model_type)
def test_the_engine_allocates_what_the_budget_says(model):
    """Weights within the MiB that it prints, the cache exactly, and the buffer up to one input of this build."""
    result = sizing.rehearse(sizing.vram_budget(model, weights="Q4_K_M", context_tokens=8192))
    rows = {term: (ours, engine) for term, ours, engine, _ in result.comparison.rows}
    ours, engine = rows["weights"]
    assert 0 <= ours - engine < 1
    ours, engine = rows["KV cache"]
    assert abs(ours - engine) < 0.006
    ours, engine = rows["compute buffer"]
    added = result.inputs["inp_mixed_embd"] / 2**20
    assert result.inputs["inp_mixed_embd"] == 512 * model.hidden_size * 4
    assert -0.01 <= engine - ours <= added + 0.52  # Gemma 2: half a MiB more


WAYS = [{"kv_cache": "q8_0"}, {"kv_cache": ("q8_0", "q4_0")}, {"sequences": 4},
        {"sequences": 4, "unified_kv": False}, {"swa_full": True}, {"ubatch": 1024}, {"context_tokens": 5000},
        {"context_tokens": 131_072}]


@pytest.mark.parametrize("given", WAYS, ids=str)
def test_the_engine_gets_the_budget_s_settings(given):
    """Gemma's windows make the cache depend on each of them."""
    model = sizing.load_model("Gemma-3-1B")
    result = sizing.rehearse(sizing.vram_budget(model, weights="Q8_0", **given))
    _, ours, engine, _ = result.comparison.rows[1]
    assert abs(ours - engine) < 0.01 * len(result.report["KV cache"].members)


def test_without_flash_attention_the_buffer_grows_as_ours_does():
    with_it, without = (sizing.rehearse(sizing.vram_budget(LLAMA, weights="Q4_K_M", flash_attention=on))
                        for on in (True, False))
    grown = without.report["compute buffer"].bytes - with_it.report["compute buffer"].bytes
    ours = without.budget["compute buffer"].bytes - with_it.budget["compute buffer"].bytes
    assert grown == pytest.approx(ours, rel=0.03) and grown > 400 * 2**20


def test_a_file_of_its_shape_is_as_long_as_the_model_and_takes_some_kilobytes(tmp_path):
    path = sizing.write_shape(LLAMA, tmp_path / "m.gguf", weights="Q4_K_M")
    stat = path.stat()
    assert 0 < stat.st_size - sizing.weight_bytes(LLAMA, "Q4_K_M") < 100_000
    assert stat.st_blocks * 512 < 200_000
    again = sizing.read_gguf(path)
    assert sizing.weight_bytes(again) == sizing.weight_bytes(LLAMA, "Q4_K_M")
    assert sizing.kv_cache_bytes(again) == sizing.kv_cache_bytes(LLAMA)


@pytest.mark.parametrize(("name", "weights", "told"), [
    ("Qwen3.5-2B", "Q4_K_M", "was not tried"), ("DeepSeek-V3-0324", "Q4_K_M", "was not tried"),
    ("Llama-3.1-8B", "NF4", "cannot hold NF4"), ("Llama-3.1-8B", "nonsense", "Nearest|Known"),
])
def test_a_file_that_cannot_be_written_is_refused(tmp_path, name, weights, told):
    with pytest.raises((sizing.InvalidInput, sizing.UnknownName), match=told):
        sizing.write_shape(sizing.load_model(name), tmp_path / "m.gguf", weights=weights)
    with pytest.raises(sizing.InvalidInput, match="cannot be written"):
        sizing.write_shape(LLAMA, tmp_path / "no" / "folder.gguf", weights="Q4_K_M")


def test_budgets_that_cannot_be_rehearsed_are_refused():
    for budget in (sizing.rule_of_thumb(parameters=7e9, bits=4),
                   sizing.vram_budget(LLAMA, weights="BF16", engine="vllm")):
        with pytest.raises(sizing.InvalidInput, match="made for llama.cpp"):
            sizing.rehearse(budget)
    with pytest.raises(sizing.InvalidInput, match="must be a Breakdown"):
        sizing.rehearse(LLAMA)


def test_an_engine_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(rehearsal, "ENGINE", "no_such_engine")
    with pytest.raises(ModuleNotFoundError, match="pip install no_such_engine==2026"):
        sizing.rehearse(sizing.vram_budget(LLAMA, weights="Q4_K_M"))


@pytest.mark.parametrize(("child", "told"), [
    ("raise SystemExit('error: no such thing')", "last words: error: no such thing"), ("", "last words: none"),
    ("import time; print('loading', flush=True); time.sleep(60)", "within 1 seconds. Its last words: loading"),
])
def test_an_engine_that_does_not_report_is_ended_and_quoted(monkeypatch, child, told):
    monkeypatch.setattr(rehearsal, "CHILD", child)
    with pytest.raises(sizing.InvalidInput, match=told):
        sizing.rehearse(sizing.vram_budget(LLAMA, weights="Q4_K_M"), seconds=1)


@pytest.mark.parametrize("seconds", ["x", None, 0, -1, float("nan"), 1e300, True])
def test_seconds_that_make_no_sense_start_no_engine(monkeypatch, seconds):
    monkeypatch.setattr(rehearsal, "_engine_lines", None)
    with pytest.raises(sizing.InvalidInput, match="seconds must be"):
        sizing.rehearse(sizing.vram_budget(LLAMA, weights="Q4_K_M"), seconds=seconds)


def test_the_child_is_limited_in_memory_and_never_loads():
    """It would have to read 116 GiB, which neither the disk nor the memory of a laptop has."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    result = sizing.rehearse(sizing.vram_budget(sizing.load_model("gpt-oss-120b"), weights="Q8_0"))
    assert result.report["weights"].bytes > 60 * 2**30
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 700 * 2**10)


def test_the_pin_is_the_version_whose_log_is_read():
    project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    asked = project["project"]["optional-dependencies"]["book"]
    assert any(line.startswith(f"xllamacpp=={rehearsal.ENGINE_VERSION} ;") for line in asked)
    assert importlib.metadata.version("xllamacpp") == rehearsal.ENGINE_VERSION
