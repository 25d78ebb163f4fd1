"""How llama.cpp's quantizer picks a block type for each tensor of a GGUF file.

A file type mixes block types: each tensor gets its base, and those that suffer most from rounding
get more bits, by name and layer. The rules are those of `llama_tensor_get_type_impl` for our families
(Falcon 1, GLM 5 Next and Ling 3 have exceptions of their own).
"""

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from llmsizing.architecture import Experts, LatentAttention, Model, Tensor, expect_model
from llmsizing.architecture.recurrent import GatedDeltaNet
from llmsizing.quantization.file_types import FileType, load_file_type


@dataclass(frozen=True)
class Place:
    """A tensor's number and their total, heads that share a key, experts of a layer (or 0)."""

    number: int
    total: int
    group: int
    experts: int

    @property
    def more_bits(self) -> bool:
        """The first and the last eighth, and every third between (`use_more_bits`)."""
        first, last = self.total // 8, 7 * self.total // 8
        return not first <= self.number < last or (self.number - first) % 3 == 2


#: Conditions of the rules below. Every division rounds down.
WHEN = {
    "always": lambda place: True,
    "first 2": lambda place: place.number < 2,
    "first 4": lambda place: place.number < 4,
    "first 1/16": lambda place: place.number < place.total // 16,
    "first 1/8": lambda place: place.number < place.total // 8,
    "middle 3/4": lambda place: place.total // 8 <= place.number < 7 * place.total // 8,
    "more bits": lambda place: place.more_bits,
    "more bits, 8 experts": lambda place: place.experts == 8 and place.more_bits,
    "4 heads share": lambda place: place.group >= 4,  # keys and values are small then
    "4 heads or experts": lambda place: place.group >= 4 or place.experts >= 4,
}

#: Conditions that hold for all tensors of a kind or for none.
OF_ALL = ("always", "4 heads share", "4 heads or experts")

Rules = dict[str, dict[str, str]]


def _tiny(small: str, **further: dict[str, str]) -> Rules:
    """What the types below three bits have in common."""
    return {"token_embd": {"always": small},
            "attn_v": {"4 heads or experts": "Q4_K", "always": small},
            "ffn_down": {"first 1/8": small}} | further


_MORE: Rules = {"attn_v": {"more bits": "Q6_K"}, "ffn_down": {"more bits": "Q6_K"}}
_IQ4: Rules = {"attn_v": {"4 heads share": "Q5_K"}, "ffn_down": {"first 1/8": "Q5_K"}}
_IQ2_M = _tiny("IQ3_S", attn_output={"always": "IQ3_S"})
_IQ1 = _tiny("Q2_K", attn_output={"always": "IQ2_XXS"})
_TERNARY: Rules = {"token_embd": {"always": "Q4_K"}}

#: For each kind of tensor, the first condition that holds decides; otherwise it gets the base.
MIXES: dict[str, Rules] = {
    "Q5_K_M": _MORE, "Q4_K_M": _MORE, "IQ4_NL": _IQ4, "IQ4_XS": _IQ4,
    "Q4_K_S": {"attn_v": {"first 4": "Q5_K"}, "ffn_down": {"first 1/8": "Q5_K"}},
    "Q3_K_L": dict.fromkeys(("attn_v", "ffn_down", "attn_output"), {"always": "Q5_K"}),
    "Q3_K_M": {"attn_v": {"first 2": "Q5_K", "always": "Q4_K"}, "attn_output": {"always": "Q4_K"},
               "ffn_down": {"first 1/16": "Q5_K", "always": "Q4_K"}},
    "IQ3_M": {"attn_v": {"always": "Q4_K"}, "attn_output": {"always": "Q4_K"},
              "ffn_down": {"first 1/8": "Q4_K", "more bits, 8 experts": "Q4_K"}},
    "IQ3_S": {"attn_v": {"4 heads share": "Q4_K"}},
    "IQ3_XS": {"attn_v": {"4 heads share": "Q4_K"},
               "attn_k": {"always": "IQ3_XXS"}, "attn_q": {"always": "IQ3_XXS"},
               "ffn_gate": {"middle 3/4": "IQ3_XXS"}, "ffn_up": {"middle 3/4": "IQ3_XXS"}},
    "IQ3_XXS": {"token_embd": {"always": "IQ3_S"}, "attn_output": {"always": "IQ3_S"},
                "attn_v": {"4 heads share": "Q4_K", "always": "IQ3_S"},
                "attn_k": {"always": "IQ2_S"}, "attn_q": {"always": "IQ2_S"},
                "ffn_down": {"first 1/8": "Q4_K", "always": "Q3_K"}},
    "Q2_K": {"attn_v": {"4 heads share": "Q4_K", "always": "Q3_K"},
             "ffn_down": {"always": "Q3_K"}, "attn_output": {"always": "Q3_K"}},
    "Q2_K_S": {"attn_v": {"4 heads share": "Q4_K"}, "ffn_down": {"first 1/8": "Q4_K"}},
    "IQ2_M": _IQ2_M, "IQ2_S": _IQ2_M, "IQ2_XS": _tiny("Q2_K"), "IQ2_XXS": _tiny("Q2_K"),
    "IQ1_M": _IQ1, "IQ1_S": _IQ1, "TQ1_0": _TERNARY, "TQ2_0": _TERNARY,
}

