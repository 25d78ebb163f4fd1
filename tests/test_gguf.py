"""read_gguf: files written by the gguf package read back; broken ones refused; odd ones understood."""

import json
import os
import re
import struct
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import gguf
import pytest
from gguf_files import ARCH_OF, metadata_of, tensors_of, write_gguf

import llmsizing as sizing
from llmsizing import architecture
from llmsizing.architecture import Attention, LatentAttention
from llmsizing.files.gguf import ARCHITECTURES
from llmsizing.files.gguf_header import TENSOR_TYPES, read_header
from llmsizing.memory.weights import loaded_tensors, stored_tensors
from llmsizing.quantization.formats import load_format

HERE = Path(__file__).parent
FILES = Path(sizing.__file__).parent / "files"
WITNESS = json.loads((HERE / "architecture_counts.json").read_text(encoding="utf-8"))
FAMILIES = sorted({row["config"]["model_type"] for row in WITNESS})
LLAMA = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256,
         "max_position_embeddings": 2048}
DEEPSEEK = {**LLAMA, "model_type": "deepseek_v3", "num_hidden_layers": 3, "kv_lora_rank": 32,
            "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16, "moe_intermediate_size": 32,
            "num_experts": 8, "num_experts_per_tok": 2, "n_shared_experts": 2,
            "first_k_dense_replace": 1, "q_lora_rank": 48}
MODEL = sizing.read_config(LLAMA)
Q = gguf.GGMLQuantizationType


def written(path, model=MODEL, *, arch=None, changes=(), general=(), tensors=None, **how):
    arch = arch or ARCH_OF[model.model_type]
    values = {key: value for key, value in {**metadata_of(model), **dict(changes)}.items() if value is not None}
    return write_gguf(path, arch, values, tensors_of(model) if tensors is None else tensors,
                      general=general, **how)


def refused(path, match, kind=sizing.InvalidInput, seconds=1):
    start = time.process_time()
    with pytest.raises(kind, match=match):
        sizing.read_gguf(path)
    assert time.process_time() - start < seconds


def same_parts(one, other):
    """Parts in any order; where a layer makes no keys of its own, which ones serve as values is moot."""
    def listed(layer):
        return sorted(repr(replace(part, values_are_keys=False) if isinstance(part, Attention)
                           and not part.has_keys else part) for part in layer.parts)
    return [listed(layer) for layer in one.layers] == [listed(layer) for layer in other.layers]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_read_back_as_its_config_describes_it(family, tmp_path):
    rows = [row for row in WITNESS if row["config"]["model_type"] == family][:2]
    for number, row in enumerate(rows):
        model = sizing.read_config(row["config"])
        found = sizing.read_gguf(written(tmp_path / f"{number}.gguf", model))
        assert same_parts(found, model)
        assert found.parameters == row["total"]
        assert found.active_parameters == model.active_parameters
        assert found.tie_word_embeddings == model.tie_word_embeddings
        assert found.max_position_embeddings == model.max_position_embeddings
        assert ARCH_OF[found.model_type] == ARCH_OF[model.model_type]


def test_architectures_and_keys_are_called_as_in_llama_cpp():
    """By the gguf package; two architectures are newer than its version 0.19."""
    assert set(ARCHITECTURES) - set(gguf.MODEL_ARCH_NAMES.values()) == {"deepseek32", "muse-glimmer"}
    assert {kind.model_type for kind in ARCHITECTURES.values()} <= set(architecture.FAMILIES)
    classes = [one for one in vars(gguf.Keys).values() if isinstance(one, type)]
    keys = {key for one in classes for key in vars(one).values() if isinstance(key, str)}
    source = "".join(path.read_text(encoding="utf-8") for path in FILES.glob("gguf*.py"))
    asked = set(re.findall(r"""whole\(f?"([a-z_.]+)""", source)) | {
        f"attention.{side}_length{end}" for side in ("key", "value") for end in ("", "_mla", "_swa")}
    assert len(asked) > 18
    assert {key for key in asked if f"{{arch}}.{key}" not in keys} == set()


@pytest.mark.parametrize(("name", "period"), [
    ("Gemma-2-2B", 2), ("Gemma-3-1B", 6), ("gpt-oss-20b", 2), ("Olmo-3-7B", 4), ("Gemma-3n-E2B", 5),
    ("Llama-4-Scout", 4)])
