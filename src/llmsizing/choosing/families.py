"""Families: what a model's name says of its makers' line, its version, and its siblings."""

import re
from dataclasses import dataclass
from functools import cache

from llmsizing.architecture import Model
from llmsizing.catalog import endings, models
from llmsizing.units import BILLION

SIZE = re.compile(r"(e|a)?\d+(\.\d+)?[bm]|\d+x\d+b")
NUMBERED = re.compile(r"([a-z]*?)(\d+(?:\.\d+)?)([a-z]?)")
DATE = re.compile(r"\d{4}")
PLAIN = ("instruct", "4k")  #: words that make no line of their own
ALIKE = (0.75, 1.35)  #: sizes that serve the same computers, as shares of each other


@dataclass(frozen=True)
class Kin:
    """What a model's name says: its line ("llama"; "qwen", "coder"), and its version and date."""

    line: tuple[str, ...]
    version: tuple[float, int]


@cache
def kin_of(name: str) -> Kin:
    """Read a model's name.

    Examples
    --------
    >>> kin_of("Qwen3-Coder-30B-A3B")
    Kin(line=('qwen', 'coder'), version=(3.0, 0))
    >>> kin_of("Llama-3.3-70B"), kin_of("Mistral-Small-24B-2501").version
    (Kin(line=('llama',), version=(3.3, 0)), (0.0, 2501))
    """
    line, number, date = [], 0.0, 0
    for word in name.casefold().split("-"):
        if SIZE.fullmatch(word) or word in PLAIN:
            continue
        numbered = NUMBERED.fullmatch(word)
        if DATE.fullmatch(word):
            date = int(word)
        elif numbered:
            number = float(numbered[2])
            line += [part for part in (numbered[1], numbered[3]) if part]
        else:
            line.append(word)
    return Kin(tuple(line), (number, date))


@cache
def newer_than(model: Model) -> str:
    """The newest model of the same line and about the same size, if the catalog has a newer one.

    Dense models and those with experts do not follow one another.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> newer_than(load_model("Qwen2.5-32B")), newer_than(load_model("Llama-3.3-70B"))
    ('Qwen3.8-27B', '')
    """
    own = kin_of(model.name)
    later = [other for other in _line(own.line) if kin_of(other.name).version > own.version
             and other.has_experts == model.has_experts
             and ALIKE[0] <= other.parameters / model.parameters <= ALIKE[1]]
    newest = max(later, default=None, key=lambda other: (
        kin_of(other.name).version, -abs(other.parameters - model.parameters)))
    return newest.name if newest else ""


def ended(model: Model) -> str:
    """What its makers did instead of carrying a model on, as model_endings.csv has it; "" if nothing was read.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> ended(load_model("CodeLlama-34B")), ended(load_model("Qwen3-8B"))
    ('its base is Llama 2, which its makers followed up', '')
    """
    return _endings().get(model.name, "")


@cache
def _endings() -> dict[str, str]:
    return {row.model: row.ended for row in endings()}


def siblings(model: Model) -> list[Model]:
    """Smaller models of the same line, the largest first, and of each size the version nearest to it.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> [sibling.name for sibling in siblings(load_model("Gemma-3-27B"))]
    ['Gemma-3-12B', 'Gemma-3-4B', 'Gemma-3-1B', 'Gemma-3-270M']
    >>> [sibling.name for sibling in siblings(load_model("Llama-3.3-70B"))]
    ['Llama-3.1-8B', 'Llama-3.2-3B', 'Llama-3.2-1B']
    """
    own = kin_of(model.name)
    major = int(own.version[0])
    smaller = [other for other in _line(own.line) if other.parameters < 0.9 * model.parameters
               and int(kin_of(other.name).version[0]) == major]
    by_size: dict[str, Model] = {}
    for other in sorted(smaller, key=lambda one: _far(kin_of(one.name), own)):
        by_size.setdefault(f"{other.parameters / BILLION:.1g}", other)
    same = [other for other in by_size.values() if kin_of(other.name).version[0] == own.version[0]]
    return sorted(same or by_size.values(), key=lambda other: -other.parameters)


def _far(kin: Kin, own: Kin) -> float:
    return abs(kin.version[0] - own.version[0])


@cache
def _line(line: tuple[str, ...]) -> tuple[Model, ...]:
    return tuple(other for other in models() if kin_of(other.name).line == line)
