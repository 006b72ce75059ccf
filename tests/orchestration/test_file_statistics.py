"""Queries of a lake whose catalog has forgotten the statistics of small files."""

import duckdb
import pytest

from orchestration.file_statistics import SMALL_ROWS, forget_small_files
from orchestration.lake import Lake
from orchestration.maintenance_catalog import CATALOG

QUESTIONS = (
    "select count(*), sum(number) from ops.many where number between 40 and 120",
    "select count(*), sum(number) from ops.many where name = 'n 77'",
    "select count(*), sum(number) from ops.many where name is null",
    "select min(number), max(number), min(name), max(name), count(*) from ops.many",
    "select count(*), sum(many.number) from ops.many inner join range(95, 130) as few(number) "
    "on many.number = few.number",
)


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """A table of several small files, with deleted rows, and one that is large."""
    with lake.writer("test") as connection:
        connection.execute("create table ops.many (number bigint, name varchar)")
        for start in (0, 50, 100):
            connection.execute(
                "insert into ops.many select range, if(range % 7 = 0, null, 'n ' || range) "
                "from range(?, ?)",
                [start * 10, (start + 50) * 10],
            )
        connection.execute("delete from ops.many where number % 3 = 0")
        connection.execute(
            f"create table ops.large as select range as number from range({SMALL_ROWS})"
        )
    return lake


def _answers(connection: duckdb.DuckDBPyConnection) -> list[object]:
    return [connection.execute(question).fetchall() for question in QUESTIONS]


def _kept(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    return connection.execute(
        f"select table_name, count(*) from {CATALOG}.ducklake_file_column_stats "
        f"inner join {CATALOG}.ducklake_table using (table_id) group by 1 order by 1"
    ).fetchall()


def test_answers_stay_the_same_before_and_after_files_are_written_anew(filled: Lake) -> None:
    with filled.writer("test") as connection:
        before = _answers(connection)
        assert forget_small_files(connection) >= 6  # three files of two columns
        assert forget_small_files(connection) == 0
        assert _kept(connection) == [("large", 1)]
        assert _answers(connection) == before
        for call in (
            "ducklake_rewrite_data_files('lake', 'many', schema => 'ops', delete_threshold => 0)",
            "ducklake_merge_adjacent_files('lake', 'many', schema => 'ops')",
        ):
            connection.execute(f"call {call}")
            assert _answers(connection) == before, call
        connection.execute("delete from ops.many where number < 100")
        connection.execute("insert into ops.many values (-5, 'late')")
        assert connection.execute(
            "select min(number), count(*) from ops.many where number < 200"
        ).fetchone() == (-5, 1 + sum(number % 3 != 0 for number in range(100, 200)))
    with filled.reader(latest=True) as edge:
        assert edge.execute("select name from ops.many where number < 0").fetchall() == [("late",)]