def test_windows_follow_llama_cpps_period_where_the_file_lists_none(name, period, tmp_path):
    model = sizing.load_model(name)
    path = written(tmp_path / "m.gguf", model, changes={"attention.sliding_window_pattern": None})
    found = sizing.read_gguf(path)
    windows = [layer.attention.window for layer in found.layers]
    assert windows == [layer.attention.window for layer in model.layers]
    assert [number for number, window in enumerate(windows) if not window][:2] == [period - 1, 2 * period - 1]
    assert sizing.kv_cache_bytes(found) == sizing.kv_cache_bytes(model)


@pytest.mark.parametrize("order", [gguf.GGUFEndian.LITTLE, gguf.GGUFEndian.BIG])
def test_the_gguf_package_reads_the_same(order, tmp_path):
    general = [("general.name", "A name"), ("general.license", "mit")]
    path = written(tmp_path / "m.gguf", general=general, order=order, vocabulary=[f"t{n}" for n in range(5000)])
    header, reader = read_header(path), gguf.GGUFReader(path)
    for key in metadata_of(MODEL):
        assert header.metadata[f"llama.{key}"] == reader.fields[f"llama.{key}"].contents()
    assert header.metadata["general.license"] == reader.fields["general.license"].contents() == "mit"
    assert "tokenizer.ggml.tokens" not in header.metadata
    assert [(t.name, t.shape, t.format) for t in header.tensors] == [
        (t.name, tuple(int(n) for n in t.shape[::-1]), t.tensor_type.name) for t in reader.tensors]
    model = sizing.read_gguf(path)
    assert (model.name, model.licence, model.file_format) == ("A name", "mit", "GGUF")
    assert sizing.weight_bytes(model) == sum(int(tensor.n_bytes) for tensor in reader.tensors)


def test_version_2_is_read_and_version_1_is_not(tmp_path):
    path = written(tmp_path / "m.gguf")
    content = path.read_bytes()
    path.write_bytes(content[:4] + struct.pack("<I", 2) + content[8:])
    assert sizing.read_gguf(path).parameters == MODEL.parameters
    path.write_bytes(content[:4] + struct.pack("<I", 1) + content[8:])
    refused(path, "its version is 1, but must be 2 or 3; convert")


def test_each_of_ggmls_types_has_its_name_and_its_size():
    there = {int(kind): kind.name for kind in Q if kind.name not in ("Q8_1", "Q8_K")}
    assert there == {number: name for number, name in TENSOR_TYPES.items() if number in there}
    assert set(TENSOR_TYPES) - set(there) <= {42}  # Q2_0, which this gguf package does not know
    for kind, (block, size) in gguf.GGML_QUANT_SIZES.items():
        if kind.name in TENSOR_TYPES.values():
            assert load_format(kind.name).tensor_bytes((3, block)) == 3 * size


def test_weights_are_those_of_the_file_to_the_byte(tmp_path):
    """A mix that no file type makes: Q8_0 attention, IQ4_NL and NVFP4 elsewhere."""
    model = sizing.read_config({**LLAMA, "intermediate_size": 128})
    kinds = {"attn": Q.Q8_0, "ffn_up": Q.NVFP4, "ffn_down": Q.IQ4_NL, "ffn_gate": Q.BF16}
    tensors = [(name, shape, *(kind for part, kind in kinds.items() if len(shape) > 1 and part in name))
               for name, shape in tensors_of(model)]
    found = sizing.read_gguf(written(tmp_path / "m.gguf", model, tensors=tensors))
    size = 2 * (64 * 64 * 2 + 32 * 64 * 2) * 34 // 32 + 2 * 64 * 128 * (36 / 64 + 18 / 32 + 2)
    size += 2 * 256 * 64 * 2 + 5 * 64 * 4
    assert sizing.weight_bytes(found) == size
    assert {name for _, _, name in stored_tensors(found)} == {"F32", "F16", "BF16", "Q8_0", "NVFP4", "IQ4_NL"}
    budget, host = sizing.vram_budget(found), sizing.host_budget(found)
    assert budget["weights"].bytes + host["weights"].bytes == size
    assert "m as in its file, 8,192 tokens" in str(budget)
    assert sizing.weight_bytes(found, "Q8_0") == sizing.weight_bytes(model, "Q8_0")


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Gemma-4-26B-A4B", "gpt-oss-20b", "Qwen3-Next-80B-A3B",
                                  "Nemotron-3-Nano-30B-A3B"])
