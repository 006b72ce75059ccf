"""Files with few rows left become one for each table, so that later batches open and read few.

A query opens every file of its tables, and a batch asks about 200 of them; rows that were deleted
since are read and left out, and each delete writes anew which they are. DuckLake's own merge leaves
alone what has deleted rows, and rewrites large files with the small ones; here rows are deleted and
inserted again in one commit, and files without rows leave the table.
"""

from pathlib import Path

import duckdb

from orchestration.ingestion.sql import literal, transaction
from orchestration.lake import Lake
from orchestration.maintenance_catalog import CATALOG

SMALL_ROWS = 20_000
"""A file of fewer is small; so is one that has lost more rows than it has left."""
FILES = 4
"""Small files of a table from which on they are worth a commit; so many deleted rows as make a
file small count as one."""


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
        with deleted as (
            select data_file_id, sum(delete_count) as rows
            from {CATALOG}.ducklake_delete_file
            where end_snapshot is null
            group by 1
        ),

        files as (
            select
                files.table_id,
                parse_filename(files.path) as name,
                files.record_count as rows,
                coalesce(deleted.rows, 0) as deleted
            from {CATALOG}.ducklake_data_file as files
            left join deleted using (data_file_id)
            where files.end_snapshot is null
        )

        select schemas.schema_name, tables.table_name, list(files.name)
        from files
        inner join {CATALOG}.ducklake_table as tables using (table_id)
        inner join {CATALOG}.ducklake_schema as schemas using (schema_id)
        where
            tables.end_snapshot is null
            and schemas.end_snapshot is null
            and (files.rows < $small or 2 * files.deleted > files.rows)
        group by all
        having count(*) + sum(files.deleted) // $small >= $files
        order by
            count(*) + sum(files.deleted) // $small desc, schemas.schema_name, tables.table_name
        limit $tables
        """,
        {
            "small": SMALL_ROWS,
            "files": FILES,
            "tables": tables if tables is not None else 10_000,
        },
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
