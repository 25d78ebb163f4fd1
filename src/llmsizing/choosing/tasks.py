"""Tasks: what published facts say of a model's fitness, and nothing beyond them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from llmsizing.architecture import Model
from llmsizing.catalog import tunings
from llmsizing.errors import nearest

LONG = 131_072  #: tokens of native context that a long document asks for: a book of 300 pages


@dataclass(frozen=True)
class Task:
    """A task, the fact that it asks for, and whether a model has it.

    Parameters
    ----------
    name : str
        "chat", "code", "reasoning", "long documents", "vision", "audio", "Japanese".
    fact : str
        What is asked for, as a sentence part; that a model has it does not say how well it does.
    holds : callable
        From a model to whether it has it.
    """

    name: str
    fact: str
    holds: Callable[[Model], bool]


TASKS = (
    Task("chat", "tuned for conversation", lambda model: "nothing" not in tuned_for(model)),
    Task("code", "tuned for code by its makers", lambda model: "code" in tuned_for(model)),
    Task("reasoning", "made by its makers to think before it answers",
         lambda model: "thinking" in tuned_for(model)),
    Task("long documents", f"a native context of {LONG:,} tokens or more",
         lambda model: (model.max_position_embeddings or 0) >= LONG),
    Task("vision", "reads images", lambda model: "image" in model.modality),
    Task("audio", "hears sound", lambda model: "audio" in model.modality),
    Task("Japanese", "trained for Japanese by its makers", lambda model: "Japanese" in tuned_for(model)),
)


def load_task(name: str) -> Task:
    """Find a task by its name.

    Raises
    ------
    UnknownName
        With the nearest names.

    Examples
    --------
    >>> load_task("vision").fact
    'reads images'
    """
    for task in TASKS:
        if isinstance(name, str) and task.name.casefold() == name.strip().casefold():
            return task
    raise nearest("task", name, [task.name for task in TASKS])


def tuned_for(model: Model) -> tuple[str, ...]:
    """What a model's makers tuned it for, as model_tuning.csv has it; () for conversation alone.

    >>> from llmsizing import load_model
    >>> tuned_for(load_model("LLM-jp-4-32B-A3B"))
    ('Japanese', 'thinking')
    """
    return _tuned().get(model.name, ())


@cache
def _tuned() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in tunings():
        found[row.model] = (*found.get(row.model, ()), row.tuned_for)
    return found
