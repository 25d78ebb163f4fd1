"""What each engine does if it is not told otherwise, with source and version."""

from llmsizing.engines.engine import Engine, EngineDefault
from llmsizing.engines.known import engines, load_engine, ollama_context, ollama_ubatch
from llmsizing.engines.windows import OUTPUT_FIRST, WINDOW_NOT_USED

__all__ = ["Engine", "EngineDefault", "OUTPUT_FIRST", "WINDOW_NOT_USED", "engines", "load_engine",
           "ollama_context", "ollama_ubatch"]
