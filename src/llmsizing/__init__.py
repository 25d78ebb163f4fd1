"""Sizing for local language models: will it fit, how good will it be, how fast will it run?"""

from llmsizing.breakdown import Breakdown, Factor, Term, allowance, maximum_of, product, sum_of
from llmsizing.catalog import load_model, models
from llmsizing.errors import InvalidInput, UnknownName
from llmsizing.memory import (
    RuleGap,
    engine_report,
    rule_of_thumb,
    rule_of_thumb_gap,
    rule_of_thumb_gaps,
)
from llmsizing.quantization import nominal_bits
from llmsizing.tables import Table, table
from llmsizing.units import format_bytes

__all__ = [
    "Breakdown",
    "Factor",
    "InvalidInput",
    "RuleGap",
    "Table",
    "Term",
    "UnknownName",
    "allowance",
    "engine_report",
    "format_bytes",
    "load_model",
    "maximum_of",
    "models",
    "nominal_bits",
    "product",
    "rule_of_thumb",
    "rule_of_thumb_gap",
    "rule_of_thumb_gaps",
    "sum_of",
    "table",
]
