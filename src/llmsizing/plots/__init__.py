"""Matplotlib views of the package's numbers: one message each, labelled directly."""

from llmsizing.plots.accuracy import plot_bake_off, plot_errors
from llmsizing.plots.budgets import plot_breakdown, plot_contexts
from llmsizing.plots.choosing import plot_choices
from llmsizing.plots.figure import BookFigure
from llmsizing.plots.formats import plot_bits
from llmsizing.plots.kv_cache import plot_kv_cache
from llmsizing.plots.model_size import plot_vocabulary_share, vocabulary_share
from llmsizing.plots.placement import plot_moved
from llmsizing.plots.quality import plot_fidelity, plot_rotation, plot_same_file, plot_scores
from llmsizing.plots.rounding import plot_block_sizes, plot_rounding
from llmsizing.plots.rule_of_thumb import plot_needed_overhead
from llmsizing.plots.speed import plot_roofs, plot_speed_by_bits
from llmsizing.plots.why_local import plot_break_even

__all__ = ["BookFigure", "plot_bake_off", "plot_bits", "plot_block_sizes", "plot_break_even",
           "plot_breakdown", "plot_choices", "plot_contexts", "plot_errors", "plot_fidelity", "plot_kv_cache",
           "plot_moved", "plot_needed_overhead", "plot_roofs", "plot_rotation", "plot_rounding",
           "plot_same_file", "plot_scores", "plot_speed_by_bits", "plot_vocabulary_share",
           "vocabulary_share"]