def test_a_file_of_a_catalogs_model_needs_what_the_catalog_says(name, tmp_path):
    model = sizing.load_model(name)
    tensors = [(tensor.name if number is None else f"blk.{number}.{tensor.name}", tensor.shape, Q[block])
               for number, tensor, block in sizing.tensor_types(model, "Q4_K_M")]
    found = sizing.read_gguf(written(tmp_path / "m.gguf", model, tensors=tensors))
    assert sizing.weight_bytes(found) == sizing.weight_bytes(model, "Q4_K_M")
    for budget in (sizing.vram_budget, sizing.host_budget, sizing.device_reads):
        by_name, by_file = budget(model, weights="Q4_K_M"), budget(found)
        assert [(term.name, term.low, term.high) for term in by_file.terms] == [
            (term.name, term.low, term.high) for term in by_name.terms]


def test_a_model_of_no_file_needs_a_file_type():
    with pytest.raises(sizing.InvalidInput, match="read from no file of weights: name a file type"):
        sizing.vram_budget(sizing.load_model("Qwen3-8B"))


def test_tensors_for_further_tokens_are_stored_but_not_loaded(tmp_path):
    """llama.cpp's load_mtp is off by default: the layer beyond the last one stays in the file."""
    extra = [(f"blk.2.{name}", shape) for name, shape in (("nextn.eh_proj.weight", (64, 128)),
                                                          ("attn_q.weight", (64, 64)))]
    path = written(tmp_path / "m.gguf", tensors=tensors_of(MODEL) + extra,
                   changes={"block_count": 3, "nextn_predict_layers": 1})
    found, plain = sizing.read_gguf(path), sizing.read_gguf(written(tmp_path / "p.gguf"))
    assert len(found.layers) == 2 and found.parameters == MODEL.parameters
    assert sizing.weight_bytes(found) - sizing.weight_bytes(plain) == 2 * (64 * 128 + 64 * 64)
    assert loaded_tensors(found, None) == loaded_tensors(plain, None)
    for budget in (sizing.vram_budget, sizing.host_budget, sizing.device_reads):
        assert budget(found)["weights"].bytes == budget(plain)["weights"].bytes


def test_old_files_of_mla_cache_every_head(tmp_path):
    model = sizing.read_config(DEEPSEEK)
    tensors = []
    for name, shape in tensors_of(model):
        if name.endswith("attn_k_b.weight"):
            tensors.append((name.replace("attn_k_b", "attn_kv_b"), (4 * (16 + 16), 32)))
        elif not name.endswith("attn_v_b.weight"):
            tensors.append((name, shape))
    old = {"attention.key_length": 24, "attention.value_length": 16,
           "attention.key_length_mla": None, "attention.value_length_mla": None}
    found = sizing.read_gguf(written(tmp_path / "m.gguf", model, tensors=tensors, changes=old))
    mixer = found.layers[0].attention
    assert isinstance(mixer, LatentAttention) and not mixer.latent_cache
    assert (mixer.keys_per_token, mixer.values_per_token) == (4 * 24, 4 * 16)
    assert found.parameters == model.parameters and found.model_type == "deepseek_v3"
    new = sizing.read_gguf(written(tmp_path / "n.gguf", model))
    assert new.layers[0].attention.latent_cache and sizing.kv_cache_bytes(new) < sizing.kv_cache_bytes(found)


def test_matrices_that_a_file_merges(tmp_path):
    """Newer converters store an expert's gate and up as one; Qwen3-Next's beta and alpha too."""
    row = next(row for row in WITNESS if row["config"]["model_type"] == "qwen3_next")
    model = sizing.read_config(row["config"])
    tensors = []
    for name, shape in tensors_of(model):
        for one, other, merged, axis in (("ffn_gate_exps", "ffn_up_exps", "ffn_gate_up_exps", 1),
                                         ("ssm_beta", "ssm_alpha", "ssm_ba", 0)):
            if f".{one}." in name:
                longer = tuple(2 * n if place == axis else n for place, n in enumerate(shape))
                tensors.append((name.replace(one, merged), longer))
                break
            if f".{other}." in name:
                break
        else:
            tensors.append((name, shape))
    found = sizing.read_gguf(written(tmp_path / "m.gguf", model, tensors=tensors))
    assert same_parts(found, model)
    assert len(found.stored) < len(list(model.tensors()))


