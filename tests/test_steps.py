"""What the parts of a layer make of eight tokens, counted by hand, in the order of llama.cpp's graphs.

llama.cpp@0c1e57098: src/llama-graph.cpp (build_attn, build_ffn, build_moe_ffn), src/models.
"""

from functools import partial

import pytest

from llmsizing.architecture import Attention, Experts, FeedForward, LatentAttention
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.memory.compute import mixers, workers
from llmsizing.memory.compute.arena import Arena
from llmsizing.memory.compute.step import NORM, Step, X

TOKENS = 8  # of 4 bytes for each number: one number for each token is 32 bytes, as tensors are aligned


class Told(Arena):
    """An arena that tells what enters (+, with the numbers for each token), leaves and is renamed."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def make(self, name, size, *used):
        assert size % 32 == 0
        self.lines.append(f"+{name} {size // 32}")
        super().make(name, size, *used)

    def free(self, *names):
        self.lines += [f"-{name}" for name in names]
        super().free(*names)

    def rename(self, old, new):
        self.lines.append(f"{old} is {new}")
        super().rename(old, new)


def told(run, part, *more, **settings):
    step = Step(TOKENS, 64, arena=Told(), **settings)
    step.make(X, 64)
    step.norm()
    step.arena.lines.clear()
    run(step, part, *more)
    return step.arena


def attention(**changes):
    """Queries 4 · 16 = 64, keys 2 · 16 = 32, values 2 · 8 = 16, what heads find 4 · 8 = 32."""
    return Attention(**{"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
                        "head_dim": 16, "value_head_dim": 8, **changes})


def latent(**changes):
    """Queries 4 · (16 + 8) = 96, the latent vector 32 + 8, values 4 · 12 = 48."""
    return LatentAttention(**{"hidden_size": 64, "num_attention_heads": 4, "q_lora_rank": 24,
                              "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8,
                              "v_head_dim": 12, **changes})


#: 6 · 8 = 48 inside, and 2 · 2 · 16 more through the convolution.
MAMBA = Mamba2(hidden_size=64, num_heads=6, head_dim=8, state_size=16, n_groups=2, conv_kernel=4)
PLAMO = PlamoMamba(hidden_size=64, num_heads=6, head_dim=8, state_size=16, step_size=64, conv_kernel=4)
DELTA = GatedDeltaNet(hidden_size=64, num_key_heads=2, num_value_heads=4, key_head_dim=8,
                      value_head_dim=16, conv_kernel=4)
KIMI = KimiDelta(hidden_size=64, num_heads=4, head_dim=8, conv_kernel=4)
SHORT = ShortConvolution(hidden_size=64, conv_kernel=3)


def dense(**changes):
    return FeedForward(**{"hidden_size": 64, "intermediate_size": 96, **changes})


def sparse(**changes):
    return Experts(**{"hidden_size": 64, "num_experts": 16, "num_experts_per_tok": 2,
                      "moe_intermediate_size": 24, **changes})


SHARED = dense(role="shared expert", intermediate_size=40)
TURNED = "+queries, turned 64, -queries, queries, turned is queries"
KEYS_TURNED = "+keys, turned 32, -keys, keys, turned is keys"
END = "-keys, -values, +heads 32, -queries, +mixed 64, -heads"
CASES = {
    "products of one input together": (mixers.attention, attention(), (100,), {}, f"""
        +queries 64, +values 16, +keys 32, -norm, {TURNED}, {KEYS_TURNED}, {END}"""),
    "products as they come": (mixers.attention, attention(), (100,), {"grouped": False}, f"""
        +queries 64, {TURNED}, +values 16, +keys 32, -norm, {KEYS_TURNED}, {END}"""),
    "a gate in the query's matrix": (mixers.attention, attention(gated=True), (100,), {}, f"""
        +queries 128, +values 16, +keys 32, -norm, queries is queries and gate, +queries 64,
        {KEYS_TURNED}, -keys, -values, +heads 32, -queries, +gate 64, -queries and gate, -gate,
        +mixed 64, -heads"""),
    "such a gate, as it comes": (mixers.attention, attention(gated=True), (100,), {"grouped": False}, f"""
        +queries 128, queries is queries and gate, +queries 64, +values 16, +keys 32, -norm,
        {KEYS_TURNED}, -keys, -values, +heads 32, -queries, +gate 64, -queries and gate, -gate,
        +mixed 64, -heads"""),
    "a gate of four rows": (mixers.attention, attention(gate_rows=4), (100,), {}, f"""
        +queries 64, +values 16, +keys 32, +gate 4, -norm, {TURNED}, {KEYS_TURNED}, -keys, -values,
        +heads 32, -queries, -gate, +mixed 64, -heads"""),
    "keys as values": (mixers.attention, attention(values_are_keys=True), (100,), {}, f"""
        +queries 64, +keys 32, -norm, {TURNED}, {KEYS_TURNED}, +values 16, {END}"""),
    "another layer's keys": (mixers.attention, attention(stores_cache=False), (100,), {}, f"""
        +queries 64, -norm, {TURNED}, +heads 32, -queries, +mixed 64, -heads"""),
    "another layer's quantized keys": (mixers.attention, attention(stores_cache=False), (100,),
                                       {"rotated": True}, f"""
        +queries 64, -norm, {TURNED}, {TURNED}, +heads 32, -queries, +heads, turned 32, -heads,
        heads, turned is heads, +mixed 64, -heads"""),
    "a quantized cache": (mixers.attention, attention(), (100,), {"rotated": True}, f"""
        +queries 64, +values 16, +keys 32, -norm, {TURNED}, {KEYS_TURNED}, {TURNED}, {KEYS_TURNED},
        +values, turned 16, -values, values, turned is values, -keys, -values, +heads 32, -queries,
        +heads, turned 32, -heads, heads, turned is heads, +mixed 64, -heads"""),
    "a table of scores of 100 cells": (mixers.attention, attention(), (100,), {"flash": False}, f"""
        +queries 64, +values 16, +keys 32, -norm, {TURNED}, {KEYS_TURNED}, -keys, -values,
        +scores 400, -queries, +values by score 32, -scores, +heads 32, -values by score, +mixed 64,
        -heads"""),
    "a feed-forward part beside": (partial(mixers.attention, beside=dense()), attention(), (100,), {}, f"""
        +queries 64, +values 16, +keys 32, {TURNED}, {KEYS_TURNED}, -keys, -values, +gate 96, +up 96, -norm,
        +heads 32, -queries, +mixed 64, -heads"""),
    "one beside, as products come": (partial(mixers.attention, beside=dense()), attention(), (100,),
                                     {"grouped": False}, f"""
        +queries 64, {TURNED}, +values 16, +keys 32, {KEYS_TURNED}, {END}"""),
    "another mixer beside": (partial(mixers.attention, keep_norm=True), attention(stores_cache=False), (100,),
                             {}, f"""
        +queries 64, {TURNED}, +heads 32, -queries, +mixed 64, -heads"""),
    "the last layer picks its tokens first": (mixers.attention, attention(), (100,), {"last": True}, f"""
        +queries 64, +values 16, +keys 32, -norm, {TURNED}, {KEYS_TURNED}, -keys, -values, +picked 64,
        -residual stream, picked is residual stream, +heads 32, -queries, +mixed 64, -heads"""),
    "MLA": (mixers.latent_attention, latent(), (100,), {}, """
        +queries, small 24, +latent 40, -norm, +queries 96, -queries, small,
        +queries in latent space 128, +queries by position 32, -queries, +latent, normed 32,
        +key by position 8, -latent, +query 160, -queries in latent space, -queries by position,
        +key 40, -latent, normed, -key by position, -key, +found 128, -query, +values 48, -found,
        +heads 48, -values, +mixed 64, -heads"""),
    # The copy of the cache: 100 cells · 2 caches · 32 numbers · 2 bytes are 400 · 32.
    "MLA, direct queries, scores": (mixers.latent_attention, latent(q_lora_rank=0), (100,),
                                    {"grouped": False, "flash": False, "streams": 2}, """
        +queries 96, +queries in latent space 128, +queries by position 32, -queries, +latent 40, -norm,
        +latent, normed 32, +key by position 8, -latent, +query 160, -queries in latent space,
        -queries by position, +key 40, -latent, normed, -key by position, -key,
        +copy of the cache 400, +scores 400, -query, +found 128, -copy of the cache, -scores,
        +values 48, -found, +heads 48, -values, +mixed 64, -heads"""),
    "MLA of old files": (mixers.unfolded_latent_attention, latent(latent_cache=False), (100,), {}, """
        +queries, small 24, +queries 96, -queries, small, +latent 40, -norm, +queries by position 32,
        +key by position 8, +latent, normed 32, -latent, +keys and values 112, -latent, normed,
        +query 96, -queries, -queries by position, +values 48, +keys 96, -keys and values,
        -key by position, -keys, -values, +heads 48, -query, +mixed 64, -heads"""),
    # Scanned: 48 numbers for each of 8 tokens, and 48 · 16 for each of 2 conversations: 8 · 240.
    "Mamba-2": (mixers.mamba, MAMBA, (), {"sequences": 2}, """
        +projection 166, -norm, +convolution's input 112, +projection, convolved 112,
        -convolution's input, +steps 6, +scanned 240, -steps, +skipped 48, -projection, convolved,
        +gate 48, -projection, -scanned, +gated 48, -gate, -skipped, +gated, normed 48, -gated,
        +mixed 64, -gated, normed"""),
    "PLaMo's Mamba": (mixers.mamba, PLAMO, (), {}, """
        +projection 96, -norm, +convolution's input 48, +projection, convolved 48,
        -convolution's input, +steps 6, +scanned 144, -steps, +skipped 48, -projection, convolved,
        +gate 48, -projection, -scanned, +gated 48, -gate, -skipped, +gated, normed 48, -gated,
        +mixed 64, -gated, normed"""),
    # A state: 4 heads of 8 · 16 numbers, for 2 conversations: 8 · 128.
    "gated delta net": (mixers.delta, DELTA, (), {"sequences": 2}, """
        +projection 96, +convolution's input 96, -projection, +state 128, +projection, convolved 96,
        -convolution's input, +queries 16, +keys 16, +heads 192, -projection, convolved, -queries, -keys,
        -state, +gate 64, -norm, +heads, normed 64, +gate, squashed 64, -gate, -heads,
        -gate, squashed, +mixed 64, -heads, normed"""),
    # A state: 4 heads of 8 · 8 numbers, for 2 conversations: 8 · 64.
    "Kimi's delta attention": (mixers.kimi, KIMI, (), {"sequences": 2}, """
        +queries, projected 32, +convolution's input 32, -queries, projected, +queries 32,
        -convolution's input, +keys, projected 32, +convolution's input 32, -keys, projected, +keys 32,
        -convolution's input, +values, projected 32, +convolution's input 32, -values, projected,
        +values 32, -convolution's input, +decay 32, +state 64, +heads 96, -queries, -keys, -values,
        -decay, -state, +gate 32, -norm, +heads, normed 32, -heads, -gate, +mixed 64,
        -heads, normed"""),
    "a short convolution": (mixers.convolution, SHORT, (), {}, """
        +projection 192, -norm, +gated 64, +convolution's input 64, -gated, +convolved 64,
        -convolution's input, +gated 64, -projection, -convolved, +mixed 64, -gated"""),
    "a gated feed-forward part": (workers.feed_forward, dense(), (), {}, """
        +gate 96, +up 96, -norm, +product 96, -gate, -up, +fed forward 64, -product"""),
    "gate and up in one": (workers.feed_forward, dense(fused=True), (), {}, """
        +gate and up 192, -norm, +product 96, -gate and up, +fed forward 64, -product"""),
    "no gate": (workers.feed_forward, dense(gated=False), (), {}, """
        +up 96, -norm, up is product, +fed forward 64, -product"""),
    # Two of 16 experts: 2 · 24 up, 2 · 64 back.
    "experts": (workers.experts, sparse(), (None,), {}, """
        +router's scores 16, +router's order 16, +weights 2, -router's scores, +experts' gate 48,
        +experts' up 48, -norm, +experts' product 48, -experts' gate, -experts' up,
        +experts' output 128, -experts' product, -router's order, -weights, +fed forward 64,
        -experts' output"""),
    "one expert, no gate, corrected scores": (
        workers.experts, sparse(num_experts_per_tok=1, gated=False, correction=True), (None,), {}, """
        +router's scores 16, +router's scores, corrected 16, +router's order 16,
        -router's scores, corrected, +weights 1, -router's scores, +experts' product 24, -norm,
        +experts' output 64, -experts' product, -router's order, -weights,
        experts' output is fed forward"""),
    "experts in a smaller space": (workers.experts, sparse(latent_size=20, gated=False), (
        dense(role="shared expert", intermediate_size=40, gated=False),), {}, """
        +router's scores 16, +router's order 16, +weights 2, -router's scores, +tokens, small 20,
        +experts' product 48, -tokens, small, +up of the shared expert 40, -norm,
        up of the shared expert is product of the shared expert, +experts' output 40,
        -experts' product, -router's order, -weights, +fed forward 20, -experts' output,
        +fed forward, wide 64, -fed forward, fed forward, wide is fed forward,
        +shared expert's output 64, -product of the shared expert, -shared expert's output"""),
    "six experts and a shared one": (workers.experts, sparse(num_experts_per_tok=6), (SHARED,), {}, """
        +router's scores 16, +router's order 16, +weights 6, -router's scores, +experts' gate 144,
        +experts' up 144, +gate of the shared expert 40, +up of the shared expert 40, -norm,
        +experts' product 144, -experts' gate, -experts' up, +product of the shared expert 40,
        -gate of the shared expert, -up of the shared expert, +experts' output 384, -experts' product,
        -router's order, -weights, +fed forward 64, -experts' output, +shared expert's output 64,
        -product of the shared expert, -shared expert's output"""),
    "seven experts and a shared one": (workers.experts, sparse(num_experts_per_tok=7), (SHARED,), {}, """
        +router's scores 16, +router's order 16, +weights 7, -router's scores, +experts' gate 168,
        +experts' up 168, +experts' product 168, -experts' gate, -experts' up,
        +gate of the shared expert 40, +up of the shared expert 40, -norm,
        +experts' output 448, -experts' product, -router's order, -weights, +fed forward 64,
        -experts' output, +product of the shared expert 40, -gate of the shared expert,
        -up of the shared expert, +shared expert's output 64, -product of the shared expert,
        -shared expert's output"""),
    "a shared expert with gate and up in one": (
        workers.experts, sparse(), (dense(role="shared expert", intermediate_size=40, fused=True),), {}, """
        +router's scores 16, +router's order 16, +weights 2, -router's scores, +experts' gate 48,
        +experts' up 48, +experts' product 48, -experts' gate, -experts' up, +experts' output 128,
        -experts' product, -router's order, -weights, +fed forward 64, -experts' output,
        +gate and up of the shared expert 80, -norm, +product of the shared expert 40,
        -gate and up of the shared expert, +shared expert's output 64, -product of the shared expert,
        -shared expert's output"""),
    "a shared expert as it comes": (workers.experts, sparse(), (SHARED,), {"grouped": False}, """
        +router's scores 16, +router's order 16, +weights 2, -router's scores, +experts' gate 48,
        +experts' up 48, +experts' product 48, -experts' gate, -experts' up, +experts' output 128,
        -experts' product, -router's order, -weights, +fed forward 64, -experts' output,
        +gate of the shared expert 40, +up of the shared expert 40, -norm,
        +product of the shared expert 40, -gate of the shared expert, -up of the shared expert,
        +shared expert's output 64, -product of the shared expert, -shared expert's output"""),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_part_makes_and_what_leaves(case):
    run, part, more, settings, lines = CASES[case]
    arena = told(run, part, *more, **settings)
    assert ", ".join(arena.lines) == " ".join(lines.split())
    made = "fed forward" if run in (workers.experts, workers.feed_forward) else "mixed"
    kept = {NORM} if f"-{NORM}" not in arena.lines else set()
    assert arena._placed.keys() - {"gate", "up"} == {X, made} | kept


