"""Families whose layers are all attention and one feed-forward part."""

from dataclasses import replace

from llmsizing.architecture.config import Config
from llmsizing.architecture.families.blocks import (
    AFTER_NORMS,
    FOUR_NORMS,
    SAME_TWO_NORMS,
    Family,
    always,
    attention,
    biased_attention,
    every_nth_full,
    feed_forward,
    never,
    norms,
    stack,
    windows,
    with_norm_biases,
)
from llmsizing.architecture.model import Layer
from llmsizing.architecture.tensors import Tensor, vector

UNTIED = {"tie_word_embeddings": False}
TIED = {"tie_word_embeddings": True}


def llama(c: Config) -> list[Layer]:
    """Llama and the many that keep its shape."""
    return stack(c, biased_attention(c), feed_forward(c, bias=c.flag("mlp_bias")))


def mistral(c: Config) -> list[Layer]:
    """Mistral: Llama without biases; version 0.1 slides in every layer."""
    return stack(c, attention(c), feed_forward(c), sliding=windows(c, always))


def qwen2(c: Config) -> list[Layer]:
    """Qwen 2 and 2.5: queries, keys and values have a bias."""
    return stack(c, attention(c, bias=True), feed_forward(c), sliding=_qwen_windows(c))


def qwen3(c: Config) -> list[Layer]:
    """Qwen 3: norms for queries and keys instead of the bias."""
    return stack(c, biased_attention(c, norms="head"), feed_forward(c),
                 sliding=_qwen_windows(c))


def _qwen_windows(c: Config) -> list[int | None]:
    if not c.flag("use_sliding_window"):
        return windows(c, never) if c.find("layer_types") else [None] * c.whole("num_hidden_layers")
    first = c.whole("max_window_layers", 28, at_least=0)
    return windows(c, lambda number: number >= first)


def gemma(c: Config) -> list[Layer]:
    """Gemma 1."""
    return stack(c, biased_attention(c), feed_forward(c))


def gemma2(c: Config) -> list[Layer]:
    """Gemma 2: four norms, every other layer slides."""
    return stack(c, biased_attention(c), feed_forward(c), names=FOUR_NORMS,
                 sliding=windows(c, every_nth_full(2)))


def gemma3(c: Config) -> list[Layer]:
    """Gemma 3: five of six layers slide."""
    pattern = c.whole("sliding_window_pattern", 6)
    return stack(c, biased_attention(c, norms="head"), feed_forward(c), names=FOUR_NORMS,
                 sliding=windows(c, every_nth_full(pattern)))


def phi3(c: Config) -> list[Layer]:
    """Phi 3 and 4: fused matrices. The window in their configs is used by no engine we know."""
    return stack(c, attention(c, fused=True), feed_forward(c, fused=True))


def olmo2(c: Config) -> list[Layer]:
    """OLMo 2: norms after each part, and norms over all heads."""
    return _olmo(c, names=AFTER_NORMS, sliding=None)


def olmo3(c: Config) -> list[Layer]:
    """Olmo 3: OLMo 2 with three of four layers sliding."""
    return _olmo(c, names=AFTER_NORMS, sliding=windows(c, every_nth_full(4)))


def _olmo(c: Config, **how) -> list[Layer]:
    return stack(c, biased_attention(c, norms="all"), feed_forward(c), **how)


def cohere(c: Config) -> list[Layer]:
    """Command R: one norm for both parts."""
    normed = "all" if c.flag("use_qk_norm") else ""
    return stack(c, biased_attention(c, norms=normed), feed_forward(c), names=("attn_norm.weight",))


def cohere2(c: Config) -> list[Layer]:
    """Command R7B and Command A: three of four layers slide."""
    pattern = c.whole("sliding_window_pattern", 4)
    return stack(c, biased_attention(c), feed_forward(c),
                 names=("attn_norm.weight",), sliding=windows(c, every_nth_full(pattern)))


def glm(c: Config) -> list[Layer]:
    """GLM 4: a bias for queries, keys and values, and a fused feed-forward part."""
    return stack(c, attention(c, bias=c.flag("attention_bias")), feed_forward(c, fused=True))


def glm4(c: Config) -> list[Layer]:
    """GLM 4 of 2025: two norms more."""
    return stack(c, attention(c, bias=c.flag("attention_bias")), feed_forward(c, fused=True),
                 names=FOUR_NORMS)


def seed_oss(c: Config) -> list[Layer]:
    """Seed-OSS: the output has a switch for its bias of its own."""
    mixer = attention(c, bias=c.flag("attention_bias"), output_bias=c.flag("attention_out_bias"))
    return stack(c, mixer, feed_forward(c, bias=c.flag("mlp_bias")), names=SAME_TWO_NORMS)


def exaone4(c: Config) -> list[Layer]:
    """EXAONE 4: norms after each part; a hybrid slides in three of four layers."""
    pattern = c.find("sliding_window_pattern")
    full = len(pattern) if isinstance(pattern, str) else c.whole("sliding_window_pattern", 4)
    return stack(c, attention(c, norms="head"), feed_forward(c), names=AFTER_NORMS,
                 sliding=windows(c, every_nth_full(full)))


def ernie(c: Config) -> list[Layer]:
    """ERNIE 4.5: one switch for all biases."""
    mixer = biased_attention(c, "use_bias")
    return stack(c, mixer, feed_forward(c, bias=mixer.bias))


def hunyuan(c: Config) -> list[Layer]:
    """Hunyuan dense."""
    return stack(c, biased_attention(c, norms="head"), feed_forward(c))


