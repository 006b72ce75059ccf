"""The live worker: what comes into landing is scored within seconds, for as long as it lasts."""

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestration.champions import load_champions, load_event_champions, load_segments
from orchestration.clock import set_clock
from orchestration.dbt_increment import (
    Recording,
    fingerprint,
    kept_increment,
    record_increment,
)
from orchestration.dbt_runner import dagster_events
from orchestration.ingestion.files import Fingerprint, LandedFile
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.live.batch import Carried, carry_batch
from orchestration.live.catch_up import catch_up, is_time
from orchestration.live.heartbeat import Heartbeat, write_heartbeat
from orchestration.live.landing_watch import LandingWatch
from orchestration.live.post import Post
from orchestration.maintenance_lake import expire_snapshots, snapshots_in_use
from orchestration.registry import Registry
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.small_files import fold_small_files
from orchestration.waiting import waiting_work

RECONCILE_SECONDS = 30.0
HEARTBEAT_SECONDS = 5.0
EXPIRE_SECONDS = 10.0
"""What batches replaced makes every question slower, see `expire_snapshots`."""
HANDOVER_SECONDS = 600.0
TABLES_AT_ONCE = 3
"""Whose small files become one after each batch: one batch writes to some twenty tables."""
CODE = ("orchestration", "ml", "dbt_project")


def code_version() -> str:
    """A hash of the code that the worker runs; another one is for another worker."""
    return " ".join(fingerprint(PROJECT_ROOT / name)[:12] for name in CODE)


@dataclass
class LiveWorker:
    """One process that watches landing and carries every micro-batch through to its scores.

    Attributes
    ----------
    report
        Told of every batch that was published.
    report_caught_up
        Told up to which batch scores that may follow later have caught up, and their rows.
    """

    lake: Lake
    values: Settings
    run_id: str
    report: Callable[[Carried], None]
    report_caught_up: Callable[[int, dict[str, int]], None]
    log: Callable[[str], None]
    batches: int = 0
    _version: str = ""
    _last: Carried | None = None
    _lag: float | None = None
    _hashes: dict[Fingerprint, str] = field(default_factory=dict)

    def run(self) -> str:
        """Work until it is time to leave and a successor is ready; says why it ended.

        Raises
        ------
        PostTaken
            Another worker warms up, or waits to take over already.
        NothingPublished
            There is nothing yet that a batch could bring up to date.
        """
        post = Post(self.values.live_home)
        with post.coming():
            self._version = code_version()
            increment = self.increment()
            with self.lake.writer("start the live worker") as connection:
                create_tables(connection)
            self._warm_up()
        with post.held(HANDOVER_SECONDS):
            watch = LandingWatch(self.values.landing, self.values.settle_seconds)
            try:
                return self._work(post, watch, increment)
            except BaseException as end:
                if not isinstance(end, Exception):  # a person, or the system, ends the run
                    self._beat(leaving=f"stopped: {type(end).__name__}")
                raise
            finally:
                watch.close()

    def increment(self) -> Recording:
        """What a batch replays: as it was kept for this dbt project, else as dbt tells it now."""
        return kept_increment(self.values) or self._record()

    def _warm_up(self) -> None:
        """Read the models that the first batch needs: they are kept, see `champions`."""
        registry = Registry(self.values)
        load_segments(registry)
        load_champions(registry)
        load_event_champions(registry)

    def _record(self) -> Recording:
        with self.lake.turn("record the increment"):
            with self.lake.writer("set the clock") as connection:
                set_clock(connection, self.values)
            recording, results = record_increment(self.lake, self.values)
        list(dagster_events(results, {}, {}))  # raises on a failed model
        return recording

    def _work(self, post: Post, watch: LandingWatch, increment: Recording) -> str:
        started = reconciled = beat = caught_up = expired = time.monotonic()
        registry = Registry(self.values)
        leaving, behind = "", -1
        gc.collect()
        gc.freeze()  # what is there now stays: models, settings, modules
        files = self._reconcile()
        self.log(f"at work on {self.values.landing}")
        self._beat(leaving)
        while True:
            if files is not None:
                again = self._carry(increment, files, watch)
                files = [] if again else None
                self._beat(leaving)
                with self.lake.turn(f"small files, run {self.run_id}"):
                    fold_small_files(self.lake, TABLES_AT_ONCE)
                if time.monotonic() - expired >= EXPIRE_SECONDS:
                    expired = time.monotonic()
                    in_use = snapshots_in_use(self.lake, registry)
                    expire_snapshots(self.lake, self.values, in_use, datetime.now(UTC))
                continue
            if post.is_wanted():
                return "handed over to another worker"
            files = watch.look() or None
            now = time.monotonic()
            if now - reconciled >= RECONCILE_SECONDS:
                reconciled = now
                files = self._reconcile()
                leaving = leaving or self._why_leave(now - started)
            if now - beat >= HEARTBEAT_SECONDS:
                beat = now
                self._beat(leaving)
            if self.batches > behind and is_time(now - caught_up, files_wait=files is not None):
                caught_up, behind = now, self.batches
                self.report_caught_up(*catch_up(self.lake, self.values, self.run_id))

    def _reconcile(self) -> list[LandedFile] | None:
        """Files that the watch was not told of; an empty list when only batches wait."""
        with self.lake.reader(latest=True) as connection:
            waiting = waiting_work(connection, self.values, self._hashes)
            left = connection.execute(
                "select count(*) from ops.batches where snapshot_id is null"
            ).fetchone()
        for problem in waiting.problems:
            self.log(problem)
        if waiting.files:
            return list(waiting.files)
        return [] if left is not None and left[0] else None

    def _carry(self, increment: Recording, files: list[LandedFile], watch: LandingWatch) -> bool:
        """Carry one batch; gives whether something is left that can go on at once."""
        carried = carry_batch(
            self.lake, self.values, increment, files, self.run_id, self.log, watch.look
        )
        for name, reason in carried.report.left.items():
            self.log(f"{name}: left for later: {reason}")
        if carried.published_at is None:
            return False
        self.batches += 1
        self._last = carried
        if carried.files:
            oldest = min(file.mtime_ns for file in carried.files) / 1e9
            self._lag = carried.published_at.replace(tzinfo=UTC).timestamp() - oldest
        self.report(carried)
        return carried.snapshot is None

    def _why_leave(self, worked: float) -> str:
        if worked >= 60 * self.values.live_minutes:
            return f"worked for {worked / 60:.0f} minutes"
        if code_version() != self._version:
            return "the code has changed"
        return ""

    def _beat(self, leaving: str) -> None:
        clock = self._last.clock if self._last is not None else None
        beat = Heartbeat(
            run_id=self.run_id,
            pid=os.getpid(),
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            batch_id=None if clock is None else clock.last_batch_id,
            batches=self.batches,
            lag_seconds=None if self._lag is None else round(self._lag, 3),
            version=self._version,
            leaving=leaving,
        )
        write_heartbeat(self.values, beat)