#: What an importance matrix changes: with it ffn_down needs less care, in Q4_0 and Q5_0 a little.
IMATRIX: dict[str, Rules] = {
    "IQ4_NL": {"ffn_down": {}}, "IQ4_XS": {"ffn_down": {}},
    "IQ3_XXS": {"ffn_down": {}, "attn_v": {"4 heads share": "Q4_K"}},
    "Q4_0": {"ffn_down": {"first 1/8": "Q4_1"}}, "Q5_0": {"ffn_down": {"first 1/8": "Q5_1"}},
}

#: File types below three bits.
TINY = ("IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S")
#: In a model of eight experts these give the attention's output Q5_K, the others their base.
OUTPUT_OF_EIGHT = (*TINY, "Q4_K_M", "Q4_K_S", "IQ4_NL", "IQ4_XS", "Q3_K_M", "Q3_K_S", "IQ3_M",
                   "IQ3_S", "IQ3_XS", "IQ3_XXS", "Q2_K")

#: The kind of a tensor: the first part that its name contains.
KINDS = {"attn_qkv.weight": "attn_v", "attn_kv_b.weight": "attn_v", "attn_v.weight": "attn_v",
         "attn_k.weight": "attn_k", "attn_q.weight": "attn_q",
         "attn_output.weight": "attn_output", "output.weight": "output",
         "token_embd.weight": "token_embd",  # Gemma's table for all layers too
         "ffn_up": "ffn_up", "ffn_gate": "ffn_gate", "ffn_down": "ffn_down"}

#: Matrices that are never quantized: the first part that the name contains decides. F16 stands
#: for the file that is quantized; if that is BF16, they are BF16, and as large.
KEPT = {**dict.fromkeys(("_norm.weight", "ffn_gate_inp.weight", "ssm_conv1d",
                         "shortconv.conv.weight", "altup_correct", "altup_predict"), "F32"),
        **dict.fromkeys(("altup", "laurel", "per_layer_model_proj"), "F16")}

