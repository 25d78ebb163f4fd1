"""Bytes that llama.cpp reserves for the intermediate results of one step."""

from llmsizing.memory.compute.buffer import compute_term, host_compute_term, output_term

__all__ = ["compute_term", "host_compute_term", "output_term"]
