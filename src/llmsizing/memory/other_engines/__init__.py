"""Budgets of engines outside the llama.cpp family."""

from llmsizing.memory.other_engines.terms import engine_terms
from llmsizing.memory.other_engines.vllm import CacheRoom, vllm_room

__all__ = ["CacheRoom", "engine_terms", "vllm_room"]
