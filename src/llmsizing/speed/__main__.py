"""Fit the constants on the published runs, check them on runs left out, and write both into data/.

Usage: python -m llmsizing.speed
"""

from llmsizing.speed.report import accuracy_table, prompts_table, write_constants, write_ranges
from llmsizing.speed.rivals import rivals_table

write_constants()
write_ranges()
print(accuracy_table())
print(rivals_table())
print(prompts_table())
