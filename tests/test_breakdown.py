import dataclasses
import html.parser
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsizing import (
    Breakdown,
    Factor,
    InvalidInput,
    Term,
    UnknownName,
    allowance,
    maximum_of,
    product,
    sum_of,
    table,
)
from llmsizing.breakdown.colours import ACCENT, term_colours
from llmsizing.breakdown.html import bar_to_edge_html, bars_html

WEIGHTS = product("weights", Factor(3 * 2**30, "bytes"))
CACHE = product("KV cache", Factor(2, "for K and V"), Factor(2**29, "bytes"))
RUNTIME = allowance("runtime", "bytes", low=2**28, usual=2**29, high=2**30, source="three logs")
BUDGET = Breakdown("A budget", (WEIGHTS, CACHE, RUNTIME))


def test_a_product_is_what_its_factors_make():
    assert CACHE.bytes == 2**30
    assert CACHE.low == CACHE.usual == CACHE.high


def test_sum_and_maximum_of_terms():
    assert sum_of("both", WEIGHTS, CACHE).bytes == 4 * 2**30
    assert maximum_of("larger", WEIGHTS, CACHE).bytes == 3 * 2**30


def test_only_an_allowance_has_a_range_and_it_needs_a_source():
    assert (RUNTIME.low, RUNTIME.usual, RUNTIME.high) == (2**28, 2**29, 2**30)
    with pytest.raises(InvalidInput, match="'runtime' needs a source"):
        allowance("runtime", "bytes", low=1, usual=2, high=3, source="")


def test_the_total_keeps_the_range():
    assert BUDGET.total.low == 4 * 2**30 + 2**28
    assert BUDGET.total_bytes == 4 * 2**30 + 2**29
    assert BUDGET.total.high == 5 * 2**30


def test_terms_are_found_by_name():
    assert BUDGET["KV cache"] is CACHE
    with pytest.raises(UnknownName, match="No term is called 'kv cash'. Nearest: KV cache"):
        BUDGET["kv cash"]


@pytest.mark.parametrize("terms", [(), (WEIGHTS, WEIGHTS)])
def test_terms_need_to_be_there_and_to_differ(terms):
    with pytest.raises(InvalidInput, match="terms with different names"):
        Breakdown("nothing", terms)


def test_a_factor_is_kept_as_the_number_that_it_prints():
    assert Factor(0.1, "x").usual == Fraction(1, 10)
    for nonsense in ("abc", None, float("nan"), -1):
        with pytest.raises(InvalidInput, match="x, usual, must"):
            Factor(nonsense, "x")


def test_an_unknown_rule_is_refused():
    with pytest.raises(UnknownName, match="No rule of a term is called 'mean'"):
        Term("t", "mean", (Factor(1, "x"),))


@pytest.mark.parametrize(("low", "usual", "high"), [(3, 2, 4), (1, 2, 1)])
def test_a_factor_keeps_its_order(low, usual, high):
    with pytest.raises(InvalidInput, match="low <= usual <= high"):
        Factor(usual, "bytes", low, high)


def test_a_term_needs_members_of_its_kind():
    with pytest.raises(InvalidInput, match="nothing to compute"):
        product("empty")
    with pytest.raises(InvalidInput, match="each member of term 'x', a sum, must be a Term, not the Factor"):
        Term("x", "sum", (Factor(1, "y"),))
    with pytest.raises(InvalidInput, match="each member of term 'x', a product, must be a Factor, not the Term"):
        Term("x", "product", (WEIGHTS,))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Term("a", [], (Factor(1, "x"),)), "the rule of term 'a' must be a str, not the list"),
    (lambda: Term("a", "product", 1), "members of term 'a' must be a tuple, not the int 1"),
    (lambda: Term("a", "product", [Factor(1, "x")]), "members of term 'a' must be a tuple, not the list"),
    (lambda: Term("a", "product", (Factor(1, "x"),), 5), "the source of term 'a' must be a str"),
    (lambda: product(5, Factor(1, "x")), "the name of a term must be a str, not the int 5"),
    (lambda: Factor(1, None), "the name of a factor must be a str, not None"),
    (lambda: Breakdown("x", None), "the terms of 'x' must be a tuple, not None: put them into brackets"),
    (lambda: Breakdown("x", WEIGHTS), "the terms of 'x' must be a tuple, not the Term"),
    (lambda: Breakdown("x", [1]), "the terms of 'x' must be a tuple, not the list"),
    (lambda: Breakdown("x", (1,)), "each term of 'x' must be a Term, not the int 1"),
    (lambda: Breakdown(5, (WEIGHTS,)), "the title of a breakdown must be a str, not the int 5"),
    (lambda: Breakdown("x", (WEIGHTS,), note=["a"]), "the note of 'x' must be a str"),
    (lambda: Breakdown("x", (WEIGHTS,), unit=[]), "can count bytes, seconds, parameters, USD, not")])