UNQUANTIZED = ("F32", "F16", "BF16")
BLOCKS_OF_32 = ("Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "IQ4_NL", "MXFP4")

#: What stands in for a block of 256 weights where a row is no multiple of that.
FALLBACKS = {"Q6_K": "Q8_0", "Q5_K": "Q5_1", "Q4_K": "Q5_0",
             **dict.fromkeys(("Q3_K", "Q2_K", "TQ1_0", "TQ2_0"), "Q4_0"),
             **dict.fromkeys(("IQ4_XS", "IQ3_S", "IQ3_XXS", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M",
                              "IQ1_S"), "IQ4_NL")}


def tensor_types(model: Model, file_type: FileType | str) -> list[tuple[int | None, Tensor, str]]:
    """Each tensor's block type, as llama.cpp's quantizer picks it.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    file_type : FileType or str
        "Q4_K_M", "IQ4_XS imatrix" for a file made with an importance matrix, or what
        `load_file_type` returned.

    Returns
    -------
    list of (int or None, Tensor, str)
        Layer number, tensor and block type in llama.cpp's order: what stands outside the layers,
        then layer by layer, each by name. Buffers are among them.

    Raises
    ------
    InvalidInput
        If the model is none, or the file type no text.
    UnknownName
        If there is no such file type; with the nearest names.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> layer, tensor, block = tensor_types(load_model("Llama-3.1-8B"), "Q4_K_M")[0]
    >>> layer, tensor.name, block
    (None, 'output.weight', 'Q6_K')

    References
    ----------
    llama.cpp@0c1e57098: src/llama-quant.cpp, `llama_tensor_get_type_impl`.
    """
    expect_model(model)
    chosen = file_type if isinstance(file_type, FileType) else load_file_type(file_type)
    entries, facts = in_order(model)
    mix = mix_of(chosen)
    by_layer = facts.experts > 1 and chosen.name not in TINY  # these count tensors all the same
    seen: Counter[str] = Counter()
    same: dict[int, str] = {}  # the type of equal tensors, where their place does not matter
    typed = []
    for layer, tensor, kind, which in entries:
        block = same.get(which)
        if block is None:
            number = layer if by_layer and kind.startswith("ffn") else seen[kind]
            block = kept_type(tensor, chosen.base) or picked_type(model, chosen, mix, tensor, kind, Place(
                number, facts.totals.get(kind, len(model.layers)), facts.group, facts.experts))
            if not _by_place(mix.get(kind, {})):
                same[which] = block
        seen[kind] += 1
        typed.append((layer, tensor, block))
    return typed


@dataclass(frozen=True)
class Facts:
    """What the rules ask of a whole model: heads that share a key, experts, totals by kind."""

    group: int
    experts: int
    totals: dict[str, int]


@lru_cache(maxsize=256)
def in_order(model: Model) -> tuple[tuple[tuple[int | None, Tensor, str, int], ...], Facts]:
    """Layer, tensor, kind and a number that equal tensors share, in llama.cpp's order."""
    tensors = sorted(model.tensors(),
                     key=lambda pair: (-1 if pair[0] is None else pair[0], pair[1].name))
    kinds = ["" if kept_type(tensor, "") else _first_part(KINDS, tensor)  # biases do not count
             for _, tensor in tensors]
    if "output" not in kinds:  # the embedding serves as one
        kinds = ["output" if kind == "token_embd" else kind for kind in kinds]
    numbers: dict[Tensor, int] = {}
    entries = tuple((layer, tensor, kind, numbers.setdefault(tensor, len(numbers)))
                    for (layer, tensor), kind in zip(tensors, kinds, strict=True))
    experts = max((part.num_experts for layer in model.layers for part in layer.parts
                   if isinstance(part, Experts)), default=0)
    return entries, Facts(_heads_per_group(model), experts, {"attn_v": kinds.count("attn_v")})


def mix_of(file_type: FileType) -> Rules:
    """The rules of a file type."""
    changed = IMATRIX.get(file_type.name, {}) if file_type.imatrix else {}
    return MIXES.get(file_type.name, {}) | changed


def _by_place(rules: dict[str, str]) -> bool:
    """Whether a kind of tensor gets its type by its place among its like."""
    return any(when not in OF_ALL for when in rules)


def _first_part(table: dict[str, str], tensor: Tensor) -> str:
    return next((entry for part, entry in table.items() if part in tensor.name), "")


def _heads_per_group(model: Model) -> int:
    """Of the first layer, as llama.cpp asks: a hybrid may have no attention there, and gets 0.

    The files of Qwen's hybrids say the number once for all layers. MLA counts as one group.
    """
    say_once = any(isinstance(part, GatedDeltaNet) for part in model.layers[0].parts)
    layers = model.layers if say_once else model.layers[:1]
    found = next((layer.attention for layer in layers if layer.attention), None)
    if found is None:
        return 0
    groups = 1 if isinstance(found, LatentAttention) else found.num_key_value_heads
    return found.num_attention_heads // groups


def kept_type(tensor: Tensor, base: str) -> str:
    """The type of a tensor that is not quantized, or ""."""
    if math.prod(tensor.shape[:-1]) == 1 or not tensor.name.endswith("weight"):
        return "F32"
    kept = _first_part(KEPT, tensor)
    return base if base in UNQUANTIZED and kept != "F32" else kept


def picked_type(model: Model, file_type: FileType, mix: Rules, tensor: Tensor, kind: str,
            place: Place) -> str:
    """What the mix says, or what stands in for it where the rows do not divide."""
    columns = tensor.shape[-1]
    if kind == "output":
        block = _output(file_type, columns)
    elif file_type.name == "MXFP4_MOE":
        block = "MXFP4" if len(tensor.shape) == 3 and tensor.shape[0] > 1 else "Q8_0"
    else:
        block = next((block for when, block in mix.get(kind, {}).items() if WHEN[when](place)),
                     file_type.base)
        block = _raised(model, file_type, kind, block, place)
    if columns % 256:
        block = FALLBACKS.get(block, block)
    return "F16" if block in BLOCKS_OF_32 and columns % 32 else block


def _output(file_type: FileType, columns: int) -> str:
    """The output layer, or the embedding that serves as one."""
    block_weights = 32 if file_type.base in BLOCKS_OF_32 else 256
    if file_type.name in ("MXFP4_MOE", "Q8_0") or columns % block_weights:
        return "Q8_0"
    return "Q5_K" if file_type.name in (*TINY, "IQ3_XXS") else "Q6_K"


def _raised(model: Model, file_type: FileType, kind: str, block: str, place: Place) -> str:
    """Attention gets more where it is small: beside Mixtral's eight experts, and in 70B models."""
    tiny, eight = file_type.name in TINY, place.experts == 8
    if kind == "attn_output" and eight:
        return "Q5_K" if file_type.name in OUTPUT_OF_EIGHT else file_type.base
    if kind == "attn_k" and eight:
        return "Q4_K" if tiny else "Q8_0"
    if kind != "attn_v" or tiny:
        return block
    llama = model.model_type in ("llama", "mistral") and place.group > 1
    is_70b = len(model.layers) == 80 and (llama or model.model_type == "qwen2")
    if eight:
        return "Q8_0"
    return "Q5_K" if is_70b and block in ("Q3_K", "Q4_K") else block
