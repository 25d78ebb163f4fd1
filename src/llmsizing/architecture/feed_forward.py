"""Feed-forward parts of a layer: one for all tokens, or experts of which a token uses a few."""

from dataclasses import dataclass

from llmsizing.architecture.tensors import Tensor, matrix, vector


@dataclass(frozen=True, kw_only=True)
class FeedForward:
    """The feed-forward network that every token passes through.

    Parameters
    ----------
    hidden_size, intermediate_size : int
        As in config.json.
    gated : bool
        Whether a gate's matrix stands beside the one that goes up (SwiGLU, GeGLU).
    fused : bool
        Whether these two are one matrix in the file.
    bias : bool
        Whether its matrices have a bias.
    role : str
        "feed-forward", or "shared expert" beside experts.
    """

    hidden_size: int
    intermediate_size: int
    gated: bool = True
    fused: bool = False
    bias: bool = False
    role: str = "feed-forward"

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them."""
        d, wide = self.hidden_size, self.intermediate_size
        end = "_shexp" if self.role == "shared expert" else ""
        if self.fused:
            made = matrix(f"ffn_up{end}", 2 * wide, d, self.role, bias=self.bias)
        else:
            gate = matrix(f"ffn_gate{end}", wide, d, self.role, bias=self.bias)
            made = (gate if self.gated else []) + matrix(f"ffn_up{end}", wide, d, self.role,
                                                         bias=self.bias)
        return made + matrix(f"ffn_down{end}", d, wide, self.role, bias=self.bias)


@dataclass(frozen=True, kw_only=True)
class Experts:
    """A router and its experts, of which each token uses a few. All must lie in memory.

    Parameters
    ----------
    hidden_size, num_experts, num_experts_per_tok, moe_intermediate_size : int
        As in config.json.
    gated : bool
        Whether an expert has a gate's matrix.
    bias, router_bias : bool
        Whether the experts have a bias, and whether the router has one.
    correction : bool
        Whether the router has a vector that balances the experts; it is a buffer, no parameter.
    scales : int
        Further vectors of the router: weights beside its matrix (Gemma 4).
    shared_gate : bool
        Whether a gate weighs the shared expert.
    latent_size, latent_bias : int, bool
        Size that tokens are reduced to before the experts (Nemotron 3 Super), or 0; and whether
        the matrices that do so have a bias.
    """

    hidden_size: int
    num_experts: int
    num_experts_per_tok: int
    moe_intermediate_size: int
    gated: bool = True
    bias: bool = False
    router_bias: bool = False
    correction: bool = False
    scales: int = 0
    shared_gate: bool = False
    latent_size: int = 0
    latent_bias: bool = False

    def tensors(self) -> list[Tensor]:
        """Its tensors, as a file holds them: one for all experts of a layer."""
        d, number, wide = self.hidden_size, self.num_experts, self.moe_intermediate_size
        inner = self.latent_size or d
        made = matrix("ffn_gate_inp", number, d, "router", bias=self.router_bias)
        made += vector("exp_probs_b.bias", number, "buffer") if self.correction else []
        made += vector("ffn_gate_inp.scale", self.scales, "router") if self.scales else []
        made += [Tensor("ffn_gate_inp_shexp.weight", (1, d), "router")] if self.shared_gate else []
        if self.latent_size:
            made += matrix("ffn_latent_down", inner, d, "router", bias=self.latent_bias)
            made += matrix("ffn_latent_up", d, inner, "router", bias=self.latent_bias)
        made += self._stacked("ffn_gate_exps", wide, inner) if self.gated else []
        made += self._stacked("ffn_up_exps", wide, inner)
        return made + self._stacked("ffn_down_exps", inner, wide)

    def _stacked(self, name: str, rows: int, columns: int) -> list[Tensor]:
        made = [Tensor(f"{name}.weight", (self.num_experts, rows, columns), "experts")]
        bias = Tensor(f"{name}.bias", (self.num_experts, rows), "experts")
        return [*made, bias] if self.bias else made
