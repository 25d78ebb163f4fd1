"""The parts of names: bits in a file type, and the patterns with what each says and leaves open."""

import re
from dataclasses import dataclass

from llmsizing.errors import InvalidInput, UnknownName
from llmsizing.quantization.file_types import load_file_type


def nominal_bits(file_type: str) -> int:
    """Read the bits that a file type has in its name: the Q that the rule of thumb is given.

    The name is not the size: Llama-3.1-8B at Q4_K_M takes 4.9 bits per weight (chapter 2).

    Parameters
    ----------
    file_type : str
        A llama.cpp file type, in either case: "Q4_K_M", "IQ3_XXS", "bf16".

    Returns
    -------
    int
        Bits per weight, 1 to 32.

    Raises
    ------
    InvalidInput
        If the name has no bits in it.

    Examples
    --------
    >>> [nominal_bits(name) for name in ("F16", "Q8_0", "Q4_K_M", "IQ3_XXS")]
    [16, 8, 4, 3]

    References
    ----------
    llama.cpp, tools/quantize/README.md lists the file types.
    """
    match = re.fullmatch(r"(?:B?FP?|I?Q|TQ|MXFP|NVFP)(\d+)(?:_\w+)?", str(file_type).upper())
    if not match or not 1 <= int(match[1]) <= 32:
        raise InvalidInput(f"{file_type!r} names no bits; file types look like Q4_K_M, Q8_0, F16.")
    return int(match[1])


@dataclass(frozen=True)
class NamePart:
    """One part of a file's name.

    Parameters
    ----------
    text : str
        The part as it stands in the name.
    kind : str
        What it is: "size", "file type", "fine-tune" …
    says : str
        What it tells.
    does_not_say : str
        What it leaves open, or nothing.
    """

    text: str
    kind: str
    says: str
    does_not_say: str = ""


def _encoding(text: str) -> NamePart:
    try:
        file_type = load_file_type(text)
    except UnknownName:
        return NamePart(
            text, "file type", f"about {nominal_bits(text)} bits, by a recipe of whoever made it",
            "how large it is: llama.cpp has no such file type, so read the file's own header",
        )
    return NamePart(text, "file type", f"{file_type.name}: {file_type.note}",
                    "how many bits per weight: that depends on the model. Nor whether an importance"
                    " matrix was used")


def _bits(text: str) -> NamePart:
    bits = re.search(r"\d", text)[0]
    return NamePart(text, "format", f"codes of {bits} bits",
                    "what the scales add, nor, where no other part does, whether it is GPTQ, MLX or another")


def _rate(text: str) -> NamePart:
    rate, head = re.match(r"(\d+(?:[._]\d+)?)bpw(?:[-_]h(\d+))?", text).groups()
    says = f"ExLlama: {rate.replace('_', '.')} bits per weight, on average over the layers"
    if head:
        return NamePart(text, "format", f"{says}, and {head} in the output layer",
                        "what the embedding takes (16 bits)")
    return NamePart(text, "format", says,
                    "what the embedding takes (16 bits) and the output layer (mostly 6)")


def context(text: str) -> NamePart:
    """The part that names a context."""
    unit = "thousand" if text.upper().endswith("K") else "million"
    return NamePart(text, "context", f"reads up to about {text[:-1]} {unit} tokens",
                    "what so long a context costs: its KV cache comes on top")


def active(text: str) -> NamePart:
    """The part that counts what serves a token, with an A before it or without."""
    return NamePart(text, "size", f"{text[:-1].upper().lstrip('A')} billion parameters serve each token",
                    "what lies in memory: that is all of them")


def _size(text: str) -> NamePart:
    upper = text.upper()
    if upper.startswith("A"):
        return active(text)
    if upper.startswith("E"):
        return NamePart(text, "size", f'"effective" size: {upper[1:-1]} billion parameters without'
                        " the tables that are looked up", "how large the file is: the tables are in it")
    if upper.endswith("E"):
        return NamePart(text, "size", f"{upper[:-1]} experts in a layer",
                        "how many of them serve a token")
    if "X" in upper:
        experts, _, each = upper[:-1].partition("X")
        return NamePart(text, "size", f"{experts} experts in a model of the class {each}B",
                        f"the total: the experts share the rest, so it is less than {experts} × {each}")
    unit = "billion" if upper.endswith("B") else "million"
    return NamePart(text, "size", f"about {upper[:-1]} {unit} parameters in all",
                    "the exact number; makers round")


def _fixed(kind: str, says: str, does_not_say: str = ""):
    return lambda text: NamePart(text, kind, says, does_not_say)


