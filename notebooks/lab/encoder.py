"""MiniLM in NumPy: from texts to embeddings.

A BERT encoder with mean pooling. Each function is one of its parts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

Weights = Mapping[str, np.ndarray]

TOKENS = 32  #: a longer text is cut here; shorter ones make the lab quicker
HEADS, EPSILON = 12, 1e-12  # of the model's config.json
ROWS_AT_ONCE = 64  # of the widest activations: what stays in a core's cache

#: Abramowitz and Stegun, formula 7.1.26: erfc(z) within 1.5e-7, as a polynomial in 1 / (1 + P z).
P = 0.3275911
POLYNOMIAL = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def read_model(folder: Path):
    """Read the weights, as a dict of arrays, and the tokenizer."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.no_padding()
    return load_file(folder / "model.safetensors"), tokenizer


def token_ids(tokenizer, texts: Iterable[str]) -> list[list[int]]:
    """The numbers that stand for each text's tokens, with those for its start and its end."""
    return [encoded.ids for encoded in tokenizer.encode_batch(list(texts))]


def embed(texts: list[list[int]], weights: Weights, *, heads: int = HEADS) -> np.ndarray:
    """A vector of length 1 for each text; texts of the same number of tokens are run together."""
    by_length = defaultdict(list)
    for place, ids in enumerate(texts):
        by_length[len(ids)].append(place)
    found = {}
    for places in by_length.values():
        found |= zip(places, encode(np.array([texts[place] for place in places]), weights, heads=heads),
                     strict=True)
    return np.stack([found[place] for place in range(len(texts))])


def encode(ids: np.ndarray, weights: Weights, *, heads: int = HEADS) -> np.ndarray:
    """Vectors for texts of one length; ``ids`` has a row for each."""
    start = "embeddings."
    x = (weights[f"{start}word_embeddings.weight"][ids]
         + weights[f"{start}position_embeddings.weight"][:ids.shape[1]]
         + weights[f"{start}token_type_embeddings.weight"][0])
    x = _norm(x, weights, f"{start}LayerNorm")
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in weights:
        name = f"encoder.layer.{layer}."
        mixed = _linear(_attention(x, weights, name, heads), weights, f"{name}attention.output.dense")
        x = _norm(x + mixed, weights, f"{name}attention.output.LayerNorm")
        inner = gelu(_linear(x, weights, f"{name}intermediate.dense"))
        x = _norm(x + _linear(inner, weights, f"{name}output.dense"), weights, f"{name}output.LayerNorm")
        layer += 1
    pooled = x.mean(axis=1)
    return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def _attention(x: np.ndarray, weights: Weights, name: str, heads: int) -> np.ndarray:
    texts, tokens, width = x.shape

    def split(part: str) -> np.ndarray:
        projected = _linear(x, weights, f"{name}attention.self.{part}")
        return projected.reshape(texts, tokens, heads, width // heads).swapaxes(1, 2)

    query, key, value = map(split, ("query", "key", "value"))
    scores = query @ key.swapaxes(2, 3) / np.float32((width // heads) ** 0.5)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return (shares @ value).swapaxes(1, 2).reshape(x.shape)


def _linear(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _norm(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
    return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def gelu(x: np.ndarray) -> np.ndarray:
    """x·Φ(x), computed as max(x, 0) − |x|·erfc(|x| / √2) / 2; a few rows at a time."""
    rows = x.reshape(-1, x.shape[-1])
    out = np.empty_like(rows)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start:start + ROWS_AT_ONCE]
        size = np.abs(part)
        t = 1 / (1 + np.float32(P / 2**0.5) * size)
        complement = np.zeros_like(t)
        for factor in POLYNOMIAL:
            complement = (complement + np.float32(factor)) * t
        complement *= np.exp(-size * size / 2)
        out[start:start + ROWS_AT_ONCE] = np.maximum(part, 0) - size * complement / 2
    return out.reshape(x.shape)
