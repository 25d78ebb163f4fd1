"""What should I run? Each choice with its size, fit and price.

What a model costs at home and in a cloud stands in `costs` and `payback`, the wait for it in `home`.
"""

from llmsizing.choosing.compare import Quantizations, Quantized, compare_quantizations

__all__ = ["Quantizations", "Quantized", "compare_quantizations"]
