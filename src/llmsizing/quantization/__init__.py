"""How weights are stored: formats of a block, file types that mix them, and what names say."""

from llmsizing.quantization.blocks import block_fields, block_sample, decode_block
from llmsizing.quantization.file_types import FileType, file_types, load_file_type, tensor_types
from llmsizing.quantization.formats import Format, Part, formats, load_format
from llmsizing.quantization.names import NamePart, nominal_bits, read_file_name

__all__ = ["FileType", "Format", "NamePart", "Part", "block_fields", "block_sample",
           "decode_block", "file_types", "formats", "load_file_type", "load_format",
           "nominal_bits", "read_file_name", "tensor_types"]
