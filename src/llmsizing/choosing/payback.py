"""When a computer has paid for itself, held against a cloud that sells tokens."""

from dataclasses import dataclass
from fractions import Fraction

from llmsizing.breakdown import Breakdown
from llmsizing.choosing.costs import (
    DAY_HOURS,
    KILO,
    YEAR_DAYS,
    OwnComputer,
    Workload,
    cloud_cost,
    local_cost,
)


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """A cloud and a computer at home, side by side.

    Parameters
    ----------
    cloud, local : Breakdown
        What each costs on a day, in US dollars; the price of the computer is spread over its life.
    busy_hours : Fraction
        Hours a day that the computer works; more than 24 is more than it can do.
    most_tokens : Fraction
        Tokens a day, of the same mix, that it manages at the most.
    saved : Fraction
        US dollars a day that the cloud costs beyond the computer's electricity.
    days : Fraction or None
        After how many days the computer has paid for itself; None if it never does.
    tokens : Fraction or None
        From how many tokens a day, of the same mix, it is cheaper over its life; None if never.
    life_days : Fraction
        Days that the computer is used.
    """

    cloud: Breakdown
    local: Breakdown
    busy_hours: Fraction
    most_tokens: Fraction
    saved: Fraction
    days: Fraction | None
    tokens: Fraction | None
    life_days: Fraction

    @property
    def possible(self) -> bool:
        """Whether the computer can do that much in a day."""
        return self.busy_hours <= DAY_HOURS

    @property
    def pays(self) -> bool:
        """Whether the computer pays for itself within its life."""
        return self.possible and self.days is not None and self.days <= self.life_days

    @property
    def verdict(self) -> str:
        """When it has paid for itself, or why never, in a few words."""
        if not self.possible:
            return f"cannot: {float(self.busy_hours):.0f} hours of work a day"
        if self.days is None:
            return f"never: electricity alone costs {'more' if self.saved else 'as much'}"
        if not self.pays:
            return f"never: it takes {time_text(self.days)}"
        return f"after {time_text(self.days)}" if self.days else "from the first day"


def break_even(workload: Workload, computer: OwnComputer, *, input_price: float,
               output_price: float) -> BreakEven:
    """Hold a computer against a cloud: what each costs, and when the computer has paid for itself.

    It has after price ÷ (the cloud's day − a day's electricity) days, if the electricity is less.

    Parameters
    ----------
    workload : Workload
        Tokens a day.
    computer : OwnComputer
        Its price, power and speed.
    input_price, output_price : int, float or Fraction
        US dollars for a million tokens read, and written.

    Returns
    -------
    BreakEven

    Raises
    ------
    InvalidInput
        If a price is negative or no finite number, or an argument is of another kind.

    Examples
    --------
    >>> spark = OwnComputer(price=4380, life_years=4, working_watts=100, idle_watts=25,
    ...                     electricity_price=0.20, reads_per_second=2000, writes_per_second=100)
    >>> day = Workload(input_tokens=7.2e6, output_tokens=360_000)
    >>> held = break_even(day, spark, input_price=0.5, output_price=5)
    >>> round(float(held.days)), held.pays, round(float(held.tokens))
    (834, True, 4392402)
    """
    cloud = cloud_cost(workload, input_price=input_price, output_price=output_price)
    local = local_cost(workload, computer)
    busy = computer.busy_hours(workload)
    saved = cloud.total.usual - local["working"].usual - local["waiting"].usual
    most = workload.tokens * DAY_HOURS / busy
    return BreakEven(
        cloud=cloud, local=local, busy_hours=busy, most_tokens=most, saved=saved,
        days=computer.price / saved if saved > 0 else None,
        tokens=_even_tokens(workload, computer, cloud.total.usual, most),
        life_days=computer.life_years * YEAR_DAYS,
    )


def _even_tokens(workload: Workload, computer: OwnComputer, cloud: Fraction,
                 most: Fraction) -> Fraction | None:
    """Tokens a day at which home and cloud cost the same.

    Home costs a fixed amount and so much for each hour of work. While the computer is on anyway,
    an hour of work takes the place of an hour of waiting; beyond that it comes on top.
    """
    hours = computer.busy_hours(workload)
    hardware = computer.price / (computer.life_years * YEAR_DAYS)
    working, idle = (watts * computer.electricity_price / KILO
                     for watts in (computer.working_watts, computer.idle_watts))
    on = computer.on_hours
    for fixed, hourly, longest in ((hardware + idle * on, working - idle, on),
                                   (hardware, working, Fraction(DAY_HOURS))):
        gain = cloud - hourly * hours  # of a day like this one, for one such workload
        if gain > 0 and fixed / gain * hours <= longest:
            tokens = fixed / gain * workload.tokens
            return tokens if tokens <= most else None
    return None


def time_text(days: Fraction) -> str:
    """Write a number of days as years and months, or as years where months say nothing.

    >>> [time_text(Fraction(days)) for days in (20, 200, 1460, 500, 4200, 40_000_000)]
    ['1 month', '7 months', '4 years', '1 year and 4 months', '12 years', 'over 100 years']
    """
    years, months = divmod(max(1, round(days * 12 / YEAR_DAYS)), 12)
    if years >= 100:
        return "over 100 years"
    if years >= 10:
        return f"{round(days / YEAR_DAYS)} years"
    parts = [f"{count} {word}{'s' if count > 1 else ''}"
             for count, word in ((years, "year"), (months, "month")) if count]
    return " and ".join(parts)
