import pytest

import llmsizing as sizing
from llmsizing.errors import InvalidInput, UnknownName

CARD = "RTX 3060 12 GB"


def compared(name, card=CARD, **settings):
    return sizing.compare_quantizations(sizing.load_model(name), sizing.load_device(card), **settings)


def test_every_file_type_stands_once_from_large_to_small():
    found = compared("Qwen3-14B")
    names = [each.weights for each in found]
    assert len(found) == len(set(names)) > 25 and "Q4_K_M" in names and "F32" not in names
    assert [each.bytes for each in found] == sorted((each.bytes for each in found), reverse=True)


def test_each_number_is_the_packages_own():
    model, card = sizing.load_model("Qwen3-14B"), sizing.load_device(CARD)
    settings = {"context_tokens": 16384, "kv_cache": "q8_0", "sequences": 2}
    for each in sizing.compare_quantizations(model, card, **settings):
        assert each.bytes == sizing.weight_bytes(model, each.weights)
        assert each.headroom == sizing.room_for(model, card, weights=each.weights, **settings)
        assert each.verdict == each.headroom.verdict
        assert each.loss == sizing.quality_loss(model, each.weights)
        assert each.bits_per_weight == pytest.approx(8 * each.bytes / model.parameters)


def test_losses_in_the_table_rest_on_one_model():
    found = compared("Qwen3-14B")
    assert found.yardstick == "Llama-3-8B"
    assert {row.model for each in found for row in each.on_yardstick.rows} == {"Llama-3-8B"}
    assert "loss of Llama-3-8B" in str(found) and "0.010" not in str(found.table())


def test_the_best_fits_and_nothing_that_fits_lost_less():
    for name, card in (("Qwen3-14B", CARD), ("Qwen3-30B-A3B", "RTX 4090"), ("Llama-3.1-8B", CARD)):
        found = compared(name, card)
        best = found.best
        assert best.verdict == "fits" and f"Take {best.weights}:" in found.recommendation
        for each in found:
            if each.verdict == "fits" and each.bits_per_weight < 9 and each.on_yardstick.kld:
                assert each.on_yardstick.kld[1] >= best.on_yardstick.kld[1]


def test_a_recommendation_names_reason_distance_and_limits():
    said = compared("Qwen3-14B").recommendation
    assert "changed Llama-3-8B least" in said and "not measured on it" in said
    assert "Q4_K_M would free 1.41 GiB" in said
    few = compared("Llama-3.3-70B", "RTX 4090").recommendation
    assert "2.4 bits per weight" in few and "a model of half the size at 4 bits" in few
    assert "Other languages and code can lose more" in few


def test_a_model_trained_in_four_bits_keeps_them():
    found = compared("gpt-oss-20b", "RTX 4090")
    assert found.best.weights == "MXFP4_MOE" and "as it was trained" in found.recommendation
    assert all(each.loss.summary in ("no data", "none: the original") for each in found)


def test_where_nobody_measured_the_largest_is_taken_and_said():
    found = compared("Qwen3-0.6B")
    assert found.yardstick is None and found.best.weights == "Q8_0"
    assert "has most bits" in found.recommendation and "no data" in found.recommendation


def test_nothing_fits():
    found = compared("Llama-3.3-70B")
    assert found.best is None and found.recommendation.startswith("None of these fits")


def test_it_prints_and_shows_as_html():
    found = compared("Llama-3.1-8B", weights=["q4_k_m", "Q8_0", "Q8_0"])
    assert [each.weights for each in found] == ["Q8_0", "Q4_K_M"]
    assert "Llama-3.1-8B on RTX 3060 12 GB, 8,192 tokens" in str(found) == repr(found)
    assert "<table" in found._repr_html_() and "Take Q8_0" in found._repr_html_()
    assert found["Q4_K_M"] is found.candidates[1]
    with pytest.raises(UnknownName, match="Q4_K_M"):
        found["Q4_K_S"]


def test_each_file_type_that_fits_has_its_speed():
    found = compared("Llama-3.1-8B", weights=["BF16", "Q8_0", "Q4_K_M"], context_tokens=4096)
    alone = sizing.decode_speed(sizing.load_model("Llama-3.1-8B"), sizing.load_device("RTX 3060 12 GB"),
                                weights="Q4_K_M", context_tokens=4096)
    assert found["Q4_K_M"].speed.usual == alone.usual > found["Q8_0"].speed.usual
    assert found["BF16"].verdict == "does not fit" and found["BF16"].speed is None
    assert f"{alone.low:.0f}–{alone.high:.0f}" in str(found)


def test_several_cards_and_bad_questions():
    cards = [sizing.load_device("L4"), sizing.load_device("L4")]
    found = sizing.compare_quantizations(sizing.load_model("Llama-3.3-70B"), cards, context_tokens=2048)
    assert found.device == "L4 + L4" and found["Q4_K_M"].verdict == "fits"
    with pytest.raises(InvalidInput, match="leave engine out"):
        compared("Llama-3.1-8B", engine="vLLM")
    with pytest.raises(InvalidInput, match="device must be a Device, not the str 'L4'"):
        sizing.compare_quantizations(sizing.load_model("Llama-3.1-8B"), "L4")
    with pytest.raises(InvalidInput, match="names no file type"):
        compared("Llama-3.1-8B", weights=[])
    for weights in ("Q4_K_M", 4):
        with pytest.raises(InvalidInput, match="weights must be a list of file types, not"):
            compared("Llama-3.1-8B", weights=weights)
    with pytest.raises(UnknownName):
        compared("Llama-3.1-8B", weights=["Q9"])
