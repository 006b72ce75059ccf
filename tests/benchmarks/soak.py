"""A simulated week in accelerated time: does anything grow that should not, or get lost?

``python -m tests.benchmarks.soak``. One process takes a file per entity and hour, as the sensor's
function asks for it, by the job that the sensor starts, or with ``--live`` by the function of the
live worker; at each simulated midnight upkeep and the daily job run. Ages of upkeep are scaled: a
day is as long as the last one took.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from orchestration.ingestion.landing import ARRIVAL_FORMAT
from orchestration.lake import Lake
from orchestration.maintenance_catalog import LakeSize
from orchestration.settings import PROJECT_ROOT, Settings, settings
from orchestration.waiting import Work, waiting_work, work_to_request
from simulation import MarketConfig
from simulation.config import SECOND, microseconds
from simulation.live import LiveFeed
from simulation.writer import land
from tests.benchmarks.figures import load

DAY_HOURS = 24
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6

Handle = Callable[[Work], None]
"""Takes the files of one arrival hour and carries them through to published scores."""
Midnight = Callable[[Settings], LakeSize]
"""Upkeep and the daily job, by settings whose ages are scaled; gives the lake after upkeep."""


@dataclass(frozen=True)
class Hour:
    """One simulated hour: rows landed by entity, seconds to carry them through, memory after."""

    hour: str
    rows: int
    seconds: float
    rss_mb: float


@dataclass
class Week:
    """What was measured."""

    began: str
    """Names the files of this soak, in a home that may have seen others."""
    hours: list[Hour] = field(default_factory=list)
    days: list[tuple[LakeSize, float]] = field(default_factory=list)
    """After the upkeep of each day: the lake, and megabytes of the home's disk."""


@dataclass(frozen=True)
class Slope:
    """Change per simulated hour by least squares, with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Slope":
        from scipy import stats

        hours = np.arange(len(values))
        fitted = stats.linregress(hours, values)
        half = stats.t.ppf(0.975, len(values) - 2) * fitted.stderr
        return cls(fitted.slope, fitted.slope - half, fitted.slope + half)


def soak(
    values: Settings,
    feed: LiveFeed,
    hours: int,
    handle: Handle,
    midnight: Midnight,
    progress: Callable[[str], None] = lambda line: None,
    day_hours: int = DAY_HOURS,
    is_over: Callable[[], bool] = lambda: False,
) -> Week:
    """Let the market go on for so many hours, each of which is taken before the next begins.

    It ends before its time when ``is_over`` says so.
    """
    lake = Lake.from_settings(values)
    week = Week(datetime.now(UTC).strftime("soak-%Y%m%dT%H%M%S"))
    day_began = time.monotonic()
    for number in range(1, hours + 1):
        if is_over():
            break
        begin = datetime.fromtimestamp(feed.now / SECOND, UTC)
        tables = feed.advance(microseconds(begin + timedelta(hours=1)))
        for entity, table in tables.items():
            if table.num_rows:
                land(table, values.landing, entity, begin, f"{week.began}-{begin:%m%dT%H}")
        started = time.monotonic()
        with lake.reader(latest=True) as connection:
            work = work_to_request(waiting_work(connection, values, {}))
        for one in work:
            handle(one)
        week.hours.append(
            Hour(
                begin.strftime(ARRIVAL_FORMAT),
                sum(table.num_rows for table in tables.values()),
                time.monotonic() - started,
                resident_mb(),
            )
        )
        if number % day_hours == 0:
            day = (time.monotonic() - day_began) / 3600
            scaled = values.model_copy(
                update={"reader_grace_hours": day, "keep_snapshot_days": 7 * day / 24}
            )
            day_began = time.monotonic()
            week.days.append((midnight(scaled), disk_mb(values.root)))
            progress(day_line(week))
    return week


def lost(values: Settings, week: Week) -> list[str]:
    """Hours that were not taken and published whole: rows landed against rows of the ledger."""
    with Lake.from_settings(values).reader() as connection:
        taken = dict(
            connection.execute(
                """
                select files.partition_key, sum(files.received)
                from ops.landed_files as files
                inner join ops.batches as batches using (batch_id)
                where batches.snapshot_id is not null and contains(files.file, ?)
                    and files.received = files.accepted + files.duplicates + files.rejected
                group by 1
                """,
                [week.began],
            ).fetchall()
        )
    return [one.hour for one in week.hours if taken.get(one.hour, 0) != one.rows]


def resident_mb() -> float:
    """Memory of this process that is in RAM."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB


def disk_mb(root: Path) -> float:
    """Size of all files below a folder, without landing, which grows as files come."""
    return (
        sum(
            path.stat().st_size
            for part in root.iterdir()
            if part.name != "landing"
            for path in ([part] if part.is_file() else part.rglob("*"))
            if path.is_file() and not path.is_symlink()
        )
        / 1e6
    )


def day_line(week: Week) -> str:
    size, disk = week.days[-1]
    last = week.hours[-DAY_HOURS:]
    return (
        f"day {len(week.days)}: {np.median([one.seconds for one in last]):.1f} s an hour, "
        f"{last[-1].rss_mb:,.0f} MB memory, {disk:,.0f} MB disk, {size.files} files, "
        f"{size.snapshots} snapshots"
    )


