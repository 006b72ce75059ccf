"""Checked rows into the lake: the good ones into ``raw``, the others into quarantine."""

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from orchestration.ingestion.deduplication import duplicates_table
from orchestration.ingestion.entities import ENTITIES, Entity
from orchestration.ingestion.pseudonyms import (
    forget_identifiers,
    pseudonym_joins,
    register_identifiers,
)
from orchestration.ingestion.schema import raw_columns, raw_table
from orchestration.ingestion.sql import NUL_SIGN, columns, identifier
from orchestration.ingestion.staging import StagedFile
from orchestration.ingestion.validation import checked_table

FILE_NAMES = "batch_files"


def register_files(connection: duckdb.DuckDBPyConnection, files: Sequence[StagedFile]) -> None:
    """Make names and hashes of a batch's files available to the statements below."""
    rows = [
        {"file_index": staged.index, "file_hash": staged.file_hash, "file": staged.file.name}
        for staged in files
    ]
    connection.register(FILE_NAMES, pa.Table.from_pylist(rows))


def write_rows(
    connection: duckdb.DuckDBPyConnection, entity: Entity, batch_id: int, pseudonym_key: str
) -> None:
    """Insert an entity's good rows, in the order of their time."""
    good = (
        f"(select checked.*, file_hash from {checked_table(entity)} as checked "
        f"join {FILE_NAMES} using (file_index) "
        f"anti join {duplicates_table(entity)} as repeated "
        "on repeated.file_index = checked.file_index and repeated.ordinal = checked.ordinal "
        "where reasons is null)"
    )
    register_identifiers(connection, entity, checked_table(entity))
    pseudonyms, joins = pseudonym_joins(entity, f"{checked_table(entity)}")
    selected = [columns(entity.column_names, "rows."), *pseudonyms]
    order = [identifier(entity.time)] if entity.time else list(map(identifier, entity.key))
    parameters: dict[str, object] = {"batch_id": batch_id}
    if entity.pseudonyms:
        parameters["pseudonym_key"] = pseudonym_key
    connection.execute(
        f"insert into {raw_table(entity)} ({raw_columns(entity)}) "
        f"select {', '.join(selected)}, $batch_id, rows.file_hash, rows.row_number "
        f"from {good} as rows {joins} "
        f"order by {', '.join(f'rows.{name}' for name in order)}, rows.file_index, rows.ordinal",
        parameters,
    )


def write_rejections(
    connection: duckdb.DuckDBPyConnection, entity: Entity, batch_id: int, now: datetime
) -> None:
    """Put an entity's bad rows in quarantine, with every reason."""
    connection.execute(
        "insert into ops.rejected_rows (batch_id, file_hash, file, entity, row_number, payload, "
        "reasons, rejected_at) "
        "select $batch_id, file_hash, file, $entity, row_number, "
        f"replace(payload, chr(0), '{NUL_SIGN}'), "
        f"list_transform(reasons, lambda reason: replace(reason, chr(0), '{NUL_SIGN}')), $now "
        f"from {checked_table(entity)} join {FILE_NAMES} using (file_index) "
        "where reasons is not null order by file_index, ordinal",
        {"batch_id": batch_id, "entity": entity.name, "now": now},
    )


def drop_temporary_tables(connection: duckdb.DuckDBPyConnection, entities: set[str]) -> None:
    """Free what a batch kept in memory."""
    connection.unregister(FILE_NAMES)
    for name in entities:
        forget_identifiers(connection, ENTITIES[name])
        connection.execute(f"drop table if exists {checked_table(ENTITIES[name])}")
        connection.execute(f"drop table if exists {duplicates_table(ENTITIES[name])}")
