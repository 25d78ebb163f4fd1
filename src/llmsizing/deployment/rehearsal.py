"""rehearse: a real llama.cpp says what it would allocate, and ours stands beside it."""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from llmsizing.breakdown import Breakdown, Factor, Term, product, sum_of
from llmsizing.deployment.shape_file import write_shape
from llmsizing.errors import InvalidInput, exact_number, expect
from llmsizing.memory import vram_budget
from llmsizing.memory.asked import Asked
from llmsizing.memory.settings import LLAMA_CPP, Settings
from llmsizing.tables import Table, table
from llmsizing.units import GIB, MIB

ENGINE = "xllamacpp"  #: a package that carries llama.cpp for Linux, macOS and Windows
ENGINE_VERSION = "2026.10.11549"  #: its logs were read; another version may word them differently
ENGINE_TERMS = ("weights", "KV cache", "compute buffer")  #: what the engine itself counts
SECONDS = 60  # the engine takes a tenth of one
MOST_SECONDS = 3600
MOST_BYTES = GIB  # what the child may fill; its own report takes far less
LAST_LINES = 3  # of its words, that a message quotes

#: What the child runs: load with a fit pass first, which reports everything and allocates nothing.
CHILD = """
import json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[2]),) * 2)
except (ImportError, ValueError, OSError):
    pass  # Windows knows no such limit; the parent ends the child in time
import xllamacpp as engine
wanted = json.loads(sys.argv[1])
params = engine.CommonParams()
params.model.path = wanted["path"]
params.n_ctx, params.n_parallel = wanted["context"], wanted["sequences"]
params.n_ubatch = wanted["ubatch"]
params.n_batch = max(params.n_batch, wanted["ubatch"])
params.kv_unified, params.swa_full = wanted["unified"], wanted["swa_full"]
params.cache_type_k = engine.ggml_type[wanted["keys"]]
params.cache_type_v = engine.ggml_type[wanted["values"]]
params.flash_attn_type = engine.llama_flash_attn_type[wanted["flash"]]
params.n_gpu_layers, params.no_op_offload, params.no_kv_offload = 0, True, True
params.fit_params, params.verbosity = True, 5
params.no_extra_bufts, params.warmup = True, False
engine.Server(params)
"""

CACHE = re.compile(r"llama_(?:kv_cache|memory_recurrent): size = +([\d.]+) MiB")
COMPUTE = re.compile(r" (CPU|\S+_Host) +compute buffer size = +([\d.]+) MiB")  # a Mac also names its GPU
INPUT = re.compile(r"input tensor '\s*(\S+)' \[(\w+), ne = \{([\d, ]+)\}\]")
REPORT = re.compile(r"- Host .*\| +\d+ = +(\d+) \+ +\d+ \+ +\d+")
FAILED = re.compile(r"error|failed|exception|Error|missing")
NUMBER_BYTES = {"f32": 4, "f16": 2, "i32": 4, "i64": 8}


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """Our budget and the engine's own report. Make one with `rehearse`.

    Parameters
    ----------
    budget : Breakdown
        Ours, for the CPU: weights, KV cache, compute buffer and runtime.
    report : Breakdown
        The engine's: the same terms without the runtime, which it does not count.
    inputs : dict of str to int
        The tensors that a step is fed with, by the engine's name, in bytes.
    """

    budget: Breakdown
    report: Breakdown
    inputs: dict[str, int]

    @property
    def comparison(self) -> Table:
        """Ours, the engine's, and what lies between them, term by term in MiB."""
        return table({"term": term.name, "ours, MiB": float(self.budget[term.name].usual / MIB),
                      "llama.cpp, MiB": float(term.usual / MIB),
                      "difference": rounded((term.usual - self.budget[term.name].usual) / MIB)}
                     for term in self.report.terms)


