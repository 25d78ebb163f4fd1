"""The book's panels: controls, and one pure function from their values to HTML."""

from llmsizing.panels.choosing import make_it_fit_panel, what_fits_panel
from llmsizing.panels.deployment import settings_panel
from llmsizing.panels.formats import block_panel, file_name_panel
from llmsizing.panels.how_accurate import guess_panel
from llmsizing.panels.kv_cache import race_panel, token_panel
from llmsizing.panels.model_size import tower_panel
from llmsizing.panels.panel import Panel
from llmsizing.panels.quality import budget_panel, same_file_panel
from llmsizing.panels.rounding import bits_panel, block_size_panel, outlier_panel
from llmsizing.panels.rule_of_thumb import formula_panel, gap_panel
from llmsizing.panels.speed import roofline_panel, stream_panel, wait_panel
from llmsizing.panels.vram_budget import cards_panel, placement_panel
from llmsizing.panels.why_local import break_even_panel, first_word_panel
from llmsizing.panels.will_it_run import will_it_run_panel

__all__ = ["Panel", "bits_panel", "block_panel", "block_size_panel", "break_even_panel",
           "budget_panel", "cards_panel", "file_name_panel", "first_word_panel", "formula_panel",
           "gap_panel", "guess_panel", "make_it_fit_panel", "outlier_panel", "placement_panel",
           "race_panel", "roofline_panel", "same_file_panel", "settings_panel", "stream_panel",
           "token_panel", "tower_panel", "wait_panel", "what_fits_panel", "will_it_run_panel"]