def apertus(c: Config) -> list[Layer]:
    """Apertus: no gate, and two numbers per layer inside its activation."""
    layers = stack(c, biased_attention(c, norms="head"),
                   feed_forward(c, gated=False))
    xielu = (Tensor("xielu.alpha_p", (1,), "feed-forward"),
             Tensor("xielu.alpha_n", (1,), "feed-forward"))
    return [replace(layer, others=(*layer.others, *xielu)) for layer in layers]


def muse_glimmer(c: Config) -> list[Layer]:
    """Muse Glimmer: a gate on the attention's output, four norms, three of four layers slide."""
    mixer = biased_attention(c)
    mixer = replace(mixer, gate_rows=mixer.num_attention_heads * mixer.head_dim)
    return stack(c, mixer, feed_forward(c), names=FOUR_NORMS, sliding=windows(c, every_nth_full(4)))


def gpt_neox(c: Config) -> list[Layer]:
    """GPT-NeoX: fused attention, no gate, every matrix and norm with a bias."""
    return with_norm_biases(c, stack(c, biased_attention(c, default=True, fused=True),
                                     feed_forward(c, gated=False, bias=True)))


def starcoder2(c: Config) -> list[Layer]:
    """StarCoder 2: no gate, biases, all layers slide."""
    mixer = biased_attention(c, "use_bias", True)
    rest = feed_forward(c, gated=False, bias=mixer.bias)
    return with_norm_biases(c, stack(c, mixer, rest, sliding=windows(c, always)))


def nemotron(c: Config) -> list[Layer]:
    """Nemotron 3 and 4 (2024): no gate, norms with a bias."""
    return with_norm_biases(c, stack(
        c, biased_attention(c), feed_forward(c, gated=False, bias=c.flag("mlp_bias"))))


def bitnet(c: Config) -> list[Layer]:
    """BitNet b1.58: a norm inside each part."""
    layers = stack(c, biased_attention(c), feed_forward(c))
    inner = (*vector("attn_sub_norm.weight", c.whole("hidden_size")),
             *vector("ffn_sub_norm.weight", c.whole("intermediate_size")))
    return [replace(layer, others=(*layer.others, *inner)) for layer in layers]


def biased_norm(c: Config) -> list[Tensor]:
    """A last norm with a bias."""
    return norms(c, "output_norm.weight", "output_norm.bias")


FAMILIES = {
    "llama": Family(llama, UNTIED),
    "mistral": Family(mistral, {**UNTIED, "num_key_value_heads": 8}),
    "ministral": Family(mistral, {**UNTIED, "num_key_value_heads": 8, "sliding_window": 4096}),
    "ministral3": Family(mistral, {**UNTIED, "num_key_value_heads": 8, "head_dim": 128}),
    "qwen2": Family(qwen2, {**UNTIED, "num_key_value_heads": 32}),
    "qwen2_vl_text": Family(qwen2, {**UNTIED, "num_key_value_heads": 8}),
    "qwen2_5_vl_text": Family(qwen2, {**UNTIED, "num_key_value_heads": 8}),
    "qwen3": Family(qwen3, {**UNTIED, "head_dim": 128, "num_key_value_heads": 32}),
    "qwen3_vl_text": Family(qwen3, {**UNTIED, "head_dim": 128, "num_key_value_heads": 32}),
    "gemma": Family(gemma, {**TIED, "head_dim": 256, "num_key_value_heads": 16}),
    "gemma2": Family(gemma2, {**TIED, "head_dim": 256, "num_key_value_heads": 4,
                              "sliding_window": 4096}),
    "gemma3_text": Family(gemma3, {
        **TIED, "vocab_size": 262_208, "num_attention_heads": 8, "num_key_value_heads": 4,
        "head_dim": 256, "sliding_window": 4096, "max_position_embeddings": 131_072}),
    "phi3": Family(phi3, UNTIED),
    "olmo2": Family(olmo2, UNTIED),
    "olmo3": Family(olmo3, {**UNTIED, "sliding_window": 4096}),
    "cohere": Family(cohere, TIED),
    "cohere2": Family(cohere2, {**TIED, "sliding_window": 4096}),
    "glm": Family(glm, {**UNTIED, "attention_bias": True, "head_dim": 128,
                        "num_key_value_heads": 2}),
    "glm4": Family(glm4, {**UNTIED, "attention_bias": True, "head_dim": 128,
                          "num_key_value_heads": 2}),
    "granite": Family(llama, UNTIED),
    "smollm3": Family(llama, {**TIED, "num_key_value_heads": 4}),
    "seed_oss": Family(seed_oss, {**UNTIED, "attention_bias": True, "head_dim": 128,
                                  "num_key_value_heads": 8}),
    "exaone4": Family(exaone4, {**UNTIED, "sliding_window": 4096, "num_key_value_heads": 32}),
    "ernie4_5": Family(ernie, {**TIED, "head_dim": 128, "num_key_value_heads": 2}),
    "hunyuan_v1_dense": Family(hunyuan, UNTIED),
    "apertus": Family(apertus, UNTIED),
    "muse_glimmer_text": Family(muse_glimmer, {**UNTIED, "head_dim": 128,
                                               "num_key_value_heads": 2}),
    "gpt_neox": Family(gpt_neox, UNTIED, biased_norm),
    "starcoder2": Family(starcoder2, {**TIED, "num_key_value_heads": 2}, biased_norm),
    "nemotron": Family(nemotron, UNTIED, biased_norm),
    "bitnet": Family(bitnet, {**UNTIED, "num_key_value_heads": 5}),
}
