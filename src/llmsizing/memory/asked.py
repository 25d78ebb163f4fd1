"""Asked: what a budget was made for, so that it can become settings of an engine."""

from dataclasses import dataclass

from llmsizing.architecture import Model
from llmsizing.memory.settings import Settings


@dataclass(frozen=True)
class Asked:
    """What `vram_budget` was asked for. A budget carries it as ``asked``.

    Parameters
    ----------
    model : Model
        What is to be run.
    weights : str or None
        Its file type or format; None as in its file.
    settings : Settings
        How it is to be run: the context is that of all conversations together.

    Examples
    --------
    >>> from llmsizing import load_model, vram_budget
    >>> budget = vram_budget(load_model("Llama-3.1-8B"), weights="Q4_K_M", sequences=2)
    >>> budget.asked.weights, budget.asked.settings.sequences
    ('Q4_K_M', 2)
    """

    model: Model
    weights: str | None
    settings: Settings
