"""What a day of tokens costs, in a cloud that sells them and on a computer at home."""

from dataclasses import dataclass
from fractions import Fraction

from llmsizing.breakdown import Breakdown, Factor, product
from llmsizing.errors import InvalidInput, exact_number, expect
from llmsizing.units import MILLION

HOUR = 3600  #: seconds
DAY_HOURS = 24
YEAR_DAYS = 365
KILO = 1000  #: watts in a kilowatt


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What is asked of a model on a day.

    Parameters
    ----------
    input_tokens : int or float
        Tokens a day that it reads: questions, documents, earlier turns of a conversation.
    output_tokens : int or float
        Tokens a day that it writes, those of its thinking included.

    Raises
    ------
    InvalidInput
        If one of them is negative or no finite number, or both are 0.

    Examples
    --------
    >>> Workload(input_tokens=80_000, output_tokens=20_000).tokens
    Fraction(100000, 1)
    """

    input_tokens: Fraction
    output_tokens: Fraction

    def __post_init__(self) -> None:
        _exact(self, input_tokens=(0, ""), output_tokens=(0, ""))
        if not self.tokens:
            raise InvalidInput("A workload needs tokens: input_tokens and output_tokens are both 0.")

    @property
    def tokens(self) -> Fraction:
        """Tokens a day, read and written."""
        return self.input_tokens + self.output_tokens

    def times(self, factor: Fraction) -> "Workload":
        """The same mix, so many times as much."""
        return Workload(input_tokens=self.input_tokens * factor,
                        output_tokens=self.output_tokens * factor)


@dataclass(frozen=True, kw_only=True)
class OwnComputer:
    """A computer with a model on it, as a bill sees it.

    Parameters
    ----------
    price : int or float
        What it costs in US dollars; 0 if it is there anyway.
    life_years : int or float
        How long it is used.
    working_watts, idle_watts : int or float
        What it draws from the wall while the model works, and while it waits.
    on_hours : int or float
        Hours a day that it is switched on, working or waiting: 0 to 24. Work goes on beyond them.
    electricity_price : int or float
        US dollars for a kilowatt-hour.
    reads_per_second, writes_per_second : int or float
        Tokens of input and of output that it manages in a second.

    Raises
    ------
    InvalidInput
        If a value is negative, no finite number, or makes no sense.

    Examples
    --------
    >>> mini = OwnComputer(price=999, working_watts=30.1, idle_watts=6, electricity_price=0.1872,
    ...                    reads_per_second=200, writes_per_second=20.89)
    >>> round(float(mini.joules_per_output_token), 2)
    1.44
    """

    price: Fraction
    life_years: Fraction = Fraction(4)
    working_watts: Fraction
    idle_watts: Fraction = Fraction(0)
    on_hours: Fraction = Fraction(24)
    electricity_price: Fraction
    reads_per_second: Fraction
    writes_per_second: Fraction

    def __post_init__(self) -> None:
        least = Fraction(1, MILLION)
        _exact(self, price=(0, "Write 0 for one that you own already."),
               life_years=(least, "Four years are usual."), working_watts=(least, ""),
               idle_watts=(0, ""), on_hours=(0, "A day has 24 hours."), electricity_price=(0, ""),
               reads_per_second=(least, ""), writes_per_second=(least, ""))
        if self.on_hours > DAY_HOURS:
            raise InvalidInput(f"on_hours must be from 0 to 24, but is {float(self.on_hours):g}.")
        if self.idle_watts > self.working_watts:
            raise InvalidInput(f"idle_watts ({float(self.idle_watts):g}) must not exceed working_watts"
                               f" ({float(self.working_watts):g}): a computer draws less when it waits.")

    @property
    def joules_per_output_token(self) -> Fraction:
        """Energy for each token that it writes, which is watts divided by tokens per second."""
        return self.working_watts / self.writes_per_second

    def busy_hours(self, workload: Workload) -> Fraction:
        """Hours a day that it works for a workload, one request after the other."""
        return (workload.input_tokens / self.reads_per_second
                + workload.output_tokens / self.writes_per_second) / HOUR


def cloud_cost(workload: Workload, *, input_price: float, output_price: float) -> Breakdown:
    """What a workload costs on a day in a cloud that sells tokens.

    The bill is tokens read × their price + tokens written × theirs.

    Parameters
    ----------
    workload : Workload
        Tokens a day.
    input_price, output_price : int, float or Fraction
        US dollars for a million tokens read, and written.

    Returns
    -------
    Breakdown
        US dollars a day.

    Raises
    ------
    InvalidInput
        If a price is negative or no finite number.

    Examples
    --------
    >>> print(cloud_cost(Workload(input_tokens=8e6, output_tokens=2e6), input_price=0.03,
    ...                  output_price=0.14))
    In the cloud, a day
      input   0.24 USD  8 million tokens × 0.03 USD for a million
      output  0.28 USD  2 million tokens × 0.14 USD for a million
      total   0.52 USD
    """
    expect("workload", workload, Workload, "write Workload(input_tokens=…, output_tokens=…)")
    parts = (("input", workload.input_tokens, "input_price", input_price),
             ("output", workload.output_tokens, "output_price", output_price))
    return Breakdown("In the cloud, a day", tuple(
        product(name, Factor(tokens / MILLION, "million tokens"),
                Factor(exact_number(setting, price, at_least=0), "USD for a million"))
        for name, tokens, setting, price in parts), unit="USD")


def local_cost(workload: Workload, computer: OwnComputer) -> Breakdown:
    """What a workload costs on a day at home: a part of the computer's price, and electricity.

    Parameters
    ----------
    workload : Workload
        Tokens a day. More than the computer manages in 24 hours is counted as if it did.
    computer : OwnComputer
        Its price, power and speed.

    Returns
    -------
    Breakdown
        US dollars a day, with the terms "hardware", "working" and "waiting".

    Raises
    ------
    InvalidInput
        If an argument is of another kind.

    Examples
    --------
    >>> spark = OwnComputer(price=4380, life_years=4, working_watts=100, idle_watts=25,
    ...                     electricity_price=0.20, reads_per_second=2000, writes_per_second=100)
    >>> print(local_cost(Workload(input_tokens=7.2e6, output_tokens=360_000), spark))
    At home, a day
      hardware  3.00 USD  4,380 USD × 1/1,460 of its days
      working   0.04 USD  2 hours × 0.1 kW × 0.2 USD for a kWh
      waiting   0.11 USD  22 hours × 0.025 kW × 0.2 USD for a kWh
      total     3.15 USD
    """
    expect("workload", workload, Workload, "write Workload(input_tokens=…, output_tokens=…)")
    expect("computer", computer, OwnComputer, "write OwnComputer(price=…, …)")
    busy = computer.busy_hours(workload)
    waiting = max(Fraction(0), computer.on_hours - busy)
    price = Factor(computer.electricity_price, "USD for a kWh")
    return Breakdown("At home, a day", (
        product("hardware", Factor(computer.price, "USD"),
                Factor(1 / (computer.life_years * YEAR_DAYS), "of its days")),
        product("working", Factor(busy, "hours"), Factor(computer.working_watts / KILO, "kW"), price),
        product("waiting", Factor(waiting, "hours"), Factor(computer.idle_watts / KILO, "kW"), price),
    ), unit="USD")


def _exact(record: object, **bounds: tuple[Fraction | int, str]) -> None:
    """Replace the fields of a frozen record by exact numbers, or say which one makes no sense."""
    for name, (least, hint) in bounds.items():
        value = exact_number(name, getattr(record, name), at_least=least, hint=hint)
        object.__setattr__(record, name, value)
