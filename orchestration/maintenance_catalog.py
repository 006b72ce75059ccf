"""What the catalog of the lake says of its files, whatever database it is in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.lake import Lake

CATALOG = "__ducklake_metadata_lake"


@dataclass(frozen=True)
class LakeSize:
    """What a lake consists of.

    Attributes
    ----------
    files, megabytes
        Data and delete files that the catalog names, old snapshots' included.
    waiting_files
        Files that no snapshot needs, kept for readers for a while.
    catalog_megabytes
        The SQLite catalog with its log; 0 for a server.
    """

    files: int
    megabytes: float
    waiting_files: int
    snapshots: int
    catalog_megabytes: float


@dataclass(frozen=True)
class UntidyTable:
    """A table that some step may have work on."""

    table_id: int
    schema: str
    name: str


def measure_lake(lake: Lake) -> LakeSize:
    """Size of the lake as it is now."""
    with lake.reader(latest=True) as connection:
        files, size = one_row(
            connection,
            f"select count(*), coalesce(sum(file_size_bytes), 0) from ("
            f"select file_size_bytes from {CATALOG}.ducklake_data_file "
            f"union all select file_size_bytes from {CATALOG}.ducklake_delete_file)",
        )
        (waiting,) = one_row(
            connection, f"select count(*) from {CATALOG}.ducklake_files_scheduled_for_deletion"
        )
        (snapshots,) = one_row(connection, f"select count(*) from {CATALOG}.ducklake_snapshot")
    return LakeSize(files, size / 1e6, waiting, snapshots, _catalog_bytes(lake) / 1e6)


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


def untidy_tables(lake: Lake) -> list[UntidyTable]:
    """Tables with several files, or with deleted rows in files."""
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
    return [
        UntidyTable(table_id, schema, name) for table_id, schema, name, files in found if files > 1
    ]


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    """The row of counts that a query gives."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def _catalog_bytes(lake: Lake) -> int:
    if not lake.catalog.startswith("sqlite:"):
        return 0
    file = Path(lake.catalog.removeprefix("sqlite:"))
    return sum(part.stat().st_size for part in _with_log(file) if part.exists())


def _with_log(file: Path) -> Iterator[Path]:
    for suffix in ("", "-wal"):
        yield file.with_name(file.name + suffix)
