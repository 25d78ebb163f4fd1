"""What should I run? Each choice with its size, fit and price."""

from llmsizing.choosing.compare import Quantizations, Quantized, compare_quantizations

__all__ = ["Quantizations", "Quantized", "compare_quantizations"]
