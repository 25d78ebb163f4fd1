"""read_hub against a small hub on this machine: huggingface_hub's own code asks it over HTTP."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fuzz import run
from hub_server import Hub, safetensors

import llmsizing as sizing
from llmsizing.files.safetensors import entries, header_length, role_of
from llmsizing.quantization.dtypes import DTYPES

SRC = Path(sizing.__file__).parents[1]
CONFIG = {"model_type": "qwen3", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
          "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 256,
          "max_position_embeddings": 2048, "torch_dtype": "bfloat16", "tie_word_embeddings": True}
MODEL = sizing.read_config(CONFIG)
INDEX = "model.safetensors.index.json"

#: The names that transformers gives the tensors of a Qwen3, and their shapes.
LAYER = {"self_attn.q_proj": (64, 64), "self_attn.k_proj": (32, 64), "self_attn.v_proj": (32, 64),
         "self_attn.o_proj": (64, 64), "self_attn.q_norm": (16,), "self_attn.k_norm": (16,),
         "mlp.gate_proj": (96, 64), "mlp.up_proj": (96, 64), "mlp.down_proj": (64, 96),
         "input_layernorm": (64,), "post_attention_layernorm": (64,)}
TENSORS = {"model.embed_tokens.weight": ("BF16", (256, 64), 2), "model.norm.weight": ("BF16", (64,), 2)} | {
    f"model.layers.{number}.{name}.weight": ("BF16", shape, 2) for number in range(2) for name, shape in LAYER.items()}


def as_json(value):
    return json.dumps(value).encode()


def whole(tensors=None, config=CONFIG, **files):
    return {"config.json": as_json(config), "model.safetensors": safetensors(tensors or TENSORS),
            "README.md": b"# A model"} | files


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Start a hub with one repository, and an empty cache; huggingface_hub reads that path when asked."""
    from huggingface_hub.utils import _cache_assets

    monkeypatch.setattr(_cache_assets, "HF_ASSETS_CACHE", str(tmp_path))
    started = []

    def start(**repositories):
        started.append(Hub({f"org/{name}": files for name, files in repositories.items()}))
        return started[-1]

    yield start
    for each in started:
        each.close()


def read(hub, name="org/a", **how):
    return sizing.read_hub(name, endpoint=hub.address, **how)


def refused(hub, match, name="org/a", kind=sizing.InvalidInput, seconds=2, **how):
    start = time.perf_counter()
    with pytest.raises(kind, match=match) as caught:
        read(hub, name, **how)
    assert time.perf_counter() - start < seconds
    assert "\n" not in str(caught.value) and caught.value.__cause__ is None


def test_a_model_is_read_without_its_weights(hub):
    tensors = {**TENSORS, "model.layers.1.mlp.wide": ("F32", (4096, 4096), 4)}
    server, said = hub(a=whole(tensors)), []
    model = read(server, progress=said.append)
    assert (model.name, model.repo, model.licence, model.native_type) == ("a", "org/a", "apache-2.0", "bf16")
    assert model.layers == MODEL.layers and model.file_format == "safetensors"
    assert sizing.weight_bytes(model) == 2 * MODEL.parameters + 4 * 4096**2
    assert server.sent < 20_000 < sizing.weight_bytes(model)
    assert said == ["org/a: list of files", "org/a: config.json", "org/a: header of model.safetensors"]
    assert "The checkpoint's layers hold 16,8" in model.notes and "94,5" not in model.notes
    asked = len(server.asked)
    assert read(server) == model
    assert len(server.asked) == asked + 1  # the list of files alone; the rest lies in the cache


def test_an_exact_checkpoint_has_no_note_and_budgets_in_every_engine(hub):
    model = read(hub(a=whole()))
    assert model.notes == ""
    for engine in ("llama.cpp", "transformers", "vllm"):
        weights = sizing.vram_budget(model, engine=engine)["weights"]
        assert 2 * MODEL.parameters <= weights.bytes < 2 * MODEL.parameters + 200_000  # vLLM: positions
    assert sizing.weight_bytes(model, "Q8_0") == sizing.weight_bytes(MODEL, "Q8_0")
    assert "as in its file" in sizing.vram_budget(model).title