def shards(folder, model=MODEL, count=3, *, told=None, lost=()):
    tensors = tensors_of(model)
    paths = []
    for number in range(count):
        path = folder / f"m-{number + 1:05}-of-{count:05}.gguf"
        general = [("split.no", number), ("split.count", count), ("split.tensors.count", told or len(tensors))]
        write_gguf(path, "llama", metadata_of(model) if number == 0 else {}, tensors[number::count], general=general)
        paths.append(path)
    for number in lost:
        paths[number].unlink()
    return paths


def test_any_shard_stands_for_all(tmp_path):
    paths = shards(tmp_path)
    whole = sizing.read_gguf(written(tmp_path / "whole.gguf"))
    for path in (*paths, str(paths[1])):
        found = sizing.read_gguf(path)
        assert found.parameters == MODEL.parameters and found.name == "m"
        assert sizing.weight_bytes(found) == sizing.weight_bytes(whole)


def test_shards_that_do_not_belong_together(tmp_path):
    first, second, third = shards(tmp_path)
    refused(shards(tmp_path / "a" if (tmp_path / "a").mkdir() is None else tmp_path, lost=[1, 2])[0],
            "of 3 files m-00002-of-00003.gguf and 1 more are missing")
    third.write_bytes(second.read_bytes())
    refused(first, "says that it is file 1 .*but its name says otherwise")
    other = tmp_path / "renamed.gguf"
    other.write_bytes(first.read_bytes())
    refused(other, "one of 3 files, but is not called as they are")
    (tmp_path / "b").mkdir()
    refused(shards(tmp_path / "b", told=99)[0], "must hold 99: they belong to several models")


@pytest.mark.parametrize(("changes", "match"), [
    ({"block_count": None}, "lacks block_count"), ({"block_count": 0}, "block_count is 0"),
    ({"block_count": 3}, "layer 2 has no attention"), ({"block_count": 1}, "beyond block_count"),
    ({"block_count": 5000}, "must be from 1 to 2,000"), ({"embedding_length": 65}, "token_embd.weight|attn_q"),
    ({"attention.head_count": 5}, "attn_q.weight has the shape .* by the metadata it must be"),
    ({"attention.head_count": 0}, "attention.head_count is 0"),
    ({"attention.head_count": [4, 4, 4]}, "must list 2 layers, but has 3"),
    ({"attention.head_count_kv": "two"}, "attention.head_count_kv is 'two'"),
    ({"attention.key_length": 2_000_000_001}, "attention.key_length is"),
    ({"attention.sliding_window": 16, "attention.sliding_window_pattern": [True]}, "must list 2 layers"),
    ({"attention.sliding_window": 16, "attention.sliding_window_pattern": "x"}, "sliding_window_pattern is 'x'"),
    ({"nextn_predict_layers": 2}, "leaves 0 layers"), ({"context_length": 0}, "context_length is 0"),
])
def test_metadata_that_makes_no_sense(changes, match, tmp_path):
    refused(written(tmp_path / "m.gguf", changes=changes), match)


