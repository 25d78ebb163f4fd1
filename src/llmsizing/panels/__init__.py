"""The book's panels: controls, and one pure function from their values to HTML."""

from llmsizing.panels.deployment import settings_panel
from llmsizing.panels.formats import block_panel, file_name_panel
from llmsizing.panels.how_accurate import guess_panel
from llmsizing.panels.kv_cache import race_panel, token_panel
from llmsizing.panels.model_size import tower_panel
from llmsizing.panels.panel import Panel
from llmsizing.panels.rule_of_thumb import formula_panel, gap_panel
from llmsizing.panels.speed import roofline_panel, stream_panel, wait_panel
from llmsizing.panels.vram_budget import cards_panel, placement_panel
from llmsizing.panels.will_it_run import will_it_run_panel

__all__ = ["Panel", "block_panel", "cards_panel", "file_name_panel", "formula_panel", "gap_panel",
           "guess_panel", "placement_panel", "race_panel", "roofline_panel", "settings_panel",
           "stream_panel", "token_panel", "tower_panel", "wait_panel", "will_it_run_panel"]
