"""From a file dropped into landing to its scores being visible, by the sensor and its run."""

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import numpy as np
from rich.console import Console

from orchestration.lake import Lake
from simulation import MarketConfig
from simulation.config import SECOND, microseconds
from simulation.live import LiveFeed
from simulation.writer import land
from tests.benchmarks.daemon import LOG, running
from tests.benchmarks.figures import Figure, load, median, quantiles
from tests.benchmarks.home import BenchFailed, BenchHome, tail
from tests.benchmarks.main_job import step_seconds

TARGET_SECONDS = 15.0
EVENTS_PER_DROP, DROP_SECONDS = 1_000, 60
PATIENCE_SECONDS, POLL_SECONDS = 180.0, 0.05
FIRST_PATIENCE_SECONDS = 600.0
TAKEN = """
    select batches.batch_id, batches.run_id
    from ops.landed_files as files
    inner join ops.batches as batches on files.batch_id = batches.batch_id
    where files.file = ?
"""
PUBLISHED = f"{TAKEN} and batches.snapshot_id is not null"
SCORED = """
    select count(*)
    from raw.events as events
    inner join intermediate.identity_map as owners on events.customer_key = owners.identifier_key
    inner join marts.customer_scores as scores on owners.customer_key = scores.customer_key
    where events.batch_id = $batch_id and events.event_id = $event_id
        and scores.batch_id >= $batch_id
"""


@dataclass(frozen=True)
class Seen:
    """One drop: when the file was there, when its score was seen, and by which run it came."""

    dropped_at: float
    seen_at: float
    run_id: str

    @property
    def seconds(self) -> float:
        return self.seen_at - self.dropped_at


class Dropper:
    """Goes on with the simulated market, one small file of events after the other."""

    def __init__(self, bench: BenchHome, customers: int, events: int) -> None:
        self._values = bench.values()
        self._lake = Lake.from_settings(self._values)
        self._commits = Commits(self._lake.catalog)
        config = MarketConfig(customers, events, self._values.seed)
        start = microseconds(datetime.now(UTC))
        self._feed = LiveFeed(config, EVENTS_PER_DROP / DROP_SECONDS, start)

    def drop(self, patience: float) -> Seen:
        """Drop one file and wait until the score of a customer in it is published.

        Raises
        ------
        BenchFailed
            When that takes longer than ``patience`` seconds.
        """
        events = self._feed.advance(self._feed.now + DROP_SECONDS * SECOND)["events"]
        by_customers = events.filter(events["customer_ref"].is_valid())
        event_id = by_customers["event_id"][-1].as_py()
        now = datetime.now(UTC)
        path = land(events, self._values.landing, "events", now, f"drop-{now:%Y%m%dT%H%M%S%f}")
        dropped_at = time.time()
        assert path is not None
        file = path.relative_to(self._values.landing).as_posix()
        while True:
            if self._commits.has_new():  # looking must not take the processor from the run
                with self._lake.reader(latest=True) as edge:
                    published = edge.execute(PUBLISHED, [file]).fetchone()
                if published is not None:
                    seen_at = time.time()
                    with self._lake.reader() as connection:
                        run_id = _visible_by(connection, file, event_id)
                    if run_id is not None:
                        return Seen(dropped_at, seen_at, run_id)
            if time.time() - dropped_at > patience:
                raise BenchFailed(f"{path}: no score after {patience:.0f} s")
            time.sleep(POLL_SECONDS)


class Commits:
    """Whether somebody has written to a SQLite catalog, which costs microseconds to ask."""

    def __init__(self, catalog: str) -> None:
        self._log = Path(catalog.removeprefix("sqlite:") + "-wal")
        self._seen = 0

    def has_new(self) -> bool:
        before = self._seen
        try:
            self._seen = self._log.stat().st_mtime_ns
        except FileNotFoundError:  # nobody has the catalog open
            self._seen = -1
        return before != self._seen


def measure(
    bench: BenchHome, drops: int, customers: int, events: int, console: Console
) -> list[Figure]:
    """Drop files one by one under a running daemon, after one that only warms it up."""
    pauses = np.random.default_rng(0).uniform(0, bench.values().sensor_seconds, drops)
    dropper = Dropper(bench, customers, events)
    seen: list[Seen] = []
    busy: list[float] = []
    with running(bench, live=False) as start_seconds:
        try:
            first = dropper.drop(FIRST_PATIENCE_SECONDS)
            for pause in pauses:
                time.sleep(pause)  # so that drops meet the sensor at any moment of its interval
                busy.append(load())
                seen.append(dropper.drop(PATIENCE_SECONDS))
                console.print(f"  drop {len(seen)} of {drops}: {seen[-1].seconds:.1f} s")
        except BenchFailed as problem:
            raise BenchFailed(f"{problem}, {bench.log(LOG)}:\n{tail(bench.log(LOG))}") from None
    return [
        Figure("drop.daemon_start", start_seconds, "s"),
        Figure("drop.first_after_start", first.seconds, "s"),
        *quantiles("drop.to_visible_score", [drop.seconds for drop in seen], TARGET_SECONDS),
        *split_figures(bench, seen),
        Figure("drop.load_before", median(busy), "processes"),
    ]


def _visible_by(connection: duckdb.DuckDBPyConnection, file: str, event_id: str) -> str | None:
    """Give the run that brought a file through, once the customer of its event has that score."""
    taken = connection.execute(TAKEN, [file]).fetchone()
    if taken is None:
        return None
    parameters = {"batch_id": taken[0], "event_id": event_id}
    scored = connection.execute(SCORED, parameters).fetchone()
    return str(taken[1]) if scored and scored[0] else None


def split_figures(bench: BenchHome, seen: list[Seen]) -> list[Figure]:
    """Medians of the parts of the way, and of the steps of the run, from the run's own events."""
    parts: dict[str, list[float]] = defaultdict(list)
    with dg.DagsterInstance.from_config(str(bench.dagster)) as instance:
        for drop in seen:
            for name, seconds in _parts(instance, drop).items():
                parts[name].append(seconds)
    return [Figure(f"drop.{name}", median(seconds), "s") for name, seconds in parts.items()]


def _parts(instance: dg.DagsterInstance, drop: Seen) -> dict[str, float]:
    stats: Any = instance.get_run_stats(drop.run_id)
    steps = step_seconds(instance, drop.run_id)
    return {
        "to_queued": stats.enqueued_time - drop.dropped_at,
        "queued_to_launched": stats.launch_time - stats.enqueued_time,
        "launched_to_started": stats.start_time - stats.launch_time,
        "started_to_visible": drop.seen_at - stats.start_time,
        **{f"step.{name}": seconds for name, seconds in steps.items()},
    }
