"""What should I run? Each choice with its size, fit and price."""

from llmsizing.choosing.compare import Candidate, Comparison, compare_quantizations

__all__ = ["Candidate", "Comparison", "compare_quantizations"]
