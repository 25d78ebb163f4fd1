"""What rounding did: to the weights, to the embeddings, and to a search."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Outcome:
    """Embeddings of queries and documents, and what a search among them gives.

    Parameters
    ----------
    queries, documents : array
        A row of length 1 for each; query 0 belongs to document 0.
    """

    queries: np.ndarray
    documents: np.ndarray

    @property
    def ranked(self) -> np.ndarray:
        """For each query the documents, most similar first."""
        return np.argsort(-self.queries @ self.documents.T, axis=1, kind="stable")

    @property
    def right(self) -> np.ndarray:
        """For each query whether its own document comes first."""
        return self.ranked[:, 0] == np.arange(len(self.queries))


def is_quantized(name: str, array: np.ndarray) -> bool:
    """Whether the lab rounds a tensor: the encoder's matrices and the words' embedding."""
    return array.ndim == 2 and (name.startswith("encoder.") or "word_embeddings" in name)


def compared(before: Outcome, after: Outcome) -> dict[str, str]:
    """Fidelity to what was before, and the score of the task, as columns of the results."""
    rows, count = np.arange(len(before.queries))[:, None], len(before.queries)
    near, now = before.ranked[:, :10], after.ranked[:, :10]
    among = np.zeros((count, len(before.documents)), dtype=bool)
    among[rows, near] = True
    recall = after.right.mean()
    return {
        "embedding_cosine": f"{_cosine(before, after):.4f}",
        "top1_agreement": f"{(near[:, 0] == now[:, 0]).mean():.4f}",
        "top10_overlap": f"{among[rows, now].mean():.4f}",
        "queries": str(count),
        "right_answers": str(after.right.sum()),
        "still_right": str((before.right & after.right).sum()),
        "recall_at_1": f"{recall:.4f}",
        "recall_error": f"{math.sqrt(recall * (1 - recall) / count):.4f}",
    }


def _cosine(before: Outcome, after: Outcome) -> float:
    pairs = ((before.queries, after.queries), (before.documents, after.documents))
    return np.concatenate([(old * new).sum(axis=1) for old, new in pairs]).mean()
