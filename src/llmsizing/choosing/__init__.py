"""What to run: what this machine has, what fits it, and what must change so that a model fits.

What a model costs at home and in a cloud stands in `costs` and `payback`, the wait for it in `home`.
"""

from llmsizing.choosing.compare import Quantizations, Quantized, compare_quantizations
from llmsizing.choosing.families import newer_than, siblings
from llmsizing.choosing.fits import RULE, Choice, ranked, shortlist, what_fits
from llmsizing.choosing.found import Found
from llmsizing.choosing.machine import Machine, this_machine
from llmsizing.choosing.price import Price, cache_price, comparable_loss, speed_of
from llmsizing.choosing.remedies import Remedy, make_it_fit
from llmsizing.choosing.tasks import TASKS, Task, load_task, tuned_for

__all__ = ["Choice", "Found", "Machine", "Price", "Quantizations", "Quantized", "RULE", "Remedy",
           "TASKS", "Task", "cache_price", "comparable_loss", "compare_quantizations", "load_task",
           "make_it_fit", "newer_than", "ranked", "shortlist", "siblings", "speed_of",
           "this_machine", "tuned_for", "what_fits"]
