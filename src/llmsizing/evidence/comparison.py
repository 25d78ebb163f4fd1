"""Comparison: a measured figure beside ours."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A figure that was reported, and ours for the same load. `log_comparisons` lists them.

    Parameters
    ----------
    kind : str
        What is compared: "llama.cpp KV cache", "transformers, peak".
    model, setting : str
        The load.
    measured : int
        What was reported, in bytes.
    rounding : int
        Half of the last digit that was printed, in bytes.
    low, usual, high : int
        Our range, in bytes.
    fitted : bool
        Whether our range was made with this row in view; then it proves nothing.
    source, source_url : str
        Where it was reported.
    """

    kind: str
    model: str
    setting: str
    measured: int
    rounding: int
    low: int
    usual: int
    high: int
    fitted: bool
    source: str
    source_url: str

    @property
    def inside(self) -> bool:
        """Whether the reported figure lies in our range, as far as it was printed."""
        return self.low - self.rounding <= self.measured <= self.high + self.rounding

    @property
    def error(self) -> float:
        """Our usual figure over the reported one, less 1; -0.02 is two hundredths too little."""
        return self.usual / self.measured - 1
