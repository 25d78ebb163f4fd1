"""Config: the values of a config.json, each checked when it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmsizing.errors import InvalidInput, shown

#: Other names under which config.json files give the same thing.
SYNONYMS = {
    "hidden_size": ("n_embd", "d_model", "dim"),
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "num_attention_heads": ("n_head", "n_heads"),
    "head_dim": ("attention_head_dim",),
    "num_key_value_heads": ("num_kv_heads", "n_head_kv", "multi_query_group_num"),
    "intermediate_size": ("n_inner", "ffn_hidden_size", "ffn_dim"),
    "max_position_embeddings": ("n_positions", "n_ctx", "seq_length", "model_max_length",
                                "max_sequence_length"),
    "num_experts": ("num_local_experts", "n_routed_experts", "moe_num_experts"),
    "num_experts_per_tok": ("num_experts_per_token", "top_k_experts", "moe_k", "moe_topk",
                            "num_selected_experts"),
    "n_shared_experts": ("num_shared_experts", "moe_num_shared_experts"),
    "first_k_dense_replace": ("num_dense_layers",),
    "layer_types": ("layers_block_type",),
    "vocab_size": ("padded_vocab_size",),
}

# More than any model has; a larger number is a typing error or an attack, and is refused at once.
LARGEST = {"num_hidden_layers": 2_000, "vocab_size": 100_000_000, "num_experts": 100_000,
           "max_position_embeddings": 2_000_000_000}
LARGEST_OTHERWISE = 10**7

_REQUIRED = object()


@dataclass(frozen=True)
class Config:
    """A config.json's values. A missing or senseless one is reported with the file's name.

    Parameters
    ----------
    values : Mapping
        From key to value, as JSON gives them.
    where : str
        What was read, for messages.
    defaults : Mapping
        What the family's class takes where the file says nothing.
    """

    values: Mapping[str, Any]
    where: str
    defaults: Mapping[str, Any]

    def find(self, key: str) -> Any:
        """The value of a key, under any of its names; the family's default where it is left out.

        A null is None and not the default: it says that the model has no such thing.
        """
        names = (key, *SYNONYMS.get(key, ()))
        given = [self.values[name] for name in names if name in self.values]
        if given:
            return next((value for value in given if value is not None), None)
        return self.defaults.get(key)

    def whole(self, key: str, default: Any = _REQUIRED, *, at_least: int = 1) -> int:
        """A whole number."""
        value = self.find(key)
        if value is None:
            if default is _REQUIRED:
                raise InvalidInput(f"{self.where}: {key} is missing{self._kind()}{_also(key)}.")
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        most = LARGEST.get(key, LARGEST_OTHERWISE)
        if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= most:
            raise self.wrong(key, f"a whole number from {at_least} to {most:,}")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """A value that is true or false."""
        value = self.find(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def factor(self, key: str, default: float | None = None) -> float | None:
        """A number that multiplies a size."""
        value = self.find(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1000:
            raise self.wrong(key, "a number above 0 and below 1,000")
        return value

    def places(self, key: str) -> list[int] | None:
        """A list of layers, by number, or None if there is none."""
        value, most = self.find(key), LARGEST["num_hidden_layers"]
        if value is None:
            return None
        if (not isinstance(value, list) or len(value) > most
                or not all(type(place) is int for place in value)):
            raise self.wrong(key, f"a list of at most {most:,} layers' numbers")
        return value

    def inside(self, key: str) -> "Config":
        """The values of an object inside, empty if there is none."""
        value = self.find(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.wrong(key, "an object {…}")
        return Config(value or {}, f"{self.where}, {key}", {})

    def wrong(self, key: str, right: str) -> InvalidInput:
        """The exception for a value that makes no sense."""
        return InvalidInput(f"{self.where}: {key} is {shown(self.find(key))}, but must be {right}.")

    def listed(self, key: str, length: int) -> list | None:
        """A list with one entry per layer, or None if there is none."""
        value = self.find(key)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != length:
            found = f"{len(value)} entries" if isinstance(value, list) else shown(value)
            raise InvalidInput(f"{self.where}: {key} must list {length} layers, but has {found}.")
        return value

    def _kind(self) -> str:
        kind = self.values.get("model_type")
        return f"; a {kind} config has it" if kind else ""


def _also(key: str) -> str:
    others = SYNONYMS.get(key)
    return f" (also known as {', '.join(others)})" if others else ""
