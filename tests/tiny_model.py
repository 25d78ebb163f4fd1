"""A tiny model that a real llama.cpp runs: random weights, a vocabulary of bytes and letters, 200 kB."""

import string

import gguf
import numpy as np

WIDTH, HEADS, KEY_HEADS, LAYERS, INNER, CONTEXT = 128, 4, 2, 2, 160, 1024  # heads of 32: a cache block
LETTERS = [letter for letter in string.printable if letter.strip()]
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{number:02X}>" for number in range(256)), "▁", *LETTERS]
KINDS = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL,
         *[gguf.TokenType.BYTE] * 256, *[gguf.TokenType.NORMAL] * (1 + len(LETTERS))]


def write_tiny_model(path, *, seed=0):
    """Write it as Q8_0: Llama's shape, so that every part of an engine has work to do."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(TOKENS)
    writer.add_token_scores([0.0] * len(TOKENS))
    writer.add_token_types(KINDS)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)

    def matrix(name, rows, columns):
        values = random.standard_normal((rows, columns), np.float32) / np.sqrt(columns, dtype=np.float32)
        if name == "output.weight":
            values[:3 + 256] *= 0.1  # letters, not lone bytes and not the end
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)

    def ones(name):
        writer.add_tensor(name, np.ones(WIDTH, np.float32))

    matrix("token_embd.weight", len(TOKENS), WIDTH)
    for layer in range(LAYERS):
        for name, rows, columns in (
                ("attn_q", WIDTH, WIDTH), ("attn_k", WIDTH // HEADS * KEY_HEADS, WIDTH),
                ("attn_v", WIDTH // HEADS * KEY_HEADS, WIDTH), ("attn_output", WIDTH, WIDTH),
                ("ffn_gate", INNER, WIDTH), ("ffn_up", INNER, WIDTH), ("ffn_down", WIDTH, INNER)):
            matrix(f"blk.{layer}.{name}.weight", rows, columns)
        ones(f"blk.{layer}.attn_norm.weight")
        ones(f"blk.{layer}.ffn_norm.weight")
    ones("output_norm.weight")
    matrix("output.weight", len(TOKENS), WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
