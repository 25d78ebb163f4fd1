"""Predicted against measured, for every kind of evidence that we have."""

from llmsizing.evidence.accuracy import accuracy, accuracy_table, comparisons
from llmsizing.evidence.comparison import Accuracy, Comparison, percent, summary
from llmsizing.evidence.estimators import Answer, Score, answers, bake_off, bake_off_table

__all__ = ["Accuracy", "Answer", "Comparison", "Score", "accuracy", "accuracy_table", "answers",
           "bake_off", "bake_off_table", "comparisons", "percent", "summary"]