def rehearse(budget: Breakdown, *, seconds: float = SECONDS) -> Rehearsal:
    """Let a real llama.cpp say what it would allocate for a budget, without its weights.

    It gets a file of the model's shape with a hole for the weights, in a process of its own with
    limits on time and memory. Before llama.cpp loads, it works out what that would take: the
    process is ended as soon as this is told. So it runs on any laptop, whatever the model's size.

    Parameters
    ----------
    budget : Breakdown
        From `vram_budget`. It is made anew for the CPU, where a rehearsal needs no graphics card.
    seconds : float
        After how long the engine is ended in any case: 1 to 3,600.

    Returns
    -------
    Rehearsal

    Raises
    ------
    ModuleNotFoundError
        If the engine is not installed; the message says how.
    InvalidInput
        If the budget is not one of `vram_budget` for llama.cpp, the model's architecture was not
        tried, or the engine did not report: with its last words.

    References
    ----------
    llama.cpp@0c1e57098: common/fit.cpp.
    """
    import tempfile

    expect("budget", budget, Breakdown, "vram_budget makes one")
    limit = float(exact_number("seconds", seconds, at_least=1, at_most=MOST_SECONDS,
                               hint="The engine takes a tenth of one: 60 leave it time."))
    asked = budget.asked
    if not isinstance(asked, Asked) or asked.settings.engine != LLAMA_CPP:
        raise InvalidInput("A rehearsal needs a budget that vram_budget made for llama.cpp.")
    version = _installed()
    ours = _on_the_cpu(asked)
    with tempfile.TemporaryDirectory() as folder:
        path = write_shape(asked.model, Path(folder) / "shape.gguf", weights=asked.weights)
        lines = _engine_lines(_wanted(path, ours.asked.settings), limit)
    return Rehearsal(budget=ours, report=_report(lines, f"llama.cpp in {ENGINE} {version}"),
                     inputs=_inputs(lines))


def rounded(mib: Fraction) -> float:
    """MiB as far as engines print them, and no -0.00.

    >>> rounded(Fraction(-1, 1000)), rounded(Fraction(801, 100))
    (0.0, 8.01)
    """
    return round(float(mib), 2) + 0.0


def _installed() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(ENGINE)
    except PackageNotFoundError:
        raise ModuleNotFoundError(f"A rehearsal needs llama.cpp itself: pip install"
                                  f" {ENGINE}=={ENGINE_VERSION}") from None


def _on_the_cpu(asked: Asked) -> Breakdown:
    """The same settings where all lies in RAM."""
    given = asked.settings
    names = ("context_tokens", "kv_cache", "sequences", "unified_kv", "swa_full", "ubatch", "flash_attention")
    return vram_budget(asked.model, weights=asked.weights, backend="cpu",
                       **{name: getattr(given, name) for name in names})


def _wanted(path: Path, given: Settings) -> dict[str, object]:
    keys, values = (f"GGML_TYPE_{kind.upper()}" for kind in given.kv_cache)
    flash = "ENABLED" if given.flash_attention else "DISABLED"
    return {"path": str(path), "context": given.context_tokens,
            "sequences": given.sequences, "ubatch": given.ubatch, "unified": given.unified_kv,
            "swa_full": given.swa_full, "keys": keys, "values": values,
            "flash": f"LLAMA_FLASH_ATTN_TYPE_{flash}"}


def _engine_lines(wanted: dict[str, object], seconds: float) -> list[str]:
    """What the engine prints until it has reported; then it is ended, before it loads."""
    import subprocess
    import threading

    command = [sys.executable, "-c", CHILD, json.dumps(wanted), str(MOST_BYTES)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, text=True, errors="replace")
    limit = threading.Timer(seconds, child.kill)
    limit.start()
    lines = []
    try:
        for line in child.stdout:
            lines.append(line)
            if REPORT.search(line):
                return lines
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        limit.cancel()
    told = [line.strip() for line in lines if FAILED.search(line)] or [line.strip() for line in lines]
    raise InvalidInput(f"llama.cpp did not report within {seconds:g} seconds. Its last words: "
                       + (" ".join(told[-LAST_LINES:]) or "none") + ".")


def _report(lines: list[str], engine: str) -> Breakdown:
    """The three terms: weights as the report rounds them, the others as each buffer's line does."""
    model = next(found[1] for line in reversed(lines) if (found := REPORT.search(line)))
    caches = [found[1] for line in lines if (found := CACHE.search(line))]
    buffers = dict(found.groups() for line in lines if (found := COMPUTE.search(line)))
    return Breakdown(f"What {engine} would allocate", (
        _mib("weights", [model]), _mib("KV cache", caches), _mib("compute buffer", buffers.values())))


def _mib(name: str, found: Iterable[str]) -> Term:
    parts = [product(f"{name} {number}", Factor(Fraction(mib), "MiB"), Factor(MIB, "bytes per MiB"))
             for number, mib in enumerate(found, start=1)]
    return replace(parts[0], name=name) if len(parts) == 1 else sum_of(name, *parts)


def _inputs(lines: list[str]) -> dict[str, int]:
    """Bytes of each input tensor; of those told several times, the largest."""
    sizes: dict[str, int] = {}
    for line in lines:
        if (found := INPUT.search(line)):
            count = NUMBER_BYTES.get(found[2], 4)
            for extent in found[3].split(","):
                count *= int(extent)
            sizes[found[1]] = max(sizes.get(found[1], 0), count)
    return sizes
