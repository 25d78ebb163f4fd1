"""Bytes that llama.cpp reserves for the intermediate results of one step.

llama.cpp computes a step's tokens layer by layer. A result enters the buffer when it is made and
leaves when nobody needs it any more; ggml plans this before it reserves anything, and the buffer
is as large as its widest moment. Here the same plan is made, with sizes alone:

1. `plan` looks once at a model: which layers a step runs through. A layer that follows another as
   an earlier pair did is taken to find the same gaps, so it is left out.
2. `run` places what is there at the start, goes through the layers, and returns the widest moment.
3. `mixers` (attention and recurrent parts) and `workers` (feed-forward parts) make the results of
   one part, in the order of llama.cpp's source. **Order is all**: the same results in another
   order leave other gaps.
4. `step` holds the words in which they are written: make, norm, add, pick.
5. `arena` finds a place for each result, as ggml's allocator does.
6. `copies` says which matrices lie in RAM and pass through the buffer.
7. `buffer` turns the widest moment into terms that show their working, with a range for devices
   that take matrix products in another order.

To write a new part, read llama.cpp's function for it from top to bottom. Each result is a line:
``step.make("keys", numbers, *used, by="attn_k.weight")`` places so many numbers for each token,
then lets leave what was ``used`` for the last time. A view takes no memory, so it is no line. What
overwrites its input is a `rename`. Who makes a result also lets it leave: what is forgotten
stays to the end of the step, and `Arena.free` fails for what is not there.
"""

from llmsizing.memory.compute.buffer import (
    compute_term,
    host_compute_term,
    is_pipeline,
    output_term,
    pipeline_term,
)
from llmsizing.memory.compute.copies import copied_weights

__all__ = ["compute_term", "copied_weights", "host_compute_term", "is_pipeline", "output_term",
           "pipeline_term"]
