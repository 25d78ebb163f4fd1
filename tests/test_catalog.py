import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.catalog import engine_contexts, engine_file_types, reported_models
from llmsizing.catalog.model_table import ABOUT, CHECKS, ModelRow, config_of, model_rows
from llmsizing.catalog.names import find
from llmsizing.catalog.reports import EngineWeights
from llmsizing.catalog.tables import DATA, read_table

HEADER = "model,file_type,weights_mib,source"
GOOD = "A,F16,12.5,llama.cpp"
GIB, MIB = 2**30, 2**20


@dataclass(frozen=True, kw_only=True)
class Row:
    name: str
    layers: int
    width: Fraction | None = None
    licence: str = ""
    other: Mapping | None = None
    source: str


def read(tmp_path, *lines, record=EngineWeights, key=("model", "file_type")):
    file = tmp_path / "weights.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(file, record, key=key)


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


def test_what_has_a_default_may_be_empty(tmp_path):
    rows = read(tmp_path, "name,layers,width,licence,other,source", "A,3,,,,x",
                'B,4,0.5,mit,"{""a"":[1]}",y', record=Row, key=("name",))
    assert rows == (
        Row(name="A", layers=3, source="x"),
        Row(name="B", layers=4, width=Fraction(1, 2), licence="mit", other={"a": [1]}, source="y"),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [("A,,,,,x", "layers is empty"), (",3,,,,x", "name is empty"), ("A,3,,,,", "source is empty"),
     ("A,1.5,,,,x", r"layers is '1\.5', which is no number"),
     ("A,3,wide,,,x", "width is 'wide', which is no number"),
     ("A,3,-1,,,x", "width is -1, which is not plausible"),
     ("A,3,,,[1],x", r"other is '\[1\]', which is no JSON object"),
     ("A,3,,,{,x", "other is '{', which is no JSON object")],
)
def test_a_bad_optional_value_is_refused(tmp_path, line, message):
    with pytest.raises(sizing.InvalidInput, match=r"weights\.csv, line 2: " + message):
        read(tmp_path, "name,layers,width,licence,other,source", line, record=Row, key=("name",))


def test_tables_are_read_once():
    assert sizing.models()[0] is sizing.models()[0]
    assert sizing.devices()[0] is sizing.devices()[0]
    sizing.models().clear()  # a list of one's own
    sizing.devices().clear()
    assert sizing.models() and sizing.devices()


def test_models_stand_in_order_of_parameters():
    counts = [model.parameters for model in sizing.models()]
    assert counts == sorted(counts) and len(counts) == len(model_rows()) == 153


@pytest.mark.parametrize("row", model_rows(), ids=lambda row: row.name)
def test_each_model_says_where_it_was_read(row):
    model = sizing.load_model(row.name)
    assert (model.name, model.repo, model.source) == (row.name, row.repo, row.source)
    assert re.search(r"==\S+:|@[0-9a-f]{7,}:|page:? \S+/\S+", row.source)
    assert row.source_url == "" or re.fullmatch(r"https://\S+", row.source_url)
    assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", row.accessed)
    assert row.licence == "" or re.fullmatch(r"[a-z0-9][a-z0-9. -]*", row.licence)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", row.repo)
    assert row.modality.split(", ")[0] == "text"
    assert set(row.modality.split(", ")) <= {"text", "image", "audio", "video"}
    assert row.tie_word_embeddings in ("true", "false", "")
    assert 1_000 <= model.max_position_embeddings <= 20_000_000


def test_the_columns_of_models_are_those_of_a_config_and_what_is_known_besides():
    (llama,) = [row for row in model_rows() if row.name == "Llama-3.1-8B"]
    config = config_of(llama)
    assert config.keys().isdisjoint({*ABOUT, *CHECKS})
    assert (config["hidden_size"], config["tie_word_embeddings"]) == (4096, False)
    assert {*ABOUT, *CHECKS} < set(ModelRow.__dataclass_fields__)


