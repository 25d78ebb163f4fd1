"""Flag, Step and Launch: settings of an engine, as commands and files that print themselves."""

import re
import shlex
from dataclasses import dataclass

from llmsizing.breakdown import Breakdown
from llmsizing.breakdown.text import amount_text
from llmsizing.errors import nearest

#: What PowerShell takes as one word without quotes.
PLAIN = re.compile(r"[\w./\\:=+-]+", re.ASCII)

LABEL = 48  #: letters of a label, at most


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One setting as an engine writes it, and the bytes that it governs.

    Parameters
    ----------
    words : tuple of str
        ("-c", "8192"), not yet quoted for a shell.
    setting : str
        What `vram_budget` calls it; "file" for the weights, "" where it is no setting of a budget.
    sets : str
        What it sets, in a few words.
    terms : tuple of str
        The terms of the budget whose bytes it governs; () for none on the device.
    """

    words: tuple[str, ...]
    setting: str = ""
    sets: str
    terms: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As one types it in a shell, "-c 8192"."""
        return shlex.join(self.words)

    @property
    def name(self) -> str:
        """Without its value, as a comment names it."""
        first, *rest = self.words
        if first == "PARAMETER":
            return rest[0]
        return first if rest else self.label

    @property
    def label(self) -> str:
        """As one reads it, all of it or what stands before "=" in a long line of Python."""
        whole = " ".join(self.words)
        return whole if len(whole) <= LABEL else whole.partition(" = ")[0]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command to run, or a file to write.

    Parameters
    ----------
    program : tuple of str
        The words before the flags: ("llama-server",). () for a file.
    flags : tuple of Flag
        What follows, in its order; in a file a line each.
    environment : tuple of Flag
        Variables for the command, as ("NAME", "value").
    file : str
        The name of the file, or "".
    """

    program: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    environment: tuple[Flag, ...] = ()
    file: str = ""

    @property
    def command(self) -> str:
        """The command for a POSIX shell, or the lines of the file."""
        if self.file:
            return "\n".join(" ".join(flag.words) for flag in self.flags)
        variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in _pairs(self))
        return f"{variables} {shlex.join(self._words)}".lstrip()

    @property
    def powershell(self) -> str:
        """The command for PowerShell, or the lines of the file."""
        if self.file:
            return self.command
        variables = "".join(f"$env:{name} = {powershell_quoted(value, always=True)}\n"
                            for name, value in _pairs(self))
        return variables + " ".join(powershell_quoted(word) if number else word
                                    for number, word in enumerate(self._words))

    @property
    def _words(self) -> list[str]:
        return [*self.program, *(word for flag in self.flags for word in flag.words)]


def _pairs(step: Step) -> list[tuple[str, str]]:
    return [(flag.words[0], flag.words[1]) for flag in step.environment]


def powershell_quoted(word: str, *, always: bool = False) -> str:
    """A word for PowerShell: as it is, or in single quotes, which a value always needs.

    >>> powershell_quoted("-ngl"), powershell_quoted("it's a b.gguf")
    ('-ngl', "'it''s a b.gguf'")
    """
    return word if PLAIN.fullmatch(word) and not always else "'" + word.replace("'", "''") + "'"


@dataclass(frozen=True, kw_only=True, repr=False)
class Launch:
    """How an engine is told what a budget says. `settings` makes one; print it to copy it.

    Parameters
    ----------
    engine : str
        Which engine.
    version, source : str
        The version whose flags these are, and what was read.
    budget : Breakdown
        What lies on the device with these settings, in this engine.
    steps : tuple of Step
        What to write and to run, in its order.
    notes : tuple of str
        Sentences for the reader: what no flag sets.
    """

    engine: str
    version: str
    source: str
    budget: Breakdown
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[Flag, ...]:
        """All flags and variables, in their order."""
        return tuple(flag for step in self.steps for flag in (*step.environment, *step.flags))

    @property
    def command(self) -> str:
        """The commands for a POSIX shell, each on its line; files are in `files`."""
        return "\n".join(step.command for step in self.steps if not step.file)

    @property
    def powershell(self) -> str:
        """The commands for PowerShell, each on its line; files are in `files`."""
        return "\n".join(step.powershell for step in self.steps if not step.file)

    @property
    def files(self) -> dict[str, str]:
        """The files to write, by name."""
        return {step.file: step.command + "\n" for step in self.steps if step.file}

    def __getitem__(self, setting: str) -> Flag:
        for flag in self.flags:
            if flag.setting and flag.setting == setting:
                return flag
        raise nearest(f"flag of {self.engine}", setting,
                      [flag.setting for flag in self.flags if flag.setting])

    def __str__(self) -> str:
        blocks = [f"# {self.engine} {self.version}: {self.budget.title}"]
        blocks += ["\n".join(self._block(step)) for step in self.steps]
        blocks += [f"# {note}" for note in self.notes]
        return "\n\n".join(blocks)

    __repr__ = __str__

    def bytes_text(self, flag: Flag) -> str:
        """The terms that a flag governs, with their size: "KV cache 1.00 GiB", or "no bytes"."""
        unit = self.budget.unit
        return " + ".join(f"{name} {amount_text(self.budget[name].usual, unit)}"
                          for name in flag.terms) or "no bytes"

    def _block(self, step: Step) -> list[str]:
        told = [flag for flag in (*step.environment, *step.flags) if flag.sets]
        width = max((len(flag.name) for flag in told), default=0)
        return [*([f"# {step.file}"] if step.file else []), step.command,
                *(f"#   {flag.name:<{width}}  {flag.sets} ({self.bytes_text(flag)})" for flag in told)]
