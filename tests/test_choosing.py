"""What fits, in which order, and what must change: against budgets made one by one, and by hand."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

import llmsizing as sizing
from llmsizing.catalog import endings, tunings
from llmsizing.choosing import RULE, TASKS, cache_price, load_task, newer_than, ranked, siblings, speed_of
from llmsizing.choosing.fits import LITTLE, SOME, loss_class
from llmsizing.choosing.room import offered
from llmsizing.choosing.tasks import LONG
from llmsizing.errors import InvalidInput, UnknownName

ROOT = Path(__file__).resolve().parents[1]
LAPTOP, CARD, SPARK = "RTX 4060 Laptop", "RTX 4090", "DGX Spark (GB10)"
RAM, MAC = "DDR5-5600, 2 channels, 32 GB", "Apple M1 16 GB"


def device(name):
    return sizing.load_device(name)


@pytest.mark.parametrize("name", [LAPTOP, CARD, SPARK, RAM, MAC])
def test_the_verdicts_are_those_of_room_for(name):
    """Many at once say what budgets say one by one; what is not listed does not fit."""
    given = {"cache_ram_mib": 0} if device(name).is_system_memory else {}
    found = {(choice.model.name, choice.weights): choice for choice in sizing.what_fits(device(name))}
    for model in sizing.models()[::7]:
        for weights in offered(model)[::4]:
            left = sizing.room_for(model, device(name), weights=weights, **given)
            choice = found.get((model.name, weights))
            if model.max_position_embeddings >= 8192:
                assert (choice.verdict if choice else "does not fit") == left.verdict, (model.name, weights)
            if choice:
                assert choice.headroom == left


@pytest.mark.parametrize(("names", "given"), [
    (["L4", "L4"], {"context_tokens": 16384, "sequences": 2}), (["RTX 3090", "RTX 3060 12 GB"], {}),
    (["RTX 3060 12 GB", "RX 7900 XTX", RAM], {"context_tokens": 4096}),
    ([*["RTX 3060 12 GB"] * 3, *["RTX 4090"] * 4], {"context_tokens": 32768, "sequences": 4})])
def test_several_cards_are_searched_as_one_by_one(names, given):
    cards = [device(name) for name in names]
    wanted = [model for model in sizing.models()[::6] if (model.max_position_embeddings or 8192) >= 8192]
    found = {(choice.model.name, choice.weights): choice for choice in ranked(wanted, cards, **given)}
    more = {"cache_ram_mib": 0} if any(card.is_system_memory for card in cards) else {}
    kinds = set()
    for model in wanted:
        for weights in offered(model)[::3]:
            left = sizing.room_for(model, cards, weights=weights, **{"context_tokens": 8192, **given}, **more)
            choice = found.get((model.name, weights))
            kinds.add(left.verdict)
            assert (choice.verdict if choice else "does not fit") == left.verdict, (model.name, weights)
    assert len(kinds) == 3


def test_the_order_is_the_stated_one():
    found = sizing.what_fits(device(LAPTOP))
    kinds = [(choice.verdict == "tight", loss_class(choice.model, choice.weights), bool(choice.past),
              -choice.model.parameters) for choice in found]
    assert kinds == sorted(kinds) and len(set(kinds)) > 50 and len(RULE) == 5
    best = found[0]
    assert (best.model.name, best.weights) == ("Gemma-4-12B", "IQ4_XS") and best.loss.kld[1] <= LITTLE
    same = [choice for choice in found if choice.model.name == "Llama-3.1-8B" and choice.verdict == "fits"]
    sizes = [-sizing.weight_bytes(choice.model, choice.weights) for choice in same if loss_class(
        choice.model, choice.weights) == 0]
    assert len(sizes) > 1 and sizes == sorted(sizes)


def test_losses_fall_into_classes_by_what_was_measured():
    llama = sizing.load_model("Llama-3.1-8B")
    kinds = {name: loss_class(llama, name) for name in ("Q8_0", "Q4_K_M", "Q3_K_M", "Q2_K", "IQ1_S")}
    assert kinds == {"Q8_0": 0, "Q4_K_M": 0, "Q3_K_M": 1, "Q2_K": 3, "IQ1_S": 3}
    assert sizing.quality_loss(llama, "Q3_K_M").kld[1] <= SOME < sizing.quality_loss(llama, "Q2_K").kld[1]
    assert loss_class(sizing.load_model("gpt-oss-20b"), "MXFP4_MOE") == 0  # as it was released
    assert loss_class(sizing.load_model("SmolLM2-135M"), "IQ2_M") == 2  # nobody measured so small a model


def test_file_types_that_nobody_should_take_are_not_offered():
    assert offered(sizing.load_model("gpt-oss-120b")) == ("MXFP4_MOE",)
    assert offered(sizing.load_model("Llama-3.1-8B"))[:2] == ("Q8_0", "Q6_K")
    assert not any(name.startswith(("TQ", "F")) for model in sizing.models() for name in offered(model))


def test_a_wished_speed_is_kept_by_all_and_only_those():
    """The short cut (only the largest and the smallest file of a model are asked) drops nobody."""
    for name, least in ((LAPTOP, 20), (RAM, 4), (MAC, 8)):
        everything = sizing.what_fits(device(name))[::9]
        kept = {(choice.model.name, choice.weights)
                for choice in sizing.what_fits(device(name), at_least_tokens_per_second=least)}
        assert kept
        for choice in everything:
            fast = choice.speed.usual >= least
            assert ((choice.model.name, choice.weights) in kept) == fast, (name, choice.model.name)
            assert choice.ceiling > choice.speed.usual


def test_settings_reach_the_budget_and_too_short_contexts_are_left_out():
    few = sizing.what_fits(device(LAPTOP), context_tokens=65536, sequences=2)
    assert all(choice.model.max_position_embeddings >= 32768 for choice in few)
    assert any(choice.model.max_position_embeddings < 65536 for choice in few)
    left = sizing.room_for(few[0].model, device(LAPTOP), weights=few[0].weights, context_tokens=65536, sequences=2)
    assert few[0].headroom == left and len(few) < len(sizing.what_fits(device(LAPTOP)))
    assert few[0].row["licence"] and few[0].price.speed_text.count("–") == 1


@pytest.mark.parametrize(("task", "has", "has_not"), [
    ("vision", "Gemma-3-4B", "Llama-3.1-8B"), ("audio", "Gemma-4-E4B", "Gemma-3-4B"),
    ("code", "Qwen3-Coder-30B-A3B", "Qwen3-8B"), ("reasoning", "Qwen3-8B", "Qwen3-4B-Instruct-2507"),
    ("Japanese", "Llama-3.1-Swallow-8B", "Llama-3.1-8B"), ("long documents", "Llama-3.1-8B", "Qwen3-8B"),
    ("chat", "Llama-3.1-8B", "Sarashina2-7B")])
def test_a_task_picks_by_a_published_fact(task, has, has_not):
    holds = load_task(task).holds
    assert holds(sizing.load_model(has)) and not holds(sizing.load_model(has_not))
    found = sizing.what_fits(device("RTX 5090"), task=task.upper(), context_tokens=4096)
    names = {choice.model.name for choice in found}
    assert has in names and has_not not in names


def test_tuning_names_models_of_the_catalog_with_a_source():
    names = {model.name for model in sizing.models()}
    assert all(row.model in names and row.source and row.source_url.startswith("https://") for row in tunings())
    assert {task.name for task in TASKS} >= {"chat", "code", "vision", "reasoning", "Japanese"}
    assert LONG == 2**17


def test_what_its_makers_ended_comes_after_what_they_carry_on():
    names = {model.name for model in sizing.models()}
    assert all(row.model in names and row.source and row.source_url.startswith("https://") for row in endings())
    past = {choice.model.name: choice.past for choice in sizing.what_fits(device("H100 SXM"))}
    assert past["CodeLlama-34B"] == "its base is Llama 2, which its makers followed up"
    assert past["Mixtral-8x22B"] == "its makers stopped supporting it" and past["Gemma-4-31B"] == ""
    assert past["Qwen2.5-32B"] == "followed by Qwen3.8-27B"
    coders = [choice.model.name for choice in sizing.shortlist(sizing.what_fits(device(CARD), task="code"))]
    assert coders[0] != "CodeLlama-34B" == coders[-1] and len(coders) > 3
    assert newer_than(sizing.load_model("Llama-2-70B"))  # the base of CodeLlama has a follower in models.csv


def test_a_row_says_that_a_loss_is_much():
    """On 8 GB the only coders are at 1 and 2 bits."""
    rows = {(choice.loss.kld is not None and choice.loss.kld[1] > SOME): choice.row["measured loss"]
            for choice in sizing.what_fits(device(LAPTOP), task="code")}
    assert rows[True].startswith("much: KLD ")
    llama = [choice for choice in sizing.what_fits(device(LAPTOP)) if choice.model.name == "Llama-3.1-8B"]
    said = {choice.weights: choice.loss_text for choice in llama}
    assert said["Q2_K"].startswith("much: ") and said["Q4_K_M"].startswith("KLD ") and said["Q3_K_M"].startswith("KLD ")


def test_names_tell_lines_versions_and_siblings():
    newer = {"Qwen2.5-32B": "Qwen3.8-27B", "Llama-2-70B": "Llama-3.3-70B", "Gemma-3-27B": "Gemma-4-31B",
             "Qwen3-30B-A3B": "Qwen3.6-35B-A3B", "OLMo-2-7B": "Olmo-3-7B", "Qwen3-Coder-30B-A3B": "",
             "Qwen3.8-27B": "", "Llama-3.1-8B": "", "Mistral-Small-24B-2501": "Mistral-Small-3.2-24B"}
    assert {name: newer_than(sizing.load_model(name)) for name in newer} == newer
    for model in sizing.models():
        line = siblings(model)
        assert all(small.parameters < model.parameters for small in line)
        assert [small.parameters for small in line] == sorted((s.parameters for s in line), reverse=True)
    assert [small.name for small in siblings(sizing.load_model("Qwen3-32B"))][:2] == ["Qwen3-14B", "Qwen3-8B"]


def test_what_makes_it_fit_fits_and_has_a_price():
    model, card = sizing.load_model("Qwen3-32B"), device(CARD)
    found = sizing.make_it_fit(model, card, weights="Q4_K_M", context_tokens=32768)
    told = [remedy.what for remedy in found]
    assert told[0] == "keep keys and values as q8_0" and told[-1] == "take Qwen3-14B"
    assert "add another RTX 4090" in told and any("instead of Q4_K_M" in what for what in told)
    for remedy in found:
        left = sizing.room_for(remedy.model, remedy.devices, weights=remedy.weights, **remedy.settings)
        assert left.verdict == "fits" and left == remedy.headroom
        assert remedy.before.loss.weights == "Q4_K_M" and remedy.price.speed is not None and remedy.row
    cpu = next(remedy for remedy in found if "on the CPU" in remedy.what)
    small = next(remedy for remedy in found if remedy.what == "take Qwen3-14B")
    assert cpu.price.speed.usual < remedy.before.speed.usual < small.price.speed.usual
    file = next(remedy for remedy in found if "instead of" in remedy.what)
    assert file.price.loss.kld[1] > file.before.loss.kld[1]
    assert sizing.make_it_fit(model, device("H100 SXM 80 GB"), weights="Q4_K_M") == []


def test_nobody_is_sent_to_ram_that_is_not_there_or_to_files_that_nobody_makes():
    gemma, ram = sizing.load_model("Gemma-3-27B"), device("DDR4-3200, 1 channel, 8 GB")
    assert not any("CPU" in remedy.what for remedy in sizing.make_it_fit(gemma, device(MAC), weights="Q8_0"))
    with_ram = sizing.make_it_fit(gemma, device(LAPTOP), weights="Q8_0", ram=ram)
    assert with_ram and not any("CPU" in remedy.what for remedy in with_ram)
    without = sizing.make_it_fit(gemma, device(LAPTOP), weights="Q8_0")
    assert not any("TQ" in remedy.weights or "another" in remedy.what for remedy in (*without, *with_ram))


def test_changes_are_combined_where_none_suffices_alone():
    model, card = sizing.load_model("GLM-4.7-Flash"), device("GTX 1060 6 GB")
    asked = {"weights": "Q4_K_M", "context_tokens": 131072}
    assert not sizing.changes_that_fit(model, card, **asked)
    (remedy,) = sizing.make_it_fit(model, card, **asked)
    assert remedy.what == "keep keys and values as q8_0 and leave the experts of 47 of 47 layers in RAM"
    assert dict(remedy.settings) == {"context_tokens": 131072, "kv_cache": "q8_0", "experts_on_cpu": 47}
    left = sizing.room_for(model, card, weights=remedy.weights, **remedy.settings)
    assert left == remedy.headroom and left.verdict == "fits"
    for one in ({"kv_cache": "q8_0"}, {"experts_on_cpu": 47}):
        assert sizing.room_for(model, card, **{**asked, **one}).verdict != "fits"
    small = device("DDR4-3200, 1 channel, 8 GB")
    assert sizing.make_it_fit(model, card, ram=small, **asked) == []


def test_what_cannot_be_said_is_unknown():
    model = sizing.load_model("Llama-3.1-8B")
    unlike = (device(CARD), device("RTX 3060 12 GB"))
    assert speed_of(model, unlike, weights="Q4_K_M") is None
    alike = speed_of(model, (device("L4"),) * 2, weights="Q4_K_M")
    assert alike.usual <= 1.02 * speed_of(model, (device("L4"),), weights="Q4_K_M").usual
    assert cache_price("iq4_nl").startswith("MMLU 40.0 → 39.6") and cache_price("q5_0") == "no data"
    assert "Gemma-4-26B-A4B" in cache_price("q4_0")


@pytest.mark.parametrize(("asked", "message"), [
    ({"task": "poetry"}, "No task is called 'poetry'"), ({"context_tokens": 0}, "context_tokens"),
    ({"sequences": 1.5}, "sequences"), ({"at_least_tokens_per_second": "fast"}, "at_least_tokens_per_second")])
def test_mistakes_are_named(asked, message):
    with pytest.raises((InvalidInput, UnknownName), match=message):
        sizing.what_fits(device(LAPTOP), **asked)
    for nothing in (None, "RTX 4090", []):
        with pytest.raises(InvalidInput, match="device"):
            sizing.what_fits(nothing)


def test_the_whole_catalog_takes_about_a_second_and_then_a_blink():
    """In a fresh process, on a machine that other tests keep busy: the bounds are generous."""
    code = ("import time, llmsizing as s\ncard = s.load_device('RTX 4090')\nspent = []\n"
            "for _ in range(2):\n    begun = time.process_time()\n    found = s.what_fits(card)\n"
            "    spent.append(time.process_time() - begun)\nprint(len(found), *spent)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    count, first, second = done.stdout.split()
    assert int(count) > 2000 and float(first) < 3 and float(second) < 0.2, done.stdout + done.stderr
    for cards in ([device("RTX 3090"), device("RTX 3060 12 GB")], [device("RTX 3090")] * 5 + [device("L4")] * 4):
        begun = time.process_time()
        assert len(sizing.what_fits(cards)) > 2000 and time.process_time() - begun < 3
    begun = time.process_time()
    assert sizing.what_fits(device(CARD), at_least_tokens_per_second=20)
    assert time.process_time() - begun < 5
