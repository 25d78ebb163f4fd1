"""Layers from a GGUF file: which parts a layer has, its tensors tell; how they work, the metadata."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmsizing.architecture import Attention, Experts, FeedForward, LatentAttention, Layer, Tensor
from llmsizing.architecture.config import LARGEST
from llmsizing.architecture.model import Part
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.errors import InvalidInput

MOST = LARGEST["max_position_embeddings"]

#: Tensors that a file may hold as one, and how `llmsizing` calls the two that it is made of.
MERGED = {
    "ffn_gate_up_exps.weight": ("ffn_gate_exps.weight", "ffn_up_exps.weight"),
    "ssm_ba.weight": ("ssm_beta.weight", "ssm_alpha.weight"),
}

#: Matrices that stand in a file only as part of something that `llmsizing` knows.
NEVER_ALONE = re.compile(r"(attn_(q|k|v|qkv|output|q_a|q_b)|ffn_(gate|up|down|gate_up)(_exps|_shexp)?"
                         r"|ssm_\w+|shortconv\.\w+)\.weight")

#: What a tensor is for: the first pattern that its name holds.
ROLE_OF = (
    (r"^(rope_|exp_probs_b)|scale$", "buffer"),
    (r"norm", "norm"),
    (r"^per_layer_token_embd", "per-layer embedding"),
    (r"^token_embd", "embedding"),
    (r"^output\.", "output"),
    (r"_inp(_shexp)?\.|latent", "router"),
    (r"_shexp\.", "shared expert"),
    (r"_exps\.", "experts"),
    (r"^(ssm_|shortconv)", "state space"),
    (r"^(attn|indexer)", "attention"),
)


def role_of(name: str) -> str:
    """What a tensor is for, by llama.cpp's name without the layer's number."""
    return next((role for pattern, role in ROLE_OF if re.search(pattern, name)), "feed-forward")


@dataclass(frozen=True)
class Traits:
    """What the metadata says of one layer.

    Parameters
    ----------
    where : str
        The layer, for messages.
    values : Mapping
        The file's metadata without the architecture before each key; a list with one entry for
        each layer is replaced by this layer's.
    window : int or None
        Tokens that its attention looks back.
    stores_cache : bool
        Whether it keeps keys and values of its own.
    values_may_be_keys : bool
        Whether a layer without a matrix for values takes its keys as values, as in Gemma 4.
    """

    where: str
    values: Mapping[str, Any]
    window: int | None
    stores_cache: bool
    values_may_be_keys: bool = False

    def whole(self, key: str, default: int | None = None, *, at_least: int = 1) -> int:
        """A whole number, or the default where the file says nothing."""
        value = self.values.get(key, default)
        if type(value) is not int or not at_least <= value <= MOST:
            if value is None:
                raise InvalidInput(f"{self.where}: its metadata lacks {key}.")
            raise InvalidInput(f"{self.where}: {key} is {value!r:.80}, but must be a whole number"
                               f" from {at_least} to {MOST:,}.")
        return value


Shapes = Mapping[str, tuple[int, ...]]


def layer_of(traits: Traits, found: Shapes) -> Layer:
    """One layer, from its tensors' names and shapes.

    Raises
    ------
    InvalidInput
        If metadata and tensors disagree, or nothing known works in it.
    """
    hidden = traits.whole("embedding_length")
    parts = tuple(part for make in (_attention, _recurrent, _experts, _feed_forward)
                  for part in make(hidden, traits, found))
    if not parts:
        raise InvalidInput(f"{traits.where} has no attention and no feed-forward part that is known; its"
                           f" tensors: {', '.join(sorted(found)[:5]) or 'none'}.")
    named = _claimed(traits, parts, found)
    alone = [name for name in found if name not in named and NEVER_ALONE.fullmatch(name)]
    if alone:
        raise InvalidInput(f"{traits.where} has {alone[0]} {found[alone[0]]}, but not all that belongs to"
                           " it. The file is broken, or of a kind that is not known here.")
    return Layer(parts, tuple(Tensor(name, shape, role_of(name)) for name, shape in found.items()
                              if name not in named))


def _claimed(traits: Traits, parts: Iterable[Part], found: Shapes) -> set[str]:
    """The names of the parts' tensors, each with as many weights in the file as the part needs."""
    made = {tensor.name: tensor for part in parts for tensor in part.tensors()}
    counts = {name: tensor.count for name, tensor in made.items()}
    for merged, (first, second) in MERGED.items():
        if merged in found and first in counts and first not in found:
            counts[merged] = counts.pop(first) + counts.pop(second)
    for name, count in counts.items():
        shape = found.get(name)
        if shape is None or Tensor(name, shape, "").count != count:
            stored = f"has the shape {shape}" if shape else "is not in the file"
            needed = made[name].shape if name in made else f"{count:,} weights"
            raise InvalidInput(f"{traits.where}: {name} {stored}, but by the metadata it must be"
                               f" {needed}. The file is broken, or of a kind that is not known here.")
    return set(counts)


