"""How long a fresh process takes to load what Dagster loads, and that nothing heavy comes along."""

import json

from tests.benchmarks.figures import Figure, median
from tests.benchmarks.home import BenchHome, python

REPEATS = 5
HEAVY = ("evidently", "torch", "sklearn", "lightgbm", "mlflow")
CODE = f"""
import json, sys
from orchestration.definitions import defs
defs()
print(json.dumps([name for name in {HEAVY} if name in sys.modules]))
"""


def measure(bench: BenchHome) -> list[Figure]:
    """Seconds and memory of the whole process, and how many heavy libraries it imported."""
    usages = [bench.run("definitions", python("-c", CODE)) for _ in range(REPEATS)]
    heavy = json.loads(bench.log("definitions").read_text().splitlines()[-1])
    suffix = f" ({', '.join(heavy)})" if heavy else ""
    return [
        Figure("definitions.load", median([usage.seconds for usage in usages]), "s"),
        Figure("definitions.peak_memory", median([usage.peak_mb for usage in usages]), "MB"),
        Figure(f"definitions.heavy_imports{suffix}", len(heavy), "modules", target=0),
    ]
