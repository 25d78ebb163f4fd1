"""Which layers lie where, and what the budgets of several devices and of RAM add up to."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmsizing as sizing
from llmsizing.memory.placement import RAM, placement
from llmsizing.memory.settings import Settings
from llmsizing.memory.weights import layout_of

LLAMA, SPARSE = sizing.load_model("Llama-3.1-8B"), sizing.load_model("Qwen3-30B-A3B")
TIED = sizing.load_model("Llama-3.2-1B")
CARDS = [sizing.load_device("RTX 3090"), sizing.load_device("RTX 3060 12 GB")]


def placed(model, **settings):
    return placement(model, Settings(**settings), layout_of(model, "Q4_K_M"))


@pytest.mark.parametrize(
    ("offload", "on_device", "output"),
    [("all", 32, 0), (33, 32, 0), (99, 32, 0), (32, 31, 0), (2, 1, 0), (1, 0, 0), (0, 0, RAM)],
)
def test_layers_are_counted_from_the_last_and_the_output_is_one_of_them(offload, on_device, output):
    """llama.cpp: i_gpu_start = n_layer + 1 - n_gpu_layers, and the output is layer n_layer."""
    where = placed(LLAMA, offload=offload)
    assert where.layers == (RAM,) * (32 - on_device) + (0,) * on_device
    assert (where.tables, where.output) == (RAM, output)


def test_two_equal_devices_share_the_layers_and_the_output():
    """33 entries: the first 17 have a share below one half, from 0/33 to 16/33."""
    where = placed(LLAMA, devices=2)
    assert where.layers == (0,) * 17 + (1,) * 15 and where.output == 1


def test_uneven_devices_share_by_the_memory_that_they_show():
    where = placed(LLAMA, devices=CARDS)
    share = CARDS[0].visible_bytes / sum(card.visible_bytes for card in CARDS)
    first = sum(number / 33 < share for number in range(33))
    assert where.layers.count(0) == first and where.layers.count(1) == 32 - first
    assert where.layers_at(1) == tuple(range(first, 32))


def test_only_offloaded_layers_are_shared():
    """Eight layers stay in RAM; of 25 entries the first 13 are the first device's."""
    where = placed(LLAMA, devices=2, offload=25)
    assert where.layers == (RAM,) * 8 + (0,) * 13 + (1,) * 11


def test_on_the_cpu_everything_lies_in_one_place():
    where = placed(LLAMA, backend="cpu")
    assert {*where.layers, where.tables, where.output} == {0}
    budget = sizing.vram_budget(LLAMA, weights="Q4_K_M", backend="cpu")
    assert budget["weights"].bytes == sizing.weight_bytes(LLAMA, "Q4_K_M")
    tied = sizing.vram_budget(TIED, weights="Q4_K_M", backend="cpu")
    assert tied["weights"].bytes == sizing.weight_bytes(TIED, "Q4_K_M")
    assert sizing.host_budget(LLAMA, weights="Q4_K_M", backend="cpu")["weights"].bytes == 0


@pytest.mark.parametrize("moved", [{"offload": 10}, {"experts_on_cpu": 10}])
def test_what_no_engine_of_ggufs_runs_lies_whole_on_the_device(moved):
    """A setting that only llama.cpp and ExLlama have moves nothing of NF4 and copies nothing."""
    assert (sizing.vram_budget(SPARSE, weights="NF4", **moved).terms
            == sizing.vram_budget(SPARSE, weights="NF4").terms)
    on_cpu = [sizing.vram_budget(SPARSE, weights="Q4_K_M", backend="cpu", **more) for more in ({}, moved)]
    assert on_cpu[0].terms == on_cpu[1].terms


def test_experts_in_ram_are_those_of_the_first_layers():
    """gate, up and down of 128 experts: 3 · 128 · 768 · 2048 weights of a layer, in Q8_0."""
    layer = 3 * 128 * 768 * 2048 * 34 // 32
    whole = sizing.vram_budget(SPARSE, weights="Q8_0")["weights"].bytes
    for count in (1, 10, 48):
        moved = {"weights": "Q8_0", "experts_on_cpu": count}
        assert whole - sizing.vram_budget(SPARSE, **moved)["weights"].bytes == count * layer
        embedding = 151_936 * 2048 * 34 // 32
        assert sizing.host_budget(SPARSE, **moved)["weights"].bytes == count * layer + embedding
    all_of_them = {"weights": "Q8_0", "experts_on_cpu": 100}
    assert whole - sizing.vram_budget(SPARSE, **all_of_them)["weights"].bytes == 48 * layer


