"""What panels offer for choice: few enough for a thumb, of every kind that a reader has."""

#: From the smallest to the largest, as the catalog calls them.
MODELS = ("Qwen3-0.6B", "Qwen3.5-2B", "Llama-3.2-3B", "Phi-3-mini-4k", "Gemma-3-4B", "Qwen3-4B",
          "Gemma-4-E4B", "Llama-3.1-8B", "Qwen3-8B", "Ministral-3-8B", "Gemma-3-12B", "Qwen3-14B",
          "gpt-oss-20b", "Mistral-Small-3.2-24B", "Gemma-4-26B-A4B", "Qwen3.8-27B", "Gemma-3-27B",
          "GLM-4.7-Flash", "Qwen3-30B-A3B", "Gemma-4-31B", "Qwen3-32B", "Qwen3.6-35B-A3B",
          "Llama-3.3-70B", "GLM-4.5-Air", "gpt-oss-120b", "Qwen3-235B-A22B")
DEVICES = ("RTX 4060 Laptop", "RTX 3060 12 GB", "RTX 5060 Ti 16 GB", "T4", "RTX 4090", "L4",
           "RX 7900 XTX", "RTX 5090", "A100 SXM 80 GB", "H100 SXM 80 GB", "Apple M1 8 GB", "Apple M1 16 GB",
           "Apple M4 Max (40-core GPU) 64 GB", "DGX Spark (GB10)")
FILE_TYPES = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K")
CACHES = (("16 bits (f16)", "f16"), ("8.5 bits (q8_0)", "q8_0"), ("4.5 bits (q4_0)", "q4_0"))
SLOTS = (1, 2, 4, 8, 16)  #: conversations at once
#: As a control shows them, and in tokens.
CONTEXTS = tuple((f"{tokens:,} tokens", tokens) for tokens in (2**power for power in range(11, 18)))
