"""Rows of small queries as dictionaries, and whether a table is there."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

Row = dict[str, Any]


def read_rows(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
) -> list[Row]:
    """Every row of a query, column to value."""
    result = connection.execute(query, parameters)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def first_row(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
) -> Row | None:
    """The first row of a query, or None where it gives none."""
    return next(iter(read_rows(connection, query, parameters)), None)


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the attached lake has a table or view of this name."""
    found = read_rows(
        connection,
        "select 1 from information_schema.tables "
        "where table_catalog = 'lake' and table_schema = ? and table_name = ?",
        [schema, table],
    )
    return bool(found)


def execute_with_rows(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    rows: Sequence[Row],
    parameters: Sequence[Any] = (),
) -> None:
    """Execute one statement that reads the rows as ``given_rows``; without any, nothing.

    One statement for all: each costs a lake some ten milliseconds, whatever it changes.
    """
    if not rows:
        return
    import pyarrow as pa

    connection.register("given_rows", pa.Table.from_pylist(list(rows)))
    try:
        connection.execute(statement, parameters)
    finally:
        connection.unregister("given_rows")
