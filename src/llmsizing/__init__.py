"""Sizing for local language models: will it fit, how good will it be, how fast will it run?"""

from llmsizing.architecture import Model, Tensor, read_config
from llmsizing.breakdown import Breakdown, Factor, Term, allowance, maximum_of, product, sum_of
from llmsizing.catalog import Device, devices, load_device, load_model, models
from llmsizing.errors import InvalidInput, UnknownName
from llmsizing.memory import (
    Headroom,
    RuleGap,
    engine_report,
    headroom,
    host_budget,
    kv_cache_bytes,
    longest_context,
    rule_of_thumb,
    rule_of_thumb_gap,
    rule_of_thumb_gaps,
    vram_budget,
    weight_bytes,
)
from llmsizing.quantization import (
    FileType,
    Format,
    file_types,
    formats,
    load_file_type,
    load_format,
    nominal_bits,
    tensor_types,
)
from llmsizing.tables import Table, table
from llmsizing.units import format_bytes

__all__ = [
    "Breakdown",
    "Device",
    "Factor",
    "FileType",
    "Format",
    "Headroom",
    "InvalidInput",
    "Model",
    "RuleGap",
    "Table",
    "Tensor",
    "Term",
    "UnknownName",
    "allowance",
    "devices",
    "engine_report",
    "file_types",
    "format_bytes",
    "formats",
    "headroom",
    "host_budget",
    "kv_cache_bytes",
    "load_device",
    "load_file_type",
    "load_format",
    "load_model",
    "longest_context",
    "maximum_of",
    "models",
    "nominal_bits",
    "product",
    "read_config",
    "rule_of_thumb",
    "rule_of_thumb_gap",
    "rule_of_thumb_gaps",
    "sum_of",
    "table",
    "tensor_types",
    "vram_budget",
    "weight_bytes",
]
