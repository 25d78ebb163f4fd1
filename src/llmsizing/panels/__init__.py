"""The book's panels: controls, and one pure function from their values to HTML."""

from llmsizing.panels.panel import Panel
from llmsizing.panels.rule_of_thumb import formula_panel, gap_panel

__all__ = ["Panel", "formula_panel", "gap_panel"]
