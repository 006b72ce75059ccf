"""The live worker under a running Dagster: drops one by one, and a stream that does not stop.

While the stream runs, readers in processes of their own look at what is published, again and again:
every look has to see whole batches only.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import numpy as np
from rich.console import Console

from orchestration.lake import Lake
from orchestration.live.post import Post
from orchestration.settings import PROJECT_ROOT
from simulation import MarketConfig
from simulation.config import SECOND, microseconds
from simulation.live import LiveFeed
from simulation.writer import land
from tests.benchmarks.daemon import running
from tests.benchmarks.drops import PATIENCE_SECONDS, Dropper
from tests.benchmarks.figures import Figure, load, median, quantiles
from tests.benchmarks.home import BenchFailed, BenchHome, end_group, python, script, tail

TARGET_SECONDS = 3.0
WORKER_SECONDS = 300.0
READERS = 4
DRAIN_SECONDS = 180.0
DAILY_JOB = "daily_job"
DAILY_SECONDS = 1_800.0
PEOPLE = 900_000
"""Of the stream, most of them new to the lake: with 20,000 a visit would never end."""
LANDED = """
    select files.file, batches.published_at
    from ops.landed_files as files
    inner join ops.batches as batches on files.batch_id = batches.batch_id
    where files.file like 'events/%/stream-%' and batches.snapshot_id is not null
