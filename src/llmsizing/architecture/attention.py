"""Attention: the parts of a layer that look back at earlier tokens and store keys and values."""

from dataclasses import dataclass

from llmsizing.architecture.tensors import Tensor, matrix, vector
from llmsizing.errors import nearest

NORMS = ("", "head", "all")


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Multi-head attention: MHA, GQA (fewer heads for keys and values) or MQA (one).

    Parameters
    ----------
    hidden_size, num_attention_heads, num_key_value_heads, head_dim : int
        As in config.json.
    value_head_dim : int
        Length of a value; in nearly all models that of a key.
    window : int or None
        Tokens that a sliding window looks back, or that a chunk has; None looks back at all.
    fused : bool
        Whether queries, keys and values are one matrix in the file.
    bias, output_bias : bool
        Whether queries, keys and values have a bias, and whether the output has one.
    norms : str
        "head": a norm as long as a head for queries and keys. "all": as long as all heads, be it
        one norm or one for each head. "": none.
    gated : bool
        Whether the query's matrix also makes a gate, and so is twice as high.
    gate_rows : int
        Rows of a matrix of its own that makes gates for the output; 0 where there is none.
    sinks : bool
        Whether each head has a learned sink.
    stores_cache : bool
        False where the layer reads another layer's keys and values. Files hold matrices for keys
        and values there all the same, which nothing uses: they are buffers, no parameters.
    has_keys : bool
        False where a file has no matrices for keys and values of the layer.
    values_are_keys : bool
        Whether keys serve as values, so that there is no matrix for values.
    """

    hidden_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    value_head_dim: int
    window: int | None = None
    fused: bool = False
    bias: bool = False
    output_bias: bool = False
    norms: str = ""
    gated: bool = False
    gate_rows: int = 0
    sinks: bool = False
    stores_cache: bool = True
    has_keys: bool = True
    values_are_keys: bool = False

    def __post_init__(self) -> None:
        if self.norms not in NORMS:
            raise nearest("kind of norms", self.norms, NORMS)

    @property
    def keys_per_token(self) -> int:
        """Numbers that this layer caches per token as keys."""
        return self.num_key_value_heads * self.head_dim if self.stores_cache else 0

    @property
    def values_per_token(self) -> int:
        """Numbers that this layer caches per token as values."""
        return self.num_key_value_heads * self.value_head_dim if self.stores_cache else 0

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them."""
        heads, groups, d = self.num_attention_heads, self.num_key_value_heads, self.hidden_size
        queries = heads * self.head_dim * (2 if self.gated else 1)
        keys, values = groups * self.head_dim, groups * self.value_head_dim
        if self.fused:
            made = _attention("attn_qkv", queries + keys + values, d, self.bias)
        else:
            made = _attention("attn_q", queries, d, self.bias)
            if self.has_keys:
                role = "attention" if self.stores_cache else "buffer"
                made += matrix("attn_k", keys, d, role, bias=self.bias)
                made += ([] if self.values_are_keys
                         else matrix("attn_v", values, d, role, bias=self.bias))
        made += _attention("attn_output", d, heads * self.value_head_dim, self.output_bias)
        made += self._norms()
        made += _attention("attn_gate", self.gate_rows, d, False) if self.gate_rows else []
        return made + (vector("attn_sinks.weight", heads, "attention") if self.sinks else [])

    def _norms(self) -> list[Tensor]:
        if not self.norms:
            return []
        heads, groups = self.num_attention_heads, self.num_key_value_heads
        queries, keys = (heads, groups) if self.norms == "all" else (1, 1)
        made = vector("attn_q_norm.weight", queries * self.head_dim)
        role = "norm" if self.stores_cache else "buffer"
        return made + (vector("attn_k_norm.weight", keys * self.head_dim, role) if self.has_keys else [])


@dataclass(frozen=True, kw_only=True)
class LatentAttention:
    """Multi-head latent attention (MLA): one short vector per token stands for all heads.

    Parameters
    ----------
    hidden_size, num_attention_heads, q_lora_rank, kv_lora_rank : int
        As in config.json; ``q_lora_rank`` is 0 where queries are made directly.
    qk_nope_head_dim, qk_rope_head_dim, v_head_dim : int
        Lengths of the part of a head without and with position, and of a value.
    bias : bool
        Whether the matrices from and to the hidden size have a bias.
    index_n_heads, index_head_dim : int
        DeepSeek's indexer (sparse attention); 0 where there is none. It caches one key per token.
    window : int or None
        As in `Attention`; no model known slides here.
    latent_cache : bool
        False for GGUF files made before llama.cpp kept the latent vector: their one matrix
        attn_kv_b makes keys and values of all heads, which are cached whole.
    """

    hidden_size: int
    num_attention_heads: int
    q_lora_rank: int
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int
    bias: bool = False
    index_n_heads: int = 0
    index_head_dim: int = 0
    window: int | None = None
    latent_cache: bool = True

    @property
    def head_dim(self) -> int:
        """Length of a head of queries and keys, its part with position included."""
        return self.qk_nope_head_dim + self.qk_rope_head_dim

    @property
    def keys_per_token(self) -> int:
        """Numbers cached per token: the latent vector, its rotary part, the indexer's key."""
        if not self.latent_cache:
            return self.num_attention_heads * self.head_dim
        return self.kv_lora_rank + self.qk_rope_head_dim + self.index_head_dim

    @property
    def values_per_token(self) -> int:
        """None: values are computed from the same latent vector. In old files those of all heads."""
        return 0 if self.latent_cache else self.num_attention_heads * self.v_head_dim

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them."""
        d, heads, latent = self.hidden_size, self.num_attention_heads, self.kv_lora_rank
        head = self.head_dim
        if self.q_lora_rank:
            made = _attention("attn_q_a", self.q_lora_rank, d, self.bias)
            made += vector("attn_q_a_norm.weight", self.q_lora_rank)
            made += _attention("attn_q_b", heads * head, self.q_lora_rank, False)
        else:
            made = _attention("attn_q", heads * head, d, False)
        made += _attention("attn_kv_a_mqa", latent + self.qk_rope_head_dim, d, self.bias)
        made += vector("attn_kv_a_norm.weight", latent)
        if self.latent_cache:
            made += [Tensor("attn_k_b.weight", (heads, latent, self.qk_nope_head_dim), "attention"),
                     Tensor("attn_v_b.weight", (heads, self.v_head_dim, latent), "attention")]
        else:
            made += _attention("attn_kv_b", heads * (self.qk_nope_head_dim + self.v_head_dim), latent,
                               False)
        made += _attention("attn_output", d, heads * self.v_head_dim, self.bias)
        return made + self._indexer()

    def _indexer(self) -> list[Tensor]:
        if not self.index_n_heads:
            return []
        queries = self.index_n_heads * self.index_head_dim
        return [
            *_attention("indexer.attn_q_b", queries, self.q_lora_rank, False),
            *_attention("indexer.attn_k", self.index_head_dim, self.hidden_size, False),
            *vector("indexer.k_norm.weight", self.index_head_dim),
            *vector("indexer.k_norm.bias", self.index_head_dim),
            *_attention("indexer.proj", self.index_n_heads, self.hidden_size, False),
        ]


def _attention(name: str, rows: int, columns: int, bias: bool) -> list[Tensor]:
    return matrix(name, rows, columns, "attention", bias=bias)
