"""The tables in data/*.csv, read into frozen records; bad rows are refused.

The records of `loads` and `evidence` are needed by the room of that name alone: import them there.
"""

from llmsizing.catalog.device_table import (
    SYSTEM_RAM,
    Device,
    devices,
    load_device,
)
from llmsizing.catalog.endings import Ending, endings
from llmsizing.catalog.model_table import load_model, model_rows, models
from llmsizing.catalog.reports import (
    EngineLoad,
    engine_context,
    engine_contexts,
    engine_file_types,
    engine_loads,
    engine_weights,
    reported_models,
)
from llmsizing.catalog.rounding import RoundingRun, SearchHit, rounding_lab, rounding_searches
from llmsizing.catalog.tuning import TUNED_FOR, Tuning, tunings
from llmsizing.catalog.unified import apple_working_set, apu_memory

__all__ = ["Device", "Ending", "EngineLoad", "RoundingRun", "SYSTEM_RAM", "SearchHit", "TUNED_FOR",
           "Tuning", "apple_working_set", "apu_memory", "devices", "endings", "engine_context",
           "engine_contexts", "engine_file_types", "engine_loads", "engine_weights", "load_device",
           "load_model", "model_rows", "models", "reported_models", "rounding_lab",
           "rounding_searches", "tunings"]