def test_a_dense_model_has_no_experts_to_leave_in_ram():
    assert (sizing.vram_budget(LLAMA, weights="Q8_0", experts_on_cpu=5)["weights"].bytes
            == sizing.vram_budget(LLAMA, weights="Q8_0")["weights"].bytes)


def test_keys_and_values_lie_where_their_layer_lies():
    half = {"weights": "Q4_K_M", "offload": 17}
    device, ram = sizing.vram_budget(LLAMA, **half), sizing.host_budget(LLAMA, **half)
    assert device["KV cache"].bytes == ram["KV cache"].bytes == 16 * 8192 * 2 * 1024 * 2
    nothing = sizing.vram_budget(LLAMA, weights="Q4_K_M", offload=0)
    assert nothing["KV cache"].bytes == nothing["weights"].bytes == 0


def test_a_tied_output_lies_in_ram_once_if_it_is_not_offloaded():
    ram = sizing.host_budget(TIED, weights="Q8_0", offload=0)["weights"].bytes
    assert ram == sizing.weight_bytes(TIED, "Q8_0")


SETTINGS = st.fixed_dictionaries({
    "weights": st.sampled_from(["F16", "Q4_K_M"]), "offload": st.one_of(st.just("all"), st.integers(0, 60)),
    "experts_on_cpu": st.integers(0, 50), "context_tokens": st.integers(1, 40_000),
    "sequences": st.integers(1, 4), "devices": st.one_of(st.integers(1, 5), st.just(CARDS))})


@given(st.sampled_from([LLAMA, SPARSE, TIED, sizing.load_model("Gemma-3-27B")]), SETTINGS)
def test_nothing_is_lost_between_devices_and_ram(model, settings):
    total, ram = sizing.vram_budget(model, **settings), sizing.host_budget(model, **settings)
    each = sizing.device_budgets(model, **settings)
    for name in ("weights", "KV cache", "compute buffer", "runtime"):
        assert total[name].usual == sum(budget[name].usual for budget in each)
    twice = model.embedding
    both = total["weights"].usual + ram["weights"].usual
    held_twice = model.tie_word_embeddings and settings["offload"] != 0
    again = sizing.weight_bytes(model, settings["weights"]) + (
        sizing.memory.stored_bytes(twice, "F16" if settings["weights"] == "F16" else "Q6_K")
        if held_twice else 0)
    assert both == again
    cache = total["KV cache"].usual + sum(term.usual for term in ram.terms if term.name == "KV cache")
    assert cache == sizing.kv_cache_bytes(model, context_tokens=settings["context_tokens"],
                                          sequences=settings["sequences"])


def test_devices_are_called_by_their_names():
    titles = [budget.title.partition(":")[0]
              for budget in sizing.device_budgets(LLAMA, weights="F16", devices=[CARDS[0], *CARDS])]
    assert titles == ["RTX 3090 1", "RTX 3090 2", "RTX 3060 12 GB"]
    numbered = [term.name for term in sizing.vram_budget(LLAMA, weights="F16", devices=2)["weights"].members]
    assert numbered == ["device 1", "device 2"]


