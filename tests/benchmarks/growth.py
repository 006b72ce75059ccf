"""What a batch costs as history grows, and a full rebuild against the same SQL without dbt."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from rich.console import Console

from simulation import MarketConfig
from simulation.config import SECOND, microseconds
from simulation.live import LiveFeed
from simulation.writer import land
from tests.benchmarks import main_job
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.home import BenchHome, python
from tests.benchmarks.main_job import step_seconds

EVENTS_PER_CUSTOMER = 50
BATCH_EVENTS, BATCH_SECONDS = 10_000, 60
BATCHES = 3
GROWTH_TARGET = REBUILD_TARGET = 1.5
STEPS = ("landed_batch", "dbt_tables", "customer_segments", "customer_scores")
RUN_BATCH = (
    "from datetime import UTC, datetime\n"
    "from orchestration.demo import run_job\n"
    "from orchestration.lake import Lake\n"
    "from orchestration.settings import settings\n"
    "from orchestration.waiting import waiting_work\n"
    "values = settings().model_copy(update={'settle_seconds': 0})\n"
    "values.export()\n"
    "with Lake.from_settings(values).reader(latest=True) as connection:\n"
    "    files = waiting_work(connection, values, {}).files\n"
    "for hour in sorted({file.partition_key for file in files}):\n"
    "    run_job('batch_job', hour)\n"
)


def measure(root: BenchHome, sizes: tuple[int, int], console: Console) -> list[Figure]:
    """Grow two histories, give each the same kind of batches, rebuild the larger one.

    Parameters
    ----------
    sizes
        Events of the smaller and of the larger history.
    """
    seconds: dict[int, Mapping[str, float]] = {}
    figures: list[Figure] = []
    for events in sizes:
        bench = BenchHome(root.root / f"growth-{events}", root.threads)
        bench.clear()
        customers = events // EVENTS_PER_CUSTOMER
        console.print(f"  {events:,} events of {customers:,} customers")
        main_job.simulate_market(bench, customers, events)
        main_job.prepare(bench)
        first = bench.run("history", python("-c", RUN_BATCH))
        seconds[events] = _batches(bench, customers, events)
        name = f"growth.{events // 1_000_000}M"
        figures.append(Figure(f"{name}.history", first.seconds, "s"))
        figures += [Figure(f"{name}.{part}", value, "s") for part, value in seconds[events].items()]
        console.print(f"  a batch: {sum(seconds[events].values()):.2f} s")
    small, large = (sum(seconds[events].values()) for events in sizes)
    figures.append(Figure("growth.batch_ratio", large / small, "x", GROWTH_TARGET))
    return [*figures, *_rebuild(BenchHome(root.root / f"growth-{sizes[1]}", root.threads))]


def _batches(bench: BenchHome, customers: int, events: int) -> Mapping[str, float]:
    """Median seconds of the steps of a batch, after one that only warms up."""
    config = MarketConfig(customers, events, bench.values().seed)
    feed = LiveFeed(config, BATCH_EVENTS / BATCH_SECONDS, microseconds(datetime.now(UTC)))
    parts: dict[str, list[float]] = {}
    for number in range(BATCHES + 1):
        batch = feed.advance(feed.now + BATCH_SECONDS * SECOND)["events"]
        land(batch, bench.values().landing, "events", datetime.now(UTC), f"batch-{number}")
        bench.run(f"batch_{number}", python("-c", RUN_BATCH))
        if number == 0:
            continue
        with dg.DagsterInstance.from_config(str(bench.dagster)) as instance:
            (record,) = instance.get_run_records(limit=1)
            steps = step_seconds(instance, record.dagster_run.run_id)
        for step in STEPS:
            parts.setdefault(step, []).append(steps[step])
    return {step: median(values) for step, values in parts.items()}


def _rebuild(bench: BenchHome) -> list[Figure]:
    """The batch tables from the whole of raw: by dbt, then by its SQL in a plain database."""
    out = bench.root / "plain.duckdb"
    module = "tests.benchmarks.rebuild"
    bench.run("rebuild_dbt", python("-m", module, "dbt"))
    bench.run("rebuild_plain", python("-m", module, "plain", str(out), str(bench.threads)))
    out.unlink(missing_ok=True)
    ours, plain = (_printed(bench.log(f"rebuild_{name}")) for name in ("dbt", "plain"))
    return [
        Figure("rebuild.dbt", ours, "s"),
        Figure("rebuild.plain_sql", plain, "s"),
        Figure("rebuild.ratio", ours / plain, "x", REBUILD_TARGET),
    ]


def _printed(log: Path) -> float:
    return float(json.loads(log.read_text().splitlines()[-1])["seconds"])
