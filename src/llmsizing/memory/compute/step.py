"""Step: one step of computing, part by part, in the order in which llama.cpp runs it."""

from dataclasses import dataclass, field

from llmsizing.architecture import Attention, Experts, FeedForward, LatentAttention
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.memory.compute.arena import Arena

RESULT, HALF = 4, 2  # bytes: results are F32; what comes from the cache is F16
X, NORM, STREAMS = "residual stream", "norm", "streams"
SOON = 6  # experts, up to which Vulkan computes the shared one in between


@dataclass
class Step:
    """What the parts of a model make for the tokens of one step, placed in an arena.

    Parameters
    ----------
    tokens : int
        Tokens computed at a time.
    sequences : int
        Conversations, each with a state in recurrent layers.
    flash : bool
        Whether attention needs no table of scores.
    grouped : bool
        Whether the device computes matrix products of one input together, as Vulkan does.
    rotated : bool
        Whether keys and values are rotated, as llama.cpp does before it quantizes them.
    last : bool
        Whether the layer at hand is the last one, which picks the tokens whose logits are wanted.
    leaving : tuple of str
        Masks that no later layer needs.
    """

    tokens: int
    hidden: int
    sequences: int = 1
    flash: bool = True
    grouped: bool = True
    rotated: bool = False
    last: bool = False
    leaving: tuple[str, ...] = ()
    arena: Arena = field(default_factory=Arena)

    def make(self, name: str, numbers: int, *used: str) -> None:
        """Place a result with so many numbers for each token."""
        self.arena.make(name, numbers * self.tokens * RESULT, *used)

    def norm(self) -> None:
        """The residual stream, normed for the next part."""
        self.make(NORM, self.hidden)

    @property
    def spent(self) -> tuple[str, ...]:
        """The norm, if there is one: some families have none before a part."""
        return (NORM,) if NORM in self.arena else ()

    def add(self, result: str) -> None:
        """Add a result to the residual stream: the sum takes the result's place."""
        self.arena.free(X)
        self.arena.rename(result, X)

    def pick(self) -> None:
        """Copy the tokens whose logits are wanted."""
        self._picked("mixed")
        if not self.grouped:
            self._picked(X)

    def _picked(self, name: str) -> None:
        self.make("picked", self.hidden, name)
        self.arena.rename("picked", name)

    # -- parts that mix tokens ---------------------------------------------------------------

    def attention(self, part: Attention, cells: int, *, keep_norm: bool = False) -> None:
        """Queries, keys, values, then flash attention or a table of scores; makes "mixed"."""
        queries = part.num_attention_heads * part.head_dim
        keys = part.num_key_value_heads * part.head_dim * part.has_keys
        values = part.num_key_value_heads * part.value_head_dim * part.has_keys
        done = () if keep_norm else self.spent
        gate = queries if part.gated else 0
        self.make("queries", queries + gate, *(() if keys else done))
        if not self.grouped:
            self._turned("queries", queries, keep=bool(gate))
        if keys:
            own_values = not part.values_are_keys
            if own_values:
                self.make("values", values)
            self.make("keys", keys, *(() if part.gate_rows else done))
        if part.gate_rows:
            self.make("gate", part.gate_rows, *done)
        if self.grouped:
            self._turned("queries", queries, keep=bool(gate))
        if keys:
            self._turned("keys", keys)
            if not own_values:
                self.make("values", values)
            self._rotate(queries, keys, values)
            self.arena.free("keys", "values")
        elif self.rotated:
            self._turned("queries", queries)
        out = part.num_attention_heads * part.value_head_dim
        self._attend(part.num_attention_heads, cells, out, "queries")
        if gate:
            self.make("gate", gate, "queries and gate")
        if gate or part.gate_rows:
            self.arena.free("gate")
        self.make("mixed", self.hidden, "heads")

    def _turned(self, name: str, numbers: int, *, keep: bool = False) -> None:
        """A norm or a rotation by position: a copy takes over."""
        if keep:
            self.arena.rename(name, f"{name} and gate")
            self.make(name, numbers)
            return
        self.make(f"{name}, turned", numbers, name)
        self.arena.rename(f"{name}, turned", name)

    def _rotate(self, queries: int, keys: int, values: int) -> None:
        if self.rotated:
            for name, numbers in (("queries", queries), ("keys", keys), ("values", values)):
                self._turned(name, numbers)

    def _attend(self, heads: int, cells: int, out: int, queries: str) -> None:
        """From queries and the cache to what the heads found."""
        if self.last and self.grouped:
            self._picked(X)
        if self.flash:
            self.make("heads", out, queries, *self.leaving)
            if self.rotated:
                self._turned("heads", out)
            return
        self.make("scores", heads * cells, queries)
        self.arena.free(*self.leaving)
        self.make("values by score", out, "scores")
        self.make("heads", out, "values by score")

    def latent(self, part: LatentAttention, cells: int, streams: int) -> None:
        """MLA: queries are brought into the latent space, where one key serves all heads."""
        heads, latent, rope = part.num_attention_heads, part.kv_lora_rank, part.qk_rope_head_dim
        head = part.head_dim
        down = ("queries, small",) if part.q_lora_rank else ()
        if down:
            self.make("queries, small", part.q_lora_rank)
        if self.grouped:
            self.make("latent", latent + rope, *self.spent)
        self.make("queries", heads * head, *down)
        self.make("queries in latent space", heads * latent)
        self.make("queries by position", heads * rope, "queries")
        if not self.grouped:
            self.make("latent", latent + rope, *self.spent)
        self.make("latent, normed", latent)
        self.make("key by position", rope, "latent")
        self.make("query", heads * (latent + rope), "queries in latent space", "queries by position")
        self.make("key", latent + rope, "latent, normed", "key by position")
        self.arena.free("key")
        if self.last and self.grouped:
            self._picked(X)
        if self.flash:
            self.make("found", heads * latent, "query", *self.leaving)
        else:
            self.arena.make("copy of the cache", cells * streams * latent * HALF)
            self.make("scores", heads * cells, "query")
            self.arena.free(*self.leaving)
            self.make("found", heads * latent, "copy of the cache", "scores")
        self.make("values", heads * part.v_head_dim, "found")
        self.make("heads", heads * part.v_head_dim, "values")
        self.make("mixed", self.hidden, "heads")

    def latent_unfolded(self, part: LatentAttention, cells: int) -> None:
        """MLA of old files: keys and values of all heads are made and cached."""
        heads, latent, rope = part.num_attention_heads, part.kv_lora_rank, part.qk_rope_head_dim
        keys, values = heads * part.head_dim, heads * part.v_head_dim
        down = ("queries, small",) if part.q_lora_rank else ()
        if down:
            self.make("queries, small", part.q_lora_rank)
        self.make("queries", keys, *down)
        self.make("latent", latent + rope, *self.spent)
        self.make("queries by position", heads * rope)
        self.make("key by position", rope)
        self.make("latent, normed", latent, "latent")
        self.make("keys and values", keys - heads * rope + values, "latent, normed")
        self.make("query", keys, "queries", "queries by position")
        self.make("values", values)
        self.make("keys", keys, "keys and values", "key by position")
        self.arena.free("keys", "values")
        self._attend(heads, cells, values, "query")
        self.make("mixed", self.hidden, "heads")

    def mamba(self, part: Mamba2 | PlamoMamba, *, keep_norm: bool = False) -> None:
        """Projection, convolution, scan, gate."""
        inner = part.num_heads * part.head_dim
        groups = getattr(part, "n_groups", 0)
        channels = inner + 2 * groups * part.state_size
        self.make("projection", inner + channels + (part.num_heads if groups else 0),
                  *(() if keep_norm else self.spent))
        self._convolve("projection, convolved", channels)
        self.make("steps", part.num_heads)
        self._with_state("scanned", inner, inner * part.state_size, "steps")
        self.make("skipped", inner, "projection, convolved")
        self.make("gate", inner, "projection")
        self.arena.free("scanned")
        self.make("gated", inner, "gate", "skipped")
        self.make("gated, normed", inner, "gated")
        self.make("mixed", self.hidden, "gated, normed")

    def _convolve(self, name: str, channels: int) -> None:
        self.make("convolution's input", channels)
        self.make(name, channels, "convolution's input")

    def _with_state(self, name: str, numbers: int, state: int, *used: str) -> None:
        size = (numbers * self.tokens + state * self.sequences) * RESULT
        self.arena.make(name, size, *used)

    def delta(self, part: GatedDeltaNet) -> None:
        """Gated delta net: one projection, a convolution, and the delta rule."""
        keys = part.num_key_heads * part.key_head_dim
        values = part.num_value_heads * part.value_head_dim
        state = part.num_value_heads * part.key_head_dim * part.value_head_dim
        self.make("projection", 2 * keys + values)
        self.make("convolution's input", 2 * keys + values, "projection")
        self._with_state("state", 0, state)
        self.make("projection, convolved", 2 * keys + values, "convolution's input")
        self.make("queries", keys)
        self.make("keys", keys)
        self._with_state("heads", values, state, "projection, convolved", "queries", "keys", "state")
        self.make("gate", values, *self.spent)
        self.make("heads, normed", values)
        self.make("gate, squashed", values, "gate", "heads")
        self.arena.free("gate, squashed")
        self.make("mixed", self.hidden, "heads, normed")

    def kimi(self, part: KimiDelta) -> None:
        """Kimi's delta attention: three projections with a convolution each."""
        inner = part.num_heads * part.head_dim
        state = inner * part.head_dim
        for name in ("queries", "keys", "values"):
            self.make(f"{name}, projected", inner)
            self.make("convolution's input", inner, f"{name}, projected")
            self.make(name, inner, "convolution's input")
        self.make("decay", inner)
        self._with_state("state", 0, state)
        self._with_state("heads", inner, state, "queries", "keys", "values", "decay", "state")
        self.make("gate", inner, *self.spent)
        self.make("heads, normed", inner, "heads", "gate")
        self.make("mixed", self.hidden, "heads, normed")

    def convolution(self, part: ShortConvolution) -> None:
        """LFM2: a gate, a short convolution, a gate."""
        wide = self.hidden
        self.make("projection", 3 * wide, *self.spent)
        self.make("gated", wide)
        self.make("convolution's input", wide, "gated")
        self.make("convolved", wide, "convolution's input")
        self.make("gated", wide, "projection", "convolved")
        self.make("mixed", wide, "gated")

    def streams(self, number: int) -> None:
        """Gemma 3n's streams beside the residual stream, predicted anew for each layer."""
        wide = number * self.hidden
        self.make("streams, turned", wide)
        self.make("streams, mixed", wide, "streams, turned")
        self.make("streams, predicted", wide, "streams, mixed", STREAMS)
        self.arena.rename("streams, predicted", STREAMS)

    # -- parts that work on each token alone --------------------------------------------------

    def feed_forward(self, part: FeedForward, result: str = "fed forward") -> None:
        """Up, gate, their product, down."""
        self.wide(part)
        self.multiplied(part)
        self.narrow(part, result)

    def wide(self, part: FeedForward) -> None:
        """What goes up, and its gate."""
        wide, end = part.intermediate_size, _of(part)
        if part.fused:
            self.make(f"gate and up{end}", 2 * wide, *self.spent)
            return
        if part.gated:
            self.make(f"gate{end}", wide)
        self.make(f"up{end}", wide, *self.spent)

    def multiplied(self, part: FeedForward) -> None:
        """Their product; without a gate the result is overwritten."""
        end = _of(part)
        if part.fused or part.gated:
            used = (f"gate and up{end}",) if part.fused else (f"gate{end}", f"up{end}")
            self.make(f"product{end}", part.intermediate_size, *used)
        else:
            self.arena.rename(f"up{end}", f"product{end}")

    def narrow(self, part: FeedForward, result: str) -> None:
        """Back to the hidden size."""
        self.make(result, self.hidden, f"product{_of(part)}")

    def experts(self, part: Experts, shared: FeedForward | None) -> None:
        """The router's choice, then each chosen expert's part of the work."""
        used, wide = part.num_experts_per_tok, part.moe_intermediate_size
        inner = part.latent_size or self.hidden
        self.make("router's scores", part.num_experts)
        if part.correction:
            self.make("router's scores, corrected", part.num_experts)
            self.make("router's order", part.num_experts, "router's scores, corrected")
        else:
            self.make("router's order", part.num_experts)
        self.make("weights", used, "router's scores")
        source = NORM
        if part.latent_size:
            source = "tokens, small"
            self.make(source, inner)
        last = () if shared and source == NORM else (source,) if source != NORM else self.spent
        if part.gated:
            self.make("experts' gate", used * wide)
            self.make("experts' up", used * wide, *last)
            self.make("experts' product", used * wide, "experts' gate", "experts' up")
        else:
            self.make("experts' product", used * wide, *last)
        early = bool(shared) and self.grouped and not shared.fused
        if early:
            self.wide(shared)
            if used <= SOON:
                self.multiplied(shared)
        self.make("experts' output", used * inner, "experts' product", "router's order")
        self.arena.free("weights")
        if used > 1:
            self.make("fed forward", inner, "experts' output")
        else:
            self.arena.rename("experts' output", "fed forward")
        if part.latent_size:
            self.make("fed forward, wide", self.hidden, "fed forward")
            self.arena.rename("fed forward, wide", "fed forward")
        if shared:
            if not early:
                self.wide(shared)
            if not early or used > SOON:
                self.multiplied(shared)
            self.narrow(shared, "shared expert's output")
            self.arena.free("shared expert's output")


def _of(part: FeedForward) -> str:
    return " of the shared expert" if part.role == "shared expert" else ""
