"""Families in which most layers keep a state of fixed size instead of a cache."""

from dataclasses import replace

from llmsizing.architecture.config import LARGEST, Config
from llmsizing.architecture.families.blocks import (
    FOUR_NORMS,
    SAME_TWO_NORMS,
    TWO_NORMS,
    Family,
    attention,
    biased_attention,
    experts,
    feed_forward,
    latent_attention,
    layer_count,
    norms,
    shared_expert,
)
from llmsizing.architecture.families.dense import TIED, UNTIED
from llmsizing.architecture.families.experts import gated_experts, qwen_sparse, some_sparse
from llmsizing.architecture.model import Layer, Part
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.architecture.tensors import Tensor
from llmsizing.errors import InvalidInput


def qwen3_next(c: Config) -> list[Layer]:
    """Qwen3-Next and Qwen 3.5 and later: one of four layers is attention, and it is gated."""
    linear = GatedDeltaNet(
        hidden_size=c.whole("hidden_size"),
        num_key_heads=c.whole("linear_num_key_heads"),
        num_value_heads=c.whole("linear_num_value_heads"),
        key_head_dim=c.whole("linear_key_head_dim"),
        value_head_dim=c.whole("linear_value_head_dim"),
        conv_kernel=c.whole("linear_conv_kernel_dim"),
    )
    full = biased_attention(c, norms="head", gated=True)
    interval, length = c.whole("full_attention_interval", 4), layer_count(c)
    kinds = c.listed("layer_types", length) or [
        "linear_attention" if (number + 1) % interval else "full_attention"
        for number in range(length)
    ]
    mixers = [linear if kind == "linear_attention" else full for kind in kinds]
    if c.find("num_experts") is None:
        return some_sparse(c, mixers, (), lambda number: False, names=SAME_TWO_NORMS)
    return some_sparse(c, mixers, gated_experts(c), qwen_sparse(c), names=SAME_TWO_NORMS)


def granite_shared(c: Config) -> list[Layer]:
    """Granite MoE with a shared expert."""
    full = biased_attention(c)
    return some_sparse(c, [full] * layer_count(c), _granite_rest(c), lambda number: True)


def _granite_rest(c: Config) -> tuple[Part, ...]:
    width, routed = c.whole("shared_intermediate_size", 0, at_least=0), c.find("num_experts")
    if not routed:
        return (feed_forward(c, width, fused=True),)
    shared = (feed_forward(c, width, fused=True, role="shared expert"),) if width else ()
    return experts(c, "intermediate_size"), *shared


def granite_hybrid(c: Config) -> list[Layer]:
    """Granite 4 H: nine of ten layers are Mamba-2; each has a shared expert, most have experts."""
    full, length = biased_attention(c), layer_count(c)
    kinds = c.listed("layer_types", length) or ["mamba"] * length
    mixers = [_mamba(c) if kind in ("mamba", "linear_attention") else full for kind in kinds]
    return some_sparse(c, mixers, _granite_rest(c), lambda number: True)


def _mamba(c: Config) -> Mamba2:
    """Mamba-2 as Granite's and Falcon's configs describe it."""
    inner = c.whole("mamba_expand", 2) * c.whole("hidden_size")
    heads = c.whole("mamba_n_heads")
    if heads > inner:
        raise c.wrong("mamba_n_heads",
                      f"at most {inner:,}, the numbers that pass through the mixer")
    given = c.find("mamba_d_head")
    return Mamba2(
        hidden_size=c.whole("hidden_size"),
        num_heads=heads,
        head_dim=inner // heads if given in (None, "auto") else c.whole("mamba_d_head"),
        state_size=c.whole("mamba_d_state"),
        n_groups=c.whole("mamba_n_groups", 1),
        conv_kernel=c.whole("mamba_d_conv"),
        bias=c.flag("mamba_proj_bias"),
        output_bias=c.flag("mamba_proj_bias"),
        conv_bias=c.flag("mamba_conv_bias", True),
    )


def falcon_h1(c: Config) -> list[Layer]:
    """Falcon-H1: attention and Mamba-2 side by side in every layer."""
    inner = c.whole("mamba_d_ssm", None) or c.whole("mamba_expand", 2) * c.whole("hidden_size")
    mixer = replace(_mamba(c), head_dim=inner // c.whole("mamba_n_heads"),
                    norm=c.flag("mamba_rms_norm"), output_bias=c.flag("projectors_bias"))
    parts = (biased_attention(c), mixer, feed_forward(c, bias=c.flag("mlp_bias")))
    return [Layer(parts, tuple(norms(c, *TWO_NORMS)))] * layer_count(c)


