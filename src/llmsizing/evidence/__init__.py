"""Predicted against measured, for every kind of evidence that we have."""

from llmsizing.evidence.accuracy import accuracy, accuracy_table, comparisons
from llmsizing.evidence.comparison import Accuracy, Comparison, percent, summary
from llmsizing.evidence.estimators import (
    OURS,
    Answer,
    Score,
    answer,
    bake_off,
    bake_off_table,
    contestants,
)

__all__ = ["OURS", "Accuracy", "Answer", "Comparison", "Score", "accuracy", "accuracy_table",
           "answer", "bake_off", "bake_off_table", "comparisons", "contestants", "percent", "summary"]
