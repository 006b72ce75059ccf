"""Gathers what the verdict on a home is made of; needs neither Dagster running nor a lake."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
from filelock import FileLock, Timeout

from orchestration.backup import newest_backup
from orchestration.health import Backlog, Collecting, Disk, Facts, Health, Lag, Working, judge
from orchestration.ingestion.files import Fingerprint, LandedFile
from orchestration.ingestion.landing import ARRIVAL_FORMAT
from orchestration.lake import Lake, LakeDamaged, LakeNotFound
from orchestration.live.heartbeat import read_heartbeat
from orchestration.live.post import Post
from orchestration.settings import Settings
from orchestration.waiting import waiting_work

STAGES = {
    "tables": dg.AssetKey(["marts", "customer_features"]),
    "scores": dg.AssetKey(["marts", "customer_scores"]),
    "reports": dg.AssetKey(["data_quality_report"]),
    "maintenance": dg.AssetKey(["ops", "maintenance"]),
}
JOBS = ("batch_job", "daily_job", "training_job", "maintenance_job")
LAG_BATCHES = 100
RUNS_LOOKED_AT = 50

# contents of landed files that this process has seen, so that an unchanged file is read once
_HASHES: dict[Fingerprint, str] = {}


def health(lake: Lake, values: Settings, now: datetime) -> Health:
    """The verdict on a home as of now (with its time zone)."""
    return judge(gather(lake, values, now), values)


def gather(lake: Lake, values: Settings, now: datetime) -> Facts:
    """How things stand."""
    made = newest_backup(values.backup_folder)
    facts = Facts(
        lease=lake.lease_holder(),
        disk=disk(values.root),
        collector=_collector(values, now),
        live=_live(values, now),
        backup_seconds=None if made is None else (now - made).total_seconds(),
    )
    try:
        with lake.reader(latest=True) as connection:
            facts = _with_lake(facts, connection, values, now)
    except (LakeNotFound, LakeDamaged) as problem:
        facts = replace(facts, problem=str(problem))
    with _dagster(values) as instance:
        return facts if instance is None else _with_runs(facts, instance, now)


def disk(root: Path) -> Disk:
    """Free and used bytes; a file with several names counts in each part that has one."""
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    status = os.statvfs(there)
    used = {
        part.name: sum(_sizes(part)) for part in sorted(root.glob("*")) if not part.is_symlink()
    }
    return Disk(status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize, used)


def lag_of_batches(connection: duckdb.DuckDBPyConnection) -> Lag | None:
    """How soon readers saw the newest batches that had files; None before the first.

    A file arrives when it is last written, but not before its arrival hour: one that was brought
    with the times it had elsewhere did not wait for years.
    """
    row = connection.execute(
        f"""
        with files as (
            select
                batch_id,
                greatest(
                    max(make_timestamp(modified_ns // 1000)),
                    max(strptime(partition_key, '{ARRIVAL_FORMAT}'))
                ) as arrived_at
            from ops.landed_files
            group by batch_id
        ),
        newest as (
            select batches.batch_id, epoch(batches.published_at - files.arrived_at) as seconds
            from ops.batches as batches
            inner join files using (batch_id)
            where batches.published_at is not null
            order by batches.batch_id desc
            limit {LAG_BATCHES}
        )
        select
            arg_max(seconds, batch_id), quantile_cont(seconds, 0.5), quantile_cont(seconds, 0.95),
            count(*)
        from newest
        """
    ).fetchone()
    return None if row is None or not row[3] else Lag(*row)


def _with_lake(
    facts: Facts, connection: duckdb.DuckDBPyConnection, values: Settings, now: datetime
) -> Facts:
    waiting = waiting_work(connection, values, _HASHES, now)
    row = connection.execute(
        """
        select
            count(*), count(*) filter (where snapshot_id is null),
            min(ingested_at) filter (where snapshot_id is null),
            max(ingested_at), max(published_at)
        from ops.batches
        """
    ).fetchone()
    assert row is not None
    batches, unpublished, oldest, ingested, published = row
    last = {
        stage: _since(instant, now)
        for stage, instant in (("ingest", ingested), ("published", published))
        if instant is not None
    }
    return replace(
        facts,
        backlog=Backlog(
            len(waiting.files),
            sum(file.size for file in waiting.files),
            _oldest(waiting.files, now),
            waiting.unsettled,
        ),
        lag=lag_of_batches(connection),
        batches=batches,
        unpublished=unpublished,
        unpublished_seconds=None if oldest is None else _since(oldest, now),
        last_success=last,
    )


def _with_runs(facts: Facts, instance: dg.DagsterInstance, now: datetime) -> Facts:
    last = dict(facts.last_success)
    for stage, key in STAGES.items():
        event = instance.get_latest_materialization_event(key)
        if event is not None:
            last[stage] = now.timestamp() - event.timestamp
    failed = {}
    for job in JOBS:
        count = 0
        for record in instance.get_run_records(
            dg.RunsFilter(
                job_name=job,
                statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
            ),
            limit=RUNS_LOOKED_AT,
        ):
            if record.dagster_run.status == dg.DagsterRunStatus.SUCCESS:
                break
            count += 1
        if count:
            failed[job] = count
    beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    return replace(
        facts,
        last_success=last,
        failed_runs=failed,
        daemon_seconds=now.timestamp() - max(beats) if beats else None,
    )


@contextmanager
def _dagster(values: Settings) -> Iterator[dg.DagsterInstance | None]:
    """Dagster's records where there are any; looking makes none."""
    if not (values.dagster_home / "history").is_dir():
        yield None
        return
    with dg.DagsterInstance.from_config(str(values.dagster_home)) as instance:
        yield instance


def _collector(values: Settings, now: datetime) -> Collecting:
    lock = values.collector_home / "lock"
    is_running = False
    if lock.exists():
        try:
            with FileLock(lock, timeout=0):
                pass
        except Timeout:
            is_running = True
    journals = []
    for path in (values.collector_home / "journal").glob("*.jsonl"):
        try:
            journals.append(path.stat())
        except FileNotFoundError:
            continue  # it has become a file of landing
    oldest = min((journal.st_mtime for journal in journals), default=None)
    return Collecting(
        is_running,
        len(journals),
        sum(journal.st_size for journal in journals),
        None if oldest is None else max(now.timestamp() - oldest, 0.0),
    )


def _live(values: Settings, now: datetime) -> Working | None:
    beat = read_heartbeat(values)
    # while it waits for a long run it holds the post and says nothing
    is_alive = beat is not None and (beat.is_alive(now) or Post(values.live_home).is_held())
    if beat is None or (beat.leaving and not is_alive):
        return None
    return Working(
        beat.pid,
        is_alive,
        beat.age(now),
        beat.batch_id,
        beat.batches,
        beat.lag_seconds,
        beat.version,
    )


def _oldest(files: Sequence[LandedFile], now: datetime) -> float | None:
    arrived = [
        max(
            file.mtime_ns / 1e9,
            datetime.strptime(file.partition_key, ARRIVAL_FORMAT).replace(tzinfo=UTC).timestamp(),
        )
        for file in files
    ]
    return max(now.timestamp() - min(arrived), 0.0) if arrived else None


def _since(instant: datetime, now: datetime) -> float:
    return (now - instant.replace(tzinfo=UTC)).total_seconds()


def _sizes(path: Path) -> Iterator[int]:
    if path.is_file():
        yield path.stat().st_size
        return
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                status = os.lstat(os.path.join(folder, name))
            except FileNotFoundError:
                continue
            yield status.st_size
