"""MLX: one memory for the GPU and the rest, a cache that grows by 256 tokens."""

from llmsizing.architecture import Model
from llmsizing.breakdown import Term, allowance
from llmsizing.engines import load_engine
from llmsizing.memory.other_engines.transformers import (
    grown_cache_term,
    prompt_term,
    weights_on_device,
)
from llmsizing.memory.settings import Settings
from llmsizing.units import GIB, MIB

STEP = 256  # tokens by which a cache grows


def mlx_terms(model: Model, weights: str | None, settings: Settings) -> list[Term]:
    """What an MLX model takes of the memory that the GPU may use.

    References
    ----------
    mlx-lm==0.32.2: mlx_lm/models/cache.py (KVCache.step, RotatingKVCache), generate.py
    (prefill_step_size, wired_limit).
    """
    step = load_engine(settings.engine).default("prefill_step_size").value
    tokens = min(step, settings.conversation_tokens)
    return [weights_on_device(model, weights, settings), grown_cache_term(model, settings, STEP),
            prompt_term(model, settings, tokens),
            allowance("runtime", "bytes", low=50 * MIB, usual=256 * MIB, high=GIB,
                      source="our own assumption for Metal and freed buffers that MLX keeps: no"
                             " measurement was found")]
