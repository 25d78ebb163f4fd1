"""Gemma 3n and 4: layers that share keys and values, tables of their own for each layer."""

from llmsizing.architecture.attention import Attention
from llmsizing.architecture.config import Config
from llmsizing.architecture.families.blocks import (
    FOUR_NORMS,
    Family,
    biased_attention,
    every_nth_full,
    experts,
    feed_forward,
    layer_count,
    norms,
    windows,
)
from llmsizing.architecture.families.dense import TIED
from llmsizing.architecture.model import Layer
from llmsizing.architecture.tensors import Tensor, matrix, vector
from llmsizing.errors import InvalidInput


def gemma4(c: Config) -> list[Layer]:
    """Gemma 4: other heads where a layer looks back at all, and experts beside the MLP."""
    length, sparse = layer_count(c), c.flag("enable_moe_block")
    shared_from = length - c.whole("num_kv_shared_layers", 0, at_least=0)
    around = [*norms(c, *FOUR_NORMS), *_per_layer_input(c)]
    if sparse:
        around += norms(c, "post_ffw_norm_1.weight", "pre_ffw_norm_2.weight",
                        "post_ffw_norm_2.weight")
    layers = []
    for number, window in enumerate(_gemma4_windows(c)):
        shares = number >= shared_from
        wide = 2 if c.flag("use_double_wide_mlp") and shares else 1
        parts = [_gemma4_attention(c, number, window, shares),
                 feed_forward(c, wide * c.whole("intermediate_size"))]
        if sparse:
            parts.append(experts(c, scales=c.whole("hidden_size") + c.whole("num_experts")))
        layers.append(Layer(tuple(parts), tuple(around)))
    return layers


def _gemma4_windows(c: Config) -> list[int | None]:
    return [*windows(c, every_nth_full(6))[:-1], None]  # the last layer looks back at all


def _gemma4_attention(c: Config, number: int, window: int | None, shares: bool) -> Attention:
    traits = {"norms": "head", "window": window, "stores_cache": not shares}
    if window:
        return biased_attention(c, **traits)
    if c.flag("attention_k_eq_v"):
        traits["values_are_keys"] = True
        groups = c.whole("num_global_key_value_heads", None)
        traits |= {"num_key_value_heads": groups} if groups else {}
    own = _own_config(c, number)
    for key in ("head_dim", "num_key_value_heads"):
        if own.find(key) is not None:
            traits[key] = own.whole(key)
    return biased_attention(c, **{"head_dim": c.whole("global_head_dim", 512), **traits})


def _own_config(c: Config, number: int) -> Config:
    """What newer files say of one layer by its number, written 5 or 05."""
    by_layer = c.inside("per_layer_config")
    written = next((key for key in by_layer.values
                    if isinstance(key, str) and key.isdecimal() and int(key) == number), "")
    own = by_layer.inside(written)
    unknown = set(own.values) - {"head_dim", "num_key_value_heads"}
    if unknown:
        raise InvalidInput(f"{own.where}: {', '.join(word[:40] for word in sorted(unknown)[:5])} is not known.")
    return own


def gemma3n(c: Config) -> list[Layer]:
    """Gemma 3n: a low-rank path (laurel) and four streams (altup) beside each layer."""
    length, hidden = layer_count(c), c.whole("hidden_size")
    shared_from = length - c.whole("num_kv_shared_layers", 15, at_least=0)
    rank, streams = c.whole("laurel_rank", 64), c.whole("altup_num_inputs", 4)
    around = [
        *norms(c, *FOUR_NORMS, "laurel_post_norm.weight", "altup_router_norm.weight"),
        *_per_layer_input(c),
        *matrix("laurel_l", rank, hidden, "feed-forward"),
        *matrix("laurel_r", hidden, rank, "feed-forward"),
        *vector("altup_correct_scale.weight", hidden, "feed-forward"),
        *matrix("altup_correct_coef", streams, streams, "feed-forward"),
        *matrix("altup_predict_coef", streams**2, streams, "feed-forward"),
        *matrix("altup_router", streams, hidden, "feed-forward"),
    ]
    return [
        Layer((biased_attention(c, norms="head", window=window,
                                stores_cache=number < shared_from),
               feed_forward(c, _width(c, number))), tuple(around))
        for number, window in enumerate(windows(c, every_nth_full(5)))
    ]


def _width(c: Config, number: int) -> int:
    if not isinstance(c.find("intermediate_size"), list):
        return c.whole("intermediate_size")
    widths = c.listed("intermediate_size", layer_count(c))
    return Config({"intermediate_size": widths[number]}, c.where, {}).whole("intermediate_size")


def _per_layer_input(c: Config) -> list[Tensor]:
    """What each layer needs to add its own embedding of the token."""
    hidden, size = c.whole("hidden_size"), c.whole("hidden_size_per_layer_input", 0, at_least=0)
    if not size:
        return []
    return [*matrix("inp_gate", size, hidden, "feed-forward"),
            *matrix("proj", hidden, size, "feed-forward"), *norms(c, "post_norm.weight")]


def around(c: Config) -> list[Tensor]:
    """The last norm, and the tables of all layers if there are any."""
    size = c.whole("hidden_size_per_layer_input", 0, at_least=0)
    if not size:
        return norms(c, "output_norm.weight")
    rows, width = c.whole("vocab_size_per_layer_input"), size * layer_count(c)
    return [
        *norms(c, "output_norm.weight"),
        Tensor("per_layer_token_embd.weight", (rows, width), "per-layer embedding"),
        *matrix("per_layer_model_proj", width, c.whole("hidden_size"), "feed-forward"),
        *vector("per_layer_proj_norm.weight", size),
    ]


def gemma3n_around(c: Config) -> list[Tensor]:
    """The same, and matrices between the streams."""
    hidden, streams = c.whole("hidden_size"), c.whole("altup_num_inputs", 4)
    between = [Tensor(f"{name}.weight", (streams - 1, hidden, hidden), "feed-forward")
               for name in ("altup_proj", "altup_unembd_proj") if streams > 1]
    return [*around(c), *between]


_GEMMA4 = {**TIED, "vocab_size": 262_144, "num_attention_heads": 8, "num_key_value_heads": 4,
           "head_dim": 256, "sliding_window": 512, "hidden_size_per_layer_input": 256,
           "vocab_size_per_layer_input": 262_144, "max_position_embeddings": 131_072}

FAMILIES = {
    "gemma4_text": Family(gemma4, _GEMMA4, around),
    "gemma4_unified_text": Family(gemma4, {**_GEMMA4, "hidden_size_per_layer_input": 0,
                                             "sliding_window": 2 * 512}, around),
    "gemma3n_text": Family(gemma3n, {
        **TIED, "vocab_size": 262_400, "num_attention_heads": 8, "num_key_value_heads": 2,
        "head_dim": 256, "sliding_window": 512, "hidden_size_per_layer_input": 256,
        "vocab_size_per_layer_input": 262_144, "max_position_embeddings": 32_768,
        "num_kv_shared_layers": 15}, gemma3n_around),
}
