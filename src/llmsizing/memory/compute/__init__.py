"""Bytes that llama.cpp reserves for the intermediate results of one step."""

from llmsizing.memory.compute.buffer import (
    compute_term,
    host_compute_term,
    is_pipeline,
    output_term,
    pipeline_term,
)
from llmsizing.memory.compute.copies import copied_weights

__all__ = ["compute_term", "copied_weights", "host_compute_term", "is_pipeline", "output_term",
           "pipeline_term"]
