import xml.etree.ElementTree as xml
from io import BytesIO

import pytest

import llmsizing as sizing
from llmsizing import evidence, plots, quality
from llmsizing.catalog.prices import cloud_prices
from llmsizing.choosing import ranked
from llmsizing.choosing.costs import OwnComputer

BUDGET = sizing.engine_report("Llama-3.1-8B", weights="Q4_K_M", context_tokens=8192)


def contexts():
    return plots.plot_contexts(
        "Llama-3.1-8B", weights="Q4_K_M", contexts=[2048, 131072], limit=12 * 2**30
    )


def overheads():
    some = [sizing.load_model(name) for name in ("Llama-3.1-8B", "Gemma-3-27B")]
    return plots.plot_needed_overhead(some, weights="Q4_K_M")


def vocabulary():
    return plots.plot_vocabulary_share(sizing.models(), named=["Gemma-3-270M", "Llama-3.3-70B"])


def bits():
    return plots.plot_bits(["Q8_0", "Q4_K", "NF4", "MXFP4"])


def caches():
    some = [sizing.load_model(name) for name in ("Phi-3-mini-4k", "Gemma-3-27B")]
    return plots.plot_kv_cache(some)


def accuracies():
    return plots.plot_errors(evidence.accuracy())


def bake_off():
    return plots.plot_bake_off(evidence.bake_off())


def moved():
    some = [sizing.load_model(name) for name in ("Qwen3-30B-A3B", "Qwen3-32B")]
    return plots.plot_moved(some, weights="Q4_K_M")


def fidelity():
    rows = [row for row in quality.quality_rows(model="Llama-3-8B", metric="KLD", size_counts="file",
                                                reference="F16") if row.imatrix in ("no", "Wikitext, 10m tokens")]
    return plots.plot_fidelity(rows, title="Llama-3-8B")


def tokens():
    return plots.plot_fidelity(quality.quality_rows(model="Mistral-7B", metric="top token differs"),
                               title="Mistral-7B")


def same_file():
    rows = quality.quality_rows(metric="KLD", corpus="Wikitext-2 test", imatrix="no", reference="F16",
                                quantized="weights")
    return plots.plot_same_file([row for row in rows if row.method in ("Q4_K_M", "Q2_K")])


def scores():
    return plots.plot_scores(quality.sized_scores())


def rotation():
    return plots.plot_rotation(quality.quality_rows(model="Qwen3-30B-A3B", quantized="KV cache"))


def test_the_figures_of_quality_say_their_numbers():
    assert "Q4_K_M 4.90 bits, 0.0282" in fidelity().alt and "Q4_0" not in fidelity().alt  # not on the edge
    assert len([line for line in fidelity().axes[0].lines if len(line.get_xdata()) == 1]) == 33
    assert "Q4_K_M Llama-3-8B 0.031" in same_file().alt and "2.5 to 4.1 times the damage" in same_file().alt
    assert "17.5 GiB Llama-3-70B IQ2_XXS 72.3" in scores().alt
    assert "keys q4_0, values f16 rotated +0.92 %" in rotation().alt
    widths = [bar.get_width() for bar in rotation().axes[0].patches]
    assert widths == pytest.approx([0.04, 0.07, -0.73, 0.09, 0.79, 0.26, 11.30, 0.92], abs=0.005)


def test_figures_refuse_numbers_that_may_not_be_compared():
    mixed = quality.quality_rows(method="Q4_K_M", metric="KLD")
    with pytest.raises(sizing.InvalidInput, match="model differs"):
        plots.plot_fidelity(mixed, title="mixed")
    with pytest.raises(sizing.InvalidInput, match="one metric, one text and one source"):
        plots.plot_same_file(mixed)
    with pytest.raises(sizing.InvalidInput, match="needs its bits"):
        plots.plot_fidelity(quality.quality_rows(model="Qwen3-8B", metric="KLD"), title="no bits")
    with pytest.raises(sizing.InvalidInput, match="kind differs"):
        plots.plot_rotation(quality.quality_rows(model="Qwen3-30B-A3B", metric="PPL"))


def rounded():
    runs = sizing.rounding_lab()
    return plots.plot_rounding([run for run in runs if (run.grid, run.block_weights) == ("symmetric", 32)],
                               runs[0])


def block_sizes():
    return plots.plot_block_sizes([run for run in sizing.rounding_lab()
                                   if run.grid == "symmetric" and run.bits in (3, 4)])


