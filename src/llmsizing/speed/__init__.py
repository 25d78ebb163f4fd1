"""How fast a model writes and reads: predictions with a range, fitted on published runs."""

from llmsizing.speed.answer import time_to_answer
from llmsizing.speed.decode import Speed, decode_speed
from llmsizing.speed.prefill import prefill_speed
from llmsizing.speed.runs import Compute, DecodeRun, PrefillRun, computes, decode_runs, prefill_runs
from llmsizing.speed.speculative import speculative_speed

__all__ = ["Compute", "DecodeRun", "PrefillRun", "Speed", "computes", "decode_runs", "decode_speed",
           "prefill_runs", "prefill_speed", "speculative_speed", "time_to_answer"]
