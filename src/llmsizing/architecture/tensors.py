"""Tensor: one array of weights, with the name that a GGUF file gives it and its shape."""

import math
from dataclasses import dataclass

#: What a tensor is for. Buffers are stored in a file but are no parameters.
ROLES = ("embedding", "attention", "state space", "feed-forward", "router", "shared expert",
         "experts", "norm", "output", "per-layer embedding", "buffer")


@dataclass(frozen=True)
class Tensor:
    """One array of weights.

    Parameters
    ----------
    name : str
        As llama.cpp calls it, without layer number: "attn_q.weight", "ffn_down_exps.weight".
    shape : tuple of int
        As PyTorch writes it: rows (outputs), then columns (inputs); the number of experts first.
        A vector has one number.
    role : str
        One of `ROLES`.

    Examples
    --------
    >>> Tensor("attn_q.weight", (4096, 4096), "attention").count
    16777216

    References
    ----------
    gguf==0.19.0: gguf/constants.py, TENSOR_NAMES.
    """

    name: str
    shape: tuple[int, ...]
    role: str

    @property
    def count(self) -> int:
        """How many weights it holds."""
        return math.prod(self.shape)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What each number of its shape counts."""
        stacked = "experts" if self.role == "experts" else "heads"
        if len(self.shape) == 1:
            return ("numbers",)
        return (stacked, "rows", "columns")[-len(self.shape):]

    @property
    def is_matrix(self) -> bool:
        """Whether it has rows and columns; only such tensors are quantized. Biases are vectors."""
        return len(self.shape) > 1 and not self.name.endswith(".bias")


def matrix(name: str, rows: int, columns: int, role: str, *, bias: bool = False) -> list[Tensor]:
    """A matrix that turns ``columns`` inputs into ``rows`` outputs, with or without a bias."""
    made = [Tensor(f"{name}.weight", (rows, columns), role)]
    return made + [Tensor(f"{name}.bias", (rows,), role)] if bias else made


def vector(name: str, length: int, role: str = "norm") -> list[Tensor]:
    """A vector of weights, such as a norm's."""
    return [Tensor(name, (length,), role)]
