"""How fast a model writes and reads: predictions with a range, fitted on published runs."""

from llmsizing.speed.decode import Speed, decode_speed

__all__ = ["Speed", "decode_speed"]
