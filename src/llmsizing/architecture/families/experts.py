"""Families with experts: attention in every layer, and a router in most."""

from collections.abc import Callable
from dataclasses import replace

from llmsizing.architecture.config import Config
from llmsizing.architecture.families.blocks import (
    SAME_TWO_NORMS,
    TWO_NORMS,
    Family,
    always,
    attention,
    biased_attention,
    experts,
    feed_forward,
    latent_attention,
    layer_count,
    norms,
    output_bias,
    shared_expert,
    stack,
    windows,
    with_norm_biases,
)
from llmsizing.architecture.families.dense import TIED, UNTIED, biased_norm
from llmsizing.architecture.model import Layer, Part
from llmsizing.architecture.tensors import Tensor
from llmsizing.errors import InvalidInput


def mixtral(c: Config) -> list[Layer]:
    """Mixtral: experts instead of the feed-forward part."""
    return stack(c, attention(c), experts(c, "intermediate_size"), sliding=windows(c, always))


def qwen2_moe(c: Config) -> list[Layer]:
    """Qwen 1.5 and 2 MoE: a shared expert with a gate of its own."""
    mixer = attention(c, bias=c.flag("qkv_bias", True))
    return some_sparse(c, [mixer] * layer_count(c), gated_experts(c), qwen_sparse(c))


def qwen3_moe(c: Config) -> list[Layer]:
    """Qwen 3 MoE: no shared expert."""
    mixer = biased_attention(c, norms="head")
    return some_sparse(c, [mixer] * layer_count(c), (experts(c),), qwen_sparse(c))


def gated_experts(c: Config) -> tuple[Part, ...]:
    """Qwen's experts, and a shared one that a gate weighs."""
    shared = feed_forward(c, "shared_expert_intermediate_size", role="shared expert")
    return experts(c, shared_gate=True), shared


def qwen_sparse(c: Config) -> Callable[[int], bool]:
    dense, step = c.places("mlp_only_layers") or [], c.whole("decoder_sparse_step", 1)
    return lambda number: number not in dense and (number + 1) % step == 0


def olmoe(c: Config) -> list[Layer]:
    """OLMoE: norms over all heads."""
    return stack(c, biased_attention(c, norms="all"), experts(c, "intermediate_size"))


def phimoe(c: Config) -> list[Layer]:
    """Phi 3.5 MoE: norms and output with a bias."""
    return with_norm_biases(c, stack(c, biased_attention(c), experts(c, "intermediate_size")))


def phimoe_around(c: Config) -> list[Tensor]:
    """The output layer of Phi 3.5 MoE has a bias."""
    return biased_norm(c) + output_bias(c, "lm_head_bias")


def gpt_oss(c: Config) -> list[Layer]:
    """gpt-oss: biases everywhere, learned sinks, every other layer slides."""
    return stack(c, biased_attention(c, default=True, sinks=True),
                 experts(c, "intermediate_size", bias=True, router_bias=True),
                 names=SAME_TWO_NORMS, sliding=windows(c, lambda number: number % 2 == 0))


def granitemoe(c: Config) -> list[Layer]:
    """Granite MoE."""
    return stack(c, biased_attention(c), experts(c, "intermediate_size"))


def minimax_m2(c: Config) -> list[Layer]:
    """MiniMax M2: norms over all heads."""
    return stack(c, attention(c, norms="all"),
                 experts(c, "intermediate_size", correction=True))


def llama4(c: Config) -> list[Layer]:
    """Llama 4: one shared expert; three of four layers look back within a chunk."""
    shared = feed_forward(c, role="shared expert")
    dense = feed_forward(c, "intermediate_size_mlp")
    sparse = (experts(c, "intermediate_size"), shared)
    step, length = c.whole("interleave_moe_layer_step", 1), layer_count(c)
    listed = c.places("moe_layers")
    routed = range(step - 1, length, step) if listed is None else listed
    chunk, full = c.whole("attention_chunk_size", 8192), _llama4_full(c)
    mixer = biased_attention(c)
    chunked = replace(mixer, window=chunk)
    return [
        Layer((mixer if full(number) else chunked, *(sparse if number in routed else (dense,))),
              tuple(norms(c, *TWO_NORMS)))
        for number in range(length)
    ]


