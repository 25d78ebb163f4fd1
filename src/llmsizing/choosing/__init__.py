"""What to run: what this machine has, what fits it, and what must change so that a model fits."""

from llmsizing.choosing.compare import Candidate, Comparison, compare_quantizations
from llmsizing.choosing.found import Found
from llmsizing.choosing.machine import Machine, this_machine

__all__ = ["Candidate", "Comparison", "Found", "Machine", "compare_quantizations", "this_machine"]