def nemotron_h(c: Config) -> list[Layer]:
    """Nemotron H, Nano and Super: each layer is one part, as a pattern says."""
    mamba = Mamba2(
        hidden_size=c.whole("hidden_size"),
        num_heads=c.whole("mamba_num_heads"),
        head_dim=c.whole("mamba_head_dim"),
        state_size=c.whole("ssm_state_size"),
        n_groups=c.whole("n_groups"),
        conv_kernel=c.whole("conv_kernel"),
        bias=c.flag("use_bias"),
        output_bias=c.flag("use_bias"),
        conv_bias=c.flag("use_conv_bias", True),
    )
    kinds = _nemotron_kinds(c)
    parts: dict[str, tuple[Part, ...]] = {"mamba": (mamba,)}
    if "attention" in kinds:
        parts["attention"] = (attention(c),)
    if "mlp" in kinds:
        parts["mlp"] = (feed_forward(c, gated=False, bias=c.flag("mlp_bias")),)
    if "moe" in kinds:
        shared = c.whole("moe_shared_expert_intermediate_size")
        parts["moe"] = (experts(c, gated=False, correction=True,
                                latent_size=c.whole("moe_latent_size", 0),
                                latent_bias=c.flag("mlp_bias")),
                        feed_forward(c, shared, gated=False, bias=c.flag("mlp_bias"),
                                     role="shared expert"))
    return [Layer(parts[kind], tuple(norms(c, "attn_norm.weight"))) for kind in kinds]


def _nemotron_kinds(c: Config) -> list[str]:
    letters = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
    names = {"linear_attention": "mamba", "full_attention": "attention"}
    listed, pattern = c.find("layer_types"), c.find("hybrid_override_pattern") or ""
    given = listed if isinstance(listed, list) else pattern
    if not isinstance(given, (list, str)) or len(given) > LARGEST["num_hidden_layers"]:
        raise InvalidInput(f"{c.where}: hybrid_override_pattern must be a text of at most"
                           f" {LARGEST['num_hidden_layers']:,} letters, or layer_types a list.")
    kinds = [names.get(str(kind)) or letters.get(str(kind), str(kind)) for kind in given]
    unknown = sorted(set(kinds) - set(letters.values()))
    if unknown or not kinds:
        raise InvalidInput(
            f"{c.where}: hybrid_override_pattern must say M, *, - or E for each layer, or"
            f" layer_types its word{', not ' + ', '.join(word[:40] for word in unknown[:5]) if unknown else ''}."
        )
    return kinds


def lfm2(c: Config) -> list[Layer]:
    """LFM2: short convolutions, some attention; the width of its MLP is computed."""
    return _lfm2(c, [(feed_forward(c, _lfm2_width(c)),)] * layer_count(c))


def lfm2_moe(c: Config) -> list[Layer]:
    """LFM2 with experts after the first layers."""
    first = c.whole("first_k_dense_replace", 2, at_least=0)
    sparse = experts(c, correction=c.flag("use_expert_bias", True))
    dense = feed_forward(c)
    return _lfm2(c, [(dense if number < first else sparse,) for number in range(layer_count(c))])


def _lfm2(c: Config, rests: list[tuple[Part, ...]]) -> list[Layer]:
    length = layer_count(c)
    short = ShortConvolution(hidden_size=c.whole("hidden_size"),
                             conv_kernel=c.whole("conv_L_cache", 3), bias=c.flag("conv_bias"))
    full, kinds = attention(c, norms="head"), c.listed("layer_types", length)
    chosen = c.places("full_attn_idxs")
    if kinds is None:
        chosen = list(range(length)) if chosen is None else chosen
        kinds = ["full_attention" if number in chosen else "conv" for number in range(length)]
    around = tuple(norms(c, *TWO_NORMS))
    return [Layer((full if kind == "full_attention" else short, *rest), around)
            for kind, rest in zip(kinds, rests, strict=True)]


def lfm2_around(c: Config) -> list[Tensor]:
    """The last norm, which LFM2's files call by another name."""
    return norms(c, "token_embd_norm.weight")


