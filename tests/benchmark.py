"""How fast the package is on one core. No test: run it with `make benchmark`.

It counts processor time, so that other programs on the machine disturb it little, and takes the
best of three rounds.
"""

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import llmsizing as sizing

FILE_TYPES = [file_type.name for file_type in sizing.file_types()]
CONTEXTS = tuple(2**power for power in range(11, 18))
IMPORT = ("import time; start = time.process_time(); import llmsizing;"
          " print(time.process_time() - start)")


def per_second(work: Callable[[], int], rounds: int = 3) -> float:
    """Pieces of work in a second of processor time; ``work`` says how many it did."""
    rates = []
    for _ in range(rounds):
        start = time.process_time()
        rates.append(work() / (time.process_time() - start))
    return max(rates)


def budgets() -> int:
    """Full budgets: every fifth model of the catalog, two file types, other contexts each time."""
    count = 0
    for model, weights, tokens in itertools.product(
            sizing.models()[::5], ("Q4_K_M", "Q8_0"), range(2048, 131072, 4096)):
        count += sizing.vram_budget(model, weights=weights, context_tokens=tokens).total_bytes > 0
    return count


def first_budgets() -> int:
    """Budgets of models that were not asked about before: nothing is remembered of them."""
    configs = [{"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336 + 256 * step,
                "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
                "vocab_size": 128256} for step in range(40)]
    models = [sizing.read_config(config) for config in configs]
    return sum(sizing.vram_budget(model, weights="Q4_K_M").total_bytes > 0 for model in models)


def totals() -> int:
    """The totals of the whole catalog at every file type and seven contexts."""
    swept = sizing.sweep(sizing.models(), weights=FILE_TYPES, context_tokens=CONTEXTS)
    return sum(1 for _ in swept)


def import_seconds() -> float:
    """The median of nine fresh processes."""
    times = [float(subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True,
                                  check=True).stdout) for _ in range(9)]
    return statistics.median(times)


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}")
    print(f"import of the package: {1000 * import_seconds():.0f} ms (aim: 100)")
    print(f"budgets with their working: {per_second(budgets):,.0f} a second (aim: 2,000)")
    print(f"budgets of models new to it: {per_second(first_budgets):,.0f} a second")
    print(f"totals of a first sweep: {per_second(totals, rounds=1):,.0f} a second")
    print(f"totals of the next: {per_second(totals, rounds=1):,.0f} a second (aim: 20,000)")
