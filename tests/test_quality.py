import csv
import math
import statistics

import pytest

import llmsizing as sizing
from llmsizing import quality
from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput, UnknownName
from llmsizing.quality.front import questions
from llmsizing.quality.measurements import METRICS, Measurement
from llmsizing.quality.nearness import FARTHEST

KEY = ("model", "kind", "quantized", "method", "imatrix", "rotated", "metric", "corpus", "context_tokens",
       "source", "notes")
ROWS = quality.quality_rows()
HEADER, *LINES = (DATA / "quality.csv").read_text(encoding="utf-8").splitlines()


def rows_of(**where):
    found = quality.quality_rows(**where)
    assert found, where
    return found


def one(**where):
    found, = rows_of(**where)
    return found


# The table -----------------------------------------------------------------------------------

def table_with(tmp_path, **changes):
    """The first row of quality.csv, changed, as a table of its own."""
    row = next(csv.DictReader([HEADER, LINES[0]]))
    file = tmp_path / "quality.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, HEADER.split(","))
        writer.writeheader()
        writer.writerow({**row, **changes})
    return file


def test_the_first_row_stands_as_it_is(tmp_path):
    assert read_table(table_with(tmp_path), Measurement, key=KEY)[0] == ROWS[0]


@pytest.mark.parametrize("changes, said", [
    ({"metric": "KLD", "value": "21"}, "lies between 0 and 20 nats"),
    ({"metric": "MMLU", "value": "101"}, "lies between 0 and 100 %"),
    ({"value": "much"}, "PPL is 'much'"),
    ({"value": "1/0"}, "PPL is '1/0'"),
    ({"metric": "KL"}, "No metric is called 'KL'. Nearest: KLD"),
    ({"kind": "chat"}, "kind is 'chat'"),
    ({"quantized": "all"}, "quantized is 'all'"),
    ({"rotated": "yes"}, "only a KV cache is rotated"),
    ({"size_gib": ""}, "size_gib and size_counts go together"),
    ({"source": ""}, "source is empty"),
    ({"source_url": " "}, "source_url is empty"),
    ({"corpus": ""}, "corpus is empty"),
    ({"billions": "0"}, "not plausible"),
])
def test_a_bad_row_is_refused_with_file_and_line(tmp_path, changes, said):
    with pytest.raises(InvalidInput) as refused:
        read_table(table_with(tmp_path, **changes), Measurement, key=KEY)
    assert str(refused.value).startswith("quality.csv, line 2: ") and said in str(refused.value)


