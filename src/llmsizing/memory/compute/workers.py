"""Feed-forward parts: what they make, in the order in which llama.cpp runs it."""

from llmsizing.architecture import Experts, FeedForward
from llmsizing.memory.compute.step import NORM, Step

FEW = 6  # experts for each token


def feed_forward(step: Step, part: FeedForward, result: str = "fed forward") -> None:
    """Up, gate, their product, down; what goes up may be there already."""
    if f"up{_of(part)}" not in step.arena:
        widened(step, part)
    multiplied(step, part)
    narrowed(step, part, result)


def widened(step: Step, part: FeedForward) -> None:
    """What goes up, and its gate."""
    wide, end = part.intermediate_size, _of(part)
    if part.fused:
        step.make(f"gate and up{end}", 2 * wide, *step.spent, by=_tensor("ffn_up", part))
        return
    if part.gated:
        step.make(f"gate{end}", wide, by=_tensor("ffn_gate", part))
    step.make(f"up{end}", wide, *step.spent, by=_tensor("ffn_up", part))


def multiplied(step: Step, part: FeedForward) -> None:
    """Their product; without a gate the result is overwritten."""
    end = _of(part)
    if part.fused or part.gated:
        used = (f"gate and up{end}",) if part.fused else (f"gate{end}", f"up{end}")
        step.make(f"product{end}", part.intermediate_size, *used)
    else:
        step.arena.rename(f"up{end}", f"product{end}")


def narrowed(step: Step, part: FeedForward, result: str) -> None:
    """Back to the hidden size."""
    step.make(result, step.hidden, f"product{_of(part)}", by=_tensor("ffn_down", part))


def experts(step: Step, part: Experts, shared: FeedForward | None) -> None:
    """The router's choice, then each chosen expert's part of the work.

    A device that groups products of one input takes the shared expert's in between: before the
    chosen experts' own product if they are few, else after it.
    """
    used, wide = part.num_experts_per_tok, part.moe_intermediate_size
    between = shared is not None and step.grouped and not shared.fused
    first = between and used <= FEW
    _choose(step, part)
    source = _source(step, part)
    spent = () if shared and source == NORM else (source,) if source in step.arena else ()
    if part.gated:
        step.make("experts' gate", used * wide, by="ffn_gate_exps.weight")
        step.make("experts' up", used * wide, *spent, by="ffn_up_exps.weight")
    else:
        step.make("experts' product", used * wide, *spent, by="ffn_up_exps.weight")
    if first:
        widened(step, shared)
    if part.gated:
        step.make("experts' product", used * wide, "experts' gate", "experts' up")
    if first:
        multiplied(step, shared)
    elif between:
        widened(step, shared)
    _gather(step, part)
    if shared:
        if not between:
            widened(step, shared)
        if not first:
            multiplied(step, shared)
        narrowed(step, shared, "shared expert's output")
        step.arena.free("shared expert's output")


def _choose(step: Step, part: Experts) -> None:
    step.make("router's scores", part.num_experts)
    if part.correction:
        step.make("router's scores, corrected", part.num_experts)
        step.make("router's order", part.num_experts, "router's scores, corrected")
    else:
        step.make("router's order", part.num_experts)
    step.make("weights", part.num_experts_per_tok, "router's scores")


def _source(step: Step, part: Experts) -> str:
    """What the experts read: the norm, or the tokens in a smaller space."""
    if not part.latent_size:
        return NORM
    step.make("tokens, small", part.latent_size)
    return "tokens, small"


def _gather(step: Step, part: Experts) -> None:
    """What each chosen expert says of each token, added up."""
    used, inner = part.num_experts_per_tok, part.latent_size or step.hidden
    step.make("experts' output", used * inner, "experts' product", "router's order",
              by="ffn_down_exps.weight")
    step.arena.free("weights")
    if used > 1:
        step.make("fed forward", inner, "experts' output")
    else:
        step.arena.rename("experts' output", "fed forward")
    if part.latent_size:
        step.make("fed forward, wide", step.hidden, "fed forward")
        step.arena.rename("fed forward, wide", "fed forward")


def _of(part: FeedForward) -> str:
    return " of the shared expert" if part.role == "shared expert" else ""


def _tensor(name: str, part: FeedForward) -> str:
    return f"{name}{'_shexp' if part.role == 'shared expert' else ''}.weight"
