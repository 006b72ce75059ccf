"""Rows whose key was there before: in the same file, in the batch, or in the lake."""

import duckdb

from orchestration.ingestion.entities import Entity
from orchestration.ingestion.schema import raw_table
from orchestration.ingestion.sql import columns, identifier, scalar
from orchestration.ingestion.validation import checked_table


def duplicates_table(entity: Entity) -> str:
    """Name of the temporary table with the places of rows that are duplicates."""
    return f"temp.{identifier(f'duplicates_{entity.name}')}"


def find_duplicates(connection: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """Fill the duplicates table: the first row of a key wins, and history wins over all."""
    checked, keys = checked_table(entity), columns(entity.key)
    connection.execute(
        f"create or replace temp table {duplicates_table(entity).removeprefix('temp.')} as "
        "with first_rows as ("
        f"select {keys}, min((file_index, ordinal)) as place from {checked} "
        f"where reasons is null group by {keys} having count(*) > 1) "
        f"select rows.file_index, rows.ordinal from {checked} as rows "
        f"join first_rows on {_same_key(entity, 'rows', 'first_rows')} "
        "where rows.reasons is null and (rows.file_index, rows.ordinal) > first_rows.place"
    )
    if not scalar(connection, f"select exists (from {raw_table(entity)})"):
        return
    connection.execute(
        f"insert into {duplicates_table(entity)} "
        "with known as ("
        f"select distinct {columns(entity.key, 'history.')} from {raw_table(entity)} as history "
        f"semi join (from {checked} where reasons is null) as fresh "
        f"on {_same_key(entity, 'history', 'fresh')}) "
        f"select rows.file_index, rows.ordinal from {checked} as rows "
        f"join known on {_same_key(entity, 'rows', 'known')} "
        f"where rows.reasons is null and not exists (from {duplicates_table(entity)} as d "
        "where d.file_index = rows.file_index and d.ordinal = rows.ordinal)"
    )


def _same_key(entity: Entity, left: str, right: str) -> str:
    """SQL that compares keys; a null key column equals another null."""
    required = {column.name for column in entity.columns if column.required}
    return " and ".join(
        f"{left}.{identifier(name)} {'=' if name in required else 'is not distinct from'} "
        f"{right}.{identifier(name)}"
        for name in entity.key
    )
