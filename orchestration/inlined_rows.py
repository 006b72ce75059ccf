"""Rows that earlier versions left in the catalog become files; see decision 22."""

from pathlib import Path

import duckdb

from orchestration.lake import Lake, attach_lake, open_engine
from orchestration.maintenance_catalog import CATALOG, one_row


def write_inlined_rows(lake: Lake) -> int:
    """Write what is inlined to files, and drop the tables of the catalog that held it.

    What only snapshots of dropped tables show stays where it is. Whoever has the lake attached
    meanwhile may miss rows in these moments, so it belongs to the set-up after an upgrade.

    Returns
    -------
    int
        Tables of the catalog that went.
    """
    extensions = Path(lake.root) / "extensions"
    with (
        lake.lease("write inlined rows to files"),
        open_engine(":memory:", extensions) as connection,
    ):
        attach_lake(connection, lake.catalog, lake.data_path)
        if not _rows(connection):
            return 0
        connection.execute("call ducklake_flush_inlined_data('lake')").fetchall()
        connection.execute("use memory")
        empty = [part for part, rows in _rows(connection).items() if not rows]
        for part in empty:
            connection.execute(
                f"delete from {CATALOG}.ducklake_inlined_data_tables where table_name = ?", [part]
            )
            connection.execute(f'drop table {CATALOG}."{part}"')
        return len(empty)


def _rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How much is in each table of the catalog that holds rows, or deletions, of the lake's."""
    parts = connection.execute(
        f"select table_name from {CATALOG}.ducklake_inlined_data_tables "
        f"union select 'ducklake_inlined_delete_' || table_id from {CATALOG}.ducklake_table"
    ).fetchall()
    found: dict[str, int] = {}
    for (part,) in parts:
        try:
            (found[part],) = one_row(connection, f'select count(*) from {CATALOG}."{part}"')
        except duckdb.CatalogException:
            continue  # DuckLake made the table of a table's deletions with the first of them
    return found
