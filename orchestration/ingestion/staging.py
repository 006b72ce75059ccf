"""From files to checked rows in temporary tables; nothing is written to the lake here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from orchestration.ingestion.columns import ColumnMatch, match_columns
from orchestration.ingestion.entities import ENTITIES, Entity
from orchestration.ingestion.files import FileChanged, LandedFile, size_and_mtime
from orchestration.ingestion.formats import Unreadable
from orchestration.ingestion.readers import opened, read_through
from orchestration.ingestion.sources import Rejection, Source
from orchestration.ingestion.sql import scalar
from orchestration.ingestion.validation import check_rows, checked_table, create_checked_table

REJECTED_SCHEMA = pa.schema(
    [
        ("file_index", pa.int64()),
        ("ordinal", pa.int64()),
        ("row_number", pa.int64()),
        ("reasons", pa.list_(pa.string())),
        ("payload", pa.string()),
    ]
)


@dataclass(frozen=True)
class StagedFile:
    """A file whose rows are in the checked table, or that cannot be taken at all.

    Attributes
    ----------
    problems
        Why the file is rejected whole; then ``rows`` is how many it has, at least 1.
    """

    index: int
    file: LandedFile
    file_hash: str
    format: str | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    rows: int = 1


def stage_file(
    connection: duckdb.DuckDBPyConnection,
    staged: StagedFile,
    now: datetime,
    progress: Callable[[str], None],
) -> StagedFile:
    """Read, convert and check one file.

    Raises
    ------
    FileChanged
        When it changed while it was read; its rows are taken back.
    """
    file, entity = staged.file, ENTITIES[staged.file.entity]
    before = size_and_mtime(file.path)
    progress(f"reading {file.name}")
    try:
        with opened(connection, file.path) as source:
            result = _stage(connection, entity, source, staged, now)
    except Unreadable as error:
        _take_back(connection, entity, staged.index)
        result = StagedFile(staged.index, file, staged.file_hash, problems=(str(error),))
    except FileNotFoundError:
        raise FileChanged("it is no longer there") from None
    if size_and_mtime(file.path) != before:
        _take_back(connection, entity, staged.index)
        raise FileChanged("it changed while it was read")
    return result


def create_checked_tables(connection: duckdb.DuckDBPyConnection, entities: set[str]) -> None:
    """Make the temporary tables for some entities, empty."""
    for name in entities:
        connection.execute(create_checked_table(ENTITIES[name]))


def _stage(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    source: Source,
    staged: StagedFile,
    now: datetime,
) -> StagedFile:
    known = StagedFile(staged.index, staged.file, staged.file_hash, source.format)
    if not source.columns and source.rejections:  # JSONL without one sound line
        match = ColumnMatch({}, frozenset(), (), ())
    else:
        match = match_columns(entity, source.columns)
        if match.problems:
            return _rejected_whole(connection, source, known, match)
        names = [*match.found.values(), *match.reserved]
        parameters = {
            "file_index": staged.index,
            "arrival": now,
            "latest": now + timedelta(days=1),
        }

        def read() -> None:
            query = check_rows(entity, match, source.columns, source.relation(names))
            connection.execute(query, parameters)

        read_through(source, read)
    _reject_rows(connection, entity, staged.index, source.rejections)
    notes = (*source.conversions, *source.notes, *match.notes)
    return StagedFile(staged.index, staged.file, staged.file_hash, source.format, notes)


def _rejected_whole(
    connection: duckdb.DuckDBPyConnection, source: Source, known: StagedFile, match: ColumnMatch
) -> StagedFile:
    def count() -> int:
        return scalar(connection, f"select count(*) from {source.relation([]).query}")

    rows = read_through(source, count) + len(source.rejections)
    return StagedFile(
        known.index,
        known.file,
        known.file_hash,
        known.format,
        (*source.conversions, *source.notes),
        match.problems,
        max(rows, 1),
    )


def _reject_rows(
    connection: duckdb.DuckDBPyConnection, entity: Entity, index: int, rejections: list[Rejection]
) -> None:
    if not rejections:
        return
    rows = [
        {
            "file_index": index,
            "ordinal": rejection.row_number,
            "row_number": rejection.row_number,
            "reasons": [rejection.reason],
            "payload": rejection.payload,
        }
        for rejection in rejections
    ]
    insert_rows(connection, checked_table(entity), pa.Table.from_pylist(rows, REJECTED_SCHEMA))


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Insert an Arrow table by column name; ``table`` is a quoted name."""
    connection.register("arrow_rows", rows)
    try:
        connection.execute(f"insert into {table} by name from arrow_rows")
    finally:
        connection.unregister("arrow_rows")


def _take_back(connection: duckdb.DuckDBPyConnection, entity: Entity, index: int) -> None:
    connection.execute(f"delete from {checked_table(entity)} where file_index = ?", [index])