def _lfm2_width(c: Config) -> int:
    width = c.whole("block_ff_dim", None) or c.whole("intermediate_size")
    if not c.flag("block_auto_adjust_ff_dim", True):
        return width
    multiple = c.whole("block_multiple_of", 256)
    width = int(c.factor("block_ffn_dim_multiplier", 1.0) * int(2 * width / 3))
    return multiple * -(-width // multiple)


def kimi_linear(c: Config) -> list[Layer]:
    """Kimi-Linear: three of four layers are delta attention, the fourth is MLA."""
    inner = c.inside("linear_attn_config")
    linear = KimiDelta(
        hidden_size=c.whole("hidden_size"),
        num_heads=inner.whole("num_heads", None) or c.whole("linear_num_heads"),
        head_dim=inner.whole("head_dim", None) or c.whole("linear_head_dim"),
        conv_kernel=inner.whole("short_conv_kernel_size", None)
        or c.whole("linear_conv_kernel_dim", 4),
    )
    length, full = layer_count(c), latent_attention(c)
    counted_from_one = inner.places("full_attn_layers")
    kinds = c.listed("layer_types", length) or [
        "full_attention" if number + 1 in (counted_from_one or ()) else "linear_attention"
        for number in range(length)
    ]
    sparse = (experts(c, correction=True), *shared_expert(c))
    dense, first = (feed_forward(c),), c.whole("first_k_dense_replace", 1, at_least=0)
    around = tuple(norms(c, *TWO_NORMS))
    return [
        Layer((full if kinds[number] == "full_attention" else linear,
               *(sparse if number >= first else dense)), around)
        for number in range(length)
    ]


def plamo2(c: Config) -> list[Layer]:
    """PLaMo 2: every second layer is Mamba, four norms, norms for each head."""
    hidden, head = c.whole("hidden_size"), c.whole("hidden_size_per_head")
    mamba = PlamoMamba(
        hidden_size=hidden, num_heads=c.whole("mamba_num_heads"), head_dim=head,
        state_size=c.whole("mamba_d_state"), step_size=max(64, hidden // 16),
        conv_kernel=c.whole("mamba_d_conv"))
    full = attention(c, head_dim=head, fused=True, norms="all",
                     window=c.whole("attention_window_size", None))
    step, rest = c.whole("mamba_step", 2), feed_forward(c, fused=True)
    around = tuple(norms(c, *FOUR_NORMS))
    return [Layer((full if number % step == step // 2 else mamba, rest), around)
            for number in range(layer_count(c))]


_DELTA = {"linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
          "linear_num_key_heads": 16, "linear_num_value_heads": 32, "head_dim": 256}

FAMILIES = {
    "qwen3_next": Family(qwen3_next, {**UNTIED, **_DELTA, "num_key_value_heads": 2,
                                      "num_experts": 512}),
    "qwen3_5_text": Family(qwen3_next, {**UNTIED, **_DELTA, "num_key_value_heads": 4}),
    "qwen3_5_moe_text": Family(qwen3_next, {
        **UNTIED, **_DELTA, "num_key_value_heads": 2, "num_experts": 256,
        "num_experts_per_tok": 8, "moe_intermediate_size": 512,
        "shared_expert_intermediate_size": 512}),
    "granitemoehybrid": Family(granite_hybrid, {**UNTIED, "num_experts": 8,
                                                "shared_intermediate_size": 8 * 128}),
    "granitemoeshared": Family(granite_shared, {**UNTIED, "num_experts": 8}),
    "falcon_h1": Family(falcon_h1, {**UNTIED, "num_key_value_heads": 8, "mamba_d_ssm": 8 * 128}),
    "nemotron_h": Family(nemotron_h, {**UNTIED, "num_key_value_heads": 8, "head_dim": 128,
                                      "n_groups": 8, "conv_kernel": 4}),
    "lfm2": Family(lfm2, {**TIED, "num_key_value_heads": 8, "block_ffn_dim_multiplier": 1.0},
                   lfm2_around),
    "lfm2_moe": Family(lfm2_moe, {**TIED, "num_key_value_heads": 8}, lfm2_around),
    "plamo2": Family(plamo2, TIED),
    "kimi_linear": Family(kimi_linear, UNTIED),
}
