"""Sizing for local language models: will it fit, how good will it be, how fast will it run?

The public names and the rooms that they live in.
"""

from llmsizing.lazy import lent

__all__, __getattr__, __dir__ = lent(__name__, {
    "architecture": ("Model", "Tensor", "read_config"),
    "breakdown": ("Breakdown", "Factor", "Term", "allowance", "maximum_of", "product", "sum_of"),
    "catalog": ("Device", "RoundingRun", "SearchHit", "apple_working_set", "apu_memory", "devices",
                "load_device", "load_model", "models", "rounding_lab", "rounding_searches"),
    "choosing": ("Choice", "Machine", "Quantizations", "Quantized", "Remedy",
                 "compare_quantizations", "make_it_fit", "shortlist", "siblings", "this_machine",
                 "what_fits"),
    "deployment": ("Flag", "Launch", "Rehearsal", "ServerLog", "Step", "read_server_log",
                   "rehearse", "settings", "write_shape"),
    "engines": ("Engine", "EngineDefault", "engines", "load_engine"),
    "errors": ("InvalidInput", "UnknownName"),
    "files": ("read_gguf", "read_hub"),
    "memory": ("CacheRoom", "Change", "Headroom", "RuleGap", "changes_that_fit", "device_budgets",
               "device_reads", "display_term", "engine_report", "headroom", "host_budget",
               "host_reads", "kv_cache_bytes", "largest_file_type", "longest_context",
               "most_sequences", "room_for", "rule_of_thumb", "rule_of_thumb_gap",
               "rule_of_thumb_gaps", "sweep", "vllm_room", "vram_budget", "weight_bytes",
               "weight_table"),
    "quality": ("Loss", "Measurement", "quality_loss", "quality_rows"),
    "quantization": ("FileType", "Format", "NamePart", "RoundTrip", "RoundedBlock", "WeightSlice",
                     "block_fields", "block_sample", "decode_block", "file_types", "formats",
                     "load_file_type", "load_format", "nominal_bits", "quantize_block",
                     "read_file_name", "round_trip", "tensor_types", "weight_slice"),
    "speed": ("Speed", "decode_speed", "prefill_speed", "speculative_speed", "time_to_answer"),
    "tables": ("Table", "table"),
    "units": ("format_bytes",),
})
