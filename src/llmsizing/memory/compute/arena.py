"""Arena: how llama.cpp places the intermediate results of one step in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ALIGNMENT = 32  # bytes; every tensor starts at a multiple of it
ENDLESS = 1 << 62


@dataclass(frozen=True)
class Moment:
    """How far an arena reached, and what lay in it then.

    Parameters
    ----------
    end : int
        The highest address used, in bytes: as large is the buffer.
    tensors : Mapping
        From name to bytes. Together they may be less than ``end``: the rest is gaps.
    """

    end: int
    tensors: Mapping[str, int]


class Arena:
    """A stretch of memory that tensors enter and leave in the order of computing.

    A tensor goes into the smallest gap that it fits in, or else behind the last one. Gaps that
    are too small stay empty: they are part of the buffer, too. So does ggml's graph allocator.

    Examples
    --------
    >>> arena = Arena()
    >>> arena.make("queries", 64)
    >>> arena.make("keys", 32)
    >>> arena.free("queries")
    >>> arena.make("scores", 96)  # the gap of 64 is too small
    >>> arena.widest.end, dict(arena.widest.tensors)
    (192, {'keys': 32, 'scores': 96})

    References
    ----------
    llama.cpp@0c1e57098: ggml/src/ggml-alloc.c, ggml_dyn_tallocr_alloc.
    """

    def __init__(self) -> None:
        self.widest = Moment(0, {})
        self._placed: dict[str, tuple[int, int]] = {}
        self._gaps: list[tuple[int, int]] = [(0, ENDLESS)]

    def __contains__(self, name: str) -> bool:
        return name in self._placed

    def make(self, name: str, size: int, *used: str) -> None:
        """Place a tensor; those it was computed from and that nobody needs any more leave."""
        size = -(-size // ALIGNMENT) * ALIGNMENT
        best, smallest = -1, ENDLESS
        for number, (start, end) in enumerate(self._gaps[:-1]):
            if size <= end - start <= smallest:
                best, smallest = number, end - start
        start, end = self._gaps[best]
        if start + size == end:
            del self._gaps[best]
        else:
            self._gaps[best] = start + size, end
        self._placed[name] = start, size
        if start + size > self.widest.end:
            there = {known: bytes_ for known, (_, bytes_) in self._placed.items()}
            self.widest = Moment(start + size, MappingProxyType(there))
        self.free(*used)

    def free(self, *names: str) -> None:
        """Let tensors leave; neighbouring gaps become one."""
        for name in names:
            start, size = self._placed.pop(name)
            end = start + size
            number = next(i for i, gap in enumerate(self._gaps) if gap[0] >= end)
            if self._gaps[number][0] == end:
                end = self._gaps.pop(number)[1]
            if number and self._gaps[number - 1][1] == start:
                number -= 1
                start = self._gaps.pop(number)[0]
            self._gaps.insert(number, (start, end))

    def rename(self, old: str, new: str) -> None:
        """A tensor that is overwritten by the next result, at the same place."""
        self._placed[new] = self._placed.pop(old)
