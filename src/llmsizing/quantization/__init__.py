"""How weights are stored: formats of a block, file types that mix them, and what names say."""

from llmsizing.quantization.blocks import block_fields, decode_block
from llmsizing.quantization.file_types import FileType, file_types, load_file_type
from llmsizing.quantization.format import Format, Part
from llmsizing.quantization.formats import file_type_or_format, formats, load_format
from llmsizing.quantization.name_parts import NamePart, nominal_bits
from llmsizing.quantization.names import read_file_name
from llmsizing.quantization.rounding import RoundedBlock, RoundTrip, quantize_block, round_trip
from llmsizing.quantization.sample import block_sample
from llmsizing.quantization.tensor_types import tensor_types
from llmsizing.quantization.type_counts import type_counts
from llmsizing.quantization.weight_slice import WeightSlice, weight_slice

__all__ = ["FileType", "Format", "NamePart", "Part", "RoundTrip", "RoundedBlock", "WeightSlice",
           "block_fields", "block_sample", "decode_block", "file_type_or_format", "file_types",
           "formats", "load_file_type", "load_format", "nominal_bits", "quantize_block",
           "read_file_name", "round_trip", "tensor_types", "type_counts", "weight_slice"]