def test_values_of_the_wrong_kind_are_named(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_a_breakdown_counts_bytes_seconds_parameters_or_dollars():
    with pytest.raises(InvalidInput, match="can count bytes, seconds, parameters, USD, not '<b>'"):
        Breakdown("any", (WEIGHTS,), unit="<b>")


def test_records_do_not_change():
    for record in (WEIGHTS, WEIGHTS.members[0], BUDGET, table([{"a": 1}])):
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.name = "other"


def test_other_units_are_written_with_their_name():
    text = str(Breakdown("time", (product("step", Factor(Fraction(2, 3), "s")),), unit="seconds"))
    assert text.splitlines() == ["time", "  step   0.667 seconds  2/3 s", "  total  0.667 seconds"]


def test_parts_of_a_part_stand_further_in():
    inner = sum_of("inner", WEIGHTS)
    lines = str(Breakdown("nested", (sum_of("outer", inner),))).splitlines()
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 2, 4, 6, 2]


def test_html_shows_the_working_of_every_part_too():
    page = Breakdown("nested", (sum_of("both", CACHE, maximum_of("top", RUNTIME)),))._repr_html_()
    assert "2 for K and V × 536,870,912 bytes" in page and "three logs" in page
    assert page.index("padding-left:0.0rem") < page.index("padding-left:1.2rem")
    assert page.count("padding-left:2.4rem") == 1  # what "top" is the largest of
    assert page.count("class='sizing-chip'") == 1  # the one term that the bar shows


def test_bytes_are_asked_of_bytes_only():
    seconds = Breakdown("time", (product("reading", Factor(3, "s")),), unit="seconds")
    assert seconds.total.usual == 3
    with pytest.raises(InvalidInput, match="counts seconds, not bytes"):
        seconds.total_bytes  # noqa: B018


def test_text_shows_working_range_and_source():
    text = str(BUDGET)
    assert text.splitlines()[0] == "A budget"
    assert "2 for K and V × 536,870,912 bytes" in text
    assert "0.25 to 1.00 GiB; three logs" in text
    assert "total" in text and "4.83 GB" in text


def test_nested_terms_print_their_parts():
    text = str(Breakdown("nested", (sum_of("all", WEIGHTS, CACHE), maximum_of("top", RUNTIME))))
    assert "weights + KV cache" in text
    assert "the largest of runtime" in text
    assert "    KV cache" in text


FACTORS = st.lists(
    st.fractions(min_value=0, max_value=10**9, max_denominator=1000), min_size=1, max_size=4
)


@given(st.lists(FACTORS, min_size=1, max_size=5))
def test_what_is_printed_multiplies_and_adds_up_to_the_total(terms):
    breakdown = Breakdown(
        "any", tuple(product(f"t{i}", *(Factor(f, "x") for f in fs)) for i, fs in enumerate(terms))
    )
    total = Fraction(0)
    for line in str(breakdown).splitlines()[1:-1]:
        shown = Fraction(1)
        for factor in line.split("  ")[-1].split(" × "):
            shown *= Fraction(factor.removesuffix(" x").replace(",", ""))
        total += shown
    assert total == breakdown.total.usual
    assert breakdown.total_bytes == -(-total.numerator // total.denominator)


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.rows = [], 0

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)
        self.rows += tag == "tr"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_a_table_with_a_bar_and_is_well_formed():
    page = BUDGET._repr_html_()
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert tags.rows == len(BUDGET.terms) + 1
    widths = [float(width) for width in re.findall(r"<span style='width:([\d.]+)%", page)]
    assert sum(widths) == pytest.approx(100, abs=0.05)
    assert "three logs" in page


