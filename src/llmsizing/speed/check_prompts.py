"""How far predictions of reading a prompt are off on devices that the fit has not seen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from llmsizing.catalog import load_device, load_model
from llmsizing.memory.settings import settings_of
from llmsizing.speed.check import PULL, chip_of, constants_of_all, weighted_quantile, weights_of
from llmsizing.speed.costs import kind_of
from llmsizing.speed.fit import fit
from llmsizing.speed.prefill import reading_costs
from llmsizing.speed.runs import PrefillRun, prefill_runs
from llmsizing.speed.work import work_of
from llmsizing.units import BILLION

#: Where each constant of a prompt starts.
PRIOR = {"prompt": 2.5, "prompt on AMD": 2.5, "prompt on Apple": 1.5, "prompt on a processor": 2.0,
         "prompt of experts": 1.0, "prompt of experts on AMD": 1.0, "attention of a prompt": 3.0,
         "attention of a prompt on AMD": 6.0, "attention of a prompt in full": 10.0}
KNOWN = "known from decoding"
FIXED = BILLION  #: how strongly that is held at once its value
#: A kind's own constants: scaled after the fit, which by itself makes wide kinds too fast.
OWN = {"NVIDIA": ("prompt",), "Apple": ("prompt on Apple",),
       "AMD": ("prompt on AMD", "attention of a prompt on AMD")}
STEPS = 30  #: of that scaling; each comes nearer


@dataclass(frozen=True)
class Prompt:
    """A run made ready for the fit, with what decoding's constants already say of its time."""

    run: PrefillRun
    chip: str
    kind: str
    amounts: dict[str, float]
    seconds: float


@cache
def prompts() -> tuple[Prompt, ...]:
    """Every published prompt on one device, ready for the fit."""
    return tuple(_prompt_of(run) for run in prefill_runs() if run.cards == 1)


def _prompt_of(run: PrefillRun) -> Prompt:
    device, model = load_device(run.device), load_model(run.model)
    flash = run.flash_attention == "yes"
    middle = max(1, run.context_tokens + run.prompt_tokens // 2)
    work, _ = work_of(model, run.weights, settings_of(
        {"context_tokens": middle, "kv_cache": run.kv_cache, "flash_attention": flash, "backend": run.backend}))
    known, amounts = constants_of_all(), Counter()
    for cost in reading_costs(work, device, min(run.ubatch, run.prompt_tokens), flash_attention=flash):
        if cost.constant in known:
            amounts[KNOWN] += known[cost.constant] * cost.amount
        else:
            amounts[cost.constant] += cost.amount
    return Prompt(run, chip_of(run.device), kind_of(device), dict(amounts), 1 / float(run.tokens_per_second))


def fitted(among: Sequence[Prompt]) -> dict[str, float]:
    """The constants that come nearest to these prompts, those of decoding as they are.

    A time can be too long by any factor and too short by its whole at most, so least errors alone
    lean to short times. Each kind's constants are scaled until half of its runs are faster.
    """
    found = fit([prompt.amounts for prompt in among], [prompt.seconds for prompt in among], weights_of(among),
                {**PRIOR, KNOWN: 1.0}, {**_strength(), KNOWN: FIXED})
    for kind, names in OWN.items():
        own = [prompt for prompt in among if prompt.kind == kind]
        for _ in range(STEPS if own else 0):
            middle = weighted_quantile([ratio_of(prompt, found) for prompt in own], weights_of(own), 0.5)
            found.update({name: found[name] / middle for name in names})
    return found


def ratio_of(prompt: Prompt, values: Mapping[str, float]) -> float:
    """Measured over predicted speed of a prompt."""
    return sum(values[name] * amount for name, amount in prompt.amounts.items()) / prompt.seconds


@cache
def _strength() -> dict[str, float]:
    said: Counter[str] = Counter()
    for prompt in used():
        for name, amount in prompt.amounts.items():
            said[name] += (amount / prompt.seconds) ** 2
    return {name: PULL * said[name] for name in PRIOR}


@cache
def used() -> tuple[Prompt, ...]:
    """The prompts that are fitted: all that are not marked as outliers."""
    return tuple(prompt for prompt in prompts() if not prompt.run.outlier)


@cache
def prompt_constants() -> dict[str, float]:
    """The constants of prompts fitted on all runs."""
    return {name: value for name, value in fitted(used()).items() if name != KNOWN}


@cache
def unseen_devices() -> list[tuple[Prompt, float]]:
    """Each fitted prompt with measured over predicted speed, whole devices left out of the fit."""
    ratios = []
    for chip in dict.fromkeys(prompt.chip for prompt in used()):
        values = fitted([prompt for prompt in used() if prompt.chip != chip])
        ratios += [(prompt, ratio_of(prompt, values)) for prompt in used() if prompt.chip == chip]
    return ratios
