"""Where names are looked up while files are read."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from orchestration.ingestion.sql import identifier


@contextmanager
def working_in_memory(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Make the in-memory database the default for a while, and then the lake again.

    Outside a transaction every statement that looks a name up in the lake asks its catalog, which
    costs 3 ms each time (measured); staging a small file needs ten of them.
    """
    names = connection.execute(
        "select current_database(), (select database_name from duckdb_databases() "
        "where type = 'duckdb' and path is null and not internal limit 1)"
    ).fetchone()
    assert names is not None
    lake, memory = names
    if memory is None:
        yield
        return
    connection.execute(f"use {identifier(memory)}")
    try:
        yield
    finally:
        connection.execute(f"use {identifier(lake)}")
