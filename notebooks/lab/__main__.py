"""Run the lab: fetch the weights, round them in every way, and write the results.

Usage: python -m lab [FOLDER FOR THE WEIGHTS], from the folder notebooks; or make lab
"""

import csv
import json
import math
import platform
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
from lab.encoder import embed, read_model, token_ids
from lab.fetch import REPO, WHEEL, NotFetched, weights_folder
from lab.measure import Outcome, compared, is_quantized
from lab.rounders import Way, ways
from lab.texts import SEARCHES, docstring_pairs

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "src" / "llmsizing" / "data"
HITS = 5  # that the book shows of a search
SHOWN = ("symmetric", 32)  # the grid and the block of the searches that it shows
AS_PUBLISHED = {"name": "as published", "grid": "none", "bits": "32", "block_weights": "",
                "bits_per_weight": "32", "weight_snr_db": ""}

#: Three sentences, and how similar the makers' own library finds them
#: (huggingface/sentence-transformers@3240b9d5dd54:README.md).
SENTENCES = ("The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium.")
SIMILARITIES = ((0, 1, 0.6660), (0, 2, 0.1046), (1, 2, 0.1411))

#: The slice of weights that the chapter quantizes: one row of it has an outlier.
MATRIX, ROWS = "encoder.layer.0.attention.output.dense.weight", slice(96, 104)


def main(folder: Path) -> None:
    """Run the lab and write its files."""
    started = time.monotonic()
    weights, tokenizer = read_model(weights_folder(folder))
    check(embed(token_ids(tokenizer, SENTENCES), weights))
    pairs = docstring_pairs()
    names, count = [pair.name for pair in pairs], len(pairs)
    texts = token_ids(tokenizer, [*(pair.query for pair in pairs), *(pair.document for pair in pairs),
                                  *SEARCHES])
    whole = embed(texts, weights)
    before = Outcome(whole[:count], whole[count:2 * count])
    source = {"source": f"our lab (notebooks/lab): {REPO}, {count} docstrings of Python"
                        f" {platform.python_version()}, numpy {np.__version__}, gguf {version('gguf')}"}
    runs = [AS_PUBLISHED | compared(before, before) | source]
    searches = hits(AS_PUBLISHED["name"], whole, names)
    for way in ways():
        found, cost = run(way, texts, weights)
        runs.append(cost | compared(before, Outcome(found[:count], found[count:2 * count])) | source)
        if (way.grid, way.block_weights) == SHOWN:
            searches += hits(way.name, found, names)
        print(f"{time.monotonic() - started:4.0f} s  {way.name}: cosine {runs[-1]['embedding_cosine']}",
              flush=True)
    write("rounding_lab.csv", runs)
    write("rounding_searches.csv", searches)
    write_slice(weights[MATRIX])
    print(f"{len(runs)} runs. The results are in {DATA}.")


def check(found: np.ndarray) -> None:
    """Refuse to go on where this encoder does not do what the makers' own does."""
    for one, other, published in SIMILARITIES:
        ours = float(found[one] @ found[other])
        if abs(ours - published) > 0.0002:
            raise SystemExit(f"The encoder is wrong: it finds {SENTENCES[one]!r} and {SENTENCES[other]!r}"
                             f" similar by {ours:.4f}, published are {published:.4f}.")


def run(way: Way, texts: list[list[int]], weights: Mapping[str, np.ndarray]
        ) -> tuple[np.ndarray, dict[str, str]]:
    """Embed the texts with rounded weights; what the way is, stores and does to the weights."""
    rounded, bits, count, signal, noise = dict(weights), 0, 0, 0.0, 0.0
    for name, matrix in weights.items():
        if is_quantized(name, matrix):
            rounded[name], more = way(matrix)
            noise += more
            signal += float(np.vdot(matrix, matrix))
            bits += way.stored_bits(matrix.shape)
            count += matrix.size
    return embed(texts, rounded), {
        "name": way.name, "grid": way.grid, "bits": str(way.bits),
        "block_weights": str(way.block_weights or ""), "bits_per_weight": f"{bits / count:.4f}",
        "weight_snr_db": f"{10 * math.log10(signal / noise):.2f}",
    }


def hits(run: str, found: np.ndarray, names: list[str]) -> list[dict[str, str]]:
    """The first hits of the book's searches among the queries, which are first sentences."""
    similar = found[-len(SEARCHES):] @ found[:len(names)].T
    return [{"run": run, "search": search, "rank": str(rank), "found": names[place],
             "similarity": f"{row[place]:.4f}"}
            for search, row in zip(SEARCHES, similar, strict=True)
            for rank, place in enumerate(np.argsort(-row, kind="stable")[:HITS], start=1)]


def write(name: str, rows: list[dict[str, str]]) -> None:
    """Write a table for the book."""
    with (DATA / name).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def write_slice(matrix: np.ndarray) -> None:
    """Write a few rows of real weights in half precision."""
    rows = matrix[ROWS].astype("<f2")
    (DATA / "weight_slice.json").write_text(json.dumps({
        "what": "a few rows of one matrix of a real model, in half precision (little-endian, hexadecimal)",
        "matrix": MATRIX, "first_row": ROWS.start,
        "source": f"{REPO}, from {WHEEL}:model/model.safetensors",
        "licence": "Apache-2.0, as the model card says",
        "rows": [row.tobytes().hex() for row in rows],
    }, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "lab")
    except NotFetched as error:
        raise SystemExit(str(error)) from None
