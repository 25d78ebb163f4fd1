import html
import itertools
import json
import re

import ipywidgets
import pytest

import llmsizing as sizing
from llmsizing import panels, quality
from llmsizing.choosing import ranked
from llmsizing.errors import InvalidInput
from llmsizing.panels import (
    Panel,
    bits_panel,
    block_panel,
    block_size_panel,
    budget_panel,
    cards_panel,
    file_name_panel,
    formula_panel,
    gap_panel,
    guess_panel,
    make_it_fit_panel,
    outlier_panel,
    placement_panel,
    race_panel,
    roofline_panel,
    same_file_panel,
    settings_panel,
    stream_panel,
    token_panel,
    tower_panel,
    wait_panel,
    what_fits_panel,
    will_it_run_panel,
)
from llmsizing.panels.choosing import SHELF
from llmsizing.panels.kv_cache import KEPT, KINDS, RACERS
from llmsizing.panels.panel import LATER
from llmsizing.panels.rule_of_thumb import gap_html
from llmsizing.panels.shelf import FILE_TYPES

# Every panel there is, found and not listed.
PANELS = [getattr(panels, name) for name in panels.__all__ if name.endswith("_panel")]


def words(panel) -> str:
    """What a reader reads of a panel."""
    text = re.sub(r"<style>.*?</style>", "", panel.result, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def values(control) -> list:
    """All values that a control can take, or a few of a slider."""
    if isinstance(control, ipywidgets.IntSlider):
        return [control.min, (control.min + control.max) // 2, control.max]
    if isinstance(control, ipywidgets.Textarea):
        return ["", "{", "config.json", "[1]", '{"model_type": "t5"}', '{"a": ' * 2000, "{}" * 9]
    if isinstance(control, ipywidgets.Text):
        return ["", "x", "Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "é/ü.gguf", "y" * 400]
    return [option[1] if isinstance(option, tuple) else option for option in control.options]


@pytest.mark.parametrize("make", PANELS)
def test_every_setting_has_an_answer_and_no_traceback(make):
    panel = make()
    for control in panel.controls.values():
        first = control.value
        for value in values(control):
            control.value = value
            assert panel.result and "Traceback (" not in panel.result
        control.value = first


def test_the_context_pushes_the_model_over_the_edge():
    panel = will_it_run_panel()
    assert "It fits , 6.09 GiB to spare" in words(panel)
    panel.controls["context_tokens"].value = 131072
    assert "It does not fit , 9.02 GiB too much" in words(panel)
    assert "longest context that fits: 55,040 tokens" in words(panel)
    panel.controls["device"].value = "H100 SXM 80 GB"
    assert "It fits" in words(panel) and "-c 131072 -np 1" in words(panel)


def test_what_would_make_it_fit_is_said_with_its_price():
    panel = will_it_run_panel()
    assert "would fit" not in words(panel)
    panel.controls["model"].value = "Qwen3-30B-A3B"
    changes = sizing.changes_that_fit(sizing.load_model("Qwen3-30B-A3B"), weights="Q4_K_M",
                                      device=sizing.load_device("RTX 3060 12 GB"))
    assert len(changes) > 2
    for change in changes:
        assert f"{change.what} : {change.cost}" in words(panel)
    in_sight, folded = panel.result.split("<details>")
    assert f"would fit if you <b>{changes[0].what}</b>" in in_sight
    assert all(change.what in folded for change in changes[1:])
    assert in_sight in panel.at_once and changes[0].what not in folded
    panel.controls["model"].value = "Qwen3-235B-A22B"
    panel.controls["weights"].value = "F16"
    assert "No single change makes it fit" in words(panel)


def test_each_setting_of_the_first_panel_reaches_the_budget():
    panel = will_it_run_panel()
    panel.controls["model"].value = "Gemma-3-12B"
    asked = {"weights": "Q4_K_M", "devices": sizing.load_device("RTX 3060 12 GB"), "kv_cache": "q8_0",
             "sequences": 4}
    panel.controls["kv_cache"].value, panel.controls["sequences"].value = "q8_0", 4
    total = sizing.vram_budget(sizing.load_model("Gemma-3-12B"), **asked).total_bytes
    assert sizing.format_bytes(total, "GiB") in words(panel)
    assert "-np 4 -kvu" in words(panel) and "-ctk q8_0" in words(panel)
    before = words(panel)
    panel.controls["display"].value = True
    assert words(panel) != before


def test_a_pasted_config_takes_the_models_place():
    panel = will_it_run_panel()
    panel.controls["config"].value = json.dumps({
        "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "vocab_size": 128256,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8})
    assert "your model at Q4_K_M" in words(panel) and "It fits , 6.09 GiB to spare" in words(panel)
    assert "-m your-model-Q4_K_M.gguf" in words(panel)
    panel.controls["config"].value = '{"model_type": "llama", "hidden_size": 4096'
    assert "config cannot be read as JSON" in words(panel) and "cut off?" in words(panel)
    panel.controls["config"].value = "config.json"
    assert "config cannot be read as JSON" in words(panel)
    panel.controls["config"].value = " "
    assert "Llama-3.1-8B at Q4_K_M" in words(panel)


def test_the_verdict_of_the_panel_is_the_packages():
    panel = will_it_run_panel()
    pairs = itertools.product(values(panel.controls["model"])[::4], values(panel.controls["device"])[::3])
    for model, device in pairs:
        panel.controls["model"].value, panel.controls["device"].value = model, device
        asked = {"weights": "Q4_K_M", "context_tokens": 8192, "devices": sizing.load_device(device)}
        budget = sizing.vram_budget(sizing.load_model(model), **asked)
        host = sizing.host_budget(sizing.load_model(model), **asked)
        left = sizing.headroom(budget, sizing.load_device(device), host=host)
        assert f"It {'is ' if left.verdict == 'tight' else ''}{left.verdict}" in words(panel)
        assert sizing.format_bytes(budget.total_bytes, "GiB") in words(panel)


def test_the_towers_parts_add_up():
    panel = tower_panel()
    panel.controls["model"].value = "Llama-3.2-1B"
    shares = []
    for place in values(panel.controls["place"]):
        panel.controls["place"].value = place
        shares.append(float(re.search(r"([\d.]+) %", words(panel))[1]))
    assert shares[0] == 21.3 and sum(shares) < 100
    assert "stored once" in words(panel)  # the output layer of a tied model


def test_experts_move_cheaply_and_dense_layers_do_not():
    panel = placement_panel()
    assert "Of each GiB of it, 0.06 GiB are read for every token" in words(panel)
    assert "--n-cpu-moe 24" in words(panel)
    panel.controls["model"].value = "Qwen3-32B"
    assert "Qwen3-32B has no experts to move: choose whole layers" in words(panel)
    panel.controls["moved"].value = "whole layers"
    assert "Of each GiB of it, 1.00 GiB are read for every token" in words(panel)
    assert "-ngl 33" in words(panel)
    panel.controls["eighths"].value = 0
    assert "Nothing has moved" in words(panel) and "from RAM 0.00 GiB" in words(panel)


def test_the_placement_panel_says_what_the_package_says():
    panel = placement_panel()
    model, card = sizing.load_model("Qwen3-30B-A3B"), sizing.load_device("RTX 3060 12 GB")
    memory = sizing.load_device("DDR5-5600, 2 channels, 32 GB")
    for eighths, moved in itertools.product(range(9), values(panel.controls["moved"])):
        panel.controls["eighths"].value, panel.controls["moved"].value = eighths, moved
        settings = {"weights": "Q4_K_M", **({"experts_on_cpu": 6 * eighths} if moved == "the experts"
                                            else {"offload": 49 - 6 * eighths})}
        budget = sizing.vram_budget(model, **settings)
        host = sizing.host_budget(model, **settings)
        assert f"The card: {sizing.headroom(budget, card).verdict} ," in words(panel)
        assert f"RAM: {sizing.headroom(host, memory).verdict} ," in words(panel)
        for reads, place in ((sizing.device_reads, "the card"), (sizing.host_reads, "RAM")):
            amount = sizing.format_bytes(reads(model, **settings).total_bytes, "GiB")
            assert f"from {place} {amount}" in words(panel)


def test_two_l4_hold_a_seventy_billion_model_at_short_context():
    panel = cards_panel()
    assert "It fits ;" in words(panel) and "L4 1" in words(panel) and "L4 2" in words(panel)
    panel.controls["context_tokens"].value = 16384
    assert "It does not fit ;" in words(panel)
    panel.controls["kv_cache"].value = "q8_0"
    assert "It fits ;" in words(panel)
    panel.controls["second"].value = "no second card"
    assert "It does not fit ;" in words(panel) and "none, however short" in words(panel)
    assert "L4 2" not in words(panel)


def test_a_block_shows_the_weight_as_it_was_and_as_it_is():
    panel, sample = block_panel(), sizing.block_sample()
    for name in values(panel.controls["format_name"]):
        panel.controls["format_name"].value = name
        size = sizing.load_format(name).block_weights
        for weight in (0, 31, 32, 200, 255):
            panel.controls["weight"].value = weight
            number, index = divmod(weight, size)
            decoded = sizing.decode_block(name, sample.block(name, number))[index]
            assert f"It was {sample.weights[weight]:.5g} and is now {decoded.value:.5g}" in words(panel)
            assert panel.result.count("font-weight:700") == len(decoded.bytes_used)


def test_fewer_bits_move_weights_and_lose_what_was_found():
    panel = bits_panel()
    for bits in range(8, 1, -1):
        panel.controls["bits"].value = bits
        block = sizing.quantize_block(sizing.weight_slice().row(98)[:32], bits=bits)
        run = next(run for run in sizing.rounding_lab()
                   if run.name == f"{bits}-bit symmetric in blocks of 32")
        assert f"{bits} bits: {2**bits - 1} values for 32 weights" in words(panel)
        assert f"A step is {block.scale:.4f}" in words(panel)
        assert f"cosine {float(run.embedding_cosine):.3f} to the original" in words(panel)
        paths = re.findall(r"<path d='([^']*)'", panel.result)
        assert [path.count("M") for path in paths] == [32, 32, 2**bits - 1]
    assert words(panel).count(" new") == 4 and "heapq.heapreplace new" in words(panel)
    panel.controls["bits"].value = 8
    assert " new" not in words(panel) and "before 49 ± 4 %" in words(panel)
    panel.controls["search"].value = "the middle value of some numbers"
    assert "statistics.median math.remainder" in words(panel)


def test_smaller_blocks_cost_bits_and_lower_the_noise():
    panel = block_size_panel()
    for size in values(panel.controls["block_weights"]):
        panel.controls["block_weights"].value = size
        trip = sizing.round_trip(sizing.weight_slice().row(98), block_weights=size)
        assert f"4 + 16 / {size} = {float(trip.bits_per_weight):.4g} bits per weight" in words(panel)
        assert f"384 weights in {len(trip.blocks)} block" in words(panel)
        assert f"−{trip.signal_to_noise_db:.1f} dB" in words(panel)
        boxes = re.findall(r"<path d='([^']*)'", panel.result)[1]
        assert boxes.count("Z") == len(trip.blocks)
    assert "0.904" in words(panel) and "not run" not in words(panel)
    panel.controls["grid"].value = "offset"
    assert "each with its scale and minimum" in words(panel) and words(panel).count("not run") == 4
    assert "0.973" in words(panel)


def test_one_large_weight_silences_a_row_and_not_its_blocks():
    panel = outlier_panel()
    assert "Weight 311 is −1.038: 26 times the usual size" in words(panel)
    assert "375 of 384 weights become 0" in words(panel) and "80 of 384" in words(panel)
    panel.controls["row"].value = 98
    assert "85 of 384" in words(panel) and "57 of 384" in words(panel)
    panel.controls["factor"].value = 16
    assert "383 of 384" in words(panel) and "83 of 384" in words(panel)
    panel.controls["bits"].value = 8
    assert "383 of 384" not in words(panel)


def test_a_name_that_is_none_gets_a_sentence():
    panel = file_name_panel()
    panel.controls["name"].value = "..."
    assert "A file's name has 1 to 300 characters" in words(panel)


def test_a_guess_is_hidden_from_the_log_until_it_is_revealed():
    panel = guess_panel()
    assert "Your guess: 8.00 GiB" in words(panel) and "9.2 billion parameters" in words(panel)
    assert "11.49" not in words(panel) and "Your error" not in words(panel)
    panel.controls["guess"].value = 9
    assert "Your guess: 9.00 GiB" in words(panel)
    panel.controls["log"].value = "reveal"
    assert "llama.cpp reserves 11.49 GiB" in words(panel) and "KV cache 5.99 GiB" in words(panel)
    assert "Your error: -22 %" in words(panel)


def test_a_guess_meets_those_who_err_like_it():
    panel = guess_panel()
    panel.controls["log"].value, panel.controls["guess"].value = "reveal", 5
    assert "You lack 6.49 GiB, which is about the KV cache: 5.99 GiB" in words(panel)
    assert "rule of thumb -55 % KV cache and the rest: 5.32 GiB too little" in words(panel)
    panel.controls["guess"].value = 16.5
    assert "You lack" not in words(panel) and "Your error: +44 %" in words(panel)
    assert words(panel).count("KV cache: 4.51 GiB too much") == 3
    assert words(panel).count("sliding windows counted as full context") == 3


def test_the_guess_panel_has_every_case_and_its_totals():
    panel = guess_panel()
    panel.controls["log"].value = "reveal"
    cases = values(panel.controls["case"])
    assert len(cases) == 54
    for name in cases:
        panel.controls["case"].value = name
        model, rest = name.split(" at ")
        weights, tokens = rest.removesuffix(" tokens").split(", ")
        budget = sizing.vram_budget(sizing.load_model(model), weights=weights,
                                    context_tokens=int(tokens.replace(",", "")))
        known = budget.total_bytes - budget["runtime"].bytes
        assert f"llama.cpp reserves {sizing.format_bytes(known, 'GiB')}" in words(panel)
        assert "other estimators" in words(panel)


def test_the_formula_panel_answers_as_the_package_does():
    panel = formula_panel()
    for billions, bits in ((70, 16), (70, 4), (0.5, 8), (671, 2)):
        panel.controls["billions"].value, panel.controls["bits"].value = billions, bits
        expected = sizing.rule_of_thumb(parameters=billions * 1e9, bits=bits)._repr_html_()
        assert panel.result == expected
    assert "168.00 GB" not in panel.result


def test_the_formula_stays_where_it_is_when_the_context_moves():
    panel = gap_panel()
    rule, engine = re.findall(r"<b>([\d.]+ GiB)</b>", panel.result)[:2]
    panel.controls["context_tokens"].value = 131072
    rule_now, engine_now = re.findall(r"<b>([\d.]+ GiB)</b>", panel.result)[:2]
    assert rule_now == rule == "4.49 GiB"
    assert (engine, engine_now) == ("5.41 GiB", "20.52 GiB")


def test_every_setting_of_the_gap_panel_has_an_answer():
    controls = gap_panel().controls
    choices = [[value for _, value in control.options] for control in controls.values()]
    assert [len(choice) for choice in choices] == [26, 7, 8]
    for model, tokens, weights in itertools.product(*(choice[::3] for choice in choices)):
        gap = sizing.rule_of_thumb_gap(model, weights=weights, context_tokens=tokens)
        page = gap_html(model=model, weights=weights, context_tokens=tokens)
        assert f"have to be <b>{gap.needed_overhead:.2f}</b>" in page
        missing = (gap.engine.total_bytes - gap.rule.total_bytes) / 2**30
        assert f"<b>{abs(missing):,.2f} GiB too {'little' if missing > 0 else 'much'}</b>" in page
        assert f"{100 * abs(gap.error):.0f} % of what llama.cpp reserves" in page


def test_the_gap_panel_says_which_way_the_formula_is_wrong():
    panel = gap_panel()
    assert "too little" in panel.result
    panel.controls["model"].value = "Qwen3-32B"
    panel.controls["weights"].value = "F16"
    assert "too much" in panel.result


def test_a_context_beyond_the_models_own_is_named():
    panel = gap_panel()
    panel.controls["model"].value = "Phi-3-mini-4k"
    assert "was made for 4,096 tokens" in panel.result
    panel.controls["context_tokens"].value = 4096
    assert "made for" not in panel.result


def bars(panel) -> list[dict[str, float]]:
    """The parts of each bar of a panel: percent by colour."""
    found = re.findall(r"<div class='sizing-bar' aria-hidden='true'>(.*?)</div>", panel.result)
    return [{colour: float(share) for share, colour in
             re.findall(r"width:([\d.]+)%;background:(#\w+)", bar)} for bar in found]


def test_the_smallest_model_runs_away_and_gemma_does_not():
    panel = race_panel()
    assert "12.00 GiB ; with twice the context 2.00 times as much. Made for 4,096 tokens." in words(panel)
    assert "3.11 GiB ; with twice the context 1.80 times as much" in words(panel)
    assert "Phi-3-mini-4k needs 17.5 times as much as Qwen3.6-35B-A3B , and has fewer parameters" in (
        words(panel))
    panel.controls["context_tokens"].value = 131072
    assert "48.00 GiB , more than the card" in words(panel)
    assert sum(bars(panel)[0].values()) == 100  # cut at the card's edge
    assert "16.00 GiB ; with twice" in words(panel)


def test_each_racer_shows_the_packages_number_and_a_bar_as_long():
    panel = race_panel()
    panel.controls["sequences"].value = 4
    for name, shared in itertools.product(RACERS, (True, False)):
        panel.controls["first"].value, panel.controls["unified_kv"].value = name, shared
        size = sizing.kv_cache_bytes(sizing.load_model(name), context_tokens=32768, sequences=4,
                                     unified_kv=shared)
        assert f"{sizing.format_bytes(size, 'GiB')} ; with twice" in words(panel)
        assert sum(bars(panel)[0].values()) == pytest.approx(100 * size / (24 * 2**30), abs=0.02)


def test_windows_and_states_have_a_part_of_their_own():
    panel = race_panel()
    every, window, state = (KEPT[kept][0] for kept in ("all", "window", "state"))
    assert [set(bar) for bar in bars(panel)] == [{every}, {every}, {every, window}, {every, state}]
    before = bars(panel)
    panel.controls["sequences"].value = 8
    after = bars(panel)
    assert [bar[every] for bar in after] == [bar[every] for bar in before]
    assert after[3][state] == pytest.approx(8 * before[3][state], abs=0.05)
    assert "8 conversations share the context" in words(panel)
    panel.controls["unified_kv"].value = False
    assert "8 conversations with 4,096 tokens each" in words(panel)


def test_four_times_the_same_model_is_no_race():
    panel = race_panel()
    for place in ("first", "second", "third", "fourth"):
        panel.controls[place].value = "Qwen3-8B"
    assert "All need the same" in words(panel)
    panel.controls["second"].value = "Qwen3-14B"
    assert "Qwen3-14B needs 1.1 times as much as Qwen3-8B , and has more parameters" in words(panel)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_token_adds_is_what_a_longer_context_costs(kind):
    panel, model = token_panel(), sizing.load_model(KINDS[kind])
    for kv_cache in ("f16", "q8_0"):
        panel.controls["model"].value, panel.controls["kv_cache"].value = model.name, kv_cache
        short, long = (sizing.kv_cache_bytes(model, context_tokens=tokens, kv_cache=kv_cache)
                       for tokens in (65536, 131072))
        added = f"{(long - short) / 65536 / 1024:.3f}".rstrip("0").rstrip(".")
        assert f"each token adds {added} KiB" in words(panel)
    counts = [int(count) for count in re.findall(r"(\d+) layers (?:keep|read)", words(panel))]
    assert sum(counts) == model.num_hidden_layers


def test_a_head_is_a_box_as_long_as_its_numbers():
    panel = token_panel()
    assert panel.result.count("width:2rem") == 16  # eight keys and eight values of 128 numbers
    panel.controls["model"].value = "Phi-3-mini-4k"
    assert panel.result.count("width:1.5rem") == 64
    panel.controls["model"].value = "DeepSeek-V3-0324"
    assert panel.result.count("width:9rem") == 1 and "<small>V</small>" not in panel.result


def test_bad_input_becomes_a_sentence_and_the_panel_lives_on():
    def show(n):
        if n < 0:
            raise InvalidInput("n must be <positive>.")
        return f"<b>{n}</b>"

    panel = Panel("N", show, {"n": ipywidgets.IntText(1, description="n")})
    panel.controls["n"].value = -1
    assert panel.result == "<p role='alert'>n must be &lt;positive&gt;.</p>"
    panel.controls["n"].value = 2
    assert panel.result == "<b>2</b>"


def test_other_errors_are_not_swallowed():
    panel = Panel("N", lambda n: 1 / n, {"n": ipywidgets.IntText(0, description="n")})
    for ask in (lambda: panel.result, lambda: panel.at_once, lambda: panel.widget):
        with pytest.raises(ZeroDivisionError):
            ask()


def test_what_takes_long_is_asked_for_by_a_tap_and_is_there_in_the_whole():
    asked = []
    panel = Panel("N", lambda n: f"<b>{n}</b>{LATER.format('More')}<p>end</p>" if n else "none",
                  {"n": ipywidgets.IntText(2, description="n")},
                  later=lambda n: asked.append(n) or f"<i>{n}</i>")
    assert panel.at_once == "<b>2</b><details data-later><summary>More</summary></details><p>end</p>"
    assert not asked
    assert panel.result == "<b>2</b><details><summary>More</summary><i>2</i></details><p>end</p>"
    panel.move({"n": 0})
    assert panel.result == panel.at_once == "none" and asked == [2]


def test_where_widgets_run_the_result_follows_the_controls():
    panel = will_it_run_panel()
    shown = panel.widget.children[0]
    panel.controls["model"].value = "Qwen3-30B-A3B"
    assert shown.value == panel.result and "data-later" not in shown.value


@pytest.mark.parametrize("make", PANELS)
def test_two_controls_are_in_sight_and_the_rest_one_tap_away(make):
    panel = make()
    children = panel.widget.children
    controls = list(panel.controls.values())
    assert list(children[1:3]) == controls[:2]
    rest = [widget for accordion in children[3:] for widget in accordion.children[0].children]
    assert rest == controls[2:]
    assert len(children) == 1 + min(2, len(controls)) + bool(rest)


def test_a_panel_as_it_stands_is_escaped():
    options = {"n": ipywidgets.Dropdown(options=[("<one>", 1)], description="<n>")}
    page = Panel("<title>", lambda n: "", options)._repr_mimebundle_()["text/html"]
    assert "&lt;title&gt;" in page and "&lt;n&gt;: <b>&lt;one&gt;</b>" in page


def test_sizes_on_the_slider_are_in_order_and_billions():
    options = formula_panel().controls["billions"].options
    sizes = [size for _, size in options]
    assert sizes == sorted(set(sizes)) and {0.5, 7, 70, 405, 1000} <= set(sizes)
    assert all(label == f"{size:g} billion" for label, size in options)


@pytest.mark.parametrize("make", PANELS)
def test_each_control_has_a_name(make):
    assert all(control.description for control in make().controls.values())


@pytest.mark.parametrize("make", PANELS)
def test_without_widgets_a_panel_shows_its_settings_and_result(make):
    panel = make()
    bundle = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == f"Panel: {panel.title}"
    assert panel.result in bundle["text/html"]
    for control in panel.controls.values():
        is_set = control.value != ""  # an empty text field is no setting
        assert (f"{control.description}: <b>" in bundle["text/html"]) == is_set


def test_the_best_within_a_budget_is_the_best_that_was_measured():
    panel = budget_panel()
    for budget, tokens in itertools.product(values(panel.controls["budget"]),
                                            values(panel.controls["context_tokens"])):
        panel.controls["budget"].value, panel.controls["context_tokens"].value = budget, tokens
        fitting = []
        for point in quality.sized_scores():
            model = sizing.load_model(point.model)
            whole = sizing.vram_budget(model, weights="Q4_K_M", context_tokens=tokens)
            size = point.size_gib + (whole.total_bytes - whole["weights"].bytes) / 2**30
            fitting += [(point.score, point)] if size <= budget else []
        if not fitting:
            assert "Nothing fits into 3 GiB: the smallest takes 3." in words(panel)
            continue
        score, best = max(fitting, key=lambda pair: pair[0])
        assert f"{best.model}-Instruct at {best.weights} is best: {score:.1f} % of MMLU" in words(panel)


def test_a_gain_within_the_noise_is_called_so():
    panel = budget_panel()
    assert "+0.2 points, which is within the sampling error" in words(panel)
    panel.controls["budget"].value = 12
    assert "+7.1 points, for" in words(panel)
    assert "Llama-3-70B-Instruct does not fit at any number of bits" in words(panel)


def test_the_same_file_lists_all_who_measured_it():
    panel = same_file_panel()
    for method, metric in itertools.product(values(panel.controls["method"]),
                                            values(panel.controls["metric"])):
        panel.controls["method"].value, panel.controls["metric"].value = method, metric
        rows = [row for row in quality.quality_rows(quantized="weights", method=method, metric=metric)
                if not re.search("(1k|10k|100k|1m) tokens", row.imatrix)]
        assert panel.result.count("<tr>") == len(rows)
        for row in rows:
            assert row.model in words(panel) and row.corpus in words(panel)
        assert rows or "Nobody whom we know measured it" in words(panel)


def test_a_flag_lights_the_bars_that_it_governs():
    panel = settings_panel()
    lit = {"context_tokens": ["KV cache", "compute buffer"], "file": ["weights"], "flash_attention": ["compute buffer"]}
    for flag, names in lit.items():
        panel.controls["flag"].value = flag
        assert re.findall(r"</span><b>([\w ]+)</b>", panel.result) == names
        faint = panel.result.count(";opacity:.25")
        assert faint == 4 - len(names)
        assert re.search(r"<mark[^>]+>(-c 16384|-m [^<]+|-fa on)</mark>", panel.result)


def test_a_flag_has_another_name_in_another_engine():
    panel = settings_panel()
    names = {"llama-server": "-c 16384", "llama serve": "-c 16384", "Ollama": "PARAMETER num_ctx 4096",
             "LM Studio": "--context-length 16384", "vLLM": "--max-model-len 4096"}
    for engine, name in names.items():
        panel.controls["engine"].value = engine
        assert f">{name}</mark>" in panel.result
    panel.controls["engine"].value = "transformers"
    assert "has no KV cache of 8 bits" in words(panel)
    panel.controls["cache_bits"].value = 16
    assert "max_length=4096" in words(panel)
    panel.controls["flag"].value = "ubatch"
    assert "it keeps to its own value" in words(panel)


def test_text_streams_at_the_speed_that_is_told():
    panel = stream_panel()
    told = float(re.match(r"([\d.]+) tokens a second", words(panel))[1])
    speed = sizing.decode_speed(sizing.load_model("Llama-3.1-8B"), sizing.load_device("RTX 4060 Laptop"),
                                weights="Q4_K_M", context_tokens=2048)
    assert told == round(speed.usual)
    delays = [float(delay) for delay in re.findall(r"animation-delay:([\d.]+)s", panel.result)]
    assert delays == sorted(delays) and len(delays) > 60
    assert delays[-1] == pytest.approx(len(delays) * 4 / 3 / speed.usual, abs=0.01)
    assert "prefers-reduced-motion" in panel.result and "<script" not in panel.result
    assert "jump-start" in panel.result  # with jump-end Chromium left words unseen
    panel.controls["in_ram"].value = "half in RAM"
    slower = [float(delay) for delay in re.findall(r"animation-delay:([\d.]+)s", panel.result)]
    assert slower[-1] > 2 * delays[-1]


def test_a_model_that_does_not_fit_is_told_so():
    panel = stream_panel()
    panel.controls["model"].value = "Llama-3.3-70B"
    assert "It does not fit" in words(panel)
    panel.controls["in_ram"].value = "all in RAM"
    assert "It does not fit" not in words(panel)


def test_users_move_a_model_to_the_right_and_a_prompt_stands_there():
    panel = roofline_panel()
    at = {}
    for users in (1, 8, 64):
        panel.controls["sequences"].value = users
        at[users] = [float(x) for x in re.findall(r"circle cx='([\d.]+)'", panel.result)]
    assert at[1][0] < at[8][0] < at[64][0] < at[1][1]
    assert "memory is the roof" in words(panel)


def test_thinking_comes_before_the_first_word():
    panel = wait_panel()
    panel.controls["thinking_tokens"].value = 0
    without = float(re.search(r"comes after ([\d.]+) seconds", words(panel))[1])
    panel.controls["thinking_tokens"].value = 1000
    assert float(re.search(r"comes after ([\d.]+) seconds", words(panel))[1]) > without + 15


def test_the_list_of_what_fits_is_the_functions():
    panel = what_fits_panel()
    shown = re.findall(r"<li><b>([^<]+)</b> at ([^<]+)<small>", panel.result)
    choices = ranked(map(sizing.load_model, SHELF), sizing.load_device("RTX 4060 Laptop"), task="chat",
                     weights=FILE_TYPES)
    preferred = sizing.shortlist(choices, 100)
    fast = [choice for choice in preferred if choice.speed.usual >= 5]
    assert shown == [(choice.model.name, choice.weights) for choice in fast[:5]]
    assert f"{fast[0].price.speed_text} tokens a second" in words(panel) and "apache-2.0" in words(panel)
    panel.controls["device"].value, panel.controls["task"].value = "RTX 4090", "code"
    assert re.findall(r"<li><b>([^<]+)</b>", panel.result) == ["Qwen3-Coder-30B-A3B", "Devstral-Small-2"]
    panel.controls["device"].value, panel.controls["task"].value = "Apple M1 8 GB", "code"
    assert "Nothing on this shelf" in words(panel)


def test_each_switch_has_a_price_tag():
    panel = make_it_fit_panel()
    assert "does not fit" in words(panel) and "move a switch" in words(panel)
    wish = {"weights": "Q5_K_M", "context_tokens": 32768, "sequences": 4}
    model, card = sizing.load_model("Qwen3-32B"), sizing.load_device("RTX 4090")
    full = sizing.vram_budget(model, **wish, devices=card).total_bytes
    for name, value, price in (("kv_cache", "q8_0", "measured elsewhere: KLD 0.00098 (Llama-3-8B)"),
                               ("context_tokens", 16384, "16,384 tokens are forgotten"),
                               ("weights", "Q4_K_M", "loss: KLD 0.028 to 0.031"),
                               ("sequences", 1, "the others wait")):
        before = panel.controls[name].value
        panel.controls[name].value = value
        freed = full - sizing.vram_budget(model, **{**wish, name: value}, devices=card).total_bytes
        assert f"frees {sizing.format_bytes(freed, 'GiB')} {price}" in words(panel), name
        panel.controls[name].value = before
    for name, value in (("kv_cache", "q8_0"), ("weights", "Q4_K_M")):
        panel.controls[name].value = value
    assert "It fits" in words(panel) and panel.result.count("<li><b>") == 2
    panel.controls["sibling"].value = 1
    assert "Qwen3-14B instead of Qwen3-32B frees" in words(panel) and "45 % of the parameters" in words(panel)
