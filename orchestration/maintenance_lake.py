"""Upkeep of the lake: fewer and fuller files, no snapshot or file that nobody needs.

Every step is a transaction of its own under the writer lease, per table where it writes files, so
that a batch waits for one table at most, and a process that dies leaves a good lake. No step
changes what any remaining snapshot shows.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingestion.sql import literal
from orchestration.lake import Lake
from orchestration.maintenance_catalog import (
    CATALOG,
    UntidyTable,
    files_of_catalog,
    one_row,
    untidy_tables,
)
from orchestration.maintenance_snapshots import (
    all_snapshots,
    last_before,
    publications,
    published_at,
    to_expire,
)
from orchestration.registry import Registry
from orchestration.settings import Settings
from orchestration.snapshot_holds import held

REWRITTEN_SHARE = 0.3
"""Share of deleted rows above which a file is written anew without them."""
SPOILT_FILES = 8
"""Files with deleted rows above which all of a table's are written anew: clean ones are merged."""
EXPIRED_AT_ONCE = 5_000
READER_GRACE = timedelta(seconds=10)
"""Within it a reader holds what it found to be published; it takes milliseconds."""


class OrphansInUse(RuntimeError):
    """Files that DuckLake takes for orphans are named by the catalog: nothing was deleted."""


@dataclass
class LakeUpkeep:
    """What one round did."""

    rewritten_files: int = 0
    merged_files: int = 0
    expired_snapshots: int = 0
    deleted_files: int = 0
    deleted_orphans: int = 0


def keep_lake(
    lake: Lake,
    values: Settings,
    in_use: Collection[int],
    now: datetime,
    log: Callable[[str], None] = lambda message: None,
) -> LakeUpkeep:
    """Compact files, expire snapshots, delete what nobody needs.

    Parameters
    ----------
    in_use
        Snapshots that stay, see `snapshots_in_use`.
    now
        UTC; with a time zone or without.
    """
    done = LakeUpkeep()
    for table in untidy_tables(lake):
        with lake.writer(f"maintenance of {table.schema}.{table.name}") as connection:
            _tidy(connection, table, done)
    log(
        f"{done.rewritten_files} files written without deleted rows, "
        f"{done.merged_files} small files merged"
    )
    done.expired_snapshots = expire_snapshots(lake, values, in_use, now)
    oldest_file = now - timedelta(hours=values.reader_grace_hours)
    oldest = f"older_than => timestamptz {literal(_utc(oldest_file))}"
    with lake.writer("maintenance: clean up files") as connection:
        gone = _called(connection, f"ducklake_cleanup_old_files('lake', {oldest})")
        done.deleted_files = len(gone)
        done.deleted_orphans = _delete_orphans(connection, oldest)
    log(
        f"{done.expired_snapshots} snapshots expired, {done.deleted_files} old files and "
        f"{done.deleted_orphans} orphans deleted"
    )
    return done


def snapshots_in_use(lake: Lake, registry: Registry) -> set[int]:
    """Snapshots that somebody reads now, or that a version in the registry learnt from.

    Those that are read come first: a training that ends meanwhile has told the registry before.
    """
    return held(lake.holds) | registry.lake_snapshots()


def expire_snapshots(lake: Lake, values: Settings, in_use: Collection[int], now: datetime) -> int:
    """Forget snapshots that nobody reads, publishes or learnt from; gives how many.

    The catalog holds one row per file that any snapshot shows, and every question reads them all:
    what batches replace within a day would make each batch slower by seconds.

    Parameters
    ----------
    in_use
        Snapshots that stay, see `snapshots_in_use`.
    now
        UTC; with a time zone or without.
    """
    now = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    with lake.writer("expire snapshots") as connection:
        snapshots = all_snapshots(connection)
        published = publications(connection)
        read = {max(published)} if published else set()
        earlier = last_before(snapshots, now - READER_GRACE)
        if earlier is not None and (then := published_at(connection, earlier)) is not None:
            read.add(then)
        numbers = to_expire(
            snapshots,
            published=published,
            pinned={*in_use, *read},
            now=now,
            keep=timedelta(days=values.keep_snapshot_days),
            grace=READER_GRACE,
        )
        for start in range(0, len(numbers), EXPIRED_AT_ONCE):
            some = numbers[start : start + EXPIRED_AT_ONCE]
            _called(connection, f"ducklake_expire_snapshots('lake', versions => {some})")
    return len(numbers)


def _delete_orphans(connection: duckdb.DuckDBPyConnection, oldest: str) -> int:
    """Delete files of dead writers; a file that the catalog names is never one.

    DuckLake has taken files in use for orphans (duckdb/ducklake issue 815), hence the second look.
    """
    found = {
        path
        for (path,) in _called(
            connection, f"ducklake_delete_orphaned_files('lake', dry_run => true, {oldest})"
        )
    }
    if not found:
        return 0
    in_use = {Path(path) for path in found} & {Path(path) for path in files_of_catalog(connection)}
    if in_use:
        raise OrphansInUse(
            f"DuckLake takes {len(in_use)} files in use for orphans, such as {min(in_use)}: "
            "nothing was deleted; please report it"
        )
    return len(_called(connection, f"ducklake_delete_orphaned_files('lake', {oldest})"))


def _tidy(connection: duckdb.DuckDBPyConnection, table: UntidyTable, done: LakeUpkeep) -> None:
    schema, name = literal(table.schema), literal(table.name)
    spoilt = f"from {CATALOG}.ducklake_delete_file where table_id = {table.table_id:d}"
    (files,) = one_row(connection, f"select count(*) {spoilt} and end_snapshot is null")
    if files:
        share = 0.0 if files > SPOILT_FILES else REWRITTEN_SHARE
        rewritten = _called(
            connection,
            f"ducklake_rewrite_data_files('lake', {name}, schema => {schema}, "
            f"delete_threshold => {share})",
        )
        done.rewritten_files += sum(row[2] for row in rewritten)
    merged = _called(
        connection, f"ducklake_merge_adjacent_files('lake', {name}, schema => {schema})"
    )
    done.merged_files += sum(row[2] for row in merged)


def _called(connection: duckdb.DuckDBPyConnection, call: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"call {call}").fetchall()


def _utc(instant: datetime) -> str:
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    return instant.astimezone(UTC).isoformat()