def _attention(hidden: int, traits: Traits, found: Shapes) -> Iterable[Part]:
    if "attn_kv_a_mqa.weight" in found:
        yield _latent(hidden, traits, found)
        return
    fused = "attn_q.weight" not in found
    first = "attn_qkv.weight" if fused else "attn_q.weight"
    if first not in found or any(name.startswith("ssm_conv1d") for name in found) and (
            fused or "ssm_conv1d_q.weight" in found):
        return
    heads = traits.whole("attention.head_count")
    groups = traits.whole("attention.head_count_kv", heads)
    divided = hidden // heads
    swa = "_swa" if traits.window else ""
    head = traits.whole(f"attention.key_length{swa}", traits.values.get("attention.key_length", divided))
    value = traits.whole(f"attention.value_length{swa}",
                         traits.values.get("attention.value_length", divided))
    matrices = ("attn_qkv",) if fused else tuple(
        name for name in ("attn_q", "attn_k", "attn_v") if f"{name}.weight" in found)
    norm = math.prod(found.get("attn_q_norm.weight", (0,)))
    yield Attention(
        hidden_size=hidden, num_attention_heads=heads, num_key_value_heads=groups, head_dim=head,
        value_head_dim=value, window=traits.window, fused=fused,
        bias=all(f"{name}.bias" in found for name in matrices),
        output_bias="attn_output.bias" in found,
        norms="" if not norm else "head" if norm == head else "all",
        gated=not fused and found[first][0] == 2 * heads * head,
        gate_rows=_length(found, "attn_gate.weight"),
        sinks="attn_sinks.weight" in found, stores_cache=traits.stores_cache,
        has_keys=fused or traits.stores_cache or "attn_k.weight" in found or "attn_v.weight" in found,
        values_are_keys=(traits.values_may_be_keys and "attn_k.weight" in found
                         and "attn_v.weight" not in found),
    )


def _latent(hidden: int, traits: Traits, found: Shapes) -> LatentAttention:
    """MLA. Older files hold keys' and values' matrix as one; llama.cpp then caches each head."""
    latent = traits.whole("attention.kv_lora_rank")
    rope = found["attn_kv_a_mqa.weight"][0] - latent
    suffix = "_mla" if "attention.key_length_mla" in traits.values else ""
    indexed = "indexer.attn_k.weight" in found and "indexer.attn_q_b.weight" in found
    index_dim = found["indexer.attn_k.weight"][0] if indexed else 0
    return LatentAttention(
        hidden_size=hidden, num_attention_heads=traits.whole("attention.head_count"),
        q_lora_rank=_length(found, "attn_q_a.weight"), kv_lora_rank=latent,
        qk_nope_head_dim=max(traits.whole(f"attention.key_length{suffix}") - rope, 0),
        qk_rope_head_dim=max(rope, 0), v_head_dim=traits.whole(f"attention.value_length{suffix}"),
        bias="attn_kv_a_mqa.bias" in found,
        index_n_heads=found["indexer.attn_q_b.weight"][0] // index_dim if indexed else 0,
        index_head_dim=index_dim, latent_cache="attn_k_b.weight" in found,
    )


