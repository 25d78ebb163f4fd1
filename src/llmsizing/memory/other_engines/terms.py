"""engine_terms: the parts of a budget, by engine."""

from llmsizing.architecture import Model
from llmsizing.breakdown import Term
from llmsizing.engines import load_engine
from llmsizing.memory.other_engines.mlx import mlx_terms
from llmsizing.memory.other_engines.transformers import transformers_terms
from llmsizing.memory.other_engines.vllm import vllm_terms
from llmsizing.memory.settings import Settings

_TERMS = {"vLLM": vllm_terms, "transformers": transformers_terms, "MLX": mlx_terms}


def engine_terms(model: Model, weights: str | None, settings: Settings) -> list[Term]:
    """What must lie on each device, in an engine that is not of the llama.cpp family.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    weights : str
        A format of the engine: "BF16", "NF4", "AWQ 4-bit g128", "MLX 4-bit g64".
    settings : Settings
        From `settings_of`. Of several devices of vLLM each gets its part of every layer.

    Returns
    -------
    list of Term
        In bytes: "weights", "KV cache", "compute buffer" and "runtime", and "CUDA graphs".

    Raises
    ------
    InvalidInput, UnknownName
        If the engine does not run these weights.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> from llmsizing.memory.settings import settings_of
    >>> terms = engine_terms(load_model("Qwen3-8B"), "BF16", settings_of({"engine": "vllm"}))
    >>> [term.name for term in terms]
    ['weights', 'KV cache', 'compute buffer', 'CUDA graphs', 'runtime']
    """
    return _TERMS[load_engine(settings.engine).family](model, weights, settings)
