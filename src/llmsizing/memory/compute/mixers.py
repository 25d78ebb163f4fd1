"""Attention and recurrent mixers: what they make, in the order in which llama.cpp runs it."""

from llmsizing.architecture import Attention, FeedForward, LatentAttention
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.memory.compute import workers
from llmsizing.memory.compute.step import HALF, Step, X


def attention(step: Step, part: Attention, cells: int, *, keep_norm: bool = False,
              beside: FeedForward | None = None) -> None:
    """Queries, keys, values, then flash attention or a table of scores; makes "mixed".

    The norm is kept for another mixer, or for the feed-forward part that works beside.
    """
    queries = part.num_attention_heads * part.head_dim
    keys = part.num_key_value_heads * part.head_dim * part.stores_cache
    values = part.num_key_value_heads * part.value_head_dim * part.stores_cache
    done = () if keep_norm or beside else step.spent
    gate = queries if part.gated else 0
    step.make("queries", queries + gate, *(() if keys else done),
              by=f"attn_{'qkv' if part.fused else 'q'}.weight")
    if not step.grouped:
        step.turned("queries", queries, keep=bool(gate))
    if keys:
        own_values = not part.values_are_keys
        if own_values:
            step.make("values", values, by="attn_v.weight")
        step.make("keys", keys, *(() if part.gate_rows else done), by="attn_k.weight")
    if part.gate_rows:
        step.make("gate", part.gate_rows, *done)
    if step.grouped:
        step.turned("queries", queries, keep=bool(gate))
    if keys:
        step.turned("keys", keys)
        if not own_values:
            step.make("values", values)
        _rotate(step, queries, keys, values)
        step.arena.free("keys", "values")
    elif step.rotated:
        step.turned("queries", queries)
    if beside and step.grouped:
        workers.widened(step, beside)
    out = part.num_attention_heads * part.value_head_dim
    _attend(step, part.num_attention_heads, cells, out, "queries")
    if gate:
        step.make("gate", gate, "queries and gate")
    if gate or part.gate_rows:
        step.arena.free("gate")
    step.make("mixed", step.hidden, "heads", by="attn_output.weight")


def _rotate(step: Step, queries: int, keys: int, values: int) -> None:
    if step.rotated:
        for name, numbers in (("queries", queries), ("keys", keys), ("values", values)):
            step.turned(name, numbers)


def _attend(step: Step, heads: int, cells: int, out: int, queries: str) -> None:
    """From queries and the cache to what the heads found."""
    if step.last and step.grouped:
        step.picked(X)
    if step.flash:
        step.make("heads", out, queries, *step.leaving)
        if step.rotated:
            step.turned("heads", out)
        return
    step.make("scores", heads * cells, queries)
    step.arena.free(*step.leaving)
    step.make("values by score", out, "scores")
    step.make("heads", out, "values by score")


def latent_attention(step: Step, part: LatentAttention, cells: int) -> None:
    """MLA: queries are brought into the latent space, where one key serves all heads."""
    heads, latent, rope = part.num_attention_heads, part.kv_lora_rank, part.qk_rope_head_dim
    head = part.head_dim
    down = ("queries, small",) if part.q_lora_rank else ()
    if down:
        step.make("queries, small", part.q_lora_rank, by="attn_q_a.weight")
    if step.grouped:
        step.make("latent", latent + rope, *step.spent)
    step.make("queries", heads * head, *down, by=f"attn_q{'_b' if down else ''}.weight")
    step.make("queries in latent space", heads * latent, by="attn_k_b.weight")
    step.make("queries by position", heads * rope, "queries")
    if not step.grouped:
        step.make("latent", latent + rope, *step.spent)
    step.make("latent, normed", latent)
    step.make("key by position", rope, "latent")
    step.make("query", heads * (latent + rope), "queries in latent space", "queries by position")
    step.make("key", latent + rope, "latent, normed", "key by position")
    step.arena.free("key")
    if step.last and step.grouped:
        step.picked(X)
    if step.flash:
        step.make("found", heads * latent, "query", *step.leaving)
    else:
        step.arena.make("copy of the cache", cells * step.streams * latent * HALF)
        step.make("scores", heads * cells, "query")
        step.arena.free(*step.leaving)
        step.make("found", heads * latent, "copy of the cache", "scores")
    step.make("values", heads * part.v_head_dim, "found", by="attn_v_b.weight")
    step.make("heads", heads * part.v_head_dim, "values")
    step.make("mixed", step.hidden, "heads", by="attn_output.weight")