# What the makers print against what their config makes, where it differs and why.
UNLIKE = {
    "ERNIE-4.5-0.3B": "counted without the embedding",
    "Command-R7B": "counted without the embedding",
    "Gemma-2-Llama-Swallow-2B": "counted without the embedding, as Gemma 2 2B is",
    "LFM2-700M": "rounded to one digit",
    "Nemotron-3-Nano-30B-A3B": "rounded to tens",
    "Qwen3-0.6B": "the file stores the tied output layer a second time",
    "Qwen3-1.7B": "the file stores the tied output layer a second time",
    "EXAONE-4.0-1.2B": "cut off: 1.28", "LLM-jp-3-1.8B": "cut off: 1.87",
    "LLM-jp-3.1-1.8B": "cut off: 1.87", "LLM-jp-3-13B": "cut off: 13.7",
    "LLM-jp-3.1-13B": "cut off: 13.7", "OLMo-2-13B": "cut off: 13.7",
    "Sarashina2-13B": "cut off: 13.7", "ERNIE-4.5-21B-A3B": "cut off: 21.8",
}


def agrees(row, model):
    """Within 3 %, or half of the last printed digit, with the vision tower or without."""
    number, unit = re.match(r"([\d.]+)([MBT])\b", row.published_parameters).groups()
    size = {"M": 10**6, "B": 10**9, "T": 10**12}[unit]
    step = Fraction(1, 10 ** len(number.partition(".")[2]))
    for count in (model.parameters, model.parameters + (model.vision_parameters or 0)):
        off = abs(Fraction(count, size) - Fraction(number))
        if off <= step / 2 or off <= Fraction(3, 100) * Fraction(number):
            return True
    return False


def test_counts_are_those_that_the_makers_print():
    unlike = {row.name for row in model_rows() if not agrees(row, sizing.load_model(row.name))}
    assert unlike == UNLIKE.keys()


def test_what_lies_beyond_the_makers_figure_is_what_the_reason_says():
    for name in ("Qwen3-0.6B", "Qwen3-1.7B"):
        model = sizing.load_model(name)
        (row,) = [row for row in model_rows() if row.name == name]
        assert f"{model.parameters + model.embedding.count:,}" in row.notes
    for name, billions in (("Command-R7B", 7), ("Gemma-2-Llama-Swallow-2B", 2), ("ERNIE-4.5-0.3B", 0.3)):
        model = sizing.load_model(name)
        assert round((model.parameters - model.embedding.count) / 1e9, 1) == billions
    for name, reason in UNLIKE.items():
        if reason.startswith("cut off"):
            assert f"{sizing.load_model(name).parameters / 1e9:.3g}" == reason.split()[-1]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Llama-3.1-8B", "Llama-3.1-8B"), ("llama 3.1 8b", "Llama-3.1-8B"), ("LLAMA3.1 8B", "Llama-3.1-8B"),
     ("llama_3_1_8b", "Llama-3.1-8B"), ("meta-llama/Llama-3.1-8B-Instruct", "Llama-3.1-8B"),
     ("llama3.1:8b", "Llama-3.1-8B"), ("Llama-3.1-8B-Instruct-GGUF", "Llama-3.1-8B"),
     ("Meta-Llama-3.1-8B-Instruct", "Llama-3.1-8B"), ("llama 3.3", "Llama-3.3-70B"),
     ("llama3.3:70b", "Llama-3.3-70B"), ("llama3.2:1b", "Llama-3.2-1B"), ("llama2:13b", "Llama-2-13B"),
     ("Llama-2-7b-chat-hf", "Llama-2-7B"), ("llama4:scout", "Llama-4-Scout"),
     ("codellama:34b", "CodeLlama-34B"), ("Qwen/Qwen3-8B", "Qwen3-8B"), ("qwen3 8b", "Qwen3-8B"),
     ("qwen2.5:7b", "Qwen2.5-7B"), ("Qwen2.5 7B Instruct", "Qwen2.5-7B"),
     ("qwen2.5-coder:32b", "Qwen2.5-Coder-32B"), ("qwen3:30b-a3b", "Qwen3-30B-A3B"),
     ("qwen3 30b", "Qwen3-30B-A3B"), ("Qwen3-30B-A3B-Instruct-2507", "Qwen3-30B-A3B-2507"),
     ("qwen3:235b", "Qwen3-235B-A22B"), ("gemma3:27b", "Gemma-3-27B"), ("gemma-3-27b-it", "Gemma-3-27B"),
     ("google/gemma-3-27b-it", "Gemma-3-27B"), ("gemma 2 9b", "Gemma-2-9B"),
     ("gemma3n:e2b", "Gemma-3n-E2B"), ("gpt-oss:20b", "gpt-oss-20b"), ("gptoss20b", "gpt-oss-20b"),
     ("openai/gpt-oss-120b", "gpt-oss-120b"), ("mixtral:8x7b", "Mixtral-8x7B"),
     ("mistral 7b v0.3", "Mistral-7B-v0.3"), ("mistral-nemo", "Mistral-Nemo-2407"),
     ("devstral", "Devstral-Small-2"), ("deepseek r1", "DeepSeek-R1"),
     ("deepseek-r1:70b", "DeepSeek-R1-Distill-Llama-70B"), ("kimi k2", "Kimi-K2"), ("phi4", "Phi-4"),
     ("phi 3 mini", "Phi-3-mini-4k"), ("phi-4-mini", "Phi-4-mini"), ("GLM 4.5 Air", "GLM-4.5-Air"),
     ("command r", "Command-R-v01-35B"), ("smollm2:135m", "SmolLM2-135M"), ("tinyllama", "TinyLlama-1.1B"),
     ("qwen3-next", "Qwen3-Next-80B-A3B"), ("mimo v2 flash", "MiMo-V2-Flash"),
     ("sarashina2.2 3b", "Sarashina2.2-3B")],
)
def test_models_are_found_as_people_type_them(typed, name):
    assert sizing.load_model(typed).name == name