def test_experts_in_use_are_no_more_than_there_are(tmp_path):
    model = sizing.read_config({**LLAMA, "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2})
    refused(written(tmp_path / "m.gguf", model, changes={"expert_used_count": 9}), "only 8 experts")


def test_tensors_that_are_missing_or_of_another_shape(tmp_path):
    tensors = tensors_of(MODEL)
    for lost, match in (("token_embd.weight", "token_embd.weight is missing"),
                        ("blk.1.attn_k.weight", "layer 1: attn_k.weight is not in the file"),
                        ("blk.1.attn_v.weight", "layer 1: attn_v.weight is not in the file"),
                        ("blk.0.ffn_down.weight", "layer 0 has ffn_gate.weight .* but not all that belongs to it"),
                        ("blk.0.attn_q.weight", "layer 0 has attn_k.weight .* but not all"),
                        ("blk.1.ffn_norm.weight", "layer 1: ffn_norm.weight stands in some layers"),
                        ("blk.0.attn_output.weight", "layer 0: attn_output.weight is not in the file")):
        kept = [(name, shape) for name, shape in tensors if name != lost]
        refused(written(tmp_path / "m.gguf", tensors=kept), match)
    other = [(name, (128, 64) if name == "output.weight" else shape) for name, shape in tensors]
    refused(written(tmp_path / "m.gguf", tensors=other), r"output.weight has the shape \(128, 64\)")
    refused(written(tmp_path / "m.gguf", tensors=[]), "holds no tensors")


def test_what_is_no_language_model(tmp_path):
    refused(written(tmp_path / "m.gguf", arch="clip"), "tower for images or sound")
    refused(written(tmp_path / "m.gguf", general=[("general.type", "adapter")]), "holds a 'adapter', no whole model")
    refused(written(tmp_path / "m.gguf", arch="llamma"), "Nearest: .*llama", sizing.UnknownName)
    refused(written(tmp_path / "m.gguf", arch="rwkv7"), "No architecture is called 'rwkv7'", sizing.UnknownName)


def test_every_cut_is_noticed_at_once(tmp_path):
    """Within the header, and within the weights."""
    content = written(tmp_path / "m.gguf").read_bytes()
    header = len(content) - sizing.weight_bytes(sizing.read_gguf(tmp_path / "m.gguf"))
    path = tmp_path / "cut.gguf"
    start = time.perf_counter()
    for end in [*range(header + 40), len(content) - 1]:
        path.write_bytes(content[:end])
        with pytest.raises(sizing.InvalidInput, match="is no GGUF file|ends inside its header|is cut off"):
            sizing.read_gguf(path)
    assert (time.perf_counter() - start) / header < 0.01


def begin(tensors=0, entries=1):
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, entries)


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(value)) + value


def array(kind, count):
    return struct.pack("<IIQ", 9, kind, count)


def tensor(name="t", shape=(32,), kind=0, offset=0):
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


MOST = 2**64 - 1
HUGE = 10 * 2**30
PAD = bytes(4096)
BROKEN = {
    "claims 18,446,744,073,709,551,615 tensors": begin(MOST) + PAD,
    "claims 18,446,744,073,709,551,615 entries": begin(0, MOST) + PAD,
    "ends inside its header": begin(16_000) + PAD,
    "a key is 18,446,744,073,709,551,615 bytes long": begin() + struct.pack("<Q", MOST) + PAD,
    "ends inside its header, .* needs 10.00 GiB": begin() + text("k") + struct.pack("<IQ", 8, HUGE) + PAD,
    "claims 18,446,744,073,709,551,615 strings": begin() + text("k") + array(8, MOST) + PAD,
    "ends inside its header, at byte 4,": begin() + text("k") + array(8, 1_000_000) + PAD,
    "needs .* more": begin() + text("k") + array(10, MOST) + PAD,
    "array of the type 9": begin() + text("k") + array(9, 1) + array(9, 1) + PAD,
    "'k' is an array of the type 13": begin() + text("k") + array(13, 1) + PAD,
    "unknown type 13": begin() + text("k") + struct.pack("<I", 13) + PAD,
    "a key is no text in UTF-8": begin() + text(b"\xff\xfe") + struct.pack("<IB", 0, 1) + PAD,
    "'k' is no text in UTF-8": begin() + text("k") + struct.pack("<I", 8) + text(b"\xff") + PAD,
    "the key 'k' stands twice": begin(0, 2) + 2 * (text("k") + struct.pack("<IB", 0, 1)) + PAD,
    "the tensor 't' stands twice": begin(2, 0) + tensor() + tensor(offset=128) + PAD,
    "'t' has 0 dimensions": begin(1, 0) + tensor(shape=()) + PAD,
    "'t' has 5 dimensions": begin(1, 0) + tensor(shape=(1,) * 5) + PAD,
    r"'t' has the shape \(0,\)": begin(1, 0) + tensor(shape=(0,)) + PAD,
    "their product below 2": begin(1, 0) + tensor(shape=(2**33, 2**33)) + PAD,
    "a tensor's name is 65 bytes long": begin(1, 0) + tensor("t" * 65) + PAD,
    "'t' has rows of 33 weights, but Q8_0 stores 32": begin(1, 0) + tensor(shape=(33,), kind=8) + PAD,
    "begin inside those of another": begin(2, 0) + tensor("a", (64,)) + tensor("b", offset=32) + PAD,
    "'a' begin inside": begin(1, 0) + tensor("a", offset=1) + PAD,
    "is cut off: its tensors end at": begin(1, 0) + tensor(shape=(2**40,)) + PAD,
    "general.alignment is 3": begin() + text("general.alignment") + struct.pack("<II", 4, 3) + PAD,
    "general.alignment is 0": begin() + text("general.alignment") + struct.pack("<II", 4, 0) + PAD,
    "general.architecture is missing": begin(1, 0) + tensor() + PAD,
}


