"""read_server_log: what a llama-server says that it allocated, and how fast it answered."""

import re
from dataclasses import dataclass
from fractions import Fraction

from llmsizing.breakdown import Breakdown
from llmsizing.deployment.rehearsal import ENGINE_TERMS, rounded
from llmsizing.errors import InvalidInput, expect
from llmsizing.memory.asked import Asked
from llmsizing.tables import Table, table
from llmsizing.units import MIB

START = "loaded meta data"  # of a load; before the last one stand rehearsals of llama.cpp's own
BUFFER = re.compile(r": +(\S+) +(model|KV|RS|compute) buffer size = +([\d.]+) MiB")
OFFLOADED = re.compile(r"offloaded (\d+)/(\d+) layers to GPU")
SPEED = re.compile(r"(prompt eval|eval) time = .*?/ +(\d+) tokens .*?([\d.]+) tokens per second")
IN_RAM = re.compile(r"CPU.*|.*_Host")
TERM_OF = {"model": "weights", "KV": "KV cache", "RS": "KV cache", "compute": "compute buffer"}


@dataclass(frozen=True, kw_only=True)
class ServerLog:
    """What stands in a log of llama-server. `read_server_log` reads one.

    Parameters
    ----------
    buffers : tuple of (str, str, Fraction)
        Where, which term, and MiB, in the order of the log: ("CUDA0", "weights", 4403.49).
    offloaded : tuple of (int, int) or None
        Layers on the device, of how many; None where there is no device.
    prompt_speeds, answer_speeds : tuple of float
        Tokens per second of each answered request.
    """

    buffers: tuple[tuple[str, str, Fraction], ...]
    offloaded: tuple[int, int] | None
    prompt_speeds: tuple[float, ...]
    answer_speeds: tuple[float, ...]

    @property
    def on_device(self) -> bool:
        """Whether anything lies on a device; otherwise all is in RAM."""
        return any(not IN_RAM.fullmatch(where) for where, _, _ in self.buffers)

    @property
    def placement(self) -> Table:
        """Each place and its bytes by term, in MiB."""
        places = dict.fromkeys(where for where, _, _ in self.buffers)
        return table({"where": place, **{f"{term}, MiB": float(self._mib(term, {place}))
                                         for term in ENGINE_TERMS}} for place in places)

    def compare(self, budget: Breakdown) -> Table:
        """Set what was allocated beside a budget, term by term, in MiB.

        Parameters
        ----------
        budget : Breakdown
            From `vram_budget`, with the settings that the server was started with. Of a budget
            for a device only what lies on devices counts; with backend="cpu" all does.

        Raises
        ------
        InvalidInput
            If it is no budget of `vram_budget`.
        """
        expect("budget", budget, Breakdown, "vram_budget makes one")
        if not isinstance(budget.asked, Asked):
            raise InvalidInput("A log is compared with what vram_budget makes.")
        in_ram = budget.asked.settings.backend == "cpu"
        places = {where for where, _, _ in self.buffers if in_ram or not IN_RAM.fullmatch(where)}
        return table({"term": term, "predicted, MiB": float(budget[term].usual / MIB),
                      "allocated, MiB": float(self._mib(term, places)),
                      "difference": rounded(self._mib(term, places) - budget[term].usual / MIB)}
                     for term in ENGINE_TERMS)

    def _mib(self, term: str, places: set[str]) -> Fraction:
        return sum((mib for where, name, mib in self.buffers if name == term and where in places),
                   Fraction(0))


def read_server_log(text: str) -> ServerLog:
    """Read where a llama-server put its weights, cache and buffers, and how fast it answered.

    Parameters
    ----------
    text : str
        What it printed, started with -lv 4: less does not name the buffers.

    Returns
    -------
    ServerLog
        Of the last load in it.

    Raises
    ------
    InvalidInput
        If no buffer is named in it.

    Examples
    --------
    >>> log = read_server_log('''load_tensors: offloaded 33/33 layers to GPU
    ... load_tensors:        CUDA0 model buffer size =  4403.49 MiB
    ... load_tensors:   CPU_Mapped model buffer size =   281.81 MiB
    ... llama_kv_cache:      CUDA0 KV buffer size =  1024.00 MiB
    ... sched_reserve:      CUDA0 compute buffer size =   108.01 MiB''')
    >>> log.offloaded, log.placement.rows[0]
    ((33, 33), ('CUDA0', 4403.49, 1024.0, 108.01))
    """
    expect("text", text, str, "read the log's file")
    last = text[text.rfind(START) + 1:]
    buffers = tuple((where, TERM_OF[kind], Fraction(mib)) for where, kind, mib in BUFFER.findall(last))
    if not buffers:
        raise InvalidInput("No buffer is named in this log: start llama-server with -lv 4, and read what"
                           " it printed until it answered.")
    layers = OFFLOADED.search(last)
    speeds = {kind: tuple(float(rate) for which, _, rate in SPEED.findall(last) if which == kind)
              for kind in ("prompt eval", "eval")}
    return ServerLog(buffers=buffers, offloaded=(int(layers[1]), int(layers[2])) if layers else None,
                     prompt_speeds=speeds["prompt eval"], answer_speeds=speeds["eval"])
