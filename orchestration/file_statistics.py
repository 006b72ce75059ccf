"""Statistics that the catalog keeps of every column of every file, without those of small files.

DuckLake asks them, once for each filtered column of each scan, which files a query may leave out.
DuckDB reads a SQLite catalog's table whole for that (duckdb/ducklake issue 859), so what small
files add makes every query of every table slower, and leaving a small file out saves nothing. A
file without statistics is read; its row groups are left out by the file's own.
"""

import duckdb

from orchestration.maintenance_catalog import CATALOG

SMALL_ROWS = 100_000


def forget_small_files(connection: duckdb.DuckDBPyConnection) -> int:
    """Delete the statistics of small files and of files that are no longer in their table.

    The caller holds the writer lease, and is in no transaction.

    Returns
    -------
    int
        Rows deleted from the catalog.
    """
    row = connection.execute(
        f"delete from {CATALOG}.ducklake_file_column_stats where data_file_id in ("
        f"select data_file_id from {CATALOG}.ducklake_data_file "
        "where record_count < ? or end_snapshot is not null)",
        [SMALL_ROWS],
    ).fetchone()
    return 0 if row is None else int(row[0])