@pytest.mark.parametrize("match", BROKEN)
def test_a_broken_header_is_refused_at_once(match, tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(BROKEN[match])
    refused(path, match)


@pytest.mark.parametrize(("kind", "known"), [(4, False), (31, False), (43, False), (2**32 - 1, False)])
def test_an_unknown_type_of_a_tensor_is_named(kind, known, tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(begin(1, 0) + tensor("blk.0.x", kind=kind) + PAD)
    refused(path, f"the tensor 'blk.0.x' is of the type {kind}", sizing.UnknownName)


def test_ten_gigabytes_of_strings_are_refused_in_a_file_that_has_them(tmp_path):
    path = tmp_path / "m.gguf"
    for content in (begin() + text("k") + struct.pack("<IQ", 8, HUGE),
                    begin() + text("k") + array(8, 1_000_000) + struct.pack("<Q", HUGE)):
        path.write_bytes(content)
        os.truncate(path, 11 * 2**30)
        refused(path, "its header claims more than 256.00 MiB")


@pytest.mark.parametrize("content", [
    begin() + text("k") + array(8, 1_200_000) + bytes(8 * 1_200_000),
    begin(0, 1_000) + b"".join(text(f"k{n}") + array(12, 2_000) + bytes(16_000) for n in range(1_000)),
    begin(0, 1_000) + b"".join(text(f"{n:060000}") + struct.pack("<IB", 0, 1) for n in range(1_000)),
], ids=["strings", "lists", "keys"])
def test_as_much_as_is_read_takes_less_than_a_second_and_little_memory(content, tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    refused(path, "holds no tensors")
    tracemalloc.start()
    with pytest.raises(sizing.InvalidInput):
        sizing.read_gguf(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * 2**20


@pytest.mark.parametrize(("content", "match"), [
    (b"", "begins with b''"), (b"GGU", "is no GGUF file"), (b"PK\x03\x04" + PAD, "a zip file, as PyTorch"),
    (b"ggjt" + PAD, "an old GGML file"), (b"<!DOCTYPE html>", "a web page"),
    (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    (struct.pack("<Q", 50) + b'{"a": 1}', "a safetensors file"), (PAD, "empty inside"),
    (b"GGUF" + struct.pack("<I", 4) + PAD, "its version is 4"), (b"GGUF" + struct.pack("<I", 0) + PAD, "version is 0"),
])
def test_other_files_are_called_by_their_name(content, match, tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    refused(path, match)


def test_what_is_no_file(tmp_path):
    refused(tmp_path, "is a folder: name the .gguf file")
    refused(tmp_path / "none.gguf", "there is no such file")
    refused("a\0b", "cannot be read")
    refused("x" * 5000, "cannot be read")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "no file that can be read to its end")
    refused(Path("/dev/zero"), "no file that can be read to its end")
    for wrong in (None, 5, b"m.gguf", ["m.gguf"]):
        with pytest.raises(sizing.InvalidInput, match="path must be a str"):
            sizing.read_gguf(wrong)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = written(tmp_path / "m.gguf")
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    refused(path, "cannot be read: Permission denied")


def test_a_long_vocabulary_takes_no_memory_and_little_time(tmp_path):
    path = written(tmp_path / "m.gguf", vocabulary=[f"token {number}" for number in range(300_000)])
    start = time.perf_counter()
    header = read_header(path)
    assert time.perf_counter() - start < 2
    assert len(header.metadata) < 20
