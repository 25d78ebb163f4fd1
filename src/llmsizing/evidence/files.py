"""Weights against llama.cpp's own quantizer, and against files that others published."""

from fractions import Fraction

from llmsizing.catalog import load_model
from llmsizing.catalog.evidence import PublishedSize, published_sizes, quantizer_sizes
from llmsizing.evidence.comparison import Comparison
from llmsizing.memory import weight_bytes
from llmsizing.units import MB, MIB

#: Tokenizer and settings of a file, in bytes: 7.8 MB in Llama-3.2-1B-Instruct-Q4_0.gguf.
METADATA = (Fraction(6 * MB), Fraction(7 * MB), Fraction(8 * MB))
PRINTED = Fraction(MIB, 200)  # the quantizer prints two decimals of a MiB


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
    return [
        Comparison(
            kind="weights, llama.cpp's quantizer", model=row.model, setting=row.file_type,
            measured=row.tensors_mib * MIB, rounding=PRINTED, rule="derived", source=row.source,
            usual=Fraction(weight_bytes(load_model(row.model), row.file_type)),
        )
        for row in quantizer_sizes()
    ]


def published_comparisons() -> list[Comparison]:
    """Our bytes beside the sizes of files as published.

    A whole file holds its tokenizer as well; we allow 6 to 8 MB for it. Files that were not made
    as llama.cpp's quantizer does by default are a kind of their own.

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
    tensors = weight_bytes(load_model(row.model), row.file_type)
    low, usual, high = METADATA if row.counts == "file" else (Fraction(0),) * 3
    made = f", {row.differs}" if row.differs else ""
    return Comparison(
        kind="published files" + (" made otherwise" if row.differs else ""),
        model=row.model, setting=f"{row.file_type}, {row.size} {row.unit}{made}",
        measured=row.bytes, rounding=row.rounding, rule="derived", source=row.source,
        low=tensors + low, usual=tensors + usual, high=tensors + high,
    )