class SensorPath:
    """The jobs that the sensor and the schedules start, in this process."""

    def __init__(self, *, daily: bool) -> None:
        self._daily = daily
        import dagster as dg

        from orchestration.definitions import defs

        definitions = defs()
        self._jobs = {
            name: definitions.resolve_job_def(name) for name in ("batch_job", "daily_job")
        }
        self.instance = dg.DagsterInstance.get()

    def batch(self, work: Work) -> None:
        self._run("batch_job", work.partition_key)

    def midnight(self, scaled: Settings) -> LakeSize:
        from orchestration.maintenance import maintain

        done = maintain(Lake.from_settings(scaled), scaled, self.instance, datetime.now(UTC))
        if self._daily:
            self._run("daily_job", None)
        return done.after

    def _run(self, name: str, partition: str | None) -> None:
        result = self._jobs[name].execute_in_process(
            instance=self.instance,
            partition_key=partition,
            run_config={
                **(self._jobs[name].run_config or {}),
                "loggers": {"console": {"config": {"log_level": "WARNING"}}},
            },
        )
        assert result.success


class LivePath(SensorPath):
    """The live worker's function for the hours; upkeep and daily job as they are."""

    def __init__(self, values: Settings, *, daily: bool) -> None:
        from orchestration.live.worker import LiveWorker

        super().__init__(daily=daily)
        self._values = values
        self._lake = Lake.from_settings(values)
        self._increment = LiveWorker(
            self._lake, values, "soak", _nothing, _nothing, _nothing
        ).increment()

    def batch(self, work: Work) -> None:
        from orchestration.live.batch import carry_batch

        with self._lake.reader(latest=True) as connection:
            files = waiting_work(connection, self._values, {}).files
        hour = [file for file in files if file.partition_key == work.partition_key]
        carry_batch(self._lake, self._values, self._increment, hour, "soak", _nothing)


def _nothing(*_: object) -> None: ...


def main(
    hours: Annotated[int, typer.Option(help="Simulated hours.", min=48)] = 168,
    customers: Annotated[int, typer.Option(help="Customers of the market.")] = 2_000,
    history: Annotated[int, typer.Option(help="Events before the week.")] = 60_000,
    per_hour: Annotated[int, typer.Option(help="Events in an hour.")] = 200,
    home: Annotated[Path | None, typer.Option(help="$SHOAL_HOME/soak by default.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Through the live worker's function.")
    ] = False,
    daily: Annotated[bool, typer.Option(help="Whether the daily job runs at midnight.")] = True,
) -> None:
    """Soak a home of its own for two days or more, and print what grew."""
    home = (home or settings().root / "soak").absolute()
    os.environ.update(
        SHOAL_HOME=str(home), DAGSTER_HOME=str(home / "dagster"), SHOAL_SETTLE_SECONDS="0"
    )
    settings.cache_clear()
    values = settings()
    console = Console(highlight=False, soft_wrap=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # ends after the hour under way, with the table
        signal.signal(number, lambda number, frame: stop.set())
    busy = load()
    if not (home / "lake").exists():
        console.print(f"… a market of {customers:,} customers and {history:,} events")
        command = ["demo", "--customers", str(customers), "--events", str(history)]
        subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *command], cwd=PROJECT_ROOT, check=True
        )
    # whole hours that are over, so that none of their rows lies in the future
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
    feed = LiveFeed(
        MarketConfig(customers, history, values.seed), per_hour / 3600, microseconds(start)
    )
    path = LivePath(values, daily=daily) if live else SensorPath(daily=daily)
    began = time.monotonic()
    week = soak(values, feed, hours, path.batch, path.midnight, console.print, is_over=stop.is_set)
    print_week(console, week, lost(values, week), time.monotonic() - began, busy)


def print_week(
    console: Console, week: Week, missed: Sequence[str], seconds: float, busy: float
) -> None:
    """Print what was measured as a table."""
    table = Table("figure", "value")
    settled = week.hours[DAY_HOURS if len(week.hours) > 2 * DAY_HOURS else 3 :]
    slope = Slope.of([one.rss_mb for one in settled])
    table.add_row("simulated hours, in seconds", f"{len(week.hours)}, {seconds:,.0f}")
    table.add_row("load before", f"{busy:.1f}")
    table.add_row("rows landed", f"{sum(one.rows for one in week.hours):,}")
    table.add_row("hours missed or not whole", ", ".join(missed) or "none")
    taken = [one.seconds for one in settled]
    table.add_row(
        "seconds an hour, p50 and p95",
        f"{np.median(taken):.1f}, {np.quantile(taken, 0.95):.1f}",
    )
    table.add_row("memory once settled, at the end", _first_and_last(settled))
    table.add_row(
        "memory's slope, MB a simulated hour",
        f"{slope.value:+.3f} ({slope.low:+.3f} to {slope.high:+.3f})",
    )
    for name in ("files", "snapshots", "catalog_megabytes"):
        values = [getattr(size, name) for size, _ in week.days]
        table.add_row(f"{name} after upkeep, by day", ", ".join(f"{one:,.0f}" for one in values))
    table.add_row("disk MB, by day", ", ".join(f"{disk:,.0f}" for _, disk in week.days))
    console.print(table)


def _first_and_last(hours: Sequence[Hour]) -> str:
    return f"{hours[0].rss_mb:,.0f} MB, {hours[-1].rss_mb:,.0f} MB"


if __name__ == "__main__":
    typer.run(main)