def test_weights_that_lie_elsewhere_are_asked_for_without_the_token(hub, monkeypatch):
    """The hub sends readers of large files on to another host."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server = hub(a=whole())
    server.elsewhere = True
    assert sizing.weight_bytes(read(server)) == 2 * MODEL.parameters
    sent = {path.split("/")[0]: token for path, token in server.tokens.items()}
    assert sent == {"api": "Bearer hf_secret", "org": "Bearer hf_secret", "elsewhere": None}


def test_several_files_are_named_by_an_index(hub):
    names = list(TENSORS)
    files = {f"model-{n + 1:05}-of-00002.safetensors": {name: TENSORS[name] for name in names[n::2]} for n in (0, 1)}
    index = {"weight_map": {name: file for file, inside in files.items() for name in inside}}
    content = {file: safetensors(inside) for file, inside in files.items()}
    parts = {"config.json": as_json(CONFIG), INDEX: as_json(index), **content}
    assert sizing.weight_bytes(read(hub(a=parts))) == 2 * MODEL.parameters
    lost = {name: file for name, file in parts.items() if "00002-of" not in name}
    refused(hub(b=lost), "names 'model-00002-of-00002.safetensors', which is not there", "org/b")
    for wrong in (b"[]", b"{", b'{"weight_map": []}', b'{"weight_map": {}}', b'{"weight_map": {"a": 5}}'):
        refused(hub(c={**parts, INDEX: wrong}), "index.json", "org/c")


def test_types_and_towers_by_name(hub):
    """Eight-bit weights with scales, a type newer than this package, a tower, a predictor of tokens."""
    tensors = {**TENSORS, "model.layers.0.mlp.up_proj.weight": ("F8_E4M3", (96, 64), 1),
               "model.layers.0.mlp.up_proj.weight_scale": ("F32", (), 4),
               "model.layers.0.mlp.down_proj.weight": ("F4", (64, 96), 0.5),
               "model.layers.2.eh_proj.weight": ("BF16", (64, 128), 2),
               "visual.patch_embed.proj.weight": ("BF16", (8, 3, 4, 4), 2)}
    model = read(hub(a=whole(tensors)))
    size = 2 * MODEL.parameters - 96 * 64 + 4 - 64 * 96 * 3 // 2
    assert sizing.weight_bytes(model) == size + 2 * 64 * 128
    assert sizing.vram_budget(model)["weights"].bytes == size
    assert model.vision_parameters == 8 * 3 * 4 * 4
    assert {name for _, _, name in model.stored} == {"BF16", "F8_E4M3", "F32", "U8"}


def test_safetensors_types_take_the_bytes_that_their_names_say():
    for dtype in DTYPES:
        digits = "".join(letter for letter in dtype.name.split("_")[0] if letter.isdigit())
        assert dtype.bits_per_weight == int(digits or 8)  # BOOL is a byte


@pytest.mark.parametrize(("name", "role"), [
    ("model.embed_tokens.weight", "embedding"), ("lm_head.weight", "output"), ("model.norm.weight", "norm"),
    ("model.layers.0.mlp.gate_proj.weight", "feed-forward"), ("model.layers.0.mlp.gate.weight", "router"),
    ("model.layers.0.mlp.experts.7.up_proj.weight", "experts"), ("model.layers.0.self_attn.q_proj.weight", "attention"),
    ("model.layers.0.mlp.shared_experts.up_proj.weight", "shared expert"),
    ("model.layers.0.linear_attn.in_proj_qkv.weight", "state space"),
    ("model.language_model.embed_tokens_per_layer.weight", "per-layer embedding"),
    ("model.layers.0.self_attn.rotary_emb.inv_freq", "buffer"),
    ("model.layers.3.mlp.gate.e_score_correction_bias", "buffer")])
def test_roles_by_transformers_names(name, role):
    assert role_of(name) == role


def test_a_repository_of_gguf_files_says_which(hub):
    server = hub(a={"README.md": b"", "a-Q4_K_M.gguf": bytes(2**20), "a-Q8_0.gguf": bytes(2**21)})
    refused(server, r"holds GGUF files: a-Q4_K_M.gguf \(1.00 MiB\), a-Q8_0.gguf .*use read_gguf")


def test_repositories_without_a_model(hub):
    refused(hub(a={"README.md": b""}), "holds no config.json.*; it holds README.md")
    refused(hub(a={"config.json": as_json(CONFIG), "pytorch_model.bin": b""}), "holds no safetensors files")
    refused(hub(a={}), "it holds nothing")


def test_an_address_is_a_name_too(hub):
    server = hub(a=whole())
    assert read(server, "https://huggingface.co/org/a/tree/main?x=1").repo == "org/a"
    for wrong, match in (("a b c", "is no name of a repository"), ("", "is no name"), ("x" * 500, "is no name"),
                         ("https://huggingface.co", "is no name")):
        refused(server, match, wrong)
    for wrong in (None, 5, ["org/a"]):
        refused(server, "repo must be a str", wrong)
    for wrong in (0, -1, "x", float("nan"), 1e9):
        refused(server, "timeout must be", timeout=wrong)
    refused(server, "revision must be a str", revision=5)


@pytest.mark.parametrize("only", ["api/models", "config.json", "model.safetensors"])
@pytest.mark.parametrize(("answer", "match", "kind"), [
    ((403, "GatedRepo"), "is gated: accept its terms at .* `hf auth login`", sizing.InvalidInput),
    ((401, "GatedRepo"), "is gated", sizing.InvalidInput), ((403, ""), "is gated", sizing.InvalidInput),
    ((401, ""), "No repository org/a on the hub that this account may read", sizing.UnknownName),
    ((404, "RepoNotFound"), "No repository org/a", sizing.UnknownName),
    ((429, ""), r"refuses more questions for now \(429\)", sizing.InvalidInput),
    ((500, ""), "answered 500", sizing.InvalidInput), ((503, ""), "answered 503", sizing.InvalidInput)])
def test_refusals_are_one_sentence(only, answer, match, kind, hub):
    server = hub(a=whole())
    server.refuse, server.only = answer, only
    refused(server, match, kind=kind)


def test_there_is_no_such_repository_or_revision(hub):
    server = hub(a=whole())
    refused(server, "No repository org/b", "org/b", kind=sizing.UnknownName)
    refused(server, "org/a has no revision 'v2'", kind=sizing.UnknownName, revision="v2")
    server.refuse, server.only = (404, "EntryNotFound"), "model.safetensors"
    refused(server, "lacks a file that it lists")


@pytest.mark.parametrize("only", ["api/models", "config.json", "model.safetensors"])
def test_a_hub_that_does_not_answer(only, hub):
    server = hub(a=whole())
    server.stall, server.only = 3, only
    refused(server, "did not answer within 0.3 seconds", timeout=0.3)


def test_a_hub_that_cannot_be_reached(hub):
    server = hub(a=whole())
    server.close()
    refused(server, r"cannot be reached \(ConnectError\). Is there a network")


def test_a_server_that_sends_too_much_or_too_little(hub):
    server = hub(a=whole({**TENSORS, "w": ("F32", (2048, 2048), 4)}))
    server.ignores_range = True
    refused(server, "sends no part of model.safetensors")
    server.ignores_range, server.shorten = False, 5
    refused(server, "ends inside its header: the upload is not complete")


def test_offline_is_said(tmp_path):
    code = ("import llmsizing\ntry:\n    llmsizing.read_hub('org/a')\n"
            "except llmsizing.InvalidInput as error:\n    print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                          env={"PYTHONPATH": str(SRC), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)})
    assert "HF_HUB_OFFLINE is set, so the hub is not asked" in done.stdout, done.stderr


def test_without_huggingface_hub_it_says_how_to_install_it():
    code = (f"import sys; sys.path.insert(0, {str(SRC)!r})\nimport llmsizing\n"
            "try:\n    llmsizing.read_hub('org/a')\nexcept llmsizing.InvalidInput as error:\n    print(error)")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60)
    assert "needs the package huggingface_hub: python -m pip install" in done.stdout, done.stderr


def test_broken_contents_are_refused_over_http(hub):
    good = whole()
    for wrong, match in (({"config.json": b"{"}, "cannot be read as JSON"), ({"config.json": b""}, "config.json has 0 B"),
                         ({"config.json": as_json({**CONFIG, "model_type": "qwenn3"})}, "Nearest"),
                         ({"model.safetensors": b""}, "ends inside its header"),
                         ({"model.safetensors": b"\xff" * 100}, "is no safetensors file"),
                         ({"model.safetensors": safetensors(TENSORS)[:-1]}, "is cut off")):
        name = match.split()[-1]  # of its own: a commit's files are read once and kept
        refused(hub(**{name: {**good, **wrong}}), match, f"org/{name}", kind=(sizing.InvalidInput, sizing.UnknownName))


def header(**tensors):
    return as_json(tensors)


def entry(dtype="F32", shape=(2, 2), offsets=(0, 16)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(("text", "match"), [
    (b"{", "cannot be read as JSON"), (b"[]", "holds a list"), (b"\xff\xfe", "cannot be read as JSON"),
    (b"[" * 100_000, "cannot be read as JSON"), (b'{"a":' * 100_000, "cannot be read as JSON"),
    (b'{"a": ' + b"9" * 10_000 + b"}", "cannot be read as JSON"), (header(a=5), "'a' is 5, but must have dtype"),
    (b'{"a": {}, "a": {}}', "the key 'a' stands twice"), (header(a={}), "must have dtype"),
    (header(a=entry(shape=(2**40, 2**40))), "takes 16 bytes, but F32"), (header(a=entry(shape=(-1, 4))), "must have"),
    (header(a=entry(offsets=(16, 0))), "must have"), (header(a=entry(offsets=(0, 2**70))), "must have"),
    (header(a=entry(offsets=(0,))), "must have"), (header(a=entry(dtype=5)), "must have"),
    (header(a=entry(offsets=(0.0, 16.0))), "must have"), (header(a=entry(shape=[1] * 1000)), "must have"),
    (header(a=entry(), b=entry()), "two tensors lie in the same place"),
    (header(a=entry(offsets=(1000, 1016))), "is cut off"),
])
def test_a_broken_header_is_refused(text, match):
    start = time.perf_counter()
    with pytest.raises(sizing.InvalidInput, match=match):
        entries(text, len(text) + 8 + 16, "weights")
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("start", [b"", b"1234567", b"\xff" * 8, bytes(8), (10 * 2**30).to_bytes(8, "little")])
def test_a_header_of_ten_gigabytes_is_refused(start):
    with pytest.raises(sizing.InvalidInput, match="is no safetensors file"):
        header_length(start, "weights")


def test_an_empty_tensor_takes_nothing():
    assert entries(header(a=entry(shape=(0, 4), offsets=(0, 0)), b=entry()), None, "weights")[0].name == "b"


def test_some_thousand_broken_files():
    """`make fuzz` checks many more."""
    outcomes, findings = run(2_400, 7)
    assert not findings, findings[0][2]
    assert all(outcomes[reader, "read"] > 20 and outcomes[reader, "InvalidInput"] > 400 for reader in ("gguf", "hub"))