def test_a_draft_model_shares_the_program_and_another_model_has_its_own():
    small = sizing.vram_budget(TIED, weights="Q8_0", context_tokens=2048)
    alone = sizing.vram_budget(LLAMA, weights="Q4_K_M")
    drafted = sizing.vram_budget(LLAMA, weights="Q4_K_M", draft=small)
    assert drafted.total.usual - alone.total.usual == small.total.usual - small["runtime"].usual
    shared = sizing.vram_budget(LLAMA, weights="Q4_K_M", beside=[small])
    assert shared.total.usual - alone.total.usual == small.total.usual
    assert shared[small.title].high == small.total.high
    for wrong in ({"draft": "Llama-3.2-1B"}, {"beside": ["Llama-3.2-1B"]}):
        with pytest.raises(sizing.InvalidInput, match="must be a Breakdown"):
            sizing.vram_budget(LLAMA, weights="Q4_K_M", **wrong)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"offload": -1}, "offload must be from 0 to 10,000"), ({"offload": "some"}, 'or is "all"'),
     ({"offload": 1.5}, "offload must be a whole number"), ({"offload": True}, "offload must be"),
     ({"experts_on_cpu": -1}, "experts_on_cpu must be from 0"), ({"experts_on_cpu": "all"}, "experts_on_cpu must"),
     ({"devices": 0}, "devices must be from 1"), ({"devices": []}, "devices must be a number, or a list"),
     ({"devices": ["RTX 4090"]}, "what load_device returns"), ({"devices": "RTX 4090"}, "what load_device returns"),
     ({"flash_attention": 1}, "flash_attention must be True or False"),
     ({"flash_attention": False, "kv_cache": "q8_0"}, "only with flash attention"),
     ({"flash_attention": False, "kv_cache": ("f16", "q4_0")}, "keeps values as q4_0 only")],
)
def test_a_placement_that_makes_no_sense(settings, message):
    for ask in (sizing.vram_budget, sizing.host_budget, sizing.device_budgets):
        with pytest.raises(sizing.InvalidInput, match=message):
            ask(LLAMA, weights="Q4_K_M", **settings)


@pytest.mark.parametrize(("settings", "message"), [
    ({"logits": "none"}, "No kind of logits is called 'none'. Known: last, all"),
    ({"backend": "cude"}, "No backend is called 'cude'. Nearest: cuda")])
def test_a_choice_that_there_is_not(settings, message):
    with pytest.raises(sizing.UnknownName, match=message):
        sizing.vram_budget(LLAMA, weights="Q4_K_M", **settings)


def test_keys_in_few_bits_need_no_flash_attention():
    assert sizing.vram_budget(LLAMA, weights="F16", flash_attention=False, kv_cache=("q8_0", "f16"))


# What fits: several devices, conversations, file types, and what must change.


def test_two_l4_take_a_seventy_billion_model_at_short_context_alone():
    """42 GiB of a 70B model at Q4_K_M; two L4s show programs about 44 GiB."""
    model, cards = sizing.load_model("Llama-3.3-70B"), [sizing.load_device("L4")] * 2
    assert sizing.room_for(model, cards, weights="Q4_K_M", context_tokens=2048).verdict == "fits"
    assert sizing.room_for(model, cards, weights="Q4_K_M", context_tokens=16384).verdict == "does not fit"
    assert 2048 <= sizing.longest_context(model, cards, weights="Q4_K_M") < 16384
    assert sizing.longest_context(model, cards[0], weights="Q4_K_M") == 0


def test_the_fullest_device_decides():
    room = sizing.room_for(LLAMA, CARDS, weights="F16")
    each = [sizing.headroom(budget, card) for budget, card in zip(
        sizing.device_budgets(LLAMA, weights="F16", devices=CARDS), CARDS, strict=True)]
    assert room == min(each, key=lambda left: left.low)


@pytest.mark.parametrize("settings", [{"weights": "Q4_K_M"}, {"weights": "Q8_0", "kv_cache": "q8_0"},
                                      {"weights": "Q4_K_M", "unified_kv": False, "tokens_each": 3000}])
@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Gemma-3-12B", "gpt-oss-20b"])
def test_so_many_conversations_fit_and_one_more_does_not(name, settings):
    model, card = sizing.load_model(name), sizing.load_device("RTX 4090")
    most = sizing.most_sequences(model, card, **settings)
    each = settings.get("tokens_each", 8192)
    rest = {key: value for key, value in settings.items() if key != "tokens_each"}
    verdicts = [sizing.room_for(model, card, context_tokens=count * each, sequences=count, **rest).verdict
                for count in (max(1, most), most + 1)]
    assert verdicts == ["fits", verdicts[1]] and verdicts[1] != "fits"


