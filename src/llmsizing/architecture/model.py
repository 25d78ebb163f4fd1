"""Model: layers and what stands around them, and what they add up to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from llmsizing.architecture.attention import Attention, LatentAttention
from llmsizing.architecture.feed_forward import Experts, FeedForward
from llmsizing.architecture.recurrent import (
    GatedDeltaNet,
    KimiDelta,
    Mamba2,
    PlamoMamba,
    ShortConvolution,
)
from llmsizing.architecture.tensors import ROLES, Tensor
from llmsizing.breakdown import Breakdown, Factor, product, sum_of
from llmsizing.errors import expect, shown

Part = (Attention | LatentAttention | Mamba2 | GatedDeltaNet | KimiDelta | PlamoMamba
        | ShortConvolution | FeedForward | Experts)


@dataclass(frozen=True)
class Layer:
    """One layer: the parts that it runs, and its norms and other small tensors.

    Parameters
    ----------
    parts : tuple
        What mixes tokens (attention or a recurrent mixer) and what works on each token alone.
    others : tuple of Tensor
        Norms, and matrices that belong to no part.
    """

    parts: tuple[Part, ...]
    others: tuple[Tensor, ...] = ()

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """All its tensors."""
        return (*self.others, *(tensor for part in self.parts for tensor in part.tensors()))

    @cached_property
    def attention(self) -> Attention | LatentAttention | None:
        """The part that stores keys and values, if there is one."""
        return next((part for part in self.parts
                     if isinstance(part, Attention | LatentAttention)), None)

    @cached_property
    def state_numbers(self) -> int:
        """Numbers of fixed state per sequence."""
        return sum(getattr(part, "state_numbers", 0) for part in self.parts)

    @property
    def idle_parameters(self) -> int:
        """Parameters that a token does not use: those of the experts not chosen for it."""
        return sum(
            tensor.count * (part.num_experts - part.num_experts_per_tok) // part.num_experts
            for part in self.parts if isinstance(part, Experts)
            for tensor in part.tensors() if tensor.role == "experts"
        )


@dataclass(frozen=True, kw_only=True)
class Model:
    """A language model's shape, and what is known about it.

    Make one with `load_model` (the catalog), `read_config` (a config.json), `read_gguf` (a file)
    or `read_hub` (a repository). Counts are those of the language model: a vision or audio tower is
    in ``vision_parameters``.

    Parameters
    ----------
    name : str
        How people call it: "Llama-3.1-8B".
    model_type : str
        The family, as config.json names it.
    hidden_size, vocab_size : int
        As in config.json.
    max_position_embeddings : int or None
        The native context in tokens; None where the config does not say.
    tie_word_embeddings : bool
        Whether the output layer is the input embedding.
    layers : tuple of Layer
        From the first to the last.
    others : tuple of Tensor
        What stands outside the layers beside embedding and output: the last norm and the like.
    repo, licence, native_type, modality, source, source_url, accessed, notes : str
        What the catalog knows of it; empty for a config of one's own.
    vision_parameters : int or None
        Parameters of a vision or audio tower beside the language model, where known.
    file_format : str
        "GGUF" or "safetensors" for a model read from a real file; otherwise empty.
    stored : tuple of (int or None, Tensor, str)
        The tensors of that file: layer number, tensor, format. A layer beyond the last one predicts
        further tokens (MTP); engines leave it out unless they are asked to use it.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> load_model("Qwen3-30B-A3B").active_parameters
    3353032704
    """

    name: str
    model_type: str
    hidden_size: int
    vocab_size: int
    max_position_embeddings: int | None
    tie_word_embeddings: bool
    layers: tuple[Layer, ...] = field(repr=False)
    others: tuple[Tensor, ...] = field(repr=False)
    repo: str = ""
    licence: str = ""
    native_type: str = ""
    modality: str = "text"
    vision_parameters: int | None = None
    source: str = ""
    source_url: str = ""
    accessed: str = ""
    notes: str = ""
    file_format: str = ""
    stored: tuple[tuple[int | None, Tensor, str], ...] = field(default=(), repr=False, hash=False)

    def __hash__(self) -> int:
        return hash((self.name, self.parameters))  # not its hundreds of tensors: caches ask often

    @property
    def num_hidden_layers(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def has_experts(self) -> bool:
        """Whether a router picks among experts in any of its layers."""
        return any(isinstance(part, Experts) for layer in self.layers for part in layer.parts)

    def tensors(self) -> Iterator[tuple[int | None, Tensor]]:
        """Every tensor with the number of its layer, or None outside the layers."""
        yield None, self.embedding
        for number, layer in enumerate(self.layers):
            yield from ((number, tensor) for tensor in layer.tensors)
        yield from ((None, tensor) for tensor in self._around()[1:])

    @cached_property
    def tensor_counts(self) -> tuple[tuple[Tensor, int], ...]:
        """Each different tensor and how often it occurs; few, however many layers there are."""
        counts = Counter(self._around())
        for layer, times in Counter(self.layers).items():
            for tensor, here in Counter(layer.tensors).items():
                counts[tensor] += times * here
        return tuple(counts.items())

    @property
    def embedding(self) -> Tensor:
        """The table from which each token's input is looked up."""
        return Tensor("token_embd.weight", (self.vocab_size, self.hidden_size), "embedding")

    @cached_property
    def parameters(self) -> int:
        """All parameters of the language model; a tied embedding counts once."""
        return sum(self.parameters_by_role.values())

    @cached_property
    def active_parameters(self) -> int:
        """Parameters that serve a token, its embedding table among them; idle experts are not.

        So count Mistral (Mixtral 12.9B), Qwen and DeepSeek. A per-layer embedding table
        (Gemma 3n, Gemma 4 E2B and E4B) is looked up and not counted, as Google does.
        """
        idle = sum(layer.idle_parameters for layer in self.layers)
        return self.parameters - idle - self.parameters_by_role["per-layer embedding"]

    @cached_property
    def read_parameters(self) -> int:
        """Parameters read from memory to make one token, without the table of its input.

        A table that is also the output layer is read whole. So count OpenAI (gpt-oss-20b: 3.6B)
        and NVIDIA. Speed follows from this number.
        """
        return self.active_parameters - (0 if self.tie_word_embeddings else self.embedding.count)

    @property
    def parameters_by_role(self) -> dict[str, int]:
        """Parameters by what they are for, as `ROLES` names it; buffers are none."""
        counts = dict.fromkeys(ROLES, 0)
        for tensor, times in self.tensor_counts:
            counts[tensor.role] += times * tensor.count
        del counts["buffer"]
        return counts

    def parameter_breakdown(self) -> Breakdown:
        """Where the parameters sit, each count with its working.

        Returns
        -------
        Breakdown
            In parameters, one term for each role that the model has.
        """
        by_role: dict[str, list] = {}
        for tensor, times in self.tensor_counts:
            if tensor.role != "buffer":
                factors = [Factor(times, "tensors")] if times > 1 else []
                factors += map(Factor, tensor.shape, tensor.dimensions)
                by_role.setdefault(tensor.role, []).append(product(tensor.name, *factors))
        terms = (sum_of(role, *by_role[role]) for role in ROLES if role in by_role)
        return Breakdown(f"Parameters of {self.name}", tuple(terms), "parameters")

    def _around(self) -> tuple[Tensor, ...]:
        output = Tensor("output.weight", (self.vocab_size, self.hidden_size), "output")
        return (self.embedding, *self.others, *(() if self.tie_word_embeddings else (output,)))


def expect_model(model: object) -> None:
    """Refuse what is no Model, a model's name above all."""
    typed = shown(model) if isinstance(model, str) else "'Llama-3.1-8B'"
    expect("model", model, Model, f"write load_model({typed})")
