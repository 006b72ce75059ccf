"""Upkeep of the lake: fewer and fuller files, no snapshot or file that nobody needs.

Every step is a transaction of its own under the writer lease, per table where it writes files, so
that a batch waits for one table at most, and a process that dies leaves a good lake. No step
changes what any remaining snapshot shows.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingestion.sql import literal
from orchestration.lake import Lake
from orchestration.maintenance_snapshots import (
    all_snapshots,
    last_before,
    publications,
    published_at,
    to_expire,
)
from orchestration.settings import Settings

CATALOG = "__ducklake_metadata_lake"
REWRITTEN_SHARE = 0.3
"""Share of deleted rows above which a file is written anew without them."""
SPOILT_FILES = 8
"""Files with deleted rows above which all of a table's are written anew: clean ones are merged."""
EXPIRED_AT_ONCE = 5_000
READERS_SECONDS = 2.0
"""How long new readers wait for those who are reading, so that inlined rows can become files."""


class OrphansInUse(RuntimeError):
    """Files that DuckLake takes for orphans are named by the catalog: nothing was deleted."""


@dataclass(frozen=True)
class LakeSize:
    """What a lake consists of.

    Attributes
    ----------
    files, megabytes
        Data and delete files that the catalog names, old snapshots' included.
    waiting_files
        Files that no snapshot needs, kept for readers for a while.
    inlined_rows
        Rows and deletions that lie in the catalog, not in a file yet.
    catalog_megabytes
        The SQLite catalog with its log; 0 for a server.
    """

    files: int
    megabytes: float
    waiting_files: int
    inlined_rows: int
    snapshots: int
    catalog_megabytes: float


@dataclass
class LakeUpkeep:
    """What one round did.

    Attributes
    ----------
    tables_left_to_readers
        Tables that stayed as they were, since somebody kept reading; the next round has them.
    """

    flushed_rows: int = 0
    tables_left_to_readers: int = 0
    rewritten_files: int = 0
    merged_files: int = 0
    expired_snapshots: int = 0
    deleted_files: int = 0
    deleted_orphans: int = 0


@dataclass(frozen=True)
class _Table:
    """A table that some step may have work on."""

    table_id: int
    schema: str
    name: str
    is_inlined: bool


def measure_lake(lake: Lake) -> LakeSize:
    """Size of the lake as it is now."""
    with lake.reader(latest=True) as connection:
        files, size = _row(
            connection,
            f"select count(*), coalesce(sum(file_size_bytes), 0) from ("
            f"select file_size_bytes from {CATALOG}.ducklake_data_file "
            f"union all select file_size_bytes from {CATALOG}.ducklake_delete_file)",
        )
        (waiting,) = _row(
            connection, f"select count(*) from {CATALOG}.ducklake_files_scheduled_for_deletion"
        )
        (snapshots,) = _row(connection, f"select count(*) from {CATALOG}.ducklake_snapshot")
        inlined = sum(inlined_rows(connection).values())
    return LakeSize(files, size / 1e6, waiting, inlined, snapshots, _catalog_bytes(lake) / 1e6)


def keep_lake(
    lake: Lake,
    values: Settings,
    pinned: Collection[int],
    now: datetime,
    log: Callable[[str], None] = lambda message: None,
) -> LakeUpkeep:
    """Write inlined rows to files, expire snapshots, compact files, delete what nobody needs.

    Parameters
    ----------
    pinned
        Snapshots that stay, such as those that models learnt from.
    now
        UTC; with a time zone or without.
    """
    done = LakeUpkeep()
    for table in _untidy_tables(lake):
        with lake.writer(f"maintenance of {table.schema}.{table.name}") as connection:
            _tidy(lake, connection, table, done)
    log(
        f"{done.flushed_rows:,} inlined rows written to files, {done.rewritten_files} files "
        f"written without deleted rows, {done.merged_files} small files merged; "
        f"{done.tables_left_to_readers} tables left to somebody who kept reading"
    )
    grace = timedelta(hours=values.reader_grace_hours)
    with lake.writer("maintenance: expire snapshots") as connection:
        done.expired_snapshots = _expire(connection, values, pinned, now, grace)
    oldest = f"older_than => timestamptz {literal(_utc(now - grace))}"
    with lake.writer("maintenance: clean up files") as connection:
        gone = _called(connection, f"ducklake_cleanup_old_files('lake', {oldest})")
        done.deleted_files = len(gone)
        done.deleted_orphans = _delete_orphans(connection, oldest)
    log(
        f"{done.expired_snapshots} snapshots expired, {done.deleted_files} old files and "
        f"{done.deleted_orphans} orphans deleted"
    )
    return done


