"""How weights are stored: formats of a block, file types that mix them, and what names say."""

from llmsizing.quantization.file_types import FileType, file_types, load_file_type, tensor_types
from llmsizing.quantization.formats import Format, Part, formats, load_format
from llmsizing.quantization.names import nominal_bits

__all__ = ["FileType", "Format", "Part", "file_types", "formats", "load_file_type", "load_format",
           "nominal_bits", "tensor_types"]
