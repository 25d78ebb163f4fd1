"""Chapter 1: its panels, its figure, and the waits that they show."""

import re
from datetime import datetime
from fractions import Fraction

import pytest
from test_panels import words

import llmsizing as sizing
from llmsizing.catalog import prices
from llmsizing.choosing.home import at_home, wait_at_home, wait_for_cloud
from llmsizing.errors import InvalidInput
from llmsizing.panels import break_even_panel, first_word_panel
from llmsizing.panels.why_local import FILES
from llmsizing.plots import plot_break_even

MINI = prices.load_computer("mac mini")
MODEL = sizing.load_model("gpt-oss-20b")


def test_against_the_same_model_it_never_pays_and_against_a_dear_one_it_does():
    panel = break_even_panel()
    for _, tokens in panel.controls["tokens"].options[:-2]:
        panel.controls["tokens"].value = tokens
        assert "It never pays." in words(panel) and "It is the same model." in words(panel)
    panel.controls["tokens"].value = 1_000_000
    panel.controls["cloud"].value = "Claude Opus 5.5 at Anthropic"
    assert "It has paid for itself after" in words(panel)
    assert "is another model: the bill says nothing about quality" in words(panel)


def test_the_date_slides_as_prices_and_use_do():
    panel = break_even_panel()
    panel.controls["cloud"].value = "Claude Opus 5.5 at Anthropic"
    panel.controls["on_hours"].value = 0
    panel.controls["tokens"].value = 100_000
    dates = []
    for _, tokens in panel.controls["tokens"].options[2:5]:
        panel.controls["tokens"].value = tokens
        dates.append(paid_on(panel))
    assert dates == sorted(dates, reverse=True) and len(set(dates)) == 3
    panel.controls["tokens"].value = 100_000
    panel.controls["on_hours"].value = 24
    assert paid_on(panel) > dates[0]  # it waits, and that costs
    panel.controls["cloud"].value = "GPT-6 Astra at OpenAI"
    assert paid_on(panel) < dates[0]


def paid_on(panel) -> datetime:
    """The month that the panel names."""
    return datetime.strptime(re.search(r"in (\w+ 20\d\d)", words(panel))[1], "%B %Y")


def test_every_reason_of_never_is_said():
    panel = break_even_panel()
    panel.controls["tokens"].value = 30_000_000
    assert "It cannot do that." in words(panel) and "hours a day" in words(panel)
    panel.controls["tokens"].value = 10_000
    assert "Its electricity alone costs more than the cloud" in words(panel)
    panel.controls["cloud"].value = "GPT-6.1 Terra at OpenAI"
    panel.controls["tokens"].value = 100_000
    assert "we count 4 years of life" in words(panel)
    panel.controls["life"].value = 0
    assert "It is there anyway" in words(panel)
    panel.controls["model"].value = "gpt-oss-120b"
    assert "does not fit on the Mac mini" in words(panel)


def test_the_panel_shows_what_the_package_computes():
    panel = break_even_panel()
    panel.controls["life"].value, panel.controls["on_hours"].value = 0, 0
    panel.controls["tokens"].value = 10_000_000
    own = at_home(MINI, MODEL, weights="MXFP4_MOE", electricity_price=0.1872, bought=False, on_hours=0)
    hours = 8_000_000 / float(own.reads_per_second) / 3600 + 2_000_000 / float(own.writes_per_second) / 3600
    assert f"{hours * 31.4 / 1000 * 0.1872:.2f} USD hardware 0.00 USD" in words(panel)
    assert "0.52 USD input 0.24 USD output 0.28 USD" in words(panel)


def test_a_long_prompt_starts_later_at_home_and_a_large_model_writes_longer():
    short = wait_at_home(MINI, MODEL, weights="MXFP4_MOE", prompt_tokens=100, answer_tokens=300)
    long = wait_at_home(MINI, MODEL, weights="MXFP4_MOE", prompt_tokens=10_000, answer_tokens=300)
    assert long["until it starts"].usual > 20 * short["until it starts"].usual
    for term in long.terms:
        assert 0 < term.low < term.usual < term.high
    large = wait_at_home(MINI, sizing.load_model("Qwen3-32B"), weights="Q4_K_M", prompt_tokens=100,
                         answer_tokens=300)
    assert large["writing"].usual > 3 * short["writing"].usual


def test_the_wait_for_a_cloud_is_the_measured_one():
    delay = next(row for row in prices.cloud_latencies() if row.model == "GPT-4o mini")
    waits = wait_for_cloud(delay, answer_tokens=1053)
    assert waits["writing"].usual == 10  # 1,053 tokens at 105.3 a second
    start = waits["until it starts"]
    assert (start.usual, start.high) == (Fraction("0.645"), Fraction("1.094"))
    assert "60,480" in start.source


def test_the_second_panel_says_who_is_first():
    panel = first_word_panel()
    panel.controls["prompt_tokens"].value, panel.controls["answer_tokens"].value = 50, 20
    assert "Home starts first" in words(panel)
    panel.controls["computer"].value = "Mac mini M4, 32 GB"
    panel.controls["model"].value = "Qwen3-32B"
    panel.controls["prompt_tokens"].value = 16_000
    assert "The cloud starts first and is done first" in words(panel)
    assert "a longer prompt starts later there, too" in words(panel)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: at_home("mac", MODEL, weights="Q8_0", electricity_price=1), "must be a Computer"),
    (lambda: at_home(MINI, MODEL, weights="MXFP4_MOE", electricity_price=-1), "electricity_price"),
    (lambda: at_home(MINI, sizing.load_model("Llama-3.3-70B"), weights="Q4_K_M", electricity_price=1),
     "does not fit on the Mac mini M4, 32 GB: take a smaller model"),
    (lambda: wait_at_home(MINI, MODEL, weights="MXFP4_MOE", prompt_tokens=0, answer_tokens=1),
     "prompt_tokens must be from 1"),
    (lambda: wait_for_cloud("groq", answer_tokens=1), "must be a CloudLatency"),
])
def test_mistakes_are_named(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_each_model_of_the_panel_fits_somewhere():
    for name, weights in FILES.items():
        fitting = []
        for computer in prices.computers():
            try:
                at_home(computer, sizing.load_model(name), weights=weights, electricity_price=0.2)
                fitting.append(computer)
            except InvalidInput:
                continue
        assert fitting, name


def test_the_figure_says_where_the_lines_cross():
    own = at_home(MINI, MODEL, weights="MXFP4_MOE", electricity_price=0.1872)
    clouds = [prices.load_cloud_price(name) for name in ("Claude Opus 5.5", "gpt-oss-20b at DeepInfra")]
    figure = plot_break_even(own, clouds, name="Mac mini M4")
    assert "gpt-oss-20b at DeepInfra: never" in figure.alt
    assert "Claude Opus 5.5 at Anthropic: from" in figure.alt
    axes = figure.axes[0]
    home, opus, same = (line.get_ydata() for line in axes.lines)
    assert opus[0] < home[0] and opus[-1] > home[-1] and same[-1] < home[-1]
    assert list(home) == sorted(home)  # more work, more electricity
    assert figure._repr_html_() == plot_break_even(own, clouds, name="Mac mini M4")._repr_html_()
