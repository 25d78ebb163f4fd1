"""How weights are stored: formats of a block, file types that mix them, and what names say."""

from llmsizing.quantization.names import nominal_bits

__all__ = ["nominal_bits"]
