"""File types of llama.cpp: their list, and how one is found by its name."""

from dataclasses import dataclass, replace

from llmsizing.errors import InvalidInput, fold, nearest


@dataclass(frozen=True)
class FileType:
    """A file type of llama.cpp.

    Parameters
    ----------
    name, base : str
        As llama-quantize calls it ("Q4_K_M"), and the block type of most tensors ("Q4_K").
    note, source : str
        A sentence for the reader, and what was read.
    imatrix : bool
        Whether the file is made with an importance matrix: some types then mix otherwise.
    """

    name: str
    base: str
    note: str
    source: str = "llama.cpp@0c1e57098:src/llama-quant.cpp"
    imatrix: bool = False


_FILE_TYPES = (
    FileType("F32", "F32", "Single precision throughout; larger than the files of most models."),
    FileType("F16", "F16", "Half precision, vectors in F32; what the others are made from."),
    FileType("BF16", "BF16", "As large as F16, with the range of F32."),
    FileType("Q8_0", "Q8_0", "One scale for 32 weights, all matrices alike."),
    FileType("Q6_K", "Q6_K", "All matrices alike."),
    FileType("Q5_1", "Q5_1", "Old: a scale and a minimum for 32 weights."),
    FileType("Q5_K_M", "Q5_K", "About half of attn_v and ffn_down get Q6_K."),
    FileType("Q5_K_S", "Q5_K", "All matrices alike but the output layer."),
    FileType("Q5_0", "Q5_0", "Old: a scale for 32 weights."),
    FileType("Q4_1", "Q4_1", "Old: a scale and a minimum for 32 weights."),
    FileType("Q4_K_M", "Q4_K", "The usual choice: about half of attn_v and ffn_down get Q6_K."),
    FileType("IQ4_NL", "IQ4_NL", "Sixteen unevenly spaced values, a scale for 32 weights."),
    FileType("Q4_K_S", "Q4_K", "The first attn_v and ffn_down get Q5_K."),
    FileType("Q4_0", "Q4_0", "Old: a scale for 32 weights."),
    FileType("MXFP4_MOE", "MXFP4", "Experts in MXFP4, other matrices in Q8_0."),
    FileType("IQ4_XS", "IQ4_XS", "IQ4_NL in blocks of 256 weights."),
    FileType("Q3_K_L", "Q3_K", "attn_v, attn_output and ffn_down get Q5_K."),
    FileType("Q3_K_M", "Q3_K", "attn_v, attn_output and ffn_down get Q4_K, the first Q5_K."),
    FileType("IQ3_M", "IQ3_S", "attn_v, attn_output and the first ffn_down get Q4_K."),
    FileType("IQ3_S", "IQ3_S", "attn_v gets Q4_K where heads share it."),
    FileType("Q3_K_S", "Q3_K", "All matrices alike but the output layer."),
    FileType("IQ3_XS", "IQ3_S", "Much gets IQ3_XXS, which needs an importance matrix."),
    FileType("IQ3_XXS", "IQ3_XXS", "Needs an importance matrix; without, ffn_down is Q3_K."),
    FileType("Q2_K", "Q2_K", "attn_output and ffn_down get Q3_K: it takes more than 2 bits."),
    FileType("Q2_K_S", "Q2_K", "The first ffn_down get Q4_K; needs an importance matrix."),
    FileType("IQ2_M", "IQ2_S", "Needs an importance matrix."),
    FileType("IQ2_S", "IQ2_XS", "IQ2_M on a smaller base; needs an importance matrix."),
    FileType("IQ2_XS", "IQ2_XS", "Needs an importance matrix."),
    FileType("TQ2_0", "TQ2_0", "For models trained with weights of -1, 0 and 1."),
    FileType("IQ2_XXS", "IQ2_XXS", "Needs an importance matrix."),
    FileType("TQ1_0", "TQ1_0", "TQ2_0 packed tighter: five weights in a byte."),
    FileType("IQ1_M", "IQ1_M", "Needs an importance matrix."),
    FileType("IQ1_S", "IQ1_S", "Needs an importance matrix."),
)
_BY_NAME = {fold(entry.name): entry for entry in _FILE_TYPES}

#: What people type, folded, and the file type that they mean.
PRECISIONS = {"fp32": "f32", "float32": "f32", "fp16": "f16", "float16": "f16", "bfloat16": "bf16"}
ALIASES = {**PRECISIONS, "q8": "q80", "q6": "q6k", "q5k": "q5km", "q4k": "q4km",
           "q3k": "q3km"}


def file_types() -> list[FileType]:
    """All file types, from large to small at Llama-3.1-8B (MXFP4_MOE as in a model of experts).

    Returns
    -------
    list of FileType

    Examples
    --------
    >>> [entry.name for entry in file_types()[:4]]
    ['F32', 'F16', 'BF16', 'Q8_0']

    References
    ----------
    llama.cpp, tools/quantize/README.md lists the file types.
    """
    return list(_FILE_TYPES)


def load_file_type(name: str) -> FileType:
    """Find a file type by its name, as people type it.

    Parameters
    ----------
    name : str
        "Q4_K_M", "q4 k m", "fp16". "Q4_K" is Q4_K_M, as llama-quantize has it. With "imatrix"
        after it, or "i1-" before it, the file is made with an importance matrix: "IQ4_XS imatrix".

    Returns
    -------
    FileType

    Raises
    ------
    InvalidInput
        If the name is no text.
    UnknownName
        With the nearest names.

    Examples
    --------
    >>> load_file_type("q4_k_m").base
    'Q4_K'
    >>> load_file_type("i1-IQ4_XS").imatrix
    True
    """
    if not isinstance(name, str):
        raise InvalidInput(f"A file type is named by text such as 'Q4_K_M', not {name!r}.")
    folded = fold(name)
    wanted = folded.removeprefix("i1").removesuffix("imatrix")
    found = _BY_NAME.get(ALIASES.get(wanted, wanted))
    if found:
        return found if wanted == folded else replace(found, imatrix=True)
    raise nearest("file type", name, [entry.name for entry in _FILE_TYPES])
