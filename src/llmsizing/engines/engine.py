"""Engine: a program that runs models, and what it does by default."""

from dataclasses import dataclass
from fractions import Fraction

from llmsizing.errors import nearest


@dataclass(frozen=True, kw_only=True)
class EngineDefault:
    """What an engine takes for a setting that is left out.

    Parameters
    ----------
    setting : str
        As `vram_budget` calls it, or as the engine does if it is no setting of a budget.
    value : int, Fraction, bool, str or None
        What it takes; None if that depends on the model or the device, as ``note`` says.
    note : str
        A sentence for the reader.
    source : str
        What was read.
    """

    setting: str
    value: int | Fraction | bool | str | None
    note: str = ""
    source: str


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A program that runs models. `load_engine` finds one, `engines` lists them.

    Parameters
    ----------
    name : str
        "llama.cpp".
    aliases : tuple of str
        Further names that people type.
    family : str
        The engine whose memory model it shares: "llama.cpp" for Ollama and LM Studio.
    version : str
        The version that was read.
    source : str
        How it was read.
    runs : tuple of str
        Families of formats that it runs beside BF16, F16 and F32, as `load_format` names them; ()
        for those that run GGUF files.
    settings : tuple of str
        The settings of a budget that it has.
    kv_caches : tuple of str
        Types of the KV cache that it has.
    context_is_each : bool
        Whether its context counts for each conversation, not for all together.
    defaults : tuple of EngineDefault
        What it does by default.

    Examples
    --------
    >>> from llmsizing import load_engine
    >>> load_engine("vllm").default("gpu_memory_utilization").value
    Fraction(23, 25)
    """

    name: str
    aliases: tuple[str, ...] = ()
    family: str
    version: str
    source: str
    runs: tuple[str, ...] = ()
    settings: tuple[str, ...]
    kv_caches: tuple[str, ...]
    context_is_each: bool = False
    defaults: tuple[EngineDefault, ...]

    def default(self, setting: str) -> EngineDefault:
        """What the engine takes for a setting that is left out.

        Raises
        ------
        UnknownName
            If nothing was read about that setting.
        """
        for entry in self.defaults:
            if entry.setting == setting:
                return entry
        raise nearest(f"default of {self.name}", setting, [entry.setting for entry in self.defaults])
