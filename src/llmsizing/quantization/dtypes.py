"""Plain numbers as safetensors files (and a few tensors of GGUF files) hold them, by their names.

They stand in no list of formats: nobody chooses them. They say what a given file's tensors take.
"""

from llmsizing.quantization.format import Format, Part

_BYTES = {"F64": 8, "I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2, "I8": 1, "U8": 1,
          "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}

DTYPES = tuple(
    Format(name=name, family="plain numbers", block_weights=1, parts=(Part("value", size),),
           source="huggingface/safetensors@000a16f45cff:safetensors/src/tensor.rs, enum Dtype")
    for name, size in _BYTES.items()
)
