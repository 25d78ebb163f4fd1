import csv
from fractions import Fraction

import pytest

import llmsizing as sizing
from llmsizing.catalog import DATA, EngineWeights, Model, engine_contexts, engine_file_types, read_table

HEADER = "model,file_type,weights_mib,source"
GOOD = "A,F16,12.5,llama.cpp"


def read(tmp_path, *lines):
    file = tmp_path / "weights.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(file, EngineWeights, key=("model", "file_type"))


def test_a_good_row_becomes_a_record(tmp_path):
    (row,) = read(tmp_path, HEADER, GOOD)
    assert row == EngineWeights(
        model="A", file_type="F16", weights_mib=Fraction(25, 2), source="llama.cpp"
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["model,file_type,weights_mib"], "line 1: .* missing columns .'source'."),
        ([HEADER + ",extra"], "line 1: unknown columns .'extra'."),
        ([""], "line 1: .* missing columns"),
        ([HEADER + ",model"], "line 1: .* twice .'model'."),
        ([HEADER, "A,F16,12.5,"], "line 2: source is empty"),
        ([HEADER, "A,F16,12.5,   "], "line 2: source is empty"),
        ([HEADER, "A,F16,,x"], "line 2: weights_mib is empty"),
        ([HEADER, "A,F16,much,x"], "line 2: weights_mib is 'much', which is no number"),
        ([HEADER, "A,F16,-1,x"], "line 2: weights_mib is -1, which is not plausible"),
        ([HEADER, "A,F16,0,x"], "line 2: weights_mib is 0, which is not plausible"),
        ([HEADER, "A,F16,1e30,x"], "line 2: weights_mib is 1e30, which is not plausible"),
        ([HEADER, "A,F16,1e15,x"], "line 2: weights_mib is 1e15, which is not plausible"),
        ([HEADER, "A,F16,nan,x"], "line 2: weights_mib is 'nan', which is no number"),
        ([HEADER, "A,F16,1/0,x"], "line 2: weights_mib is '1/0', which is no number"),
        ([HEADER, "A,F16"], "line 2: needs 4 values"),
        ([HEADER, GOOD + ",more"], "line 2: needs 4 values"),
        ([HEADER, GOOD, GOOD], "line 3: A, F16 already stands in line 2"),
        ([HEADER, GOOD, GOOD.replace("A,", "a ,")], "line 3: a , F16 already stands in line 2"),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(tmp_path, lines, message):
    with pytest.raises(sizing.InvalidInput, match=r"weights\.csv, " + message):
        read(tmp_path, *lines)


def test_small_and_large_values_are_plausible(tmp_path):
    (small, large) = read(tmp_path, HEADER, "A,F16,0.5,x", "A,Q8_0,999999999999999,x")
    assert (small.weights_mib, large.weights_mib) == (Fraction(1, 2), 10**15 - 1)


def test_tables_are_read_once():
    assert sizing.models()[0] is sizing.models()[0]
    sizing.models().clear()  # a list of one's own
    assert sizing.models()


def test_integers_have_no_fraction(tmp_path):
    file = tmp_path / "models.csv"
    columns = list(Model.__dataclass_fields__)
    file.write_text(",".join(columns) + "\nA,1.5,1,1,1,1,x\n", encoding="utf-8")
    with pytest.raises(sizing.InvalidInput, match=r"parameters is '1\.5', which is no number"):
        read_table(file, Model, key=("name",))


def test_models_stand_in_order_of_parameters():
    counts = [model.parameters for model in sizing.models()]
    assert counts == sorted(counts) and len(counts) == 13


@pytest.mark.parametrize("typed", ["Llama-3.1-8B", "llama 3.1 8b", "LLAMA3.1 8B", "llama_3_1_8b"])
def test_names_are_found_as_people_type_them(typed):
    assert sizing.load_model(typed).name == "Llama-3.1-8B"


@pytest.mark.parametrize("typed", ["", "GPT-9", None, 8])
def test_an_unknown_model_gets_names_that_exist(typed):
    with pytest.raises(sizing.UnknownName, match="Nearest: |Known: Qwen2.5-0.5B, "):
        sizing.load_model(typed)


def test_each_model_was_asked_about_completely():
    for model in sizing.models():
        assert engine_contexts(model.name) == tuple(2**power for power in range(11, 18))
        assert len(engine_file_types(model.name)) == 7


def test_reports_are_about_models_of_the_catalog():
    known = {model.name for model in sizing.models()}
    for name in ("engine_weights.csv", "engine_context.csv"):
        with (DATA / name).open(encoding="utf-8", newline="") as lines:
            assert {row["model"] for row in csv.DictReader(lines)} == known


def test_every_column_is_described():
    described = (DATA / "README.md").read_text(encoding="utf-8")
    for file in DATA.iterdir():
        if file.name.endswith(".csv"):
            assert f"## {file.name}" in described
            section = described.split(f"## {file.name}")[1].split("\n## ")[0]
            with file.open(encoding="utf-8", newline="") as lines:
                columns, *rows = csv.reader(lines)
            assert f" {len(rows)} rows." in section, file.name
            assert all(f"| {column} |" in section for column in columns), file.name


def test_parameters_are_what_the_shape_makes():
    """Llama-3.1-8B by hand: published as 8,030,261,248."""
    d, ff, vocabulary, kv = 4096, 14336, 128_256, 8 * 128
    layer = 2 * d * d + 2 * d * kv + 3 * d * ff + 2 * d
    assert sizing.load_model("Llama-3.1-8B").parameters == 32 * layer + 2 * vocabulary * d + d
