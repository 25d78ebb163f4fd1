"""Weights against llama.cpp's own quantizer, and against files that others published."""

import math

from llmsizing.catalog import load_model
from llmsizing.catalog.evidence import (
    PublishedSize,
    QuantizerSize,
    published_sizes,
    quantizer_sizes,
)
from llmsizing.evidence.comparison import Comparison
from llmsizing.memory import weight_bytes
from llmsizing.units import MB, MIB

#: Tokenizer and settings of a file, in bytes: 7.8 MB in Llama-3.2-1B-Instruct-Q4_0.gguf.
METADATA = (6 * MB, 7 * MB, 8 * MB)
IMATRIX = "made with an importance matrix"  #: what a row says of such a file
PRINTED = MIB // 200 + 1  # the quantizer prints two decimals of a MiB


def weight_comparisons() -> list[Comparison]:
    """Our bytes of a file's tensors beside those that llama.cpp's quantizer prints.

    Returns
    -------
    list of Comparison
        One for each model and file type of quantizer_sizes.csv.

    Examples
    --------
    >>> all(one.inside for one in weight_comparisons())
    True
    """
    return [_of_quantizer(row) for row in quantizer_sizes()]


def _of_quantizer(row: QuantizerSize) -> Comparison:
    size = weight_bytes(load_model(row.model), row.file_type)
    return Comparison(
        kind="weights, llama.cpp's quantizer", model=row.model, setting=row.file_type,
        measured=int(row.tensors_mib * MIB), rounding=PRINTED, low=size, usual=size, high=size,
        fitted=False, source=row.source, source_url="")


def published_comparisons() -> list[Comparison]:
    """Our bytes beside the sizes of files as published.

    A whole file holds its tokenizer as well; we allow 6 to 8 MB for it. Files that were not made
    as llama.cpp's quantizer does, with an importance matrix or without, are a kind of their own.

    Returns
    -------
    list of Comparison
        One for each row of published_sizes.csv.

    Examples
    --------
    >>> {one.inside for one in published_comparisons() if one.kind == "published files"}
    {True}
    """
    return [_published(row) for row in published_sizes()]


def _published(row: PublishedSize) -> Comparison:
    weighed = row.differs == IMATRIX
    tensors = weight_bytes(load_model(row.model), row.file_type + (" imatrix" if weighed else ""))
    low, usual, high = METADATA if row.counts == "file" else (0, 0, 0)
    made = f", {row.differs}" if row.differs else ""
    return Comparison(
        kind="published files" + (" made otherwise" if row.differs and not weighed else ""),
        model=row.model, setting=f"{row.file_type}, {row.size} {row.unit}{made}",
        measured=int(row.bytes), rounding=math.ceil(row.rounding), low=tensors + low,
        usual=tensors + usual, high=tensors + high, fitted=False, source=row.source,
        source_url=row.source_url)
