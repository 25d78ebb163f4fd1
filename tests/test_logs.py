"""Our figures against what engines printed when people loaded real models."""

import csv
import statistics
from collections import defaultdict

import pytest

import llmsizing as sizing
from llmsizing import evidence
from llmsizing.catalog.loads import gpu_loads, transformers_loads, vllm_loads
from llmsizing.catalog.tables import DATA
from llmsizing.memory.other_engines.vllm import cached_tokens
from llmsizing.memory.settings import settings_of


@pytest.fixture(scope="module")
def kinds():
    found = defaultdict(list)
    for row in evidence.log_comparisons():
        found[row.kind].append(row)
    return found


def test_every_row_names_a_thread_or_file_that_was_opened():
    for load in (*gpu_loads(), *vllm_loads(), *transformers_loads()):
        assert load.source_url.startswith("https://github.com/")
        assert load.accessed >= "2026-11-01"
        sizing.load_model(load.model)


def test_every_figure_of_the_tables_is_compared(kinds):
    figures = 0
    for file, ends in (("gpu_loads.csv", "_mib"), ("vllm_loads.csv", "_gib")):
        with (DATA / file).open(encoding="utf-8", newline="") as lines:
            for raw in csv.DictReader(lines):
                figures += sum(bool(value) for name, value in raw.items()
                               if name.endswith(ends) and name not in ("memory_gib", "cache_gib"))
                figures += bool(raw.get("cache_gib") and raw.get("cache_tokens"))
    assert sum(map(len, kinds.values())) == figures + len(transformers_loads())


# Kind, rows inside our range, rows, median error at most. Measured, and held here.
SHARES = [
    ("llama.cpp weights", 3, 3, 0.000_01),
    ("llama.cpp weights in RAM", 3, 3, 0.000_1),
    ("llama.cpp KV cache", 7, 7, 0.000_001),
    ("llama.cpp compute buffer", 4, 4, 0.02),
    ("vLLM weights", 5, 6, 0.000_1),
    ("vLLM KV cache", 7, 8, 0.001),
    ("vLLM compute buffer", 4, 5, 0.25),
    ("transformers, allocated", 72, 80, 0.006),
    ("transformers, peak", 102, 102, 0.009),
]


@pytest.mark.parametrize(("kind", "inside", "rows", "median"), SHARES)
def test_how_often_real_figures_fall_inside_our_range(kinds, kind, inside, rows, median):
    assert (sum(row.inside for row in kinds[kind]), len(kinds[kind])) == (inside, rows)
    assert statistics.median(abs(row.error) for row in kinds[kind]) <= median


def test_the_share_among_rows_that_no_range_was_made_with(kinds):
    unseen = [row for kind in ("transformers, allocated", "transformers, peak")
              for row in kinds[kind] if not row.fitted]
    assert (sum(row.inside for row in unseen), len(unseen)) == (99, 103)


def test_what_lies_outside_has_a_cause(kinds):
    """The FP8 file of a tied model holds its output layer twice. In BF16 three answers to a
    prompt of one token ended before 2,048. AutoAWQ ran without flash attention."""
    outside = {(row.model, row.setting.split(",")[0]) for row in kinds["transformers, allocated"]
               if not row.inside}
    assert outside == {("Qwen3-4B", "FP8 block 128"), ("Qwen3-1.7B", "BF16"), ("Qwen3-14B", "BF16"),
                       ("Qwen3-32B", "BF16"), ("Qwen3-32B", "AWQ 4-bit g128")}
    twice = sizing.load_model("Qwen3-4B").embedding.count * 2
    for row in kinds["transformers, allocated"]:
        if (row.model, row.setting.split(",")[0]) == ("Qwen3-4B", "FP8 block 128"):
            assert abs(row.measured - twice - row.usual) < 64 * 2**20


@pytest.mark.parametrize(
    ("model", "kv_cache", "context", "cache_gib", "tokens"),
    [("Qwen3.6-35B-A3B", "fp8", 131_072, 6.01, 569_878),
     ("Qwen3.6-35B-A3B", "fp8", 131_072, 5.98, 567_978),
     ("Qwen3-8B", "bf16", 16_384, 6.37, 46_368)],
)
def test_tokens_of_a_cache_as_vllm_counts_them(model, kv_cache, context, cache_gib, tokens):
    """States take two blocks a group, blocks are as large as a state: to the token."""
    settings = settings_of({"engine": "vllm", "kv_cache": kv_cache, "context_tokens": context})
    least, most = (cached_tokens(sizing.load_model(model), settings, int((cache_gib + half) * 2**30))
                   for half in (-0.005, 0.005))  # as far as GiB are printed
    assert least <= tokens <= most
    assert most - least <= 0.004 * tokens


def test_a_comparison_knows_its_error_and_the_digits_that_were_printed():
    row = evidence.Comparison(kind="k", model="m", setting="s", measured=1000, rounding=5, low=900,
                            usual=980, high=995, fitted=False, source="x", source_url="y")
    assert row.inside and row.error == pytest.approx(-0.02)