def _llama4_full(c: Config) -> Callable[[int], bool]:
    kinds = c.listed("layer_types", layer_count(c))
    if kinds:
        return lambda number: kinds[number] != "chunked_attention"
    positions = c.listed("no_rope_layers", layer_count(c)) if c.find("no_rope_layers") else None
    if positions:
        return lambda number: not positions[number]
    return lambda number: (number + 1) % 4 == 0


def deepseek(c: Config) -> list[Layer]:
    """DeepSeek V3, R1, Kimi K2, GLM 4.7 Flash, Mistral Small 4: MLA and shared experts."""
    return _deepseek(c, latent_attention(c))


def deepseek_v2(c: Config) -> list[Layer]:
    """DeepSeek V2: a switch for a bias in the feed-forward parts."""
    return _deepseek(c, latent_attention(c), bias=c.flag("mlp_bias"))


def deepseek_indexed(c: Config) -> list[Layer]:
    """DeepSeek V3.2 and GLM 5: the same with an indexer, which some layers of GLM 5.2 share."""
    full = latent_attention(c, index_n_heads=c.whole("index_n_heads"),
                            index_head_dim=c.whole("index_head_dim"))
    shared = replace(full, index_n_heads=0, index_head_dim=0)
    kinds = c.listed("indexer_types", layer_count(c)) or ["full"] * layer_count(c)
    layers = _deepseek(c, full)
    return [replace(layer, parts=(full if kind == "full" else shared, *layer.parts[1:]))
            for layer, kind in zip(layers, kinds, strict=True)]


def glm4_moe(c: Config) -> list[Layer]:
    """GLM 4.5 and 4.6: DeepSeek's experts with grouped queries."""
    mixer = attention(c, bias=c.flag("attention_bias"),
                      norms="head" if c.flag("use_qk_norm") else "")
    return _deepseek(c, mixer, names=SAME_TWO_NORMS)


def _deepseek(c: Config, mixer: Part, *, names: tuple[str, ...] = TWO_NORMS,
              bias: bool = False) -> list[Layer]:
    shared = [replace(part, bias=bias) for part in shared_expert(c)]
    balanced = c.find("topk_method") not in ("greedy", "group_limited_greedy")
    sparse = (experts(c, correction=balanced), *shared)
    kinds = c.listed("mlp_layer_types", layer_count(c))
    first = c.whole("first_k_dense_replace", 0, at_least=0)
    step = c.whole("moe_layer_freq", 1)
    return some_sparse(c, [mixer] * layer_count(c), sparse, lambda number: (
        kinds[number] == "sparse" if kinds else number >= first and number % step == 0),
        names=names, bias=bias)


def mimo(c: Config) -> list[Layer]:
    """MiMo V2: values shorter than keys, other heads where it slides."""
    length, kinds = layer_count(c), _mimo_kinds(c)
    bias = c.flag("attention_bias")
    full = attention(c, value_head_dim=c.whole("v_head_dim"), bias=bias)
    sliding = attention(
        c, num_key_value_heads=c.whole("swa_num_key_value_heads", 2 * full.num_key_value_heads),
        head_dim=c.whole("swa_head_dim", None), window=c.whole("sliding_window"),
        value_head_dim=c.whole("swa_v_head_dim", None) or c.whole("v_head_dim"), sinks=True,
        bias=bias)
    dense, sparse = feed_forward(c), experts(c, correction=True)
    listed = c.listed("mlp_layer_types", length)
    routed = ([kind == "sparse" for kind in listed] if listed
              else c.listed("moe_layer_freq", length) or [0] + [1] * (length - 1))
    around = tuple(norms(c, *TWO_NORMS))
    return [Layer((sliding if kinds[number] else full, sparse if routed[number] else dense), around)
            for number in range(length)]


def _mimo_kinds(c: Config) -> list[bool]:
    pattern = c.listed("hybrid_layer_pattern", layer_count(c))
    if pattern:
        return [kind == 1 for kind in pattern]
    kinds = c.listed("layer_types", layer_count(c))
    if kinds is None:
        raise InvalidInput(
            f"{c.where}: hybrid_layer_pattern is missing; 1 marks a layer that slides."
        )
    return [kind == "sliding_attention" for kind in kinds]