"""


@dataclass(frozen=True)
class Stream:
    """When each file of the stream was there, and when its scores were published."""

    landed: dict[str, float]
    published: dict[str, float]
    events: int
    seconds: float

    def lags(self) -> np.ndarray:
        """Seconds from landing to publication, in the order of landing."""
        return np.array([self.published[file] - at for file, at in self.landed.items()])


def measure(
    bench: BenchHome,
    drops: int,
    rate: int,
    minutes: float,
    customers: int,
    events: int,
    console: Console,
) -> list[Figure]:
    """Drop files one by one, then stream; both through the live worker of a running Dagster."""
    figures = [Figure("live.load_before", load(), "processes")]
    with running(bench, live=True):
        _wait_for_worker(bench)
        dropper = Dropper(bench, customers, events)
        dropper.drop(PATIENCE_SECONDS)
        seen = [dropper.drop(PATIENCE_SECONDS).seconds for _ in range(drops)]
        if seen:
            figures += quantiles("live.to_visible_score", seen, TARGET_SECONDS)
            console.print(f"  {drops} drops: median {median(seen):.1f} s")
        if rate:
            config = MarketConfig(
                max(customers, PEOPLE), max(events, 10 * PEOPLE), bench.values().seed
            )
            feed = LiveFeed(config, rate, microseconds(datetime.now(UTC)))
            with reading(bench) as looks, daily_run(bench) as daily:
                stream = _stream(bench, feed, minutes, console)
                figures += _stream_figures(stream)
            figures += [*looks(), *daily()]
    return figures


def _wait_for_worker(bench: BenchHome) -> None:
    post = Post(bench.values().live_home)
    until = time.monotonic() + WORKER_SECONDS
    while not post.is_held():
        if time.monotonic() > until:
            raise BenchFailed(f"no live worker after {WORKER_SECONDS:.0f} s")
        time.sleep(0.5)


def _stream(bench: BenchHome, feed: LiveFeed, minutes: float, console: Console) -> Stream:
    """Land a file every second, then wait until the last one is published."""
    values = bench.values()
    lake = Lake.from_settings(values)
    landed: dict[str, float] = {}
    rows, started = 0, time.time()
    for second in range(round(60 * minutes)):
        time.sleep(max(0.0, started + second - time.time()))
        now = datetime.now(UTC)
        made = feed.advance(feed.now + SECOND)["events"]
        path = land(made, values.landing, "events", now, f"stream-{now:%Y%m%dT%H%M%S%f}")
        if path is not None:
            rows += made.num_rows
            landed[path.relative_to(values.landing).as_posix()] = time.time()
        if second % 60 == 59:
            console.print(f"  minute {second // 60 + 1}: {rows:,} events landed")
    seconds = time.time() - started
    until = time.monotonic() + DRAIN_SECONDS
    while True:
        with lake.reader() as connection:
            published = {
                file: at.replace(tzinfo=UTC).timestamp()
                for file, at in connection.execute(LANDED).fetchall()
            }
        if landed.keys() <= published.keys():
            return Stream(landed, published, rows, seconds)
        if time.monotonic() > until:
            missing = len(landed.keys() - published.keys())
            raise BenchFailed(f"{missing} of {len(landed)} files are not published")
        time.sleep(1)


def _stream_figures(stream: Stream) -> list[Figure]:
    lags = stream.lags()
    tenth = max(1, len(lags) // 10)
    minutes = np.arange(len(lags)) / 60
    return [
        Figure("stream.events_per_second", stream.events / stream.seconds, "events/s"),
        *quantiles("stream.lag", lags.tolist()),
        Figure("stream.lag_second_tenth", median(lags[tenth : 2 * tenth].tolist()), "s"),
        Figure("stream.lag_last_tenth", median(lags[-tenth:].tolist()), "s"),
        Figure(
            "stream.lag_slope",
            float(np.polyfit(minutes[tenth:], lags[tenth:], 1)[0]),
            "s per minute",
        ),
    ]


@contextmanager
def daily_run(bench: BenchHome) -> Iterator[Callable[[], list[Figure]]]:
    """Have Dagster score everyone anew while the block lasts; gives how long that took."""
    launch = ("job", "launch", "-w", "workspace.yaml", "-j", DAILY_JOB)
    bench.run("launch_daily", script("dagster", *launch))
    yield lambda: [Figure("stream.daily_run", _daily_seconds(bench), "s")]


def _daily_seconds(bench: BenchHome) -> float:
    """Seconds from start to end of the daily run, once it has ended."""
    until = time.monotonic() + DAILY_SECONDS
    with dg.DagsterInstance.from_config(str(bench.dagster)) as instance:
        while True:
            record = instance.get_run_records(dg.RunsFilter(job_name=DAILY_JOB), limit=1)[0]
            if record.dagster_run.is_success:
                return (record.end_time or 0) - (record.start_time or 0)
            if record.dagster_run.is_finished or time.monotonic() > until:
                raise BenchFailed(f"the daily run is {record.dagster_run.status.value}")
            time.sleep(1)


@contextmanager
def reading(bench: BenchHome) -> Iterator["_Looks"]:
    """Let readers look at what is published for as long as the block lasts."""
    looks = _Looks(bench)
    try:
        yield looks
    finally:
        looks.end()


class _Looks:
    """Readers in processes of their own; called after their end, it gives what they counted."""

    def __init__(self, bench: BenchHome) -> None:
        self._logs = [bench.log(f"reader_{number}") for number in range(READERS)]
        self._processes = []
        for log in self._logs:
            with log.open("wb") as output:
                self._processes.append(
                    subprocess.Popen(
                        python("-m", "tests.benchmarks.reader"),
                        env=bench.environment(),
                        cwd=PROJECT_ROOT,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )

    def end(self) -> None:
        for process in self._processes:
            end_group(process)

    def __call__(self) -> list[Figure]:
        counts = []
        for log in self._logs:
            try:
                counts.append(json.loads(log.read_text().splitlines()[-1]))
            except (IndexError, json.JSONDecodeError):
                raise BenchFailed(f"a reader failed, {log}:\n{tail(log)}") from None
        return [
            Figure("readers.looks", sum(count["looks"] for count in counts), "looks"),
            Figure("readers.batches_seen", max(count["batches"] for count in counts), "batches"),
            Figure("readers.half_batches", sum(count["half"] for count in counts), "looks", 0),
            Figure("readers.failures", sum(count["failures"] for count in counts), "looks", 0),
        ]
