"""One batch of files into the lake: rows, rejected rows and ledger in a single transaction."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import duckdb

from orchestration.ingestion.deduplication import duplicates_table, find_duplicates
from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.files import FileChanged, LandedFile, content_hash, size_and_mtime
from orchestration.ingestion.ledger import (
    forget_file,
    known_hashes,
    next_batch_id,
    record_batch,
    record_files,
    record_whole_rejections,
)
from orchestration.ingestion.reports import BatchReport, FileReport
from orchestration.ingestion.schema import create_tables
from orchestration.ingestion.sql import transaction
from orchestration.ingestion.staging import StagedFile, create_checked_tables, stage_file
from orchestration.ingestion.validation import checked_table
from orchestration.ingestion.working_database import working_in_memory
from orchestration.ingestion.writing import (
    drop_temporary_tables,
    register_files,
    write_rejections,
    write_rows,
)

__all__ = ["forget_file", "ingest_batch"]


def ingest_batch(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    partition_key: str,
    run_id: str,
    now: datetime,
    pseudonym_key: str,
    progress: Callable[[str], None] = lambda message: None,
) -> BatchReport:
    """Take every file that is new by content; a second call with the same files does nothing.

    Parameters
    ----------
    connection
        A writer's connection, with the lake as its default database.
    now
        The instant of arrival, against which times in the rows are checked.
    pseudonym_key
        Secret key of the pseudonyms.
    progress
        Told, per file, what is being done.
    """
    now = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    create_tables(connection)
    new, skipped, left = _new_files(connection, files)
    entities = {staged.file.entity for staged in new}
    staged_files: list[StagedFile] = []
    try:
        with working_in_memory(connection):
            create_checked_tables(connection, entities)
            for staged in new:
                try:
                    staged_files.append(stage_file(connection, staged, now, progress))
                except (FileChanged, PermissionError) as error:
                    left[staged.file.name] = str(error)
        if not staged_files:
            return BatchReport(None, (), tuple(skipped), left)
        with transaction(connection):
            batch_id = next_batch_id(connection)
            for name in sorted(entities):
                find_duplicates(connection, ENTITIES[name])
            reports = _file_reports(connection, staged_files, entities)
            report = BatchReport(batch_id, tuple(reports), tuple(skipped), left)
            register_files(connection, staged_files)
            for name in sorted(entities):
                write_rows(connection, ENTITIES[name], batch_id, pseudonym_key)
                write_rejections(connection, ENTITIES[name], batch_id, now)
            record_whole_rejections(connection, batch_id, staged_files, now)
            record_files(connection, batch_id, reports, now)
            record_batch(connection, report, partition_key, run_id, now)
        return report
    finally:
        drop_temporary_tables(connection, entities)


def _new_files(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]
) -> tuple[list[StagedFile], list[str], dict[str, str]]:
    """Files whose content the ledger does not have, those it has, and those not there."""
    hashed: list[tuple[LandedFile, str]] = []
    new: list[StagedFile] = []
    skipped: list[str] = []
    left: dict[str, str] = {}
    for file in files:
        try:
            size_and_mtime(file.path)
            hashed.append((file, content_hash(file.path)))
        except (FileChanged, OSError) as error:
            left[file.name] = str(error)
    known = known_hashes(connection, [file_hash for _, file_hash in hashed])
    for file, file_hash in hashed:
        if (file.entity, file_hash) in known:
            skipped.append(file.name)
            continue
        known.add((file.entity, file_hash))
        new.append(StagedFile(len(new), file, file_hash))
    return new, skipped, left


def _file_reports(
    connection: duckdb.DuckDBPyConnection, files: Sequence[StagedFile], entities: set[str]
) -> list[FileReport]:
    counts: dict[int, tuple[int, int, int]] = {}
    for name in entities:
        entity = ENTITIES[name]
        rows = connection.execute(
            "select rows.file_index, count(*), count(rows.reasons), count(repeated.ordinal) "
            f"from {checked_table(entity)} as rows "
            f"left join {duplicates_table(entity)} as repeated "
            "on repeated.file_index = rows.file_index and repeated.ordinal = rows.ordinal "
            "and rows.reasons is null group by rows.file_index"
        ).fetchall()
        counts.update({index: (all_, bad, again) for index, all_, bad, again in rows})
    reports = []
    for staged in files:
        received, rejected, duplicates = counts.get(staged.index, (0, 0, 0))
        if staged.problems:
            received, rejected, duplicates = staged.rows, staged.rows, 0
        file = staged.file
        reports.append(
            FileReport(
                *(file.name, file.entity, staged.file_hash, file.partition_key),
                *(file.size, file.mtime_ns, staged.format),
                *(received, received - duplicates - rejected, duplicates, rejected),
                staged.notes,
            )
        )
    return reports
