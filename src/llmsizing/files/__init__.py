"""Models read from real files: a GGUF on disk, a checkpoint on the Hugging Face hub."""

from llmsizing.files.gguf import read_gguf
from llmsizing.files.hub import read_hub

__all__ = ["read_gguf", "read_hub"]
