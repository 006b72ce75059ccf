"""Segments of a million customers: choosing their number, and assigning everyone."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from ml.segment_store import load, save
from ml.segments import Protocol, fit_segments, plain_space
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.home import BenchHome, python

FEATURES, GROUPS = 20, 6
SECONDS, MEGABYTES, RATE = 180.0, 4 * 1024.0, 500_000.0
ROUNDS = 3


def measure(bench: BenchHome, customers: int) -> list[Figure]:
    """Select among K-means with 3 to 12 groups in a process of its own, then assign everyone."""
    home = BenchHome(bench.root / "segments", bench.threads)
    home.clear()
    usage = home.run(
        "segments", python("-m", "tests.benchmarks.segments", str(customers), str(home.root))
    )
    found = json.loads(home.log("segments").read_text().splitlines()[-1])
    return [
        Figure("segments.customers", customers, "customers"),
        Figure("segments.chosen", found["k"], "groups"),
        Figure("segments.planted_groups_found", found["rand_index"], "adjusted Rand index"),
        Figure("segments.selection", found["selection"], "s", SECONDS),
        Figure("segments.assignment.per_million", 1e6 / found["rate"], "s", 1e6 / RATE),
        Figure("segments.assignment.rate", found["rate"], "customers/s"),
        Figure("segments.memory", usage.peak_mb, "MB", MEGABYTES),
        Figure("segments.load_before", usage.load, "processes"),
    ]


def planted(customers: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Amounts of groups that overlap a little, and which group each customer was drawn from."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(3, 1, (GROUPS, FEATURES))
    shares = rng.dirichlet(np.full(GROUPS, 8.0))
    truth = rng.choice(GROUPS, customers, p=shares)
    values = rng.normal(size=(customers, FEATURES))
    values += centres[truth]
    np.exp(values, out=values)
    names = [f"amount_{number:02d}" for number in range(FEATURES)]
    return pd.DataFrame(values, columns=names), truth


def main(customers: int, folder: Path) -> None:
    """Print what was measured as one line of JSON."""
    from ml.segment_quality import rand_index

    frame, truth = planted(customers)
    start = time.perf_counter()
    model = fit_segments(
        frame, plain_space("benchmark", list(frame.columns)), Protocol(families=("kmeans",))
    )
    selection = time.perf_counter() - start
    save(model, folder)
    model = load(folder)
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        assigned = model.assign(frame)
        seconds.append(time.perf_counter() - start)
    found = {
        "k": model.k,
        "selection": selection,
        "rate": customers / median(seconds),
        "rand_index": rand_index(truth, assigned["segment_id"].to_numpy()),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    import sys

    made = Path(sys.argv[2])
    made.mkdir(parents=True, exist_ok=True)
    main(int(sys.argv[1]), made)
