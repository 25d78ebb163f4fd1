"""Feed-forward parts: what they make, in the order in which llama.cpp runs it."""

from llmsizing.architecture import Experts, FeedForward
from llmsizing.memory.compute.step import NORM, Step

SOON = 6  # experts, up to which a device computes the shared one in between


def feed_forward(step: Step, part: FeedForward, result: str = "fed forward") -> None:
    """Up, gate, their product, down."""
    widened(step, part)
    multiplied(step, part)
    narrowed(step, part, result)


def widened(step: Step, part: FeedForward) -> None:
    """What goes up, and its gate."""
    wide, end = part.intermediate_size, _of(part)
    if part.fused:
        step.make(f"gate and up{end}", 2 * wide, *step.spent)
        return
    if part.gated:
        step.make(f"gate{end}", wide)
    step.make(f"up{end}", wide, *step.spent)


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
    step.make(result, step.hidden, f"product{_of(part)}")


def experts(step: Step, part: Experts, shared: FeedForward | None) -> None:
    """The router's choice, then each chosen expert's part of the work."""
    used, wide = part.num_experts_per_tok, part.moe_intermediate_size
    inner = part.latent_size or step.hidden
    step.make("router's scores", part.num_experts)
    if part.correction:
        step.make("router's scores, corrected", part.num_experts)
        step.make("router's order", part.num_experts, "router's scores, corrected")
    else:
        step.make("router's order", part.num_experts)
    step.make("weights", used, "router's scores")
    source = NORM
    if part.latent_size:
        source = "tokens, small"
        step.make(source, inner)
    last = () if shared and source == NORM else (source,) if source != NORM else step.spent
    if part.gated:
        step.make("experts' gate", used * wide)
        step.make("experts' up", used * wide, *last)
        step.make("experts' product", used * wide, "experts' gate", "experts' up")
    else:
        step.make("experts' product", used * wide, *last)
    early = bool(shared) and step.grouped and not shared.fused
    if early:
        widened(step, shared)
        if used <= SOON:
            multiplied(step, shared)
    step.make("experts' output", used * inner, "experts' product", "router's order")
    step.arena.free("weights")
    if used > 1:
        step.make("fed forward", inner, "experts' output")
    else:
        step.arena.rename("experts' output", "fed forward")
    if part.latent_size:
        step.make("fed forward, wide", step.hidden, "fed forward")
        step.arena.rename("fed forward, wide", "fed forward")
    if shared:
        if not early:
            widened(step, shared)
        if not early or used > SOON:
            multiplied(step, shared)
        narrowed(step, shared, "shared expert's output")
        step.arena.free("shared expert's output")


def _of(part: FeedForward) -> str:
    return " of the shared expert" if part.role == "shared expert" else ""
