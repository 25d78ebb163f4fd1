"""What each engine does if it is not told otherwise, with source and version."""

from llmsizing.engines.engine import Engine, EngineDefault
from llmsizing.engines.known import engines, load_engine, ollama_context, ollama_ubatch
from llmsizing.engines.windows import WINDOW_NOT_USED

__all__ = ["WINDOW_NOT_USED", "Engine", "EngineDefault", "engines", "load_engine",
           "ollama_context", "ollama_ubatch"]