@pytest.mark.parametrize("grouped", [True, False])
def test_the_residual_stream_is_picked_after_attention_if_products_come_one_by_one(grouped):
    step = Step(TOKENS, 64, grouped=grouped, arena=Told())
    step.make(X, 64)
    step.make("mixed", 64)
    step.arena.lines.clear()
    step.pick()
    picked = ["mixed"] if grouped else ["mixed", X]
    assert step.arena.lines == [line for name in picked for line in (
        "+picked 64", f"-{name}", f"picked is {name}")]


@pytest.mark.parametrize(("run", "part", "more", "names"), [
    (mixers.attention, attention(), (100,), "attn_q attn_k attn_v attn_output"),
    (mixers.attention, attention(fused=True), (100,), "attn_qkv attn_output"),
    (mixers.latent_attention, latent(), (100,), "attn_q_a attn_q_b attn_k_b attn_v_b attn_output"),
    (mixers.latent_attention, latent(q_lora_rank=0), (100,), "attn_q attn_k_b attn_v_b attn_output"),
    (mixers.unfolded_latent_attention, latent(latent_cache=False), (100,), "attn_q_a attn_output"),
    (mixers.mamba, MAMBA, (), "ssm_in ssm_out"), (mixers.delta, DELTA, (), "attn_qkv ssm_out"),
    (mixers.kimi, KIMI, (), "attn_output"),
    (workers.feed_forward, dense(), (), "ffn_gate ffn_up ffn_down"),
    (workers.feed_forward, dense(fused=True), (), "ffn_up ffn_down"),
    (workers.experts, sparse(), (SHARED,), "ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp"
                                           " ffn_up_shexp ffn_down_shexp"),
    (workers.experts, sparse(gated=False), (None,), "ffn_up_exps ffn_down_exps"),
])
def test_a_matrix_in_ram_is_there_while_its_product_is_made(run, part, more, names):
    """The names are those of the part's own tensors."""
    own = {tensor.name for each in (part, *more) if hasattr(each, "tensors") for tensor in each.tensors()}
    lines = told(run, part, *more, copies=dict.fromkeys(own, 32)).lines
    copied = [line.removeprefix("+copy of ").removesuffix(" 1") for line in lines if "+copy" in line]
    assert sorted(copied) == sorted(f"{name}.weight" for name in names.split()) and {*copied} <= own
    for name in copied:
        at = lines.index(f"+copy of {name} 1")
        assert lines[at + 1].startswith("+") and lines[at + 2] == f"-copy of {name}"
