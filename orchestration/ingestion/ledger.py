"""The ledger of files and the quarantine of rows: what was taken, and what was not, and why."""

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from orchestration.ingestion.reports import BatchReport, FileReport
from orchestration.ingestion.sql import scalar, transaction, without_nul
from orchestration.ingestion.staging import StagedFile, insert_rows

TEXTS = pa.list_(pa.string())
FILES_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("file_hash", "file", "entity", "partition_key")),
        *((name, pa.int64()) for name in ("bytes", "modified_ns")),
        ("format", pa.string()),
        *((name, pa.int64()) for name in ("received", "accepted", "duplicates", "rejected")),
        ("notes", TEXTS),
        ("batch_id", pa.int64()),
        ("ingested_at", pa.timestamp("us")),
    ]
)
WHOLE_SCHEMA = pa.schema(
    [
        ("batch_id", pa.int64()),
        *((name, pa.string()) for name in ("file_hash", "file", "entity")),
        ("row_number", pa.int64()),
        ("payload", pa.string()),
        ("reasons", TEXTS),
        ("rejected_at", pa.timestamp("us")),
    ]
)


def known_hashes(
    connection: duckdb.DuckDBPyConnection, hashes: Sequence[str]
) -> set[tuple[str, str]]:
    """Entity and content hash of those files that were taken."""
    rows = connection.execute(
        "select entity, file_hash from ops.landed_files where file_hash in (select unnest(?))",
        [list(hashes)],
    ).fetchall()
    return {(entity, file_hash) for entity, file_hash in rows}


def next_batch_id(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the batch that comes after all others."""
    return scalar(connection, "select coalesce(max(batch_id), 0) + 1 from ops.batches")


def record_files(
    connection: duckdb.DuckDBPyConnection,
    batch_id: int,
    files: Sequence[FileReport],
    now: datetime,
) -> None:
    """Enter a batch's files in the ledger."""
    rows = [
        {
            **vars(file),
            "notes": [without_nul(note) for note in file.notes],
            "batch_id": batch_id,
            "ingested_at": now,
        }
        for file in files
    ]
    insert_rows(connection, "ops.landed_files", pa.Table.from_pylist(rows, FILES_SCHEMA))


def record_whole_rejections(
    connection: duckdb.DuckDBPyConnection,
    batch_id: int,
    files: Sequence[StagedFile],
    now: datetime,
) -> None:
    """Put files that cannot be taken at all in quarantine, one entry each."""
    rows = [
        {
            "batch_id": batch_id,
            "file_hash": staged.file_hash,
            "file": staged.file.name,
            "entity": staged.file.entity,
            "reasons": [without_nul(problem) for problem in staged.problems],
            "rejected_at": now,
        }
        for staged in files
        if staged.problems
    ]
    if rows:
        insert_rows(connection, "ops.rejected_rows", pa.Table.from_pylist(rows, WHOLE_SCHEMA))


def open_batch(
    connection: duckdb.DuckDBPyConnection, partition_key: str, run_id: str, now: datetime
) -> int:
    """Enter a batch without files, for a change that is no file; returns its number."""
    batch_id = next_batch_id(connection)
    record_batch(connection, BatchReport(batch_id), partition_key, run_id, now)
    return batch_id


def record_batch(
    connection: duckdb.DuckDBPyConnection,
    report: BatchReport,
    partition_key: str,
    run_id: str,
    now: datetime,
) -> None:
    """Enter a batch and its totals."""
    connection.execute(
        "insert into ops.batches (batch_id, partition_key, run_id, received, accepted, "
        "duplicates, rejected, ingested_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(report.batch_id, partition_key, run_id, report.received, report.accepted),
            *(report.duplicates, report.rejected, now),
        ],
    )


def forget_file(connection: duckdb.DuckDBPyConnection, file: str) -> int:
    """Remove a file from ledger and quarantine so that it is taken again.

    Rows of it that were accepted stay, and count as duplicates the next time; what they were
    accepted as is kept in ``ops.forgotten_files``.

    Returns
    -------
    How many ledger entries were removed.
    """
    with transaction(connection):
        entries = scalar(connection, "select count(*) from ops.landed_files where file = ?", [file])
        connection.execute(
            "insert into ops.forgotten_files by name "
            "select file_hash, file, entity, received, accepted, duplicates, rejected, batch_id, "
            "? as forgotten_at from ops.landed_files where file = ?",
            [datetime.now(UTC).replace(tzinfo=None), file],
        )
        connection.execute("delete from ops.landed_files where file = ?", [file])
        connection.execute("delete from ops.rejected_rows where file = ?", [file])
    return entries