#: What is known of names: the first pattern that fits decides.
PATTERNS = (
    (r"mmproj", _fixed("companion", "the vision or audio tower: a file beside the model's",
                       "the model itself: it is another file")),
    (r"\d{5}-of-\d{5}", _fixed("shard", "one piece of a file that was cut up",
                               "the whole size: add all pieces up")),
    (r"UD", _fixed("maker", "Unsloth Dynamic: types chosen layer by layer, for each model anew",
                   "how large it is: such files are larger or smaller than the plain type")),
    (r"i1", _fixed("maker", "mradermacher's mark for an importance matrix")),
    (r"imat(?:rix)?", _fixed("maker", "made with an importance matrix",
                             "which texts the matrix was made from")),
    (r"qat", _fixed("training", "trained on for this rounding (quantization-aware training)",
                    "another size: the file is as large as without")),
    (r"mxfp4(?!_)", _fixed("file type", "the experts in MXFP4: 4 bits and a scale for 32 weights",
                      "what the rest is stored in: 8 or 16 bits, as whoever made it chose")),
    (r"(?:I?Q|TQ)\d(?:_[0-9A-Z]+)*|BF16|F16|F32|FP16|MXFP4_MOE|NVFP4", _encoding),
    (r"AWQ", _fixed("format", "AWQ: linear layers in 4 bits, weights that matter most scaled first",
                    "the group (mostly 128), nor that embedding and output layer stay in 16 bits")),
    (r"GPTQ", _fixed("format", "GPTQ: linear layers rounded one by one, each correcting the last",
                     "the group (mostly 128), nor that embedding and output layer stay in 16 bits")),
    (r"bnb[-_]?4bit", _fixed("format", "bitsandbytes: linear layers in 4 bits, mostly NF4",
                             "whether the scales are quantized, too, nor what stays in 16 bits")),
    (r"bnb[-_]?8bit", _fixed("format", "bitsandbytes: linear layers in 8 bits, LLM.int8()",
                             "what stays in 16 bits: embedding, output layer and some experts")),
    (r"FP4", _fixed("format", "linear layers in 4-bit floats",
                    "whether it is NVFP4 or MXFP4, and what stays in 16 bits")),
    (r"HQQ", _fixed("format", "HQQ: linear layers rounded without example texts",
                    "the group (mostly 64), nor that embedding and output layer stay in 16 bits")),
    (r"AQLM", _fixed("format", "AQLM: codes that point into tables of weights",
                     "how many codes a group has; 2x8 or 1x16 may")),
    (r"safetensors", _fixed("format", "weights as transformers and vLLM read them",
                            "their type: the config.json beside it says so")),
    (r"exl[23]", _fixed("format", "for ExLlama: layers get bits by how much they need them",
                        "how many bits: the bpw says so")),
    (r"\d+(?:[._]\d+)?bpw(?:[-_]h\d+)?", _rate),
    (r"FP8(?:[-_]dynamic)?", _fixed(
        "format", "linear layers in 8-bit floats",
        "what a scale is for: a matrix, a row or a block of 128 × 128 weights")),
    (r"W\dA\d+|Int[2-8]|[2-8][-_]?bit", _bits),
    (r"gs?(?:32|64|128)", _fixed("format", "so many weights share a scale",
                                 "whether a zero point stands beside it")),
    (r"MLX", _fixed("format", "for MLX, on Apple's chips: embedding and output layer are quantized, too",
                    "the group (mostly 64)")),
    (r"GGUF", _fixed("format", "files for llama.cpp and what is built on it",
                     "which file type: such a repository holds many")),
    (r"\d+K", context),
    (r"(?:\d+x)?\d+(?:\.\d+)?[BM]|[AE]\d+(?:\.\d+)?B|\d+E", _size),
    (r"abliterated|uncensored", _fixed("fine-tune", "altered so that it refuses less",
                                       "another size: the file is as large as without")),
    (r"instruct|it|chat", _fixed("fine-tune", "trained to follow instructions")),
    (r"base|pt", _fixed("fine-tune", "the base model: it continues texts, it does not answer")),
    (r"thinking|reasoning", _fixed("fine-tune", "thinks before it answers",
                                   "how long: plan context for it")),
    (r"distill", _fixed("fine-tune", "a smaller model trained on a larger one's answers",
                        "the larger model's shape: this one has its own")),
    (r"v\d+(?:\.\d+)*", _fixed("version", "the version")),
    (r"\d{4}", _fixed("version", "mostly the month of release, as year and month")),
)
