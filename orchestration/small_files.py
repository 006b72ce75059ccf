"""The small files that batches write become one for each table, so that later batches open few.

A query opens every file of its tables, and a batch asks about 200 of them. DuckLake's own merge
leaves alone what has deleted rows, and rewrites large files with the small ones; here rows are
deleted and inserted again in one commit, and files without rows leave the table.
"""

from pathlib import Path

import duckdb

from orchestration.ingestion.sql import literal, transaction
from orchestration.lake import Lake
from orchestration.maintenance_catalog import CATALOG

SMALL_ROWS = 20_000
FILES = 4
"""Small files of a table from which on they are worth a commit."""


def fold_small_files(lake: Lake, tables: int | None = None) -> int:
    """Write the small files of tables that have several into one each, in one commit.

    The caller is the one who carries batches. Readers of earlier snapshots see what they saw.

    Parameters
    ----------
    tables
        How many tables at most, those with most files first; None for all.

    Returns
    -------
    int
        Files that became fewer.
    """
    with lake.writer("write small files into one") as connection, transaction(connection):
        return sum(
            _fold(connection, schema, table, files)
            for schema, table, files in _due(connection, tables)
        )


def _due(
    connection: duckdb.DuckDBPyConnection, tables: int | None
) -> list[tuple[str, str, list[str]]]:
    """Schema, table and the names of its small files, of those that have `FILES` or more."""
    return connection.execute(
        f"""
        select schemas.schema_name, tables.table_name, list(parse_filename(files.path))
        from {CATALOG}.ducklake_data_file as files
        inner join {CATALOG}.ducklake_table as tables using (table_id)
        inner join {CATALOG}.ducklake_schema as schemas using (schema_id)
        where
            files.end_snapshot is null
            and tables.end_snapshot is null
            and schemas.end_snapshot is null
            and files.record_count < ?
        group by all
        having count(*) >= ?
        order by count(*) desc, schemas.schema_name, tables.table_name
        limit ?
        """,
        [SMALL_ROWS, FILES, tables if tables is not None else 10_000],
    ).fetchall()


def _fold(connection: duckdb.DuckDBPyConnection, schema: str, table: str, files: list[str]) -> int:
    listed = connection.execute(
        f"select data_file from ducklake_list_files('lake', {literal(table)}, "
        f"schema => {literal(schema)})"
    ).fetchall()
    small = [path for (path,) in listed if Path(path).name in files]
    target = f'lake."{schema}"."{table}"'
    inside = f"filename in ({', '.join(map(literal, small))})"
    connection.execute(
        f"create or replace temporary table small_rows as select * from {target} where {inside}"
    )
    connection.execute(f"delete from {target} where {inside}")
    connection.execute(f"insert into {target} select * from small_rows")
    connection.execute("drop table small_rows")
    return len(small) - 1