def test_the_largest_file_type_fits_and_the_next_does_not():
    model, card = sizing.load_model("Qwen3-32B"), sizing.load_device("RTX 4090")
    chosen = sizing.largest_file_type(model, card, context_tokens=16384)
    sizes = {kind.name: sizing.weight_bytes(model, kind.name) for kind in sizing.file_types()}
    assert sizing.room_for(model, card, weights=chosen, context_tokens=16384).verdict == "fits"
    larger = min((name for name in sizes if sizes[name] > sizes[chosen]), key=sizes.get)
    assert sizing.room_for(model, card, weights=larger, context_tokens=16384).verdict != "fits"
    assert sizing.largest_file_type(sizing.load_model("DeepSeek-V3"), card) == ""


@pytest.mark.parametrize(
    ("name", "device", "settings"),
    [("Qwen3-30B-A3B", "RTX 3060 12 GB", {"weights": "Q4_K_M"}),
     ("Gemma-3-27B", "RTX 4090", {"weights": "Q6_K", "context_tokens": 131072, "sequences": 8}),
     ("Phi-3-mini-4k", "RTX 3060 12 GB", {"weights": "Q8_0", "context_tokens": 24_000}),
     ("Llama-3.3-70B", "RTX 4090", {"weights": "Q4_K_M"})],
)
def test_each_change_is_enough_by_itself_and_the_smallest_of_its_kind(name, device, settings):
    model, card = sizing.load_model(name), sizing.load_device(device)
    changes = sizing.changes_that_fit(model, card, **settings)
    assert changes and all(change.cost and change.headroom.verdict == "fits" for change in changes)
    for change in changes:
        ((key, value),) = change.settings.items()
        if key != "devices":
            asked = {**settings, **change.settings}
            assert sizing.room_for(model, card, **asked) == change.headroom
        step = {"experts_on_cpu": -1, "offload": 1, "context_tokens": 256, "sequences": 1}.get(key)
        if step:
            less = {**settings, key: value + step}
            assert sizing.room_for(model, card, **less).verdict != "fits", change.what