def files_of_catalog(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Paths of every file that any snapshot of the attached lake needs, absolute."""
    rows = connection.execute(
        f"""
        with roots as (
            select value as root from {CATALOG}.ducklake_metadata
            where key = 'data_path' and scope is null
        ),
        files as (
            select table_id, path, path_is_relative from {CATALOG}.ducklake_data_file
            union all
            select table_id, path, path_is_relative from {CATALOG}.ducklake_delete_file
        )
        select
            case when files.path_is_relative
                then
                    case when tables.path_is_relative
                        then
                            case when schemas.path_is_relative then roots.root else '' end
                            || schemas.path
                        else ''
                    end
                    || tables.path
                else ''
            end
            || files.path
        from files
        cross join roots
        inner join (
            select distinct table_id, schema_id, path, path_is_relative
            from {CATALOG}.ducklake_table
        ) as tables using (table_id)
        inner join (
            select distinct schema_id, path, path_is_relative from {CATALOG}.ducklake_schema
        ) as schemas using (schema_id)
        """
    ).fetchall()
    return {path for (path,) in rows}


def _expire(
    connection: duckdb.DuckDBPyConnection,
    values: Settings,
    pinned: Collection[int],
    now: datetime,
    grace: timedelta,
) -> int:
    now = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    snapshots = all_snapshots(connection)
    published = publications(connection)
    read = {max(published)} if published else set()
    earlier = last_before(snapshots, now - grace)
    if earlier is not None and (then := published_at(connection, earlier)) is not None:
        read.add(then)
    numbers = to_expire(
        snapshots,
        published=published,
        pinned={*pinned, *read},
        now=now,
        keep=timedelta(days=values.keep_snapshot_days),
        grace=grace,
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


def _untidy_tables(lake: Lake) -> list[_Table]:
    """Tables with rows in the catalog, or with several files or deleted rows in files."""
    with lake.reader(latest=True) as connection:
        found = connection.execute(
            f"""
            select
                tables.table_id, schemas.schema_name, tables.table_name,
                (
                    select count(*) from {CATALOG}.ducklake_data_file as files
                    where files.table_id = tables.table_id and files.end_snapshot is null
                )
                + (
                    select count(*) from {CATALOG}.ducklake_delete_file as files
                    where files.table_id = tables.table_id and files.end_snapshot is null
                )
            from {CATALOG}.ducklake_table as tables
            inner join {CATALOG}.ducklake_schema as schemas using (schema_id)
            where tables.end_snapshot is null and schemas.end_snapshot is null
            order by 2, 3
            """
        ).fetchall()
        inlined = inlined_rows(connection)
    return [
        _Table(table_id, schema, name, table_id in inlined)
        for table_id, schema, name, files in found
        if table_id in inlined or files > 1
    ]


def inlined_rows(connection: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """Rows and deletions that lie in the catalog, by the number of their table."""
    parts = connection.execute(
        f"select table_id, table_name from {CATALOG}.ducklake_inlined_data_tables "
        f"union select table_id, 'ducklake_inlined_delete_' || table_id "
        f"from {CATALOG}.ducklake_table"
    ).fetchall()
    rows: dict[int, int] = {}
    for table_id, part in parts:
        try:
            (count,) = _row(connection, f'select count(*) from {CATALOG}."{part}"')
        except duckdb.CatalogException:
            continue  # DuckLake makes the table of a table's deletions with the first of them
        if count:
            rows[table_id] = rows.get(table_id, 0) + count
    return rows


def _tidy(
    lake: Lake, connection: duckdb.DuckDBPyConnection, table: _Table, done: LakeUpkeep
) -> None:
    schema, name = literal(table.schema), literal(table.name)
    if table.is_inlined:
        # somebody who kept reading is not waited for again, nor are others held up
        patience = 0.0 if done.tables_left_to_readers else READERS_SECONDS
        with lake.gate.alone(patience) as is_alone:
            if not is_alone:
                done.tables_left_to_readers += 1
                return  # what is rewritten with deletions still inlined shows them in the past
            flushed = _called(
                connection,
                f"ducklake_flush_inlined_data('lake', schema_name => {schema}, "
                f"table_name => {name})",
            )
        done.flushed_rows += sum(row[2] for row in flushed)
    spoilt = f"from {CATALOG}.ducklake_delete_file where table_id = {table.table_id:d}"
    (files,) = _row(connection, f"select count(*) {spoilt} and end_snapshot is null")
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


def _catalog_bytes(lake: Lake) -> int:
    if not lake.catalog.startswith("sqlite:"):
        return 0
    file = Path(lake.catalog.removeprefix("sqlite:"))
    return sum(part.stat().st_size for part in _with_log(file) if part.exists())


def _with_log(file: Path) -> Iterator[Path]:
    for suffix in ("", "-wal"):
        yield file.with_name(file.name + suffix)


def _called(connection: duckdb.DuckDBPyConnection, call: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"call {call}").fetchall()


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def _utc(instant: datetime) -> str:
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    return instant.astimezone(UTC).isoformat()
