"""A total that shows its working: `Factor`, `Term` and `Breakdown`.

`terms` holds the numbers, `text` and `html` write them for people, `colours` says which colour
a term has wherever it is drawn, and `total` joins them in the `Breakdown`.
"""

from llmsizing.breakdown.terms import Factor, Term, allowance, maximum_of, product, sum_of
from llmsizing.breakdown.total import Breakdown

__all__ = ["Breakdown", "Factor", "Term", "allowance", "maximum_of", "product", "sum_of"]