@pytest.mark.parametrize("load", [sizing.load_model, sizing.load_device])
def test_every_name_finds_itself(load):
    for entry in sizing.models() if load is sizing.load_model else sizing.devices():
        for typed in (entry.name, entry.name.lower(), f"  {entry.name} ", entry.name.replace("-", " ")):
            assert load(typed) is entry


def test_every_repository_finds_its_model():
    repos = [model.repo for model in sizing.models()]
    assert len(set(repos)) == len(repos)
    for model in sizing.models():
        assert sizing.load_model(model.repo) is sizing.load_model(model.repo.upper()) is model


@pytest.mark.parametrize(
    ("typed", "names"),
    [("mistral 7b", "Mistral-7B-v0.1, Mistral-7B-v0.3"),
     ("mistral small", "Mistral-Small-24B-2501, Mistral-Small-3.2-24B, Mistral-Small-4-119B"),
     ("8b", "Aya-Expanse-8B, .* …"), ("gemma", "Gemma-3-270M, .* …"), ("llama", "Llama-3.2-1B, .* …")],
)
def test_an_ambiguous_model_gets_all_that_it_could_mean(typed, names):
    with pytest.raises(sizing.UnknownName, match=f"'{typed}' could be any model of these: {names}"):
        sizing.load_model(typed)


@pytest.mark.parametrize("typed", ["", "GPT-9", None, 8, "llama 9 8b", "Instruct", "  ", "---", []])
def test_an_unknown_model_gets_names_that_exist(typed):
    with pytest.raises(sizing.UnknownName, match="No model is called .* (Nearest: |Known: SmolLM2-135M, )"):
        sizing.load_model(typed)


@settings(max_examples=30)
@given(st.one_of(st.text(), st.none(), st.integers(), st.text(alphabet="0123456789abgqlmx.-: ")))
def test_a_name_finds_an_entry_or_raises_unknown_name(typed):
    for load in (sizing.load_model, sizing.load_device):
        try:
            assert load(typed).name
        except sizing.UnknownName:
            pass


