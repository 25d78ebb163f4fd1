"""What to run: what this machine has, what fits it, and what must change so that a model fits."""

from llmsizing.choosing.found import Found
from llmsizing.choosing.machine import Machine, this_machine

__all__ = ["Found", "Machine", "this_machine"]
