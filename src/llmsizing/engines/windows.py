"""What an engine does that a model's config does not say, with its source."""

#: Families whose sliding window llama.cpp does not use: it keeps the whole context for them.
#: llama.cpp@0c1e57098: src/models/ reads no window for llama, mistral3, qwen2, qwen3, qwen3moe,
#: qwen2vl, qwen3vl, starcoder2 and plamo2, and drops the one of phi3; Mistral and Mixtral are
#: converted to llama.
WINDOW_NOT_USED = {
    "llama.cpp": frozenset({"mistral", "ministral", "ministral3", "mixtral", "qwen2", "qwen3",
                            "qwen3_moe", "qwen2_vl_text", "qwen2_5_vl_text", "qwen3_vl_text",
                            "qwen3_vl_moe_text", "starcoder2", "phi3", "plamo2"}),
}

#: Families whose tied output layer llama.cpp makes before the input's table, so that in RAM it holds
#: both: src/models/gemma3n.cpp and gemma4.cpp (load_arch_tensors).
OUTPUT_FIRST = frozenset({"gemma3n_text", "gemma4_text", "gemma4_unified_text"})