def _recurrent(hidden: int, traits: Traits, found: Shapes) -> Iterable[Part]:
    if "shortconv.conv.weight" in found:
        yield ShortConvolution(hidden_size=hidden, conv_kernel=found["shortconv.conv.weight"][-1],
                               bias="shortconv.in_proj.bias" in found)
    elif "ssm_conv1d_q.weight" in found:
        yield KimiDelta(hidden_size=hidden, num_heads=math.prod(found.get("ssm_a", (0,))),
                        head_dim=_length(found, "ssm_norm.weight"),
                        conv_kernel=found["ssm_conv1d_q.weight"][-1])
    elif "ssm_conv1d.weight" in found:
        heads, inner = traits.whole("ssm.time_step_rank"), traits.whole("ssm.inner_size")
        groups, state = traits.whole("ssm.group_count", 1, at_least=0), traits.whole("ssm.state_size")
        kernel = found["ssm_conv1d.weight"][-1]
        if "ssm_in.weight" not in found:
            yield GatedDeltaNet(hidden_size=hidden, num_key_heads=groups, num_value_heads=heads,
                                key_head_dim=state, value_head_dim=inner // heads, conv_kernel=kernel)
        elif "ssm_x.weight" in found:
            yield PlamoMamba(hidden_size=hidden, num_heads=heads, head_dim=inner // heads,
                             state_size=state, step_size=_length(found, "ssm_dt_norm"),
                             conv_kernel=kernel)
        else:
            yield Mamba2(hidden_size=hidden, num_heads=heads, head_dim=inner // heads,
                         state_size=state, n_groups=groups, conv_kernel=kernel,
                         bias="ssm_in.bias" in found, output_bias="ssm_out.bias" in found,
                         conv_bias="ssm_conv1d.bias" in found, norm="ssm_norm.weight" in found)


def _experts(hidden: int, traits: Traits, found: Shapes) -> Iterable[Part]:
    shape = found.get("ffn_down_exps.weight")
    if shape and len(shape) == 3:
        used, number = traits.whole("expert_used_count"), shape[0]
        if used > number:
            raise InvalidInput(f"{traits.where}: expert_used_count is {used}, but there are only"
                               f" {number} experts.")
        gated = "ffn_gate_exps.weight" in found or "ffn_gate_up_exps.weight" in found
        latent = _length(found, "ffn_latent_down.weight")
        yield Experts(
            hidden_size=hidden, num_experts=number, num_experts_per_tok=used,
            moe_intermediate_size=shape[2], gated=gated,
            bias=_biased(found, "ffn_gate_exps" if gated else "", "ffn_up_exps", "ffn_down_exps"),
            router_bias="ffn_gate_inp.bias" in found, correction="exp_probs_b.bias" in found,
            scales=_length(found, "ffn_gate_inp.scale"),
            shared_gate="ffn_gate_inp_shexp.weight" in found, latent_size=latent,
            latent_bias=_biased(found, "ffn_latent_down", "ffn_latent_up"),
        )
    if "ffn_down_shexp.weight" in found:
        yield _dense(hidden, found, "_shexp", "shared expert")


def _feed_forward(hidden: int, traits: Traits, found: Shapes) -> Iterable[Part]:
    if "ffn_down.weight" in found:
        yield _dense(hidden, found, "", "feed-forward")


def _dense(hidden: int, found: Shapes, end: str, role: str) -> FeedForward:
    width = found[f"ffn_down{end}.weight"][-1]
    gated = f"ffn_gate{end}.weight" in found
    fused = not gated and _length(found, f"ffn_up{end}.weight") == 2 * width
    return FeedForward(
        hidden_size=hidden, intermediate_size=width, gated=gated or fused, fused=fused, role=role,
        bias=_biased(found, f"ffn_gate{end}" if gated else "", f"ffn_up{end}", f"ffn_down{end}"))


def _biased(found: Shapes, *names: str) -> bool:
    return all(f"{name}.bias" in found for name in names if name)


def _length(found: Shapes, name: str) -> int:
    """Rows of a matrix, or numbers of a vector; 0 if there is no such tensor."""
    return found.get(name, (0,))[0]