def test_html_escapes_what_it_is_given():
    evil = Breakdown("<script>", (product("a&b", Factor(1, "<x>")),), note="<note>")
    for page in (evil._repr_html_(), bars_html([evil], gap=True)):
        assert "<script>" not in page and "a&b" not in page and "<x>" not in page
        assert "&lt;script&gt;" in page and "a&amp;b" in page
    assert "&lt;x&gt;" in evil._repr_html_() and "&lt;note&gt;" in evil._repr_html_()


def test_a_bar_without_bytes_has_no_empty_brackets():
    seconds = Breakdown("time", (product("step", Factor(3, "s")),), unit="seconds")
    assert "()" not in bars_html([seconds])


def test_bars_share_one_scale_and_hatch_the_gap():
    small = Breakdown("small", (CACHE,))
    page = bars_html([small, BUDGET], gap=True)
    assert page.count("sizing-gap") == 3  # its style, its bar, its label
    assert "gap 3.50 GiB" in page
    assert bars_html([small, BUDGET]).count("sizing-gap") == 1


ONE_GIB = Breakdown("T<", (product("weights", Factor(2**30, "bytes")),))


@pytest.mark.parametrize(("edge", "line", "width"), [
    (2 * 2**30, "98.04%", "49.02%"), (2**29, "49.02%", "98.04%"), (2**30, "98.04%", "98.04%"), (0, "0.00%", "98.04%")])
def test_a_bar_and_its_edge_share_a_scale_that_leaves_the_longer_in_sight(edge, line, width):
    """100 / 1.02 is 98.04: the scale ends a fiftieth behind the longer of the two."""
    page = bar_to_edge_html(ONE_GIB, edge=edge, edge_name="card")
    assert page.count("<i class='sizing-edge'") == page.count("</i></div>") == 1  # the line, drawn last
    assert f"<i class='sizing-edge' style='left:{line}'></i></div>" in page
    assert re.findall(r"<span style='width:([\d.]+%);background:(#\w+)'", page) == [(width, ACCENT)]


def test_a_bar_to_an_edge_says_both_amounts_and_names_each_term():
    page = bar_to_edge_html(Breakdown("T<", (*ONE_GIB.terms, CACHE)), edge=3 * 2**30, edge_name="A<B")
    assert "<span class='sizing-title'>T&lt;</span>" in page and "T<" not in page and "A<B" not in page
    assert "<b>2.00 GiB</b> of <b>3.00 GiB</b> on the A&lt;B (the line)" in page
    labels = re.findall(r"<li><span class='sizing-chip' style='background:(#\w+)'></span>(.*?)</li>", page)
    assert labels == [(ACCENT, "weights 1.00 GiB"), (term_colours(("KV cache",))[0], "KV cache 1.00 GiB")]
    assert page.count("<li>") == 2  # what is left to the edge is no gap
    tags = Tags()
    tags.feed(page)
    assert not tags.open


def test_an_edge_is_counted_in_the_breakdowns_unit():
    seconds = Breakdown("time", (product("step", Factor(3, "s")),), unit="seconds")
    assert "<b>3 seconds</b> of <b>4 seconds</b> on the clock" in bar_to_edge_html(seconds, edge=4, edge_name="clock")


def test_a_breakdown_of_nothing_is_drawn_without_error():
    page = Breakdown("nothing yet", (product("weights", Factor(0, "bytes")),))._repr_html_()
    assert "0.00 GiB" in page and "width:0.00%" in page


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#121212"])
def test_each_colour_stands_out_from_a_white_and_a_dark_page(page):
    names = ("weights", "KV cache", "compute buffer", "overhead", "runtime", "a", "b", "c", "d")
    colours = term_colours(names)
    assert colours[0] == ACCENT
    assert all(_contrast(colour, page) >= 3 for colour in colours)
