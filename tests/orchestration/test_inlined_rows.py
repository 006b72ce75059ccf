"""A lake of an earlier version, whose catalog holds rows."""

from pathlib import Path

import duckdb
import pytest

from orchestration.inlined_rows import write_inlined_rows
from orchestration.lake import Lake, load_extensions
from orchestration.settings import Settings

ROWS = "select number, name from many order by number"


@pytest.fixture
def old_lake(values: Settings) -> Lake:
    """Two tables with inlined rows and deletions; one of them was dropped since."""
    lake = Lake.from_settings(values)
    Path(lake.data_path).mkdir(parents=True)
    with duckdb.connect() as connection:
        load_extensions(connection, Path(lake.root) / "extensions")
        connection.execute(
            f"attach 'ducklake:{lake.catalog}' as lake "
            f"(data_path '{lake.data_path}', data_inlining_row_limit 100); use lake"
        )
        for table in ("many", "gone"):
            connection.execute(f"create table {table} as select range as number from range(1000)")
            connection.execute(f"alter table {table} add column name varchar")
            connection.execute(f"insert into {table} select range, 'n' from range(1000, 1010)")
            connection.execute(f"delete from {table} where number % 100 = 3")
        connection.execute("drop table gone")
    return lake


def inlined(lake: Lake) -> int:
    with duckdb.connect() as connection:
        load_extensions(connection, Path(lake.root) / "extensions")
        path = lake.catalog.removeprefix("sqlite:")
        row = connection.execute(
            "select count(*) from sqlite_scan(?, 'sqlite_master') where type = 'table' "
            "and name like 'ducklake_inlined_d%' and name <> 'ducklake_inlined_data_tables'",
            [path],
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_rows_become_files_and_stay_the_same(old_lake: Lake) -> None:
    with duckdb.connect() as connection:
        load_extensions(connection, Path(old_lake.root) / "extensions")
        connection.execute(f"attach 'ducklake:{old_lake.catalog}' as lake (read_only); use lake")
        before = connection.execute(ROWS).fetchall()
    assert len(before) == 999
    assert inlined(old_lake) == 6
    assert write_inlined_rows(old_lake) == 2
    assert inlined(old_lake) == 2  # what only earlier snapshots of the dropped table show
    assert write_inlined_rows(old_lake) == 0
    with old_lake.reader(latest=True) as connection:
        assert connection.execute(ROWS).fetchall() == before
    with old_lake.writer("test") as connection:
        connection.execute("insert into many values (-1, 'new')")
        connection.execute("delete from many where number = 7")
        assert connection.execute("select count(*) from many").fetchone() == (999,)
    assert inlined(old_lake) == 2