def ernie_moe(c: Config) -> list[Layer]:
    """ERNIE 4.5 MoE: the first layers dense, shared experts in the others."""
    bias = c.flag("use_bias")
    first = c.whole("moe_layer_start_index", 1, at_least=0)
    last = c.whole("moe_layer_end_index", -1, at_least=-1)
    end = layer_count(c) - 1 if last == -1 else last
    shared = [replace(part, bias=bias) for part in shared_expert(c)]
    sparse = (experts(c, scales=c.whole("num_experts")), *shared)
    step = c.whole("moe_layer_interval", 1)
    mixers = [biased_attention(c, "use_bias")] * layer_count(c)
    return some_sparse(c, mixers, sparse, lambda number: (
        first <= number <= end and (number + 1) % step == 0), bias=bias)


def ernie_around(c: Config) -> list[Tensor]:
    """The output layer of ERNIE 4.5 may have a bias."""
    return norms(c, "output_norm.weight") + output_bias(c, "use_bias")


def hunyuan_moe(c: Config) -> list[Layer]:
    """Hunyuan A13B: one shared expert as wide as a dense layer."""
    shared = feed_forward(c, role="shared expert")
    return stack(c, biased_attention(c, norms="head"), experts(c, "intermediate_size"), shared)


def some_sparse(c: Config, mixers: list[Part], sparse: tuple[Part, ...],
                routed: Callable[[int], bool], *, names: tuple[str, ...] = TWO_NORMS,
                **dense: bool) -> list[Layer]:
    """Layers with ``sparse`` parts where ``routed`` says so, and a feed-forward part elsewhere."""
    around = tuple(norms(c, *names))
    return [
        Layer((mixer, *(sparse if routed(number) else (feed_forward(c, **dense),))), around)
        for number, mixer in enumerate(mixers)
    ]


_LATENT = {**UNTIED, "topk_method": "noaux_tc", "n_shared_experts": 1}
_V3 = {**_LATENT, "q_lora_rank": 1536, "first_k_dense_replace": 3}

FAMILIES = {
    "mixtral": Family(mixtral, {**UNTIED, "num_key_value_heads": 8}),
    "qwen2_moe": Family(qwen2_moe, {**UNTIED, "num_key_value_heads": 16}),
    "qwen3_moe": Family(qwen3_moe, {**UNTIED, "num_key_value_heads": 4}),
    "qwen3_vl_moe_text": Family(qwen3_moe, {**UNTIED, "num_key_value_heads": 16}),
    "olmoe": Family(olmoe, UNTIED),
    "phimoe": Family(phimoe, {**UNTIED, "num_key_value_heads": 8}, phimoe_around),
    "gpt_oss": Family(gpt_oss, {**UNTIED, "head_dim": 64, "num_key_value_heads": 8,
                                "sliding_window": 128}),
    "granitemoe": Family(granitemoe, UNTIED),
    "minimax_m2": Family(minimax_m2, {**UNTIED, "head_dim": 128, "num_key_value_heads": 8}),
    "llama4_text": Family(llama4, {**UNTIED, "vocab_size": 202_048, "head_dim": 128,
                                   "num_key_value_heads": 8, "intermediate_size_mlp": 16_384}),
    "deepseek_v2": Family(deepseek_v2, {**UNTIED, "topk_method": "greedy", "q_lora_rank": 1536,
                                        "n_shared_experts": 2}),
    "deepseek_v3": Family(deepseek, _V3),
    "kimi_k2": Family(deepseek, _V3),  # transformers has no such class; its own is DeepSeek's
    "glm4_moe_lite": Family(deepseek, {**_LATENT, "q_lora_rank": 768, "first_k_dense_replace": 1}),
    "mistral4": Family(deepseek, {**_LATENT, "q_lora_rank": 8 * 128}),
    "deepseek_v32": Family(deepseek_indexed, _V3),
    "glm_moe_dsa": Family(deepseek_indexed, {**_V3, "q_lora_rank": 2048}),
    "glm4_moe": Family(glm4_moe, {**_LATENT, "first_k_dense_replace": 1,
                                  "num_key_value_heads": 8}),
    "mimo_v2_flash": Family(mimo, {**UNTIED, "num_key_value_heads": 4, "head_dim": 192,
                                   "v_head_dim": 128, "sliding_window": 129}),
    "ernie4_5_moe": Family(ernie_moe, {**TIED, "num_key_value_heads": 4, "n_shared_experts": 2},
                           ernie_around),
    "hunyuan_v1_moe": Family(hunyuan_moe, UNTIED),
}
