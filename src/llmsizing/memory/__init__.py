"""How much memory a model needs: the rule of thumb, the engine's reports, and budgets."""

from llmsizing.memory.budget import beyond_native, host_budget, vram_budget
from llmsizing.memory.cache import kv_cache_bytes
from llmsizing.memory.fit import Headroom, headroom, longest_context
from llmsizing.memory.rule_of_thumb import (
    OVERHEAD,
    RuleGap,
    engine_report,
    native_contexts,
    rule_of_thumb,
    rule_of_thumb_gap,
    rule_of_thumb_gaps,
)
from llmsizing.memory.weights import stored_bytes, stored_tensors, weight_bytes

__all__ = ["OVERHEAD", "Headroom", "RuleGap", "beyond_native", "engine_report", "headroom", "host_budget",
           "kv_cache_bytes", "longest_context", "native_contexts", "rule_of_thumb",
           "rule_of_thumb_gap", "rule_of_thumb_gaps", "stored_bytes", "stored_tensors", "vram_budget", "weight_bytes"]
