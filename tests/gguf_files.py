"""GGUF files for tests, written by the gguf package: real metadata and shapes, holes for the weights."""

import math
from pathlib import Path

import gguf
import numpy as np

from llmsizing.architecture import Attention, Experts, FeedForward, LatentAttention
from llmsizing.architecture.recurrent import GatedDeltaNet, KimiDelta, Mamba2, PlamoMamba, ShortConvolution
from llmsizing.files.gguf import ARCHITECTURES

ARCH_OF = {kind.model_type: name for name, kind in reversed(ARCHITECTURES.items())} | {
    "mixtral": "llama", "mistral": "llama", "ministral": "llama", "deepseek_v3": "deepseek2", "kimi_k2": "deepseek2",
    "glm4_moe_lite": "deepseek2", "olmo3": "olmo2", "granitemoeshared": "granitemoe",
    "gemma4_unified_text": "gemma4", "qwen2_5_vl_text": "qwen2vl"}


def _part(layer, *kinds):
    return next((part for part in layer.parts if isinstance(part, kinds)), None)


def _same(values):
    """One number where all layers agree, as llama.cpp's converter writes it."""
    return values[0] if len(set(values)) == 1 else values


def metadata_of(model):
    """The metadata that llama.cpp's converter writes for a model, without the architecture before each key."""
    layers = model.layers
    mixers = [layer.attention for layer in layers]
    first = next((mixer for mixer in mixers if mixer), None)
    values = {"block_count": len(layers), "embedding_length": model.hidden_size,
              "vocab_size": model.vocab_size}
    if model.max_position_embeddings:
        values["context_length"] = model.max_position_embeddings
    if first:
        values["attention.head_count"] = _same([mixer.num_attention_heads if mixer else 0 for mixer in mixers])
        values["attention.head_count_kv"] = _same(
            [0 if mixer is None else getattr(mixer, "num_key_value_heads", 1) for mixer in mixers])
        windows = [mixer.window if mixer else None for mixer in mixers]
        if any(windows):
            values["attention.sliding_window"] = max(filter(None, windows))
            values["attention.sliding_window_pattern"] = [bool(window) for window in windows]
    full = next((m for m in mixers if isinstance(m, Attention) and not m.window), None)
    sliding = next((m for m in mixers if isinstance(m, Attention) and m.window), None)
    for mixer, end in ((full or sliding, ""), (sliding, "_swa")):
        if mixer:
            values[f"attention.key_length{end}"] = mixer.head_dim
            values[f"attention.value_length{end}"] = mixer.value_head_dim
    if (latent := next((m for m in mixers if isinstance(m, LatentAttention)), None)):
        values |= {"attention.kv_lora_rank": latent.kv_lora_rank,
                   "attention.key_length": latent.kv_lora_rank + latent.qk_rope_head_dim,
                   "attention.value_length": latent.kv_lora_rank,
                   "attention.key_length_mla": latent.head_dim, "attention.value_length_mla": latent.v_head_dim}
    shared = sum(mixer is not None and not getattr(mixer, "stores_cache", True) for mixer in mixers)
    if shared:
        values["attention.shared_kv_layers"] = shared
    for layer in layers:
        if (part := _part(layer, Experts)):
            values |= {"expert_count": part.num_experts, "expert_used_count": part.num_experts_per_tok,
                       "expert_feed_forward_length": part.moe_intermediate_size}
        if (part := _part(layer, Mamba2, PlamoMamba)):
            values |= {"ssm.conv_kernel": part.conv_kernel, "ssm.state_size": part.state_size,
                       "ssm.group_count": getattr(part, "n_groups", 0),
                       "ssm.time_step_rank": part.num_heads, "ssm.inner_size": part.num_heads * part.head_dim}
        if (part := _part(layer, GatedDeltaNet)):
            values |= {"ssm.conv_kernel": part.conv_kernel, "ssm.state_size": part.key_head_dim,
                       "ssm.group_count": part.num_key_heads, "ssm.time_step_rank": part.num_value_heads,
                       "ssm.inner_size": part.num_value_heads * part.value_head_dim}
        if (part := _part(layer, KimiDelta)):
            values |= {"ssm.conv_kernel": part.conv_kernel, "kda.head_dim": part.head_dim}
        if (part := _part(layer, ShortConvolution)):
            values["shortconv.l_cache"] = part.conv_kernel
    values["feed_forward_length"] = _same(
        [part.intermediate_size if (part := _part(layer, FeedForward)) else 0 for layer in layers])
    return values


def tensors_of(model):
    """Name in the file, shape, for each tensor."""
    return [(tensor.name if number is None else f"blk.{number}.{tensor.name}", tensor.shape)
            for number, tensor in model.tensors()]


def write_gguf(path, arch, values, tensors, *, general=(), vocabulary=("a", "b"), order=gguf.GGUFEndian.LITTLE,
               whole=True):
    """Write a file with the gguf package. ``tensors`` lists (name, shape[, gguf's type]); holes for data."""
    writer = gguf.GGUFWriter(path, arch, endianess=order)
    writer.add_token_list(list(vocabulary))
    writer.add_token_scores([0.0] * len(vocabulary))
    for key, value in general:
        _add(writer, key, value)
    for key, value in values.items():
        _add(writer, f"{arch}.{key}", value)
    for name, shape, *kind in tensors:
        kind = kind[0] if kind else (gguf.GGMLQuantizationType.F32 if len(shape) == 1 else
                                     gguf.GGMLQuantizationType.F16)
        block, size = gguf.GGML_QUANT_SIZES[kind]
        count = math.prod(shape) // block * size
        stored = shape if kind.name[0] == "F" else (*shape[:-1], shape[-1] // block * size)
        writer.add_tensor_info(name, stored, np.dtype("float32" if kind.name == "F32" else "float16"
                                                      if kind.name == "F16" else "uint8"),
                               count, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.fout[0].flush()
    writer.close()
    if whole:
        header = path.stat().st_size
        data = sum(_padded(math.prod(shape) // gguf.GGML_QUANT_SIZES[_kind(shape, kind)][0]
                           * gguf.GGML_QUANT_SIZES[_kind(shape, kind)][1]) for _, shape, *kind in tensors)
        with Path(path).open("r+b") as file:
            file.truncate(_padded(header) + data)
    return path


def _kind(shape, kind):
    return kind[0] if kind else gguf.GGMLQuantizationType.F32 if len(shape) == 1 else gguf.GGMLQuantizationType.F16


def _padded(size):
    return -(-size // 32) * 32


def _add(writer, key, value):
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)
