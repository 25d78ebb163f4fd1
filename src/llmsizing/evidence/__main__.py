"""Print how far our predictions are off, and how far those of other estimators.

Usage: python -m llmsizing.evidence
"""

from llmsizing.evidence.accuracy import accuracy_table
from llmsizing.evidence.estimators import bake_off_table

print("Our predictions against what was measured:\n")
print(accuracy_table())
print("\nThe same, each setting apart:\n")
print(accuracy_table(broad=False))
print("\nEstimators in the same cases against llama.cpp's own report:\n")
print(bake_off_table())
