"""Prices, powers and delays that others published: what a bill is made of, each with its date."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from llmsizing.catalog.names import find
from llmsizing.catalog.tables import DATA, read_table
from llmsizing.errors import InvalidInput

CURRENCIES = ("USD", "EUR", "JPY")
COUNTED = ("computer", "card")


@dataclass(frozen=True, kw_only=True)
class CloudPrice:
    """What a provider asks for a million tokens, in US dollars, on a day.

    ``open_model`` names the same model in the catalog, where its weights are open.
    ``batch_percent_off`` is what the provider takes off if the answer may wait for a day.
    """

    provider: str
    model: str
    open_model: str = ""
    input_usd_per_million: Fraction
    output_usd_per_million: Fraction
    batch_percent_off: int | None = None
    date: str
    source: str
    source_url: str
    second_source: str = ""
    accessed: str

    @property
    def name(self) -> str:
        """Model and provider, as a choice shows them."""
        return f"{self.model} at {self.provider}"


@dataclass(frozen=True, kw_only=True)
class Computer:
    """A computer for models at home: what it cost, and what it draws from the wall.

    ``device`` is its name in the catalog of devices; ``counted`` says whether the price is
    that of the whole computer, or of a card that is put into one.
    """

    name: str
    device: str
    counted: str
    price_usd: int
    price_date: str
    price_source: str
    price_url: str
    idle_watts: Fraction
    idle_source: str
    working_watts: Fraction
    working_source: str
    power_url: str
    accessed: str
    notes: str = ""

    def __post_init__(self) -> None:
        if self.counted not in COUNTED:
            raise InvalidInput(f"computers.csv, {self.name}: counted is {' or '.join(COUNTED)}.")
        if self.idle_watts > self.working_watts:
            raise InvalidInput(f"computers.csv, {self.name}: it draws more idle than working.")


@dataclass(frozen=True, kw_only=True)
class EnergyRun:
    """How fast a computer wrote, and what it drew from the wall meanwhile, as someone measured it."""

    computer: str
    model: str
    catalog_model: str = ""
    tokens_per_second: Fraction
    watts: Fraction
    source: str
    source_url: str
    accessed: str


@dataclass(frozen=True, kw_only=True)
class ElectricityPrice:
    """What a kilowatt-hour costs at a place, in its own currency."""

    place: str
    price_per_kwh: Fraction
    currency: str
    period: str
    source: str
    source_url: str
    accessed: str

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise InvalidInput(f"electricity_prices.csv, {self.place}: the currency is one of"
                               f" {', '.join(CURRENCIES)}.")


@dataclass(frozen=True, kw_only=True)
class CloudLatency:
    """How long a cloud took for the first token, and how fast it went on, as someone measured it."""

    service: str
    model: str
    first_token_s: Fraction
    first_token_p95_s: Fraction
    tokens_per_second: Fraction
    prompt_tokens: int
    date: str
    source: str
    source_url: str
    accessed: str


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """What a local program may send out, when, and the switch against it."""

    program: str
    what_leaves: str
    when: str
    switch: str
    source: str
    source_url: str
    accessed: str


@cache
def cloud_prices() -> tuple[CloudPrice, ...]:
    """Every price of a cloud, in the order of data/cloud_prices.csv.

    Examples
    --------
    >>> price = cloud_prices()[0]
    >>> price.name, float(price.output_usd_per_million), price.date
    ('gpt-oss-20b at DeepInfra', 0.14, '2026-11-25')
    """
    return read_table(DATA / "cloud_prices.csv", CloudPrice, key=("provider", "model"))


@cache
def computers() -> tuple[Computer, ...]:
    """Every computer with a price and a measured power, in the order of data/computers.csv.

    Examples
    --------
    >>> [computer.name for computer in computers()][:2]
    ['Mac mini M4, 32 GB', 'PC with an RTX 3060']
    """
    return read_table(DATA / "computers.csv", Computer, key=("name",))


@cache
def energy_runs() -> tuple[EnergyRun, ...]:
    """Every measured run, in the order of data/energy_runs.csv.

    Examples
    --------
    >>> run = energy_runs()[0]
    >>> run.computer, run.model, float(run.tokens_per_second), float(run.watts)
    ('PC with an RTX 3060', 'gpt-oss 20b', 83.96, 229.3)
    """
    return read_table(DATA / "energy_runs.csv", EnergyRun, key=("computer", "model"))


@cache
def electricity_prices() -> tuple[ElectricityPrice, ...]:
    """Every price of electricity, in the order of data/electricity_prices.csv.

    Examples
    --------
    >>> [(price.place, float(price.price_per_kwh), price.currency) for price in electricity_prices()][0]
    ('United States, households', 0.1872, 'USD')
    """
    return read_table(DATA / "electricity_prices.csv", ElectricityPrice, key=("place",))


@cache
def cloud_latencies() -> tuple[CloudLatency, ...]:
    """Every measured delay, in the order of data/cloud_latency.csv.

    Examples
    --------
    >>> delay = cloud_latencies()[3]
    >>> delay.model, float(delay.first_token_s), float(delay.first_token_p95_s)
    ('Llama 3.3 70B', 0.761, 2.221)
    """
    return read_table(DATA / "cloud_latency.csv", CloudLatency, key=("service", "model"))


@cache
def outgoing() -> tuple[Outgoing, ...]:
    """What local programs may send out, in the order of data/outgoing.csv.

    Examples
    --------
    >>> [row.switch for row in outgoing() if row.program == "vLLM"]
    ['VLLM_NO_USAGE_STATS=1 or DO_NOT_TRACK=1']
    """
    return read_table(DATA / "outgoing.csv", Outgoing, key=("program", "what_leaves"))


def load_cloud_price(name: str) -> CloudPrice:
    """The price of a model at a provider, by name.

    Parameters
    ----------
    name : str
        As people type it: "gpt-oss-20b at DeepInfra", or the model if one provider alone has it.

    Returns
    -------
    CloudPrice

    Raises
    ------
    UnknownName
        If there is none of that name; the message lists the nearest.

    Examples
    --------
    >>> float(load_cloud_price("claude opus 5.5").output_usd_per_million)
    20.0
    """
    return find("priced model", name, {price.name: price for price in cloud_prices()})


def load_computer(name: str) -> Computer:
    """A computer with its price and its power, by name.

    Parameters
    ----------
    name : str
        As people type it: "dgx spark".

    Returns
    -------
    Computer

    Raises
    ------
    UnknownName
        If there is none of that name; the message lists the nearest.

    Examples
    --------
    >>> load_computer("DGX Spark").price_usd
    4699
    """
    return find("computer with a price", name, {computer.name: computer for computer in computers()})