def test_unknown_columns_and_duplicates_are_refused(tmp_path):
    file = tmp_path / "quality.csv"
    file.write_text(f"{HEADER},mood\n{LINES[0]},good\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="line 1: unknown columns .'mood'"):
        read_table(file, Measurement, key=KEY)
    file.write_text(f"{HEADER}\n{LINES[0]}\n{LINES[0]}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="line 3: .* already stands in line 2"):
        read_table(file, Measurement, key=KEY)


def test_every_row_says_what_was_read_and_when():
    for row in ROWS:
        assert row.source_url.startswith("https://") and row.accessed == "2026-11-25", row
        assert "shared/" not in row.source and "verify" not in row.notes.lower()
        assert row.metric in METRICS


def test_the_number_of_rows_is_what_the_dictionary_and_the_chapter_say():
    described = (DATA / "README.md").read_text(encoding="utf-8")
    sources = len({row.source for row in ROWS})
    assert f"{len(ROWS)} rows from {sources} sources" in described
    chapter = (DATA.parents[2] / "notebooks" / "06_quality.ipynb").read_text(encoding="utf-8")
    assert f"{len(ROWS)} numbers with their sources" in chapter


def test_base_and_instruct_are_told_apart():
    """llama.cpp measured the base model, matt-c1 the Instruct models; nothing is on both."""
    scoreboard = rows_of(model="Llama-3-8B", source="ggml-org/llama.cpp@0c1e57098:tools/perplexity/README.md")
    assert {row.kind for row in scoreboard} == {"base"}
    exam = rows_of(source="matt-c1/llama-3-quant-comparison@f35b7db2:README.md")
    assert {row.kind for row in exam} == {"instruct"} and {row.metric for row in exam} == {"MMLU"}
    for kind in ("base", "instruct"):
        assert rows_of(model="Llama-3-8B", kind=kind, source="Vahe1994/AQLM@e79a896:README.md")


# Witnesses: what the sources print, typed again ------------------------------------------------

#: llama.cpp, tools/perplexity/README.md: file type, matrix (tokens), GiB, PPL, KLD ± , RMS Δp.
SCOREBOARD = """
Q8_0    -   7.96 6.234284 0.001355 0.000006 1.198
Q6_K    -   6.14 6.253382 0.005452 0.000035 2.295
Q5_K_M  -   5.33 6.288607 0.010762 0.000079 3.160
Q5_1    -   5.65 6.337857 0.018045 0.000139 4.123
Q4_K_M  10m 4.58 6.382937 0.028152 0.000240 5.251
Q4_K_M  -   4.58 6.407115 0.031273 0.000238 5.519
IQ4_XS  10m 4.14 6.459705 0.036334 0.000284 6.044
Q4_0    -   4.34 6.700147 0.071940 0.000491 8.434
Q3_K_M  -   3.74 6.888498 0.101913 0.000677 10.203
IQ3_XXS 10m 3.05 7.458436 0.183625 0.001042 13.836
Q2_K    1k  2.96 8.682605 0.337093 0.001596 18.977
Q2_K    -   2.96 9.751568 0.445132 0.001835 21.421
IQ2_XXS 10m 2.24 14.091782 0.812022 0.002741 28.576
IQ1_S   10m 1.88 60.694593 2.254554 0.004868 46.271
"""


@pytest.mark.parametrize("line", SCOREBOARD.split("\n")[1:-1])
def test_the_scoreboard_is_as_printed(line):
    method, matrix, gib, ppl, kld, error, rms = line.split()
    asked = {"model": "Llama-3-8B", "method": method, "kind": "base", "reference": "F16",
             "imatrix": "no" if matrix == "-" else f"Wikitext, {matrix} tokens"}
    divergence = one(**asked, metric="KLD")
    assert (divergence.value, divergence.uncertainty) == (kld, error)
    assert float(divergence.size_gib) == float(gib)
    assert one(**asked, metric="PPL").value == ppl and one(**asked, metric="RMS Δp").value == rms


def test_all_of_the_scoreboard_is_there():
    printed = rows_of(model="Llama-3-8B", metric="KLD", quantized="weights", reference="F16")
    assert len(printed) == 46 and len({row.method for row in printed}) == 28


@pytest.mark.parametrize("model, method, kld, top", [
    ("Llama-2-7B", "Q2_K", "0.108903", "85.584"), ("Llama-3-8B", "Q2_K", "0.445132", "71.138"),
    ("Llama-2-7B", "Q4_K_M", "0.012686", "94.665"), ("Llama-3-8B", "Q4_K_M", "0.031273", "91.901"),
    ("Llama-2-7B", "Q6_K", "0.002098", "97.520"), ("Llama-3-8B", "Q6_K", "0.005452", "96.031"),
    ("Llama-2-7B", "Q8_0", "0.000369", "98.846"), ("Llama-3-8B", "Q8_0", "0.001355", "97.674"),
])
def test_llama_2_and_3_are_as_printed(model, method, kld, top):
    asked = {"model": model, "method": method, "imatrix": "no"}
    assert one(**asked, metric="KLD").value == kld
    assert one(**asked, metric="same top").value == top


def test_mmlu_is_as_printed():
    printed = {("Llama-3-8B", "F16"): (13.98, "65.20"), ("Llama-3-8B", "Q4_K_M"): (4.30, "64.64"),
               ("Llama-3-8B", "Q2_K"): (2.79, "55.90"), ("Llama-3-8B", "IQ1_S"): (1.71, "26.47"),
               ("Llama-3-8B", "NF4"): (3.49, "63.42"), ("Llama-3-8B", "LLM.int8()"): (6.99, "64.53"),
               ("Llama-3-70B", "Q5_K_M"): (45.84, "80.82"), ("Llama-3-70B", "IQ2_XXS"): (17.46, "72.31"),
               ("Llama-3-70B", "IQ1_M"): (15.27, "65.21"), ("Llama-3-70B", "IQ1_S"): (13.96, "61.18")}
    for (model, method), (gib, score) in printed.items():
        row = one(model=model, method=method, metric="MMLU", size_counts="without the embedding")
        assert (float(row.size_gib), row.value) == (gib, score)


def test_other_sources_are_as_printed():
    assert one(model="Mistral-7B", method="Q4_K_M", metric="top token differs").value == "0.0576"
    assert one(model="Llama-3-70B", method="Q4_K_M", metric="PPL").value == "2.9674"
    assert one(model="Qwen3-30B-A3B", method="keys q4_0, values f16", rotated="no").value == "11.7625"
    assert one(model="Qwen3-30B-A3B", method="keys q4_0, values f16", rotated="yes").value == "10.6654"
    assert one(model="LLaMA-7B", method="GPTQ 3-bit g128").value == "6.61"
    assert one(model="Qwen2-7B", method="AWQ 4-bit", metric="MMLU").value == "67.4"


# Relations -----------------------------------------------------------------------------------

@pytest.mark.parametrize("family", [
    ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"),
    ("Q5_K_S", "Q4_K_S", "Q3_K_S"), ("IQ4_XS", "IQ3_M", "IQ3_XXS", "IQ2_M", "IQ2_XXS", "IQ1_M", "IQ1_S"),
])
def test_fewer_bits_of_one_family_cost_more(family):
    found = {row.method: row.number for row in rows_of(model="Llama-3-8B", metric="KLD", reference="F16")
             if row.imatrix in ("no", "Wikitext, 10m tokens")}
    numbers = [found[method] for method in family]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers)


def test_divergence_and_perplexity_order_the_scoreboard_alike():
    """KLD and PPL of one model on one text are two measurements: their ranks must nearly agree."""
    by_key = {}
    for row in rows_of(model="Llama-3-8B", kind="base", corpus="Wikitext-2 test", quantized="weights"):
        by_key.setdefault((row.method, row.imatrix), {})[row.metric] = row.number
    pairs = [(found["KLD"], found["PPL"]) for found in by_key.values() if {"KLD", "PPL"} <= set(found)]
    assert len(pairs) == 46
    ranks = [[sorted(column).index(value) for value in column] for column in zip(*pairs, strict=True)]
    assert statistics.correlation(*ranks) > 0.99


def made(row):
    """The sizes that we compute for a row, with and without an importance matrix, in GiB."""
    model = sizing.load_model(row.model)
    for weights in (row.method, f"{row.method} imatrix"):
        bytes_ = (sizing.weight_bytes(model, weights) if row.size_counts == "file"
                  else sizing.vram_budget(model, weights=weights)["weights"].bytes)
        yield bytes_ / 2**30


def test_printed_sizes_are_those_of_the_tensors():
    file_types = {entry.name for entry in sizing.file_types()}
    sized = [row for row in ROWS if row.size_gib and row.method in file_types
             and row.model in ("Llama-3-8B", "Llama-3-70B")]
    assert len(sized) > 140
    for row in sized:
        assert min(abs(size - float(row.size_gib)) for size in made(row)) < 0.02, row


def test_printed_bits_are_those_of_the_tensors():
    model = sizing.load_model("Mistral-7B-v0.1")
    for row in rows_of(model="Mistral-7B", metric="median KLD"):
        ours = [8 * sizing.weight_bytes(model, name) / model.parameters
                for name in (row.method, f"{row.method} imatrix")]
        assert min(abs(bits - row.bits) for bits in ours) < 0.05, row.method


def test_bits_follow_from_a_files_size_and_only_from_it():
    row = one(model="Llama-3-8B", method="Q8_0", metric="KLD", imatrix="no")
    assert row.bits == pytest.approx(8.51, abs=0.01)
    assert one(model="Llama-3-8B", method="Q8_0", metric="MMLU").bits is None


def test_the_two_tables_of_llama_cpp_agree():
    for ratio in rows_of(model="Llama-3-8B", metric="PPL ratio", reference="F16"):
        ppl = one(model="Llama-3-8B", metric="PPL", method=ratio.method, imatrix="no")
        assert ppl.number / quality.relative(ppl).number == pytest.approx(ratio.number, abs=5e-4)


# What may be compared --------------------------------------------------------------------------

@pytest.mark.parametrize("where, differs", [
    ({"metric": "KLD", "method": "Q4_K_M"}, "model differs"),
    ({"model": "Qwen3-30B-A3B", "metric": "PPL", "quantized": "weights"}, "corpus differs"),
    ({"model": "Llama-3-8B", "metric": "MMLU"}, "kind differs"),
    ({"model": "Llama-3-8B", "kind": "instruct", "metric": "MMLU"}, "corpus differs"),
    ({"model": "LLaMA-7B"}, "corpus differs"),
    ({"model": "Qwen3-8B", "metric": "KLD"}, None),
])
def test_one_scale_refuses_what_differs(where, differs):
    rows = rows_of(**where)
    if differs is None:
        assert quality.one_scale(rows) == rows
    else:
        with pytest.raises(InvalidInput, match=differs):
            quality.one_scale(rows)


def test_nothing_to_compare_and_no_such_column():
    with pytest.raises(InvalidInput, match="nothing to compare"):
        quality.one_scale([])
    with pytest.raises(UnknownName, match="Nearest: model"):
        quality.quality_rows(modell="Llama-3-8B")
    assert quality.quality_rows(model="Llama-9") == []


def test_a_model_trained_for_rounding_is_held_against_its_own_original():
    rounded = one(model="Gemma-3-27B", method="QAT Q4_0")
    assert quality.relative(rounded).method == "QAT BF16"
    assert quality.relative(one(model="Gemma-3-27B", method="BF16")).method == "BF16"
    assert quality.relative(one(model="Mistral-7B", method="Q4_K_M", metric="median KLD")) is None


# quality_loss ----------------------------------------------------------------------------------

def loss(name, weights, **more):
    return sizing.quality_loss(sizing.load_model(name), weights, **more)


def test_what_was_measured_on_the_model_comes_first():
    found = loss("Llama-3-8B", "Q4_K_M")
    assert found.kld == (0.028152, pytest.approx((0.028152 + 0.031273) / 2), 0.031273)
    assert found.same_top == (pytest.approx(0.91901),) * 3
    assert {row.model for row in found.rows} == {"Llama-3-8B"} and found.known
    assert "in its base version" in found.distance and "English" in found.distance
    assert loss("Llama-3-8B", "Q4_K_M imatrix").kld[0] == loss("Llama-3-8B", "q4_k_m imatrix").kld[2] == 0.028152
    assert loss("Qwen3-30B-A3B", "Q4_K_M").distance == "measured on this model, on different texts"


def test_a_model_of_the_same_shape_comes_next():
    found = loss("Llama-3.1-8B", "Q4_K_M")
    assert found.kld == loss("Llama-3-8B", "Q4_K_M").kld
    assert found.distance.startswith("measured on Llama-3-8B: the same shape, trained otherwise")
    found = loss("Llama-3.3-70B", "Q4_K_M")
    assert found.kld is None and found.ppl_ratio == (pytest.approx(2.9674 / 2.8308),) * 3


def test_others_give_a_range_and_their_number():
    found = loss("Qwen3-14B", "Q4_K_M")
    assert found.kld == (0.010136, 0.012686, 0.031273)
    models = {row.model for row in found.rows if row.metric == "KLD"}
    assert models == {"Llama-3-8B", "Llama-2-7B", "Qwen3-30B-A3B"}
    assert "KL divergence from 3 models of 7 to 30 billion" in found.distance
    assert all(name in found.evidence for name in models)


def test_tokens_and_divergence_never_come_from_different_models():
    """Q3_K_L: Llama-3-8B's KLD is known, and of tokens only Mistral-7B's."""
    found = loss("Qwen3-8B", "Q3_K_L")
    assert found.kld and found.same_top is None and {row.model for row in found.rows
                                                     if row.metric != "ln PPL ratio"} <= {"Llama-3-8B",
                                                                                          "Gemma-2-27B"}


@pytest.mark.parametrize("name, weights", [
    ("Qwen3-0.6B", "Q4_K_M"), ("gpt-oss-20b", "Q4_K_M"), ("gpt-oss-120b", "Q8_0"), ("gpt-oss-20b", "MXFP4_MOE"),
    ("Qwen3-8B", "Q2_0"), ("Qwen3-8B", "EXL3 4.0 bpw"), ("Kimi-K2", "Q2_K_S"), ("Qwen3-8B", "TQ1_0"),
])
def test_no_data_rather_than_a_guess(name, weights):
    found = loss(name, weights)
    assert not found.known and found.summary == "no data" and not found.rows and found.distance
    assert (found.kld, found.same_top, found.ppl_ratio) == (None, None, None)


def test_evidence_stays_within_eight_times_the_size():
    for model in sizing.models()[::4]:
        for weights in ("Q4_K_M", "Q2_K", "FP8 block 128"):
            found = sizing.quality_loss(model, weights)
            for row in found.rows:
                near = 1 / FARTHEST <= float(row.billions) / (model.parameters / 1e9) <= FARTHEST
                assert near or "the same shape" in found.distance or "this model" in found.distance
            if found.kld:
                assert found.kld[0] <= found.kld[1] <= found.kld[2]


def test_sixteen_bits_are_the_original():
    for weights in ("F32", "F16", "bf16"):
        found = loss("Qwen3-8B", weights)
        assert found.known and found.kld == (0, 0, 0) and found.summary == "none: the original"


def test_formats_find_what_was_measured_of_them():
    assert loss("Qwen3.8-27B", "NVFP4 safetensors").kld == (0.040969,) * 3
    assert loss("Qwen3.8-27B", "AWQ 4-bit g128").kld == (0.031102,) * 3
    assert loss("Qwen3.6-27B", "FP8 block 128").same_top == (pytest.approx(0.968365),) * 3


def test_bad_questions_get_a_sentence():
    with pytest.raises(UnknownName, match="Q4_K_M"):
        loss("Qwen3-8B", "Q4_K_N")
    with pytest.raises(InvalidInput, match="weights must be a str"):
        loss("Qwen3-8B", 4)
    with pytest.raises(InvalidInput):
        sizing.quality_loss("Qwen3-8B", "Q4_K_M")


def test_a_yardstick_was_measured_at_eight_file_types_on_one_text():
    for model in sizing.models()[::5]:
        name = quality.yardstick(model)
        if name:
            kinds = {metric: {row.method for row in quality.quality_rows(model=name, metric=metric)}
                     for metric in ("KLD", "PPL")}
            assert max(map(len, kinds.values())) >= 8


# The front -------------------------------------------------------------------------------------

def test_the_front_is_what_nothing_smaller_beats():
    points = quality.sized_scores()
    best = quality.front(points)
    for point in points:
        beaten = any(other.size_gib <= point.size_gib and other.score > point.score for other in points)
        assert beaten == (point not in best) or point.score in [other.score for other in best]
    assert [point.size_gib for point in best] == sorted(point.size_gib for point in best)


def test_the_best_within_a_budget_is_the_best_that_fits():
    points = quality.sized_scores()
    for gib in (1, 2, 3.3, 7.5, 14, 17.4, 17.5, 30, 100):
        fitting = [point.score for point in points if point.size_gib <= gib]
        found = quality.best_within(points, gib)
        assert (found.score if found else None) == max(fitting, default=None)
    with pytest.raises(InvalidInput):
        quality.best_within(points, float("nan"))


def test_errors_are_those_of_so_many_questions():
    point = next(point for point in quality.sized_scores() if point.weights == "Q4_K_M")
    assert point.error == pytest.approx(100 * math.sqrt(0.6464 * 0.3536 / 14042))
    with pytest.raises(InvalidInput, match="does not say how many"):
        questions("MMLU")


# What the chapter says ---------------------------------------------------------------------------

def kld(method, imatrix="no", model="Llama-3-8B"):
    return one(model=model, method=method, imatrix=imatrix, metric="KLD", reference="F16",
               quantized="weights").number


MATRIX = "Wikitext, 10m tokens"


def test_the_chapters_first_table():
    ppl = {row.method: row.number for row in rows_of(model="Llama-3-8B", metric="PPL", imatrix="no")}
    assert ppl["Q4_K_M"] / ppl["Q8_0"] == pytest.approx(1.03, abs=0.005)
    assert kld("Q4_K_M") / kld("Q8_0") == pytest.approx(23, abs=0.5)
    assert ppl["Q2_K"] / ppl["Q4_K_M"] == pytest.approx(1.5, abs=0.03)
    top = one(model="Llama-3-8B", method="Q4_K_M", metric="same top").number
    assert round(1 / (1 - top / 100)) == 12


def test_the_chapter_on_bits():
    bits = {row.method: row.bits for row in rows_of(model="Llama-3-8B", metric="KLD", size_counts="file")}
    slope = (kld("IQ4_XS", MATRIX) / kld("Q8_0")) ** (1 / (bits["Q8_0"] - bits["IQ4_XS"]))
    assert slope == pytest.approx(2.2, abs=0.06)
    assert kld("Q3_K_L", MATRIX) / kld("IQ4_XS", MATRIX) == pytest.approx(2, abs=0.05)
    assert bits["IQ4_XS"] - bits["Q3_K_L"] == pytest.approx(1 / 8, abs=0.02)
    below = (kld("IQ2_XXS", MATRIX) / kld("Q3_K_L", MATRIX)) ** (1 / (bits["Q3_K_L"] - bits["IQ2_XXS"]))
    assert below == pytest.approx(3.5, abs=0.06)
    assert kld("IQ2_M", MATRIX) / kld("Q3_K_M", MATRIX) == pytest.approx(4, abs=0.2)  # 4.0 to 2.9 bits
    for method, saved in (("Q4_K_M", 0.1), ("Q4_K_S", 0.26), ("Q2_K", 0.25)):
        assert 1 - kld(method, MATRIX) / kld(method) == pytest.approx(saved, abs=0.01)
    assert kld("Q4_0") / kld("IQ4_NL", MATRIX) == pytest.approx(2, abs=0.05)
    assert abs(bits["Q4_0"] - bits["IQ4_NL"]) < 0.02
    assert kld("Q4_1") > 2 * kld("Q4_K_M") and bits["Q4_1"] > bits["Q4_K_M"]


def test_the_chapter_on_tokens():
    for method, one_in in (("Q4_K_M", 17), ("Q2_K", 7)):
        assert round(1 / one(model="Mistral-7B", method=method, metric="top token differs").number) == one_in
    for method, one_in in (("FP8", 30), ("AWQ 4-bit", 16), ("NVFP4", 14)):
        top = one(model="Qwen3.8-27B", method=method, metric="same top").number
        assert round(100 / (100 - top)) == one_in
    assert round(one(model="Qwen3-0.6B", method="Q2_K", metric="same top").number) == 34
    assert kld("Q2_K", model="Llama-2-7B") == pytest.approx(kld("Q3_K_M"), rel=0.1)


def test_the_chapter_on_two_models():
    score = {(point.model, point.weights): point.score for point in quality.sized_scores()}
    size = {(point.model, point.weights): point.size_gib for point in quality.sized_scores()}
    small = max(score[pair] for pair in score if pair[0] == "Llama-3-8B")
    assert score["Llama-3-70B", "IQ2_XXS"] - small == pytest.approx(7, abs=0.2)
    assert abs(score["Llama-3-70B", "IQ1_M"] - small) < 0.05
    assert score["Llama-3-70B", "IQ1_S"] < small - 3
    assert size["Llama-3-8B", "F16"] - size["Llama-3-8B", "Q8_0"] == pytest.approx(6.6, abs=0.06)
    big = sizing.load_model("Llama-3-70B")
    for weights, bits in (("IQ2_XXS", 2.2), ("IQ1_M", 1.9), ("IQ1_S", 1.7)):
        assert round(8 * sizing.weight_bytes(big, weights) / big.parameters, 1) == bits


def test_the_chapter_on_lies():
    gemma = {row.method: row.number for row in rows_of(model="Gemma-3-27B", metric="PPL")}
    assert gemma["QAT BF16"] < gemma["QAT Q4_0"] < gemma["BF16"]
    wiki = {row.method: row.number for row in rows_of(model="Qwen3-30B-A3B", metric="PPL", corpus="Wikitext-2 test")}
    assert wiki["ubergarm IQ4_KS"] < wiki["BF16"] < wiki["Q4_K_M"]
    far = {row.method: row.number for row in rows_of(model="Qwen3-30B-A3B", metric="KLD")}
    assert far["ubergarm IQ4_KS"] > far["Q4_K_M"]
    first, second = (row.number for row in rows_of(model="Qwen3-8B", metric="GSM8K", method="BF16"))
    assert first - second == pytest.approx(8, abs=0.2)
    fp8 = one(model="Qwen3-8B", metric="GSM8K", method="FP8")
    error = math.hypot(float(fp8.uncertainty), 1.0)
    assert error < fp8.number - second < 2 * error


def test_the_chapter_on_text_and_cache():
    by_text = {row.corpus.partition(": ")[2]: row.number for row in rows_of(model="Gemma-4-31B", method="Q8_0")}
    assert by_text["non-Latin scripts"] / by_text["science"] == pytest.approx(3, abs=0.3)
    assert by_text["long documents"] / by_text["science"] == pytest.approx(7, abs=0.3)
    cached = one(model="Llama-3-8B", method="keys q8_0, values q8_0", metric="KLD").number
    assert cached < kld("Q8_0") and round(cached, 3) == 0.001
    for model, lost, kept in (("Qwen3-8B", 2.21, 1.45), ("Qwen3-32B", 0.76, 0.68)):
        full, plain, rotated = (row.number for row in rows_of(model=model, metric="GSM8K", quantized="KV cache"))
        assert full - plain == pytest.approx(lost) and rotated - plain == pytest.approx(kept)
        assert kept > lost / 2
    assert one(model="Llama-3-8B", method="F16", metric="KLD", reference="F16").number == pytest.approx(6e-4, abs=5e-5)


def test_a_measurement_on_a_model_that_has_none_is_refused():
    llama = sizing.load_model("Llama-3.1-8B")
    with pytest.raises(UnknownName, match="No model of quality.csv is called 'lama 3 8b'. Nearest: Llama-3-8B"):
        sizing.quality_loss(llama, "Q4_K_M", measured_on="lama 3 8b")
    assert sizing.quality_loss(llama, "Q4_K_M", measured_on="Llama-3-8B").known


def test_what_nobody_measured_is_named_where_other_things_were():
    """LLM.int8() has scores of MMLU, on a model of this size."""
    told = sizing.quality_loss(sizing.load_model("Llama-3.1-8B"), "LLM.int8()").distance
    assert rows_of(method="LLM.int8()", metric="MMLU")
    assert told.startswith("nobody measured KL divergence, same top tokens or perplexity of LLM.int8() on")