def test_fewer_words_suffice_where_no_other_name_has_them():
    cards = {"RTX 4090": 1, "RTX 4090 Laptop": 2, "RTX 4080": 3, "GTX 1080 Ti 11 GB": 4}
    assert find("card", "4090", cards) == find("card", "rtx4090", cards) == 1
    assert find("card", "4090 laptop", cards) == 2
    assert find("card", "1080", cards) == 4
    assert find("card", "the RTX 4080", cards, noise=("the",)) == 3
    with pytest.raises(sizing.UnknownName, match="'rtx' could be any card of these: RTX 4090, RTX 4090 L.*, RTX 4080"):
        find("card", "rtx", cards)


def test_names_that_lead_to_one_entry_are_not_ambiguous():
    assert find("card", "RTX 5000", {"RTX 5000 A": 1, "RTX 5000 B": 1}) == 1


def test_thirteen_models_were_asked_about_completely():
    assert len(reported_models()) == 13
    counts = [model.parameters for model in reported_models()]
    assert counts == sorted(counts)
    for model in reported_models():
        assert engine_contexts(model.name) == tuple(2**power for power in range(11, 18))
        assert len(engine_file_types(model.name)) == 7


def test_reports_are_about_models_of_the_catalog():
    for name in ("engine_weights.csv", "engine_context.csv"):
        with (DATA / name).open(encoding="utf-8", newline="") as lines:
            assert {row["model"] for row in csv.DictReader(lines)} == {
                model.name for model in reported_models()}


def test_every_column_is_described():
    described = (DATA / "README.md").read_text(encoding="utf-8")
    for file in DATA.iterdir():
        if file.name.endswith(".csv"):
            assert f"## {file.name}" in described
            section = described.split(f"## {file.name}")[1].split("\n## ")[0]
            with file.open(encoding="utf-8", newline="") as lines:
                columns, *rows = csv.reader(lines)
            assert re.search(rf" {len(rows)} rows\b", section), file.name
            assert all(f"| {column} |" in section for column in columns), file.name


def test_data_names_no_place_that_a_reader_cannot_reach():
    for file in DATA.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"/tmp\b|/work\b|/home/|localhost|file://|://\d|:\d{4}/", text), file.name
        for url in re.findall(r"\w+://[^\s\"|;,)]*", text):
            assert re.match(r"https?://([\w-]+\.)+[a-z]{2,}(/|$)", url), url


def test_there_are_devices_of_each_kind():
    entries = sizing.devices()
    assert len(entries) == 280
    assert len({entry.name for entry in entries}) == len(entries)
    assert {entry.vendor for entry in entries} == {"NVIDIA", "AMD", "Intel", "Apple", "system RAM"}
    assert {entry.segment for entry in entries} == {
        "consumer", "laptop", "workstation", "data center", "unified", "embedded", "system RAM"}


# The least and the most that such memory makes on a device, in GB/s.
BANDWIDTH = {
    "GDDR5": (100, 500), "GDDR5X": (300, 600), "GDDR6": (128, 1000), "GDDR6X": (450, 1100),
    "GDDR7": (200, 2000), "HBM2": (500, 1300), "HBM2e": (900, 3300), "HBM3": (1900, 5400),
    "HBM3e": (4000, 8200), "DDR4": (20, 210), "DDR5": (38, 620), "LPDDR": (60, 1300),
    "LPDDR5": (30, 210), "LPDDR5X": (100, 300), "": (100, 1000),
}


@pytest.mark.parametrize("device", sizing.devices(), ids=lambda device: device.name)
def test_a_devices_three_memories_and_its_bandwidth_are_plausible(device):
    sold = device.sold_gb * GIB
    low, high = device.visible_range
    assert isinstance(low, int) and isinstance(high, int)
    assert 0.4 * sold < low <= high <= 1.01 * sold
    assert device.visible_bytes == low
    assert (device.visible_low_mib is None) == (device.visible_high_mib is None)
    assert not device.visible_is_reported or device.visible_source
    if device.listed_mib is not None:
        assert 0.85 * sold < device.listed_mib * MIB <= 1.01 * sold
    least, most = BANDWIDTH[device.memory_type]
    assert least <= device.bandwidth_gb_per_s <= most
    assert device.source and re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", device.accessed)
    assert device.source_url == "" or device.source_url.startswith("https://")


