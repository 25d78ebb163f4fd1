"""The tables in data/*.csv, read into frozen records; bad rows are refused."""

from llmsizing.catalog.device_table import (
    SYSTEM_RAM,
    Device,
    devices,
    load_device,
)
from llmsizing.catalog.loads import (
    GpuLoad,
    TransformersLoad,
    VllmLoad,
    gpu_loads,
    transformers_loads,
    vllm_loads,
)
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
from llmsizing.catalog.unified import apple_working_set, apu_memory

__all__ = ["Device", "EngineLoad", "GpuLoad", "SYSTEM_RAM", "TransformersLoad", "VllmLoad",
           "apple_working_set", "apu_memory", "devices", "engine_context", "engine_contexts",
           "engine_file_types", "engine_loads", "engine_weights", "gpu_loads", "load_device",
           "load_model", "model_rows", "models", "reported_models", "transformers_loads",
           "vllm_loads"]
