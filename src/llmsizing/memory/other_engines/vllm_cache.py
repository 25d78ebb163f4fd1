"""vLLM's KV cache: blocks that layers of all kinds share."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from llmsizing.architecture import Attention, Layer, Model
from llmsizing.architecture.recurrent import GatedDeltaNet, KimiDelta, Mamba2, PlamoMamba
from llmsizing.breakdown import Factor, Term, product, sum_of
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput
from llmsizing.memory.settings import Settings, conversations

STATE_BYTES, PAST_BYTES = 4, 2  # a recurrent state is F32, the convolution's past BF16
STATE_BLOCKS = 2  # with prefix caching: the state now, and the one at the last boundary
ALIKE = Fraction(3, 2)  # kinds of layers whose numbers differ by less share one size of group


@dataclass(frozen=True)
class Kind:
    """Layers that keep the same: all tokens, a window of them, or a state.

    Parameters
    ----------
    bytes_per_token : Fraction
        Of one layer on one device; 0 for a state.
    window : int or None
        Tokens that it looks back.
    state_bytes : int
        Of one layer on one device.
    """

    bytes_per_token: Fraction
    window: int | None = None
    state_bytes: int = 0


@dataclass(frozen=True)
class Blocks:
    """How vLLM lays a model's cache out on one device.

    Parameters
    ----------
    page_bytes : int
        What a block takes in one layer.
    group_layers : int
        Layers that a block serves.
    kinds : tuple of (Kind, int, int)
        Kind of layer, groups of such layers, tokens that a block of theirs holds.
    """

    page_bytes: int
    group_layers: int
    kinds: tuple[tuple[Kind, int, int], ...]

    @property
    def block_bytes(self) -> int:
        """What a block takes on one device, in all layers that it serves."""
        return self.page_bytes * self.group_layers

    def of_conversation(self, kind: Kind, holds: int, settings: Settings) -> int:
        """Blocks that a conversation needs at most in a group of a kind."""
        if kind.state_bytes:
            return STATE_BLOCKS
        tokens = settings.conversation_tokens
        if kind.window is None:
            return -(-tokens // holds)
        kept = min(kind.window - 1 + settings.max_num_batched_tokens, tokens)
        return -(-kept // holds) + 1  # a window need not begin where a block does

    def per_conversation(self, settings: Settings) -> int:
        """Blocks that a conversation needs at most."""
        return sum(groups * self.of_conversation(kind, holds, settings)
                   for kind, groups, holds in self.kinds)


def blocks_of(model: Model, settings: Settings) -> Blocks:
    """Lay out the cache of a model.

    In words: a block holds 16 tokens of a layer. All blocks have one size. Where layers keep
    less per token, their blocks hold more tokens; where layers keep a state, blocks grow until
    one is as large as that. A block serves a group of layers of one kind; groups have as many
    layers as the rarest kind, and the last one is filled up.

    References
    ----------
    vllm@001cabc1b: vllm/v1/kv_cache_interface.py; vllm/v1/core/kv_cache_utils.py
    (_get_kv_cache_groups_uniform_page_size, unify_kv_cache_spec_page_size). Logs: blocks of
    1,568 tokens for Qwen3.8-27B (noonghunna/club-3090#1047).
    """
    kinds: Counter[Kind] = Counter()
    for layer, times in Counter(model.layers).items():
        for kind in _kinds(layer, settings):
            kinds[kind] += times
    if not kinds:
        raise InvalidInput(f"{model.name} has no layer that keeps anything: its config is wrong.")
    tokens = load_engine(settings.engine).default("block_size").value
    largest = max(kind.bytes_per_token for kind in kinds)
    state = max(kind.state_bytes for kind in kinds)
    page = tokens * largest * max(1, -(-state // (tokens * largest))) if largest else state
    fewest, most = min(kinds.values()), max(kinds.values())
    group = most if most < ALIKE * fewest else fewest
    return Blocks(int(page), group, tuple(
        (kind, -(-count // group), _tokens_held(page, kind, tokens)) for kind, count in kinds.items()))


def blocks_term(model: Model, settings: Settings) -> Term:
    """The blocks that all conversations need on one device, if each uses its whole context."""
    blocks = blocks_of(model, settings)
    return sum_of("KV cache", *(
        product(_described(kind, holds), Factor(settings.sequences, conversations(settings)),
                Factor(groups, "groups of layers"),
                Factor(blocks.of_conversation(kind, holds, settings), "blocks"),
                Factor(blocks.group_layers, "layers"), Factor(blocks.page_bytes, "bytes"))
        for kind, groups, holds in blocks.kinds))


def _described(kind: Kind, holds: int) -> str:
    if kind.state_bytes:
        return "states"
    reach = f"sliding by {kind.window:,}" if kind.window else "that look back at every token"
    return f"layers {reach}, {holds:,} tokens a block"


def _tokens_held(page: Fraction, kind: Kind, tokens: int) -> int:
    return int(page // (tokens * kind.bytes_per_token)) * tokens if kind.bytes_per_token else 0


def _kinds(layer: Layer, settings: Settings) -> list[Kind]:
    """What a layer keeps on one of the devices that share it."""
    found, devices = [], settings.device_count
    mixer = layer.attention
    if mixer and mixer.keys_per_token:
        whole = settings.cell_bytes(mixer.keys_per_token, mixer.values_per_token)
        found.append(Kind(whole * cache_share(mixer, devices), mixer.window))
    if layer.state_numbers:
        matrices = sum(_matrix_numbers(part) for part in layer.parts)
        past = layer.state_numbers - matrices
        found.append(Kind(Fraction(0), state_bytes=-(-(matrices * STATE_BYTES + past * PAST_BYTES)
                                                     // devices)))
    return found


def cache_share(mixer: object, devices: int) -> Fraction:
    """The part of a layer's cache that each device keeps.

    Heads for keys and values are dealt out, and copied if there are fewer than devices. MLA has
    one vector for all heads, which every device keeps.
    """
    heads = mixer.num_key_value_heads if isinstance(mixer, Attention) else 1
    return Fraction(1, min(devices, heads))


def _matrix_numbers(part: object) -> int:
    """Numbers of a recurrent state without the convolution's past."""
    if isinstance(part, GatedDeltaNet):
        return part.num_value_heads * part.key_head_dim * part.value_head_dim
    if isinstance(part, Mamba2 | PlamoMamba):
        return part.num_heads * part.head_dim * part.state_size
    return part.num_heads * part.head_dim**2 if isinstance(part, KimiDelta) else 0
