"""Predicted against measured, for every kind of evidence that we have."""

from llmsizing.evidence.accuracy import accuracy, accuracy_table, comparisons
from llmsizing.evidence.comparison import Comparison
from llmsizing.evidence.estimators import Answer, Score, answers, bake_off, bake_off_table
from llmsizing.evidence.logs import log_comparisons
from llmsizing.evidence.summary import Accuracy, percent, summary

__all__ = ["Accuracy", "Answer", "Comparison", "Score", "accuracy", "accuracy_table", "answers",
           "bake_off", "bake_off_table", "comparisons", "log_comparisons", "percent", "summary"]