@pytest.mark.parametrize(
    ("name", "device", "settings"),
    [("Qwen3-30B-A3B", "RTX 3060 12 GB", {"weights": "Q4_K_M", "context_tokens": 32_768}),
     ("Gemma-3-27B", "RTX 4090", {"weights": "Q6_K", "context_tokens": 131_072, "sequences": 8}),
     ("Phi-3-mini-4k", "RTX 3060 12 GB", {"weights": "Q8_0", "context_tokens": 24_000}),
     ("Phi-3-mini-4k", "RTX 3060 12 GB", {"weights": "Q8_0", "context_tokens": 24_000, "ubatch": 256}),
     ("Llama-3.1-8B", "RTX 3060 12 GB", {"weights": "Q8_0", "context_tokens": 65_536, "ubatch": 2048,
                                         "flash_attention": False}),
     ("Llama-3.3-70B", "RTX 4090", {"weights": "Q4_K_M"})],
)
def test_a_kind_of_change_is_found_if_its_last_step_is_enough(name, device, settings):
    """The kinds that are left out do not help even at their end: 64 tokens, one conversation …"""
    model, card = sizing.load_model(name), sizing.load_device(device)
    given = {"ubatch": 512, "sequences": 1, "context_tokens": 8192, "kv_cache": "f16", **settings}
    layers = model.num_hidden_layers
    ends = {"ubatch": 64, "sequences": 1, "context_tokens": 2048, "offload": -(-(layers + 1) // 4),
            "weights": "IQ1_S"} | ({"experts_on_cpu": layers} if "A3B" in name else {})
    if given.get("flash_attention", True):
        ends["kv_cache"] = "q4_0"
    helps = {key for key, end in ends.items() if end != given.get(key)
             and sizing.room_for(model, card, **{**settings, key: end}).verdict == "fits"}
    if sizing.room_for(model, [card] * 2, **settings).verdict == "fits":
        helps.add("devices")
    changes = sizing.changes_that_fit(model, card, **settings)
    assert {key for change in changes for key in change.settings} == helps
    for change in changes:
        assert change.settings.get("ubatch", 0) < given["ubatch"]


def just(size):
    """A card that shows programs so many bytes, and no more."""
    card = sizing.load_device("RTX 4090")
    return replace(card, visible_low_mib=Fraction(size, 2**20), visible_high_mib=Fraction(size, 2**20))


def test_the_shortest_context_and_the_fewest_layers_are_changes_still():
    """2,048 tokens, a quarter of 28 layers, 64 tokens at a time; a byte less, and they are none."""
    model, asked = sizing.load_model("DeepSeek-V2-Lite"), {"weights": "Q4_K_M", "context_tokens": 16_384}
    for key, value in (("context_tokens", 2048), ("offload", 7), ("ubatch", 64)):
        needed = math.ceil(sizing.vram_budget(model, **{**asked, key: value}).total.high)
        for card, found in ((just(needed), [value]), (just(needed - 1), [])):
            changes = sizing.changes_that_fit(model, card, **asked)
            assert [change.settings[key] for change in changes if key in change.settings] == found


def test_one_device_needs_no_list():
    card = sizing.load_device("RX 7900 XTX")
    assert (sizing.vram_budget(LLAMA, weights="Q8_0", devices=card)
            == sizing.vram_budget(LLAMA, weights="Q8_0", devices=[card]))


@pytest.mark.parametrize("ask", [sizing.vram_budget, sizing.host_budget, sizing.weight_bytes])
def test_weights_are_named_by_text(ask):
    for wrong in (16, ["Q8_0"], b"Q8_0"):
        with pytest.raises(sizing.InvalidInput, match="^weights must be a str"):
            ask(LLAMA, weights=wrong)


def test_conversations_are_counted_in_whole_numbers():
    """100,000,000 tokens in all are the most: no more than 1,428 conversations of 70,000."""
    most = sizing.most_sequences(TIED, sizing.load_device("H200 SXM"), weights="Q4_K_M", tokens_each=70_000,
                                 kv_cache="q4_0")
    assert isinstance(most, int) and 0 < most < 1428


def test_a_model_without_a_native_context_has_no_end():
    endless = replace(TIED, max_position_embeddings=None)
    card = sizing.load_device("RTX 4090")
    longest = sizing.longest_context(endless, card, weights="Q4_K_M")
    assert longest > TIED.max_position_embeddings
    fits = [sizing.room_for(endless, card, weights="Q4_K_M", context_tokens=tokens).verdict
            for tokens in (longest, longest + 256)]
    assert fits[0] == "fits" != fits[1]


def test_there_is_nothing_to_change_where_all_fits_and_nothing_helps_where_nothing_can():
    card = sizing.load_device("RTX 4090")
    assert sizing.changes_that_fit(LLAMA, card, weights="Q4_K_M") == []
    giant = sizing.load_model("Kimi-K2-Instruct")
    kinds = [*map(lambda change: next(iter(change.settings)),
                  sizing.changes_that_fit(giant, sizing.load_device("GTX 1060 6 GB"), weights="Q4_K_M"))]
    assert "context_tokens" not in kinds and "weights" not in kinds


def test_more_memory_is_said_with_each_move_to_ram():
    changes = {next(iter(change.settings)): change for change in sizing.changes_that_fit(
        SPARSE, sizing.load_device("RTX 3060 12 GB"), weights="Q4_K_M")}
    moved = changes["experts_on_cpu"]
    before, after = (sizing.host_budget(SPARSE, weights="Q4_K_M", **extra).total_bytes
                     for extra in ({}, moved.settings))
    assert sizing.format_bytes(after - before, "GiB") in moved.cost


@pytest.mark.parametrize(
    ("ask", "message"),
    [(lambda: sizing.room_for(LLAMA, CARDS[0], weights="F16", devices=2), "leave devices out"),
     (lambda: sizing.room_for(LLAMA, "RTX 4090", weights="F16"), "device must be a Device"),
     (lambda: sizing.room_for(LLAMA, [CARDS[0], "L4"], weights="F16"), "device must be a Device"),
     (lambda: sizing.most_sequences(LLAMA, CARDS[0], weights="F16", sequences=2), "sets sequences itself"),
     (lambda: sizing.most_sequences(LLAMA, CARDS[0], weights="F16", context_tokens=2), "sets context_tokens"),
     (lambda: sizing.most_sequences(LLAMA, CARDS[0], weights="F16", tokens_each=0), "context_tokens must be"),
     (lambda: sizing.largest_file_type(LLAMA, CARDS[0], weights="F16"), "looks for weights: leave it out"),
     (lambda: sizing.room_for(LLAMA, [], weights="F16"), "devices must be a number, or a list")],
)
def test_questions_that_make_no_sense(ask, message):
    with pytest.raises(sizing.InvalidInput, match=message):
        ask()


def test_a_sweep_says_what_each_budget_says():
    models = [LLAMA, SPARSE, TIED]
    made = list(sizing.sweep(models, weights=["Q4_K_M", "F16"], context_tokens=[2048, 32768], kv_cache="q8_0"))
    assert len(made) == 12
    for total in made:
        assert total.bytes == sizing.vram_budget(total.model, weights=total.weights, kv_cache="q8_0",
                                                 context_tokens=total.context_tokens).total_bytes


@pytest.mark.parametrize(("device", "backend"), [
    ("RTX 4090", "cuda"), ("RX 7900 XTX", "rocm"), ("Apple M1 16 GB", "metal"), ("Arc B580", "vulkan"),
    ("DDR4-3200, 2 channels, 16 GB", "cpu")])
def test_a_device_brings_what_usually_computes_on_it(device, backend):
    one = sizing.load_device(device)
    asked = {"weights": "Q4_K_M", "kv_cache": "q8_0"}
    assert (sizing.vram_budget(LLAMA, devices=[one], **asked).terms
            == sizing.vram_budget(LLAMA, backend=backend, **asked).terms)
    assert (sizing.vram_budget(LLAMA, devices=[one], backend="cuda", **asked).terms
            == sizing.vram_budget(LLAMA, **asked).terms)


def test_a_display_takes_its_part_of_the_first_device():
    card = sizing.load_device("RTX 4090")
    budget = sizing.vram_budget(LLAMA, weights="Q4_K_M")
    alone, shared = sizing.headroom(budget, card), sizing.headroom(budget, card, display=True)
    taken = sizing.display_term()
    for name, part in (("low", taken.high), ("usual", taken.usual), ("high", taken.low)):
        assert getattr(alone, name) - getattr(shared, name) == pytest.approx(float(part), abs=1)
    longest = [sizing.longest_context(LLAMA, card, weights="F16", display=shown) for shown in (False, True)]
    assert longest[1] < longest[0]
    first = sizing.load_device("RTX 3060 12 GB")
    assert (sizing.room_for(LLAMA, [first, card], weights="Q4_K_M", display=True).low
            <= sizing.room_for(LLAMA, [first, card], weights="Q4_K_M").low)


@pytest.mark.parametrize(("name", "twice"), [("Gemma-4-12B", 1), ("Gemma-3n-E2B", 1), ("Gemma-3-12B", 0)])
def test_gemma_4_holds_its_tied_table_twice_in_ram(name, twice):
    """The engine on the CPU; data/engine_loads.csv has its own figures."""
    model = sizing.load_model(name)
    table = sizing.memory.stored_bytes(model.embedding, "Q6_K")
    for settings, place in (({"backend": "cpu"}, sizing.vram_budget), ({"offload": 0}, sizing.host_budget)):
        assert (place(model, weights="Q4_K_M", **settings)["weights"].bytes
                == sizing.weight_bytes(model, "Q4_K_M") + twice * table)


@pytest.mark.parametrize(("weights", "settings"), [
    (["Q4_K_M", "F16"], {"devices": 2}), (["Q4_K_M", "F16"], {"offload": 9}),
    (["Q4_K_M", "F16"], {"experts_on_cpu": 9}), (["Q4_K_M", "Q8_0"], {"engine": "ollama", "sequences": 2}),
    (["BF16", "NF4"], {"engine": "transformers"}), (["BF16", "AWQ"], {"engine": "vllm"}),
    (["Q4_K_M", "NF4"], {"backend": "cpu"})], ids=str)
def test_a_sweep_holds_for_other_engines_and_split_models(weights, settings):
    for total in sizing.sweep([SPARSE, LLAMA], weights=weights, context_tokens=[2048, 9999], **settings):
        assert total.bytes == sizing.vram_budget(total.model, weights=total.weights,
                                                 context_tokens=total.context_tokens, **settings).total_bytes
