"""Looking into the lake: a count over the events, and the whole of ``shoal sql``."""

import time

from orchestration.lake import Lake
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.home import BenchHome, script

REPEATS = 5


def measure(bench: BenchHome) -> list[Figure]:
    """Seconds of a count in a warm process, and of a process of its own."""
    seconds = []
    with Lake.from_settings(bench.values()).reader() as connection:
        for _ in range(REPEATS + 1):
            started = time.perf_counter()
            connection.execute("select count(*), max(occurred_at) from raw.events").fetchall()
            seconds.append(time.perf_counter() - started)
    commands = [bench.run("select_1", script("shoal", "sql", "select 1")) for _ in range(REPEATS)]
    return [
        Figure("query.count_events", median(seconds[1:]), "s"),
        Figure("query.shoal_sql", median([usage.seconds for usage in commands]), "s"),
    ]