def test_the_labs_figures_say_its_numbers():
    assert "cosine 1.00, 1.00, 1.00, 0.99, 0.96, 0.81, 0.12;" in rounded().alt
    assert "4 bits: row 0.904, 128 0.939, 64 0.951, 32 0.960, 16 0.970" in block_sizes().alt
    drawn = block_sizes().axes[0].lines
    assert [len(line.get_xdata()) for line in drawn] == [5, 5]
    assert list(drawn[0].get_ydata()) == sorted(drawn[0].get_ydata())


def speeds():
    some = [sizing.load_device(name) for name in ("RTX 4090", "A100 SXM 80 GB")]
    return plots.plot_speed_by_bits(sizing.load_model("Llama-3.1-8B"), some)


def roofs():
    return plots.plot_roofs(sizing.load_model("Llama-3.1-8B"), sizing.load_device("RTX 4090"), weights="Q4_K_M")


def test_speeds_are_drawn_as_parts_of_four_bits():
    figure = speeds()
    bytes_alone, first, _ = figure.axes[0].lines
    assert first.get_ydata()[2] == 1 and first.get_ydata()[0] < bytes_alone.get_ydata()[0]
    assert "A100 SXM 80 GB: Q2_K" in figure.alt and "a prompt at" in roofs().alt


def choices():
    some = map(sizing.load_model, ("Qwen3-30B-A3B", "Qwen3-32B"))
    return plots.plot_choices(ranked(some, sizing.load_device("RTX 4090"), weights=["Q4_K_M"]), title="Experts")


def test_choices_are_drawn_as_the_ranges_that_they_tell():
    figure = choices()
    for bar in figure.axes[0].patches:
        assert f"{bar.get_x():.0f}–{bar.get_x() + bar.get_width():.0f}" in figure.alt
    with pytest.raises(sizing.InvalidInput, match="whose speed is known"):
        plots.plot_choices([], title="none")


def even():
    own = OwnComputer(price=999, working_watts=31.4, idle_watts=6, electricity_price=0.1872,
                      reads_per_second=600, writes_per_second=30)
    return plots.plot_break_even(own, cloud_prices()[:2], name="A computer")


def test_the_price_of_a_moved_gib_is_drawn_for_experts_and_for_layers():
    figure = moved()
    assert "Qwen3-30B-A3B experts 0.06," in figure.alt and "Qwen3-32B layers 1.00." in figure.alt
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    assert bars[0] == 8 / 128 and bars[-1] == 1 and len(bars) == 3


def test_the_new_figures_say_their_numbers():
    assert "Gemma-3-270M 63 %" in vocabulary().alt and "Llama-3.3-70B 3 %" in vocabulary().alt
    assert "Q4_K 4.5, NF4 4.5, MXFP4 4.25" in bits().alt


def test_the_share_of_vocabulary_counts_a_tied_table_once():
    model = sizing.load_model("Llama-3.2-1B")
    assert plots.vocabulary_share(model) == 128256 * 2048 / model.parameters


@pytest.mark.parametrize("draw", [BUDGET.plot, contexts, overheads, vocabulary, bits, caches, moved,
                                  accuracies, bake_off, fidelity, tokens, same_file, scores, rotation, rounded,
                                  block_sizes, speeds, roofs, even, choices])
def test_a_figure_is_an_inline_picture_for_every_page(draw):
    figure = draw()
    page = figure._repr_html_()
    svg = page.removeprefix("<div class='sizing-figure'>").removesuffix("</div>")
    root = xml.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label") == figure.alt
    assert "currentColor" in svg and plots.figure.INK not in svg
    assert "<metadata" not in svg and root.get("width") is None
    assert page == draw()._repr_html_()  # the same bytes every time: notebooks are compared


@pytest.mark.parametrize("draw", [BUDGET.plot, contexts, overheads, vocabulary, bits, speeds, roofs])
def test_no_title_is_cut_off(draw):
    figure = draw()
    figure.draw_without_rendering()
    titles = [text for axes in figure.axes for text in (axes.title, axes._left_title)]
    assert max(text.get_window_extent().x1 for text in titles) <= figure.bbox.x1


def test_a_figure_can_be_saved_like_any_other():
    file = BytesIO()
    BUDGET.plot().savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_a_figure_says_its_numbers_in_words():
    alt = BUDGET.plot(limit=5 * 2**30).alt
    assert "KV cache 1.00 GiB" in alt and "total 5.41 GiB" in alt and "limit 5.00 GiB" in alt


