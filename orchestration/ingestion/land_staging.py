"""Foreign files as temporary tables, with the rows that cannot be read beside the others."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.ingestion.expressions import SOURCE_ROW
from orchestration.ingestion.formats import Unreadable
from orchestration.ingestion.land_sql import PAYLOAD, STAGED, UNREAD
from orchestration.ingestion.mappings import Mapping
from orchestration.ingestion.readers import opened, read_through
from orchestration.ingestion.sql import identifier
from orchestration.ingestion.staging import insert_rows

UNREAD_SCHEMA = pa.schema([(SOURCE_ROW, pa.int64()), (PAYLOAD, pa.string()), (UNREAD, pa.string())])


class LandError(RuntimeError):
    """Files that cannot be landed, with the reason."""


def stage_source(connection: duckdb.DuckDBPyConnection, mapping: Mapping, path: Path) -> list[str]:
    """Read a file into the staged table and give the names of its columns.

    Raises
    ------
    Unreadable
        When it cannot be read at all.
    """
    with opened(connection, path, mapping.options.hints()) as source:
        names = list(source.columns)

        def read() -> None:
            relation = source.relation(names)
            values = "".join(f", {relation.values[name]} as {identifier(name)}" for name in names)
            connection.execute(
                f"create or replace temp table {STAGED} as "
                f"select {relation.row_number} as {SOURCE_ROW}, "
                f"cast({relation.payload} as varchar) as {PAYLOAD}, "
                f"cast(null as varchar) as {UNREAD}{values} from {relation.query}"
            )

        read_through(source, read)
        rows = [
            {
                SOURCE_ROW: rejection.row_number,
                PAYLOAD: rejection.payload,
                UNREAD: f"row: {rejection.reason}",
            }
            for rejection in source.rejections
        ]
    if rows:
        insert_rows(connection, STAGED, pa.Table.from_pylist(rows, UNREAD_SCHEMA))
    return names


def stage_join(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, name: str, paths: Sequence[Path]
) -> tuple[list[str], str]:
    """Read the files of a join; gives their columns and SQL for their rows.

    Raises
    ------
    LandError
        When one of them cannot be read.
    """
    tables: list[str] = []
    columns: dict[str, None] = {}
    for path in paths:
        table = identifier(f"joined_{name}_{len(tables)}")
        try:
            with opened(connection, path, mapping.options.hints()) as source:
                names = list(source.columns)

                def read(table: str = table, names: list[str] = names) -> None:
                    relation = source.relation(names)
                    values = "".join(
                        f", {relation.values[column]} as {identifier(column)}" for column in names
                    )
                    connection.execute(
                        f"create or replace temp table {table} as "
                        f"select {relation.row_number} as _number{values} from {relation.query}"
                    )

                read_through(source, read)
        except Unreadable as error:
            raise LandError(f"{path}: cannot be read: {error}") from error
        tables.append(table)
        columns |= dict.fromkeys(names)
    return list(columns), " union all by name ".join(f"select * from {table}" for table in tables)
