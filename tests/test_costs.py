"""What a day of tokens costs: by hand, by simulation, and against what people measured."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsizing.catalog import load_device, load_model, prices
from llmsizing.catalog.prices import load_cloud_price, load_computer
from llmsizing.choosing.costs import OwnComputer, Workload, cloud_cost, local_cost
from llmsizing.choosing.payback import break_even
from llmsizing.errors import InvalidInput, UnknownName

DAY = Workload(input_tokens=7_200_000, output_tokens=360_000)
BOX = OwnComputer(price=4380, life_years=4, working_watts=100, idle_watts=25, on_hours=24,
                  electricity_price=0.20, reads_per_second=2000, writes_per_second=100)
CLOUD = {"input_price": 0.5, "output_price": 5}


def test_a_day_in_a_cloud_by_hand():
    """7.2 million at half a dollar are 3.60; 0.36 million at 5 dollars are 1.80."""
    bill = cloud_cost(DAY, **CLOUD)
    assert (bill["input"].usual, bill["output"].usual) == (Fraction("3.6"), Fraction("1.8"))
    assert bill.unit == "USD" and bill.total.usual == Fraction("5.4")
    assert "total   5.40 USD" in str(bill)


def test_a_day_at_home_by_hand():
    """An hour of reading, an hour of writing: 0.2 kWh; 22 hours of waiting: 0.55 kWh."""
    assert BOX.busy_hours(DAY) == 2
    bill = local_cost(DAY, BOX)
    assert bill["hardware"].usual == 3  # 4,380 dollars over 1,460 days
    assert bill["working"].usual == Fraction("0.04")
    assert bill["waiting"].usual == Fraction("0.11")
    assert local_cost(DAY, replace(BOX, on_hours=0))["waiting"].usual == 0
    assert local_cost(DAY, replace(BOX, on_hours=8))["waiting"].usual == Fraction("0.03")


def test_energy_is_watts_over_tokens_per_second():
    """A kilowatt-hour is 3.6 million joules, so both ways to the price of a token must agree."""
    joules = BOX.joules_per_output_token
    assert joules == 1
    written = Workload(input_tokens=0, output_tokens=360_000)
    by_energy = 360_000 * joules / 3_600_000 * BOX.electricity_price
    assert local_cost(written, BOX)["working"].usual == by_energy


def test_the_computer_is_paid_on_the_day_that_a_purse_says():
    """Put aside each evening what the cloud would have cost more, until the computer is paid."""
    purse, days = 0.0, 0
    while purse < 4380:
        purse += 5.40 - 0.04 - 0.11
        days += 1
    held = break_even(DAY, BOX, **CLOUD)
    assert math.ceil(held.days) == days == 835
    assert held.pays and held.possible and held.life_days == 1460


def costs_at(tokens, box, price):
    share = tokens / DAY.tokens
    hours = 2 * share * BOX.writes_per_second / box.writes_per_second
    watts = hours * box.working_watts + max(0, box.on_hours - hours) * box.idle_watts
    home = box.price / (365 * box.life_years) + watts / 1000 * box.electricity_price
    return home, share * 5.4 * price


@pytest.mark.parametrize(("box", "price"), [
    (BOX, 1), (replace(BOX, on_hours=0), 1), (replace(BOX, on_hours=Fraction(1, 2)), 1),
    (replace(BOX, price=100, idle_watts=0), 0.1), (replace(BOX, price=0), 0.02),
])
def test_at_the_even_point_both_cost_the_same(box, price):
    """The costs are computed here in another way, below, at and above the point."""
    at = {name: amount * price for name, amount in CLOUD.items()}
    even = break_even(DAY, box, **at).tokens
    home, cloud = costs_at(even, box, price)
    assert home == pytest.approx(cloud, rel=1e-9)
    for factor, cheaper in ((0.9, False), (1.1, True)):
        home, cloud = costs_at(float(even) * factor, box, price)
        assert (home < cloud) == cheaper


def test_never_has_three_reasons():
    cheap = {"input_price": 0.001, "output_price": 0.002}
    held = break_even(DAY, BOX, **cheap)  # electricity alone costs more
    assert held.days is None and held.tokens is None and not held.pays
    late = break_even(DAY.times(Fraction(1, 10)), BOX, **CLOUD)  # the computer is old by then
    assert late.days > late.life_days and not late.pays and late.tokens > DAY.tokens / 10
    slow = break_even(DAY.times(20), BOX, **CLOUD)  # it cannot write that much
    assert slow.busy_hours == 40 and not slow.possible and not slow.pays
    assert slow.most_tokens == DAY.tokens * 12


def test_a_computer_that_is_there_anyway_pays_from_the_first_day():
    held = break_even(DAY, replace(BOX, price=0, idle_watts=0), **CLOUD)
    assert held.days == 0 and held.tokens == 0 and held.pays


amounts = st.fractions(min_value=Fraction(1, 100), max_value=10_000, max_denominator=100)


@settings(max_examples=60)
@given(amounts, amounts, amounts, amounts)
def test_the_even_point_says_what_the_totals_say(read, written, price, hours):
    box = replace(BOX, price=price, on_hours=min(Fraction(24), hours))
    work = Workload(input_tokens=1000 * read, output_tokens=1000 * written)
    held = break_even(work, box, **CLOUD)
    if held.possible:
        wins = held.local.total.usual <= held.cloud.total.usual
        assert wins == (held.tokens is not None and held.tokens <= work.tokens)
        assert wins == held.pays


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Workload(input_tokens=-1, output_tokens=1), "input_tokens must be from 0"),
    (lambda: Workload(input_tokens=0, output_tokens=0), "are both 0"),
    (lambda: Workload(input_tokens="many", output_tokens=1), "input_tokens must be a finite number"),
    (lambda: Workload(input_tokens=math.nan, output_tokens=1), "must be a finite number, not nan"),
    (lambda: replace(BOX, price=-1), "price must be from 0.*Write 0 for one that you own"),
    (lambda: replace(BOX, life_years=0), "life_years must be from .*Four years"),
    (lambda: replace(BOX, on_hours=25), "on_hours must be from 0 to 24, but is 25"),
    (lambda: replace(BOX, idle_watts=200), "idle_watts .200. must not exceed working_watts .100."),
    (lambda: replace(BOX, writes_per_second=0), "writes_per_second must be from"),
    (lambda: replace(BOX, electricity_price=True), "electricity_price must be a finite number"),
    (lambda: cloud_cost(DAY, input_price=-1, output_price=1), "input_price must be from 0"),
    (lambda: cloud_cost(100, input_price=1, output_price=1), "workload must be a Workload"),
    (lambda: local_cost(DAY, "mac"), "computer must be an OwnComputer"),
])
def test_nonsense_is_refused_with_what_would_be_right(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_each_price_is_dated_and_plausible():
    known = {price.name: price for price in prices.cloud_prices()}
    assert len(known) == len(prices.cloud_prices()) == 24
    for price in known.values():
        assert price.date == "2026-11-25" and price.source_url.startswith("https://")
        assert price.input_usd_per_million <= price.output_usd_per_million <= 100
        assert price.batch_percent_off in (None, 50)
        assert not price.open_model or load_model(price.open_model).name == price.open_model
    opus = load_cloud_price("Claude Opus 5.5")
    assert (opus.input_usd_per_million, opus.output_usd_per_million) == (4, 20)
    with pytest.raises(UnknownName, match="gpt-oss-20b at DeepInfra"):
        load_cloud_price("gpt-oss-20")


def test_computers_are_devices_and_draw_what_was_measured():
    for computer in prices.computers():
        assert load_device(computer.device).name == computer.device
        runs = [run.watts for run in prices.energy_runs() if run.computer == computer.name]
        assert runs and max(runs) <= computer.working_watts, computer.name
    assert {run.computer for run in prices.energy_runs()} == {row.name for row in prices.computers()}
    assert load_computer("dgx spark").price_usd == 4699


def test_joules_of_the_measured_runs():
    """Worked by hand from the tables that were read: 509.1 W at 279.65 tokens a second."""
    joules = {(run.computer, run.model): float(run.watts / run.tokens_per_second)
              for run in prices.energy_runs()}
    assert joules["PC with an RTX 4090", "gpt-oss 20b"] == pytest.approx(1.8205, abs=1e-4)
    assert joules["DGX Spark", "Llama 3.1 70b"] == pytest.approx(33.12, abs=0.01)
    assert 0.7 < min(joules.values()) and max(joules.values()) < 35
    for run in prices.energy_runs():
        assert not run.catalog_model or load_model(run.catalog_model)


def test_delays_powers_and_switches_are_whole():
    for delay in prices.cloud_latencies():
        assert 0.1 < delay.first_token_s <= delay.first_token_p95_s < 30
    assert {price.currency for price in prices.electricity_prices()} == {"USD", "EUR", "JPY"}
    programs = {row.program for row in prices.outgoing()}
    assert {"Ollama", "LM Studio", "vLLM", "Open WebUI", "llama.cpp (llama-server)"} <= programs
    for row in prices.outgoing():
        assert row.source_url.startswith("https://") and len(row.switch) > 10


@pytest.mark.parametrize(("record", "changes", "message"), [
    (prices.computers()[0], {"counted": "desk"}, "counted is computer or card"),
    (prices.computers()[0], {"idle_watts": Fraction(900)}, "more idle than working"),
    (prices.electricity_prices()[0], {"currency": "XXX"}, "the currency is one of USD, EUR, JPY"),
])
def test_a_bad_row_is_refused(record, changes, message):
    with pytest.raises(InvalidInput, match=message):
        replace(record, **changes)


def test_what_saves_nothing_is_not_said_to_cost_more():
    for box, at in ((replace(BOX, price=Fraction(0), electricity_price=Fraction(0)), {"input_price": 0, "output_price": 0}),
                    (replace(BOX, electricity_price=Fraction(0)), {"input_price": 0, "output_price": 0})):
        held = break_even(DAY, box, **at)
        assert (held.saved, held.days, held.pays) == (0, None, False)
        assert held.verdict == "never: electricity alone costs as much"
    cheap = break_even(DAY, BOX, input_price=0, output_price=0)
    assert cheap.saved < 0 and cheap.verdict == "never: electricity alone costs more"
