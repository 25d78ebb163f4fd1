"""Mixers that keep a state of fixed size instead of a cache that grows with the context."""

from dataclasses import dataclass

from llmsizing.architecture.tensors import Tensor, matrix, vector

ROLE = "state space"


@dataclass(frozen=True, kw_only=True)
class Mamba2:
    """A Mamba-2 mixer (Nemotron-H, Granite 4 H, Falcon-H1).

    Parameters
    ----------
    hidden_size, num_heads, head_dim, state_size, n_groups, conv_kernel : int
        Sizes; ``num_heads * head_dim`` numbers pass through it per token.
    bias, output_bias, conv_bias : bool
        Whether the projections in and out and the convolution have a bias.
    norm : bool
        Whether a gated norm stands before the output.
    """

    hidden_size: int
    num_heads: int
    head_dim: int
    state_size: int
    n_groups: int
    conv_kernel: int
    bias: bool = False
    output_bias: bool = False
    conv_bias: bool = True
    norm: bool = True

    @property
    def state_numbers(self) -> int:
        """Numbers kept per sequence, however long it is: the state and the convolution's past."""
        inner, channels = self._sizes()
        return inner * self.state_size + channels * (self.conv_kernel - 1)

    def _sizes(self) -> tuple[int, int]:
        inner = self.num_heads * self.head_dim
        return inner, inner + 2 * self.n_groups * self.state_size

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them."""
        inner, channels = self._sizes()
        return [
            *matrix("ssm_in", inner + channels + self.num_heads, self.hidden_size, ROLE,
                    bias=self.bias),
            *matrix("ssm_conv1d", channels, self.conv_kernel, ROLE, bias=self.conv_bias),
            *vector("ssm_dt.bias", self.num_heads, ROLE),
            *vector("ssm_a", self.num_heads, ROLE),
            *vector("ssm_d", self.num_heads, ROLE),
            *(vector("ssm_norm.weight", inner) if self.norm else []),
            *matrix("ssm_out", self.hidden_size, inner, ROLE, bias=self.output_bias),
        ]


@dataclass(frozen=True, kw_only=True)
class PlamoMamba:
    """PLaMo 2's mixer: Mamba with heads, norms for step, input and output, no groups.

    Parameters
    ----------
    hidden_size, num_heads, head_dim, state_size, step_size, conv_kernel : int
        Sizes; ``num_heads * head_dim`` numbers pass through it per token.
    """

    hidden_size: int
    num_heads: int
    head_dim: int
    state_size: int
    step_size: int
    conv_kernel: int

    @property
    def state_numbers(self) -> int:
        """Numbers kept per sequence: the state and the convolution's past."""
        return self.num_heads * self.head_dim * (self.state_size + self.conv_kernel - 1)

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them."""
        inner = self.num_heads * self.head_dim
        return [
            *matrix("ssm_in", 2 * inner, self.hidden_size, ROLE),
            *matrix("ssm_conv1d", inner, self.conv_kernel, ROLE),
            *matrix("ssm_x", self.step_size + 2 * self.state_size, inner, ROLE),
            *matrix("ssm_dt", self.num_heads, self.step_size, ROLE, bias=True),
            *vector("ssm_a", self.num_heads, ROLE),
            *vector("ssm_d", self.num_heads, ROLE),
            *vector("ssm_dt_norm", self.step_size),
            *vector("ssm_b_norm", self.state_size),
            *vector("ssm_c_norm", self.state_size),
            *matrix("ssm_out", self.hidden_size, inner, ROLE),
        ]


@dataclass(frozen=True, kw_only=True)
class GatedDeltaNet:
    """Linear attention with a delta rule (Qwen3-Next, Qwen3.5 and later).

    Parameters
    ----------
    hidden_size, num_key_heads, num_value_heads, key_head_dim, value_head_dim, conv_kernel : int
        Sizes, in config.json with "linear_" before them.
    """

    hidden_size: int
    num_key_heads: int
    num_value_heads: int
    key_head_dim: int
    value_head_dim: int
    conv_kernel: int

    @property
    def state_numbers(self) -> int:
        """Numbers kept per sequence: a matrix for each value head and the convolution's past."""
        matrices = self.num_value_heads * self.key_head_dim * self.value_head_dim
        keys, values = self._sizes()
        return matrices + (2 * keys + values) * (self.conv_kernel - 1)

    def _sizes(self) -> tuple[int, int]:
        return self.num_key_heads * self.key_head_dim, self.num_value_heads * self.value_head_dim

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them."""
        d, heads, (keys, values) = self.hidden_size, self.num_value_heads, self._sizes()
        return [
            *matrix("attn_qkv", 2 * keys + values, d, ROLE),
            *matrix("attn_gate", values, d, ROLE),
            *matrix("ssm_beta", heads, d, ROLE),
            *matrix("ssm_alpha", heads, d, ROLE),
            *matrix("ssm_conv1d", 2 * keys + values, self.conv_kernel, ROLE),
            *vector("ssm_dt.bias", heads, ROLE),
            *vector("ssm_a", heads, ROLE),
            *vector("ssm_norm.weight", self.value_head_dim),
            *matrix("ssm_out", d, values, ROLE),
        ]


@dataclass(frozen=True, kw_only=True)
class KimiDelta:
    """Kimi Delta Attention: linear attention with a gate for each channel (Kimi-Linear).

    Parameters
    ----------
    hidden_size, num_heads, head_dim, conv_kernel : int
        Sizes, in config.json under linear_attn_config.
    """

    hidden_size: int
    num_heads: int
    head_dim: int
    conv_kernel: int

    @property
    def state_numbers(self) -> int:
        """Numbers kept per sequence: a square for each head and three convolutions' past."""
        inner = self.num_heads * self.head_dim
        return inner * self.head_dim + 3 * inner * (self.conv_kernel - 1)

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them."""
        d, head, inner = self.hidden_size, self.head_dim, self.num_heads * self.head_dim
        low_rank = [(f"ssm_{gate}_{half}", *shape) for gate in ("f", "g")
                    for half, shape in (("a", (head, d)), ("b", (inner, head)))]
        return [
            *(tensor for name in ("attn_q", "attn_k", "attn_v")
              for tensor in matrix(name, inner, d, ROLE)),
            *(tensor for name in ("ssm_conv1d_q", "ssm_conv1d_k", "ssm_conv1d_v")
              for tensor in matrix(name, inner, self.conv_kernel, ROLE)),
            *(tensor for name, rows, columns in low_rank
              for tensor in matrix(name, rows, columns, ROLE)),
            *vector("ssm_dt.bias", inner, ROLE),
            *vector("ssm_a", self.num_heads, ROLE),
            *matrix("ssm_beta", self.num_heads, d, ROLE),
            *vector("ssm_norm.weight", head),
            *matrix("attn_output", d, inner, ROLE),
        ]


@dataclass(frozen=True, kw_only=True)
class ShortConvolution:
    """A gated convolution over the last few tokens (LFM2).

    Parameters
    ----------
    hidden_size, conv_kernel : int
        Sizes; the kernel is conv_L_cache in config.json.
    bias : bool
        Whether its matrices have a bias.
    """

    hidden_size: int
    conv_kernel: int
    bias: bool = False

    @property
    def state_numbers(self) -> int:
        """Numbers kept per sequence: the last tokens that the kernel covers."""
        return self.hidden_size * (self.conv_kernel - 1)

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them."""
        d = self.hidden_size
        return [
            *matrix("shortconv.in_proj", 3 * d, d, ROLE, bias=self.bias),
            *matrix("shortconv.conv", d, self.conv_kernel, ROLE, bias=self.bias),
            *matrix("shortconv.out_proj", d, d, ROLE, bias=self.bias),
        ]
