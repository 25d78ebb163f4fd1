"""How much memory a model needs: the rule of thumb, the engine's reports, and budgets."""

from llmsizing.memory.budget import beyond_native, device_budgets, host_budget, vram_budget
from llmsizing.memory.cache import kv_cache_bytes
from llmsizing.memory.changes import Change, changes_that_fit
from llmsizing.memory.fit import (
    Headroom,
    headroom,
    largest_file_type,
    longest_context,
    most_sequences,
    room_for,
)
from llmsizing.memory.other_engines import CacheRoom, vllm_room
from llmsizing.memory.reads import device_reads, host_reads
from llmsizing.memory.rule_of_thumb import (
    OVERHEAD,
    RuleGap,
    engine_report,
    native_contexts,
    rule_of_thumb,
    rule_of_thumb_gap,
    rule_of_thumb_gaps,
)
from llmsizing.memory.runtime import display_term
from llmsizing.memory.sweep import sweep
from llmsizing.memory.weights import stored_bytes, stored_tensors, weight_bytes, weight_table

__all__ = ["CacheRoom", "Change", "Headroom", "OVERHEAD", "RuleGap", "beyond_native",
           "changes_that_fit", "device_budgets", "device_reads", "display_term", "engine_report",
           "headroom", "host_budget", "host_reads", "kv_cache_bytes", "largest_file_type",
           "longest_context", "most_sequences", "native_contexts", "room_for", "rule_of_thumb",
           "rule_of_thumb_gap", "rule_of_thumb_gaps", "stored_bytes", "stored_tensors", "sweep",
           "vllm_room", "vram_budget", "weight_bytes", "weight_table"]