def unfolded_latent_attention(step: Step, part: LatentAttention, cells: int) -> None:
    """MLA of old files: keys and values of all heads are made and cached."""
    heads, latent, rope = part.num_attention_heads, part.kv_lora_rank, part.qk_rope_head_dim
    keys, values = heads * part.head_dim, heads * part.v_head_dim
    down = ("queries, small",) if part.q_lora_rank else ()
    if down:
        step.make("queries, small", part.q_lora_rank, by="attn_q_a.weight")
    step.make("queries", keys, *down)
    step.make("latent", latent + rope, *step.spent)
    step.make("queries by position", heads * rope)
    step.make("key by position", rope)
    step.make("latent, normed", latent, "latent")
    step.make("keys and values", keys - heads * rope + values, "latent, normed")
    step.make("query", keys, "queries", "queries by position")
    step.make("values", values)
    step.make("keys", keys, "keys and values", "key by position")
    step.arena.free("keys", "values")
    _attend(step, heads, cells, values, "query")
    step.make("mixed", step.hidden, "heads", by="attn_output.weight")


def mamba(step: Step, part: Mamba2 | PlamoMamba) -> None:
    """Projection, convolution, scan, gate."""
    inner = part.num_heads * part.head_dim
    groups = getattr(part, "n_groups", 0)
    channels = inner + 2 * groups * part.state_size
    step.make("projection", inner + channels + (part.num_heads if groups else 0), *step.spent,
              by="ssm_in.weight")
    _convolve(step, "projection, convolved", channels)
    step.make("steps", part.num_heads)
    step.with_state("scanned", inner, inner * part.state_size, "steps")
    step.make("skipped", inner, "projection, convolved")
    step.make("gate", inner, "projection")
    step.arena.free("scanned")
    step.make("gated", inner, "gate", "skipped")
    step.make("gated, normed", inner, "gated")
    step.make("mixed", step.hidden, "gated, normed", by="ssm_out.weight")


def _convolve(step: Step, name: str, channels: int) -> None:
    step.make("convolution's input", channels)
    step.make(name, channels, "convolution's input")


def delta(step: Step, part: GatedDeltaNet) -> None:
    """Gated delta net: one projection, a convolution, and the delta rule."""
    keys = part.num_key_heads * part.key_head_dim
    values = part.num_value_heads * part.value_head_dim
    state = part.num_value_heads * part.key_head_dim * part.value_head_dim
    step.make("projection", 2 * keys + values, by="attn_qkv.weight")
    step.make("convolution's input", 2 * keys + values, "projection")
    step.with_state("state", 0, state)
    step.make("projection, convolved", 2 * keys + values, "convolution's input")
    step.make("queries", keys)
    step.make("keys", keys)
    step.with_state("heads", values, state, "projection, convolved", "queries", "keys", "state")
    step.make("gate", values, *step.spent)
    step.make("heads, normed", values)
    step.make("gate, squashed", values, "gate", "heads")
    step.arena.free("gate, squashed")
    step.make("mixed", step.hidden, "heads, normed", by="ssm_out.weight")


def kimi(step: Step, part: KimiDelta) -> None:
    """Kimi's delta attention: three projections with a convolution each."""
    inner = part.num_heads * part.head_dim
    state = inner * part.head_dim
    for name in ("queries", "keys", "values"):
        step.make(f"{name}, projected", inner)
        step.make("convolution's input", inner, f"{name}, projected")
        step.make(name, inner, "convolution's input")
    step.make("decay", inner)
    step.with_state("state", 0, state)
    step.with_state("heads", inner, state, "queries", "keys", "values", "decay", "state")
    step.make("gate", inner, *step.spent)
    step.make("heads, normed", inner, "heads", "gate")
    step.make("mixed", step.hidden, "heads, normed", by="attn_output.weight")


def convolution(step: Step, part: ShortConvolution) -> None:
    """LFM2: a gate, a short convolution, a gate."""
    wide = step.hidden
    step.make("projection", 3 * wide, *step.spent)
    step.make("gated", wide)
    step.make("convolution's input", wide, "gated")
    step.make("convolved", wide, "convolution's input")
    step.make("gated", wide, "projection", "convolved")
    step.make("mixed", wide, "gated")
