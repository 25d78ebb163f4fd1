"""The panels of chapter 1: when a computer has paid for itself, and who starts to answer first."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from html import escape

import ipywidgets

from llmsizing.breakdown.html import bars_html
from llmsizing.breakdown.text import amount_text
from llmsizing.catalog import load_model
from llmsizing.catalog.prices import (
    CloudPrice,
    Computer,
    cloud_latencies,
    cloud_prices,
    computers,
    load_cloud_price,
    load_computer,
)
from llmsizing.choosing.costs import OwnComputer, Workload
from llmsizing.choosing.home import at_home, wait_at_home, wait_for_cloud
from llmsizing.choosing.payback import BreakEven, break_even, time_text
from llmsizing.panels.panel import Panel
from llmsizing.units import MILLION

#: The day of the prices in the cloud; a computer that is bought then pays from then on.
BOUGHT = date(2026, 11, 25)
MONTH_DAYS = Fraction(365, 12)

#: Models that people run at home, each with the file that they take.
FILES = {"Llama-3.1-8B": "Q4_K_M", "gpt-oss-20b": "MXFP4_MOE", "Gemma-4-26B-A4B": "Q4_K_M",
         "Qwen3.8-27B": "Q4_K_M", "Qwen3-32B": "Q4_K_M", "Llama-3.3-70B": "Q4_K_M",
         "gpt-oss-120b": "MXFP4_MOE"}
TOKENS = tuple((f"{count:,} tokens a day", count) for count in (
    10_000, 30_000, 100_000, 300_000, MILLION, 3 * MILLION, 10 * MILLION, 30 * MILLION))
ELECTRICITY = (("5 cents", "0.05"), ("10 cents", "0.10"), ("15 cents", "0.15"),
               ("18.7 cents (United States)", "0.1872"), ("25 cents", "0.25"),
               ("33.8 cents (California)", "0.3375"), ("40 cents", "0.40"), ("50 cents", "0.50"))
SHARES = (("none is read", 0), ("half is read", 50), ("4 in 5 are read", 80), ("9 in 10 are read", 90),
          ("49 in 50 are read", 98))
LIVES = (("spread over 2 years", 2), ("spread over 4 years", 4), ("spread over 6 years", 6),
         ("not: it is there anyway", 0))
HOURS = (("all day", 24), ("8 hours a day", 8), ("only to work", 0))
PROMPTS = tuple((f"{count:,} tokens", count) for count in (50, 200, 500, 1000, 2000, 4000, 8000, 16000))
ANSWERS = tuple((f"{count:,} tokens", count) for count in (20, 100, 300, 1000, 3000))


def break_even_panel() -> Panel:
    """A computer at home held against a cloud: what a day costs, and when it has paid for itself.

    Returns
    -------
    Panel
        With the controls "tokens", "cloud", "computer", "model", "electricity", "share",
        "life" and "on_hours".

    Examples
    --------
    >>> panel = break_even_panel()
    >>> "never" in panel.result
    True
    >>> panel.controls["cloud"].value = "Claude Sonnet 5.5 at Anthropic"
    >>> "has paid for itself" in panel.result
    True
    """
    clouds = tuple((_priced(price), price.name) for price in cloud_prices())
    return Panel(
        "When has a computer paid for itself?",
        break_even_html,
        {
            "tokens": ipywidgets.SelectionSlider(options=TOKENS, value=300_000, description="Tokens"),
            "cloud": ipywidgets.Dropdown(options=clouds, value="gpt-oss-20b at DeepInfra",
                                         description="Cloud"),
            "computer": ipywidgets.Dropdown(options=[_sold(computer) for computer in computers()],
                                            value="Mac mini M4, 32 GB", description="Computer"),
            "model": ipywidgets.Dropdown(options=tuple(FILES), value="gpt-oss-20b",
                                         description="Model on it"),
            "electricity": ipywidgets.SelectionSlider(options=ELECTRICITY, value="0.1872",
                                                      description="Electricity"),
            "share": ipywidgets.SelectionSlider(options=SHARES, value=80, description="Of them"),
            "life": ipywidgets.Dropdown(options=LIVES, value=4, description="Price counts"),
            "on_hours": ipywidgets.Dropdown(options=HOURS, value=24, description="It is on"),
        },
    )


def break_even_html(*, tokens: int, cloud: str, computer: str, model: str, electricity: str, share: int,
                    life: int, on_hours: int) -> str:
    """Draw both bills of a day, and say when the computer has paid for itself, or why never."""
    price = load_cloud_price(cloud)
    own = replace(_working(computer, model), electricity_price=Fraction(electricity), on_hours=on_hours,
                  **({"life_years": life} if life else {"price": 0}))
    workload = Workload(input_tokens=Fraction(tokens * share, 100),
                        output_tokens=Fraction(tokens * (100 - share), 100))
    held = break_even(workload, own, input_price=price.input_usd_per_million,
                      output_price=price.output_usd_per_million)
    same = ("It is the same model." if price.open_model == model else
            f"{escape(price.model)} is another model: the bill says nothing about quality.")
    return (bars_html([held.local, held.cloud])
            + f"<div class='sizing'><p>{_verdict(held, own)}</p><p>{_usage(held)} {same}</p></div>")


@lru_cache(maxsize=64)  # most controls leave the speed as it is
def _working(computer: str, model: str) -> OwnComputer:
    """The computer with the model on it, before prices."""
    return at_home(load_computer(computer), load_model(model), weights=FILES[model], electricity_price=0)


def _verdict(held: BreakEven, own: OwnComputer) -> str:
    """When the computer has paid for itself, or why it never does."""
    if not held.possible:
        return (f"<b>It cannot do that.</b> It would work {float(held.busy_hours):.0f} hours a day, one"
                " request after the other. Several at once are faster together (chapter 9).")
    if not own.price:
        return ("It is there anyway, and <b>its electricity costs less than the cloud</b>." if held.pays
                else "It is there anyway, but <b>its electricity alone costs more than the cloud</b>.")
    if held.days is None:
        return "<b>It never pays.</b> Its electricity alone costs more than the cloud."
    if not held.pays:
        return (f"<b>It never pays.</b> That would take {time_text(held.days)}, and we count"
                f" {time_text(held.life_days)} of life.")
    day = BOUGHT + timedelta(days=float(held.days))
    return (f"<b>It has paid for itself after {time_text(held.days)}</b>: bought on"
            f" {BOUGHT.day} {BOUGHT:%B %Y}, in {day:%B %Y}.")


def _usage(held: BreakEven) -> str:
    """The bills of a month, and from how many tokens a day home is cheaper."""
    month = " and ".join(f"{amount_text(bill.total.usual * MONTH_DAYS, 'USD')} {where}"
                         for bill, where in ((held.local, "at home"), (held.cloud, "in the cloud")))
    even = ("At no number of tokens that it manages is home cheaper." if held.tokens is None
            else f"Home is cheaper from <b>{_rounded(held.tokens)} tokens a day</b> on.")
    return f"A month is {month}. {even}"


def _priced(price: CloudPrice) -> str:
    return (f"{price.name}: {float(price.input_usd_per_million):g}"
            f" / {float(price.output_usd_per_million):g}")


def _sold(computer: Computer) -> tuple[str, str]:
    counted = ", the card alone" if computer.counted == "card" else ""
    return f"{computer.name}: {computer.price_usd:,} USD{counted}", computer.name


def _rounded(tokens: Fraction) -> str:
    """Write a number with two digits that count.

    >>> _rounded(Fraction(198_120))
    '200,000'
    """
    digits = len(str(int(tokens)))
    return f"{round(int(tokens), min(0, 2 - digits)):,}"


def first_word_panel() -> Panel:
    """The wait for an answer at home and in a cloud: until it starts, and until it ends.

    Returns
    -------
    Panel
        With the controls "prompt_tokens", "answer_tokens", "computer", "model" and "service".

    Examples
    --------
    >>> panel = first_word_panel()
    >>> panel.controls["prompt_tokens"].value = 16000
    >>> "starts first" in panel.result
    True
    """
    services = [f"{delay.model} at {delay.service}" for delay in cloud_latencies()]
    return Panel(
        "Who answers first?",
        first_word_html,
        {
            "prompt_tokens": ipywidgets.SelectionSlider(options=PROMPTS, value=500,
                                                        description="You ask"),
            "answer_tokens": ipywidgets.SelectionSlider(options=ANSWERS, value=300,
                                                        description="It answers"),
            "computer": ipywidgets.Dropdown(options=[computer.name for computer in computers()],
                                            value="PC with an RTX 4090", description="Computer"),
            "model": ipywidgets.Dropdown(options=tuple(FILES), value="gpt-oss-20b",
                                         description="Model on it"),
            "service": ipywidgets.Dropdown(options=services, value="GPT-4o mini at OpenRouter",
                                           description="Cloud"),
        },
    )


def first_word_html(*, prompt_tokens: int, answer_tokens: int, computer: str, model: str,
                    service: str) -> str:
    """Draw both waits on one scale, and say who starts first and who is done first."""
    delay = next(row for row in cloud_latencies() if f"{row.model} at {row.service}" == service)
    local = wait_at_home(load_computer(computer), load_model(model), weights=FILES[model],
                         prompt_tokens=prompt_tokens, answer_tokens=answer_tokens)
    cloud = wait_for_cloud(delay, answer_tokens=answer_tokens)
    starts = _first(local["until it starts"].usual, cloud["until it starts"].usual)
    ends = _first(local.total.usual, cloud.total.usual)
    both = (f"{starts} starts first and is done first" if starts == ends else
            f"{starts} starts first, {ends} is done first").capitalize()
    longer = ("" if prompt_tokens <= 2 * delay.prompt_tokens else
              f" The cloud was asked with {delay.prompt_tokens:,}"
              f" token{'s' if delay.prompt_tokens > 1 else ''}: a longer prompt starts later there, too.")
    return bars_html([local, cloud]) + f"<div class='sizing'><p><b>{both}.</b>{longer}</p></div>"


def _first(local: Fraction, cloud: Fraction) -> str:
    return "home" if local <= cloud else "the cloud"