@pytest.mark.parametrize(
    ("typed", "sold_gb", "listed_mib", "bandwidth"),
    [("RTX 4090", 24, 24_564, 1008), ("L4", 24, 23_034, 300), ("H100 SXM", 80, 81_559, 3350),
     ("RTX 3090", 24, 24_576, 936), ("RTX 5090", 32, 32_607, 1792), ("RTX 3060 12 GB", 12, 12_288, 360),
     ("T4", 16, 15_360, 320), ("RTX A6000", 48, 49_140, 768), ("RTX 6000 Ada", 48, 46_068, 960),
     ("RX 7900 XTX", 24, 24_560, 960), ("M4 Max 128 GB", 128, None, 546), ("MI300X", 192, None, 5300),
     ("M1 8 GB", 8, None, 68.25), ("DDR5-5600, 2 channels, 64 GB", 64, None, 89.6),
     ("DDR4-3200, 2 channels, 32 GB", 32, None, 51.2), ("DGX Spark", 128, None, 273)],
)
def test_devices_are_as_published(typed, sold_gb, listed_mib, bandwidth):
    device = sizing.load_device(typed)
    assert (device.sold_gb, device.listed_mib) == (sold_gb, listed_mib)
    assert float(device.bandwidth_gb_per_s) == bandwidth


def test_memory_of_a_computer_makes_what_its_name_says():
    """Transfers per second, times channels, times eight bytes."""
    for device in sizing.devices():
        named = re.match(r"DDR\d-(\d+), (\d+) channels?, (\d+) GB", device.name)
        if named:
            rate, channels, size = map(int, named.groups())
            assert abs(device.bandwidth_gb_per_s - Fraction(rate * channels * 8, 1000)) < Fraction(1, 100)
            assert (device.sold_gb, device.segment) == (size, "system RAM")
            assert device.visible_range == ((size - 4) * GIB, size * GIB)


def test_visible_memory_that_was_reported_is_taken_as_it_is():
    device = sizing.load_device("RTX 4090")
    assert device.visible_is_reported
    assert device.visible_range == (int(device.visible_low_mib * MIB), int(device.visible_high_mib * MIB))


def test_visible_memory_that_was_not_reported_is_that_of_devices_alike():
    """A laptop's RTX 4090: as much of its 16 GB as other laptop cards of NVIDIA show."""
    device = sizing.load_device("RTX 4090 Laptop")
    assert not device.visible_is_reported
    alike = [other for other in sizing.devices() if other.visible_is_reported
             and (other.vendor, other.segment) == (device.vendor, device.segment)]
    if len(alike) < 3:
        alike = [other for other in sizing.devices()
                 if other.visible_is_reported and other.vendor == device.vendor]
    shares = [Fraction(size, other.sold_gb * GIB) for other in alike for size in other.visible_range]
    assert device.visible_range == (int(16 * GIB * min(shares)), int(16 * GIB * min(1, max(shares))))


