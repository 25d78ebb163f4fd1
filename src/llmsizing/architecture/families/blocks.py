"""What families share: attention, feed-forward part, norms and windows from a config."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmsizing.architecture.attention import Attention, LatentAttention
from llmsizing.architecture.config import Config
from llmsizing.architecture.feed_forward import Experts, FeedForward
from llmsizing.architecture.model import Layer, Part
from llmsizing.architecture.tensors import Tensor, vector
from llmsizing.errors import InvalidInput

TWO_NORMS = ("attn_norm.weight", "ffn_norm.weight")
SAME_TWO_NORMS = ("attn_norm.weight", "post_attention_norm.weight")  # as some files name them
FOUR_NORMS = (*TWO_NORMS, "post_attention_norm.weight", "post_ffw_norm.weight")
AFTER_NORMS = FOUR_NORMS[2:]


@dataclass(frozen=True)
class Family:
    """How to read the configs of one model_type.

    Parameters
    ----------
    layers : callable
        From Config to the layers.
    defaults : Mapping
        What the family's class takes for a key that a config leaves out
        (transformers==5.23.0: models/*/configuration_*.py).
    around : callable
        From Config to the tensors outside the layers, beside embedding and output.
    """

    layers: Callable[[Config], list[Layer]]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    around: Callable[[Config], list[Tensor]] = lambda c: norms(c, "output_norm.weight")


def norms(c: Config, *names: str) -> list[Tensor]:
    """Vectors as long as the hidden size."""
    return [tensor for name in names for tensor in vector(name, c.whole("hidden_size"))]


def attention(c: Config, **traits: Any) -> Attention:
    """Attention with the heads of a config; ``traits`` are further fields of `Attention`."""
    hidden, heads = c.whole("hidden_size"), c.whole("num_attention_heads")
    head_dim = (traits.pop("head_dim", None) or c.whole("head_dim", None)
                or _divided(c, hidden, heads))
    groups = traits.pop("num_key_value_heads", None) or c.whole("num_key_value_heads", heads)
    if heads % groups:
        raise InvalidInput(
            f"{c.where}: {heads} num_attention_heads cannot share {groups} num_key_value_heads."
        )
    return Attention(hidden_size=hidden, num_attention_heads=heads, num_key_value_heads=groups,
                     head_dim=head_dim, value_head_dim=traits.pop("value_head_dim", head_dim),
                     **traits)


def biased_attention(c: Config, key: str = "attention_bias", default: bool = False,
                     **traits: Any) -> Attention:
    """Attention with a bias in all of its matrices if the config's ``key`` says so."""
    bias = c.flag(key, default)
    return attention(c, bias=bias, output_bias=bias, **traits)


def latent_attention(c: Config, **traits: Any) -> LatentAttention:
    """Multi-head latent attention as DeepSeek's configs describe it."""
    return LatentAttention(
        hidden_size=c.whole("hidden_size"),
        num_attention_heads=c.whole("num_attention_heads"),
        q_lora_rank=c.whole("q_lora_rank", 0),
        kv_lora_rank=c.whole("kv_lora_rank"),
        qk_nope_head_dim=c.whole("qk_nope_head_dim"),
        qk_rope_head_dim=c.whole("qk_rope_head_dim"),
        v_head_dim=c.whole("v_head_dim"),
        bias=c.flag("attention_bias"),
        **traits,
    )


def feed_forward(c: Config, width: str | int = "intermediate_size", **traits: Any) -> FeedForward:
    """A feed-forward part; ``width`` is a key of the config or a number."""
    size = c.whole(width) if isinstance(width, str) else width
    return FeedForward(hidden_size=c.whole("hidden_size"), intermediate_size=size, **traits)


def experts(c: Config, width: str = "moe_intermediate_size", **traits: Any) -> Experts:
    """A router and its experts."""
    number, used = c.whole("num_experts"), c.whole("num_experts_per_tok")
    if used > number:
        raise InvalidInput(
            f"{c.where}: num_experts_per_tok is {used}, but there are only {number} experts."
        )
    return Experts(hidden_size=c.whole("hidden_size"), num_experts=number,
                   num_experts_per_tok=used, moe_intermediate_size=c.whole(width), **traits)


def shared_expert(c: Config) -> tuple[FeedForward, ...]:
    """DeepSeek's shared experts, which work as one of their common width."""
    count = c.whole("n_shared_experts", 0, at_least=0)
    width = count * c.whole("moe_intermediate_size")
    return (feed_forward(c, width, role="shared expert"),) if count else ()


def with_norm_biases(c: Config, layers: list[Layer]) -> list[Layer]:
    """The same layers, their two norms with a bias."""
    biases = norms(c, *(name.replace("weight", "bias") for name in TWO_NORMS))
    return [replace(layer, others=(*layer.others, *biases)) for layer in layers]


def output_bias(c: Config, key: str) -> list[Tensor]:
    """The bias of the output layer if the config's ``key`` says so."""
    return vector("output.bias", c.whole("vocab_size"), "output") if c.flag(key) else []


def layer_count(c: Config) -> int:
    """Number of layers."""
    return c.whole("num_hidden_layers")


def windows(c: Config, otherwise: Callable[[int], bool]) -> list[int | None]:
    """The window of each layer in tokens, None for a layer that looks back at all.

    Parameters
    ----------
    otherwise : callable
        From a layer's number to whether it slides, for a config without layer_types.
    """
    length = layer_count(c)
    kinds = c.listed("layer_types", length)
    size = c.whole("sliding_window", None)
    if size is None:
        return [None] * length
    slides = ([kind == "sliding_attention" for kind in kinds] if kinds
              else [otherwise(number) for number in range(length)])
    return [size if one else None for one in slides]


def every_nth_full(n: int) -> Callable[[int], bool]:
    """Of n layers the last looks back at all, the others slide."""
    return lambda number: (number + 1) % n != 0


def never(number: int) -> bool:
    """No layer slides."""
    return False


def always(number: int) -> bool:
    """Every layer slides."""
    return True


def stack(c: Config, mixer: Part, *rest: Part, names: tuple[str, ...] = TWO_NORMS,
          sliding: Iterable[int | None] | None = None) -> list[Layer]:
    """As many equal layers as the config says, each with its own window."""
    around = tuple(norms(c, *names))
    sizes = sliding if sliding is not None else [None] * layer_count(c)
    return [Layer((replace(mixer, window=size) if size else mixer, *rest), around)
            for size in sizes]


def _divided(c: Config, hidden: int, heads: int) -> int:
    if hidden % heads:
        raise InvalidInput(
            f"{c.where}: head_dim is missing, and hidden_size {hidden} is no multiple of"
            f" {heads} num_attention_heads."
        )
    return hidden // heads
