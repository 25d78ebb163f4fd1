"""Step: one step of computing; its results are placed in an arena as they are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmsizing.memory.compute.arena import Arena

RESULT, HALF = 4, 2  # bytes: results are F32; what comes from the cache is F16
X, NORM, STREAMS = "residual stream", "norm", "streams"


@dataclass
class Step:
    """What the parts of a model make for the tokens of one step, placed in an arena.

    Parameters
    ----------
    tokens : int
        Tokens computed at a time.
    hidden : int
        Numbers of the residual stream for each token.
    sequences : int
        Conversations, each with a state in recurrent layers.
    streams : int
        Caches: one, or one for each conversation.
    flash : bool
        Whether attention needs no table of scores.
    grouped : bool
        Whether the device computes matrix products of one input together, as Vulkan does.
    rotated : bool
        Whether keys and values are rotated, as llama.cpp does before it quantizes them.
    last : bool
        Whether the layer at hand is the last one, which picks the tokens whose logits are wanted.
    leaving : tuple of str
        Masks that no later layer needs.
    copies : Mapping
        By tensor name, the bytes of matrices that lie in RAM while the device computes.
    arena : Arena
        Where the results are placed.

    Examples
    --------
    A feed-forward part without a gate; "up" is four times as wide as the residual stream:

    >>> step = Step(tokens=512, hidden=1024)
    >>> step.make(X, 1024)
    >>> step.norm()
    >>> step.make("up", 4096, *step.spent)
    >>> step.make("down", 1024, "up")
    >>> step.add("down")
    >>> {name: size // 2**20 for name, size in step.arena.widest.tensors.items()}  # MiB
    {'residual stream': 2, 'norm': 2, 'up': 8}
    """

    tokens: int
    hidden: int
    sequences: int = 1
    streams: int = 1
    flash: bool = True
    grouped: bool = True
    rotated: bool = False
    last: bool = False
    leaving: tuple[str, ...] = ()
    copies: Mapping[str, int] = field(default_factory=dict)
    arena: Arena = field(default_factory=Arena)

    def make(self, name: str, numbers: int, *used: str, by: str = "") -> None:
        """Place a result with so many numbers for each token, made by a matrix or without one.

        A matrix that lies in RAM is copied to the device, and leaves when the result is there.
        """
        copied = self.copies.get(by, 0)
        if copied:
            self.arena.make(f"copy of {by}", copied)
        self.arena.make(name, numbers * self.tokens * RESULT)
        self.arena.free(*((f"copy of {by}",) if copied else ()), *used)

    def norm(self) -> None:
        """The residual stream, normed for the next part."""
        self.make(NORM, self.hidden)

    @property
    def spent(self) -> tuple[str, ...]:
        """The norm, if there is one: some families have none before a part."""
        return (NORM,) if NORM in self.arena else ()

    def add(self, result: str) -> None:
        """Add a result to the residual stream: the sum takes the result's place."""
        self.arena.free(X)
        self.arena.rename(result, X)

    def pick(self) -> None:
        """Copy the tokens whose logits are wanted."""
        self.picked("mixed")
        if not self.grouped:
            self.picked(X)

    def picked(self, name: str) -> None:
        """A copy of some rows takes over."""
        self.make("picked", self.hidden, name)
        self.arena.rename("picked", name)

    def turned(self, name: str, numbers: int, *, keep: bool = False) -> None:
        """A norm or a rotation by position: a copy takes over."""
        if keep:
            self.arena.rename(name, f"{name} and gate")
            self.make(name, numbers)
            return
        self.make(f"{name}, turned", numbers, name)
        self.arena.rename(f"{name}, turned", name)

    def with_state(self, name: str, numbers: int, state: int, *used: str) -> None:
        """Place a result that also holds a recurrent state of each conversation."""
        size = (numbers * self.tokens + state * self.sequences) * RESULT
        self.arena.make(name, size, *used)

    def predict(self, number: int) -> None:
        """Gemma 3n's streams beside the residual stream, predicted anew for each layer."""
        wide = number * self.hidden
        self.make("streams, turned", wide)
        self.make("streams, mixed", wide, "streams, turned")
        self.make("streams, predicted", wide, "streams, mixed", STREAMS)
        self.arena.rename("streams, predicted", STREAMS)