def test_a_limit_is_a_line_and_each_step_has_its_name_and_number():
    axes = BUDGET.plot(limit=6 * 2**30).axes[0]
    assert list(axes.lines[-1].get_xdata()) == [6, 6]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "weights  4.30", "KV cache  1.00", "compute buffer  0.11", "total  5.41"]
    assert axes.yaxis_inverted() and axes.get_xlabel() == "GiB"
    assert BUDGET.plot().axes[0].figure.get_suptitle().startswith("llama.cpp: Llama-3.1-8B")


def test_bars_are_as_long_as_their_terms():
    axes = BUDGET.plot().axes[0]
    lengths = [bar.get_width() * 2**30 for bar in axes.patches]
    expected = [term.bytes for term in (*BUDGET.terms, BUDGET.total)]
    assert lengths == pytest.approx(expected, abs=1)


def test_an_allowance_is_drawn_with_its_range():
    spread = sizing.allowance("runtime", "s", low=1, usual=2, high=4, source="logs")
    axes = sizing.Breakdown("time", (spread,), unit="seconds").plot().axes[0]
    assert list(axes.lines[0].get_xdata()) == [1, 4]
    assert axes.get_xlabel() == "seconds"


def test_runs_that_cannot_be_drawn_are_refused():
    with pytest.raises(sizing.InvalidInput, match="One to 5 lines can be drawn, not 8"):
        plots.plot_block_sizes(sizing.rounding_lab())
    with pytest.raises(sizing.InvalidInput, match="One to 5 lines can be drawn, not 0"):
        plots.plot_block_sizes([])
    with pytest.raises(sizing.InvalidInput, match="no runs"):
        plots.plot_rounding([], sizing.rounding_lab()[0])


@pytest.mark.parametrize("count", [0, 6])
def test_no_line_is_left_out_unsaid(count):
    with pytest.raises(sizing.InvalidInput, match="One to 5 models can be drawn"):
        plots.plot_needed_overhead(sizing.models()[:count], weights="F16")
    with pytest.raises(sizing.InvalidInput, match="One to 5 models can be drawn"):
        plots.plot_kv_cache(sizing.models()[:count])


def test_a_cache_is_dotted_beyond_the_models_own_context():
    figure = caches()
    assert "Phi-3-mini-4k (4 billion parameters) 48.0 GiB" in figure.alt
    own, beyond, gemma, none = figure.axes[0].lines
    assert own.get_linestyle() == gemma.get_linestyle() == "-" and beyond.get_linestyle() == ":"
    assert list(own.get_xdata())[-1] == list(beyond.get_xdata())[0] == 4096
    assert beyond.get_ydata()[-1] == 48 and len(none.get_xdata()) == 1
    assert gemma.get_ydata()[-1] == pytest.approx(10864 / 1024)  # as llama.cpp reports


def test_lines_are_the_gaps():
    axes = plots.plot_needed_overhead([sizing.load_model("Qwen3-8B")], weights="F16").axes[0]
    line = axes.lines[0]
    assert list(line.get_xdata()) == [2048, 4096, 8192, 16384, 32768]
    gap = sizing.rule_of_thumb_gap("Qwen3-8B", weights="F16", context_tokens=32768)
    assert line.get_ydata()[-1] == pytest.approx(gap.needed_overhead)


def test_each_kind_of_number_has_its_bar_and_its_worst():
    kinds = evidence.accuracy()
    axes = accuracies().axes[0]
    assert len(axes.get_yticklabels()) == len(kinds)
    assert all(kind.p90 < 0.00001 for kind in kinds if kind.kind.startswith(("weights", "KV")))  # the title
    assert [text.get_text() for text in axes.texts] == [
        evidence.percent(kind.worst, sign=True) for kind in kinds]
    ends = [line.get_xdata()[-1] for line in axes.lines[1::4]]  # the bar of 90 %
    assert ends == pytest.approx([max(0.001, 100 * kind.p90) for kind in kinds])
    assert "KV cache and state: median 0\u00a0%" in accuracies().alt


def test_each_estimator_has_a_dot_for_each_case():
    scores = evidence.bake_off()
    axes = bake_off().axes[0]
    assert [len(dots.get_offsets()) for dots in axes.collections] == [
        score.accuracy.rows for score in scores]
    assert axes.get_yticklabels()[0].get_text() == "llmsizing" and axes.yaxis_inverted()
    assert all(abs(place[0]) <= 80 for dots in axes.collections for place in dots.get_offsets())
    assert f"node-llama-cpp inspect {evidence.percent(scores[1].mean)}" in bake_off().alt