@pytest.mark.parametrize(
    ("name", "low", "high", "like"),
    [("Instinct MI100", "0.9951", "1", "AMD's cards, of which too few with HBM were reported"),
     ("RTX A5000", "0.9256", "0.9958", "NVIDIA's workstation cards with GDDR"),
     ("H200 NVL", "0.9295", "1", "NVIDIA's data center cards with HBM"),
     ("A40", "0.91", "0.9375", "NVIDIA's data center cards with GDDR; not more than listed"),
     ("Arc A750", "0.9448", "0.9938", "two of Intel's cards, all that there are"),
     ("Apple M6 16 GB", "0.6667", "0.74", "Macs with 16 GB"),
     ("Apple M3 Ultra 96 GB", "0.75", "0.75", "Macs with 96 GB"),
     ("Ryzen AI Max+ 395 64 GB (Strix Halo)", "0.488", "0.8431", "the one of its kind with 128 GB"),
     ("Jetson AGX Orin 64 GB", "0.9", "0.9125", "Jetsons with 8 GB, the only size reported")],
)
def test_devices_that_are_alike(name, low, high, like):
    device = sizing.load_device(name)
    assert not device.visible_is_reported
    shares = [float(Fraction(size, device.sold_bytes)) for size in device.visible_range]
    assert shares == pytest.approx([float(low), float(high)], abs=5e-4), like


def test_what_shares_its_memory_with_the_computer():
    shared = {"DDR5-5600, 2 channels, 64 GB", "DGX Spark (GB10)", "Jetson Orin Nano 8 GB"}
    apart = {"RTX 4090", "Apple M1 16 GB", "Ryzen AI Max+ 395 128 GB (Strix Halo)", "L4"}
    assert {name for name in shared | apart if sizing.load_device(name).is_system_memory} == shared


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Tesla L4", "L4"), ("Arc A750 Graphics", "Arc A750"), ("L4 card", "L4"), ("ddr5-5600 8gb", "DDR5-5600, 1 channel, 8 GB"),
     ("4090", "RTX 4090"), ("rtx4090", "RTX 4090"), ("NVIDIA GeForce RTX 4090", "RTX 4090"),
     ("rtx 4090 laptop", "RTX 4090 Laptop"), ("5090", "RTX 5090"), ("3090", "RTX 3090"),
     ("4060 ti 16gb", "RTX 4060 Ti 16 GB"), ("rtx 3060 12gb", "RTX 3060 12 GB"), ("A6000", "RTX A6000"),
     ("nvidia l4", "L4"), ("P40", "Tesla P40"), ("AMD Radeon RX 7900 XTX", "RX 7900 XTX"),
     ("7900 xtx", "RX 7900 XTX"), ("mi300x", "Instinct MI300X"), ("Intel Arc A770", "Arc A770 16 GB"),
     ("m4 max 128gb", "Apple M4 Max (40-core GPU) 128 GB"), ("M2 Max 64 GB", "Apple M2 Max 64 GB"),
     ("GB10", "DGX Spark (GB10)"), ("dgx spark", "DGX Spark (GB10)"),
     ("ddr5-5600 2 channels 64gb", "DDR5-5600, 2 channels, 64 GB")],
)
def test_devices_are_found_as_people_type_them(typed, name):
    assert sizing.load_device(typed).name == name


@pytest.mark.parametrize(
    ("typed", "names"),
    [("RTX 3060", "RTX 3060 8 GB, RTX 3060 12 GB"), ("4060 ti", "RTX 4060 Ti 8 GB, RTX 4060 Ti 16 GB"),
     ("H100", "H100 PCIe 80 GB, H100 SXM 80 GB, H100 NVL 94 GB"), ("A100 80GB", "A100 PCIe 80 GB, A100 SXM"),
     ("M3 Ultra", "Apple M3 Ultra 96 GB, Apple M3 Ultra 256 GB, Apple M3 Ultra 512 GB"),
     ("DDR5-5600 2 channels", "DDR5-5600, 2 channels, 32 GB, ")],
)
def test_an_ambiguous_device_gets_all_that_it_could_mean(typed, names):
    with pytest.raises(sizing.UnknownName, match=f"'{typed}' could be any device of these: {names}"):
        sizing.load_device(typed)


@pytest.mark.parametrize("typed", ["", "RTX 9999", None, 0, "geforce", "nvidia"])
def test_an_unknown_device_gets_names_that_exist(typed):
    with pytest.raises(sizing.UnknownName, match="No device is called .* (Nearest: |Known: GTX 1060 6 GB, )"):
        sizing.load_device(typed)
