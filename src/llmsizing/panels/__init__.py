"""The book's panels: controls, and one pure function from their values to HTML."""

from llmsizing.lazy import lent

__all__, __getattr__, __dir__ = lent(__name__, {
    "choosing": ("make_it_fit_panel", "what_fits_panel"),
    "deployment": ("settings_panel",),
    "formats": ("block_panel", "file_name_panel"),
    "how_accurate": ("guess_panel",),
    "kv_cache": ("race_panel", "token_panel"),
    "model_size": ("tower_panel",),
    "panel": ("Panel",),
    "quality": ("budget_panel", "same_file_panel"),
    "rounding": ("bits_panel", "block_size_panel", "outlier_panel"),
    "rule_of_thumb": ("formula_panel", "gap_panel"),
    "speed": ("roofline_panel", "stream_panel", "wait_panel"),
    "vram_budget": ("cards_panel", "placement_panel"),
    "why_local": ("break_even_panel", "first_word_panel"),
    "will_it_run": ("will_it_run_panel",),
})
