"""Small files of a table become one, and nobody reads anything else than before."""

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.lake import Lake, current_snapshot
from orchestration.maintenance_catalog import CATALOG
from orchestration.maintenance_lake import keep_lake
from orchestration.settings import Settings
from orchestration.small_files import FILES, SMALL_ROWS, fold_small_files
from tests.orchestration.lake_history import add_batch, fingerprints, next_month

STEPS = st.lists(
    st.tuples(st.sampled_from(["insert", "delete", "update", "fold"]), st.integers(0, 9)),
    max_size=14,
)


def data_files(lake: Lake, table: str) -> list[int]:
    """Rows of each data file that the table has now, deleted ones included."""
    with lake.reader(latest=True) as connection:
        rows = connection.execute(
            f"select record_count from {CATALOG}.ducklake_data_file as files "
            f"inner join {CATALOG}.ducklake_table as tables using (table_id) "
            "where table_name = ? and files.end_snapshot is null "
            "and tables.end_snapshot is null order by 1",
            [table],
        ).fetchall()
    return [count for (count,) in rows]


def insert(connection: duckdb.DuckDBPyConnection, start: int, rows: int) -> None:
    connection.execute(
        "insert into ops.many select range, if(range % 7 = 0, null, 'n') from range(?, ?)",
        [start, start + rows],
    )


@pytest.fixture
def many(lake: Lake) -> Lake:
    with lake.writer("test") as connection:
        connection.execute("create table ops.many (number bigint, name varchar)")
    return lake


def test_several_small_files_become_one_and_earlier_snapshots_stay(lake: Lake) -> None:
    published = [add_batch(lake, number) for number in range(1, FILES + 2)]
    before = {number: fingerprints(lake, number) for number in published}
    assert len(data_files(lake, "score_history")) == FILES + 1
    assert fold_small_files(lake) > 0
    for table in ("score_history", "customer_scores", "batches"):
        assert len(data_files(lake, table)) == 1, table
    assert {number: fingerprints(lake, number) for number in published} == before
    again = add_batch(lake, FILES + 2)
    assert fingerprints(lake, again) != before[published[-1]]


def test_a_file_whose_rows_are_all_deleted_leaves_the_table(many: Lake) -> None:
    with many.writer("test") as connection:
        insert(connection, 0, 10)
        connection.execute("delete from ops.many")
    assert data_files(many, "many") == []


def test_large_files_and_few_small_ones_stay_as_they_are(many: Lake) -> None:
    with many.writer("test") as connection:
        insert(connection, 0, SMALL_ROWS)
        for number in range(FILES - 1):
            insert(connection, SMALL_ROWS + number, 1)
    before = data_files(many, "many")
    assert fold_small_files(many) == 0
    assert data_files(many, "many") == before == [1] * (FILES - 1) + [SMALL_ROWS]
    with many.writer("test") as connection:
        insert(connection, 2 * SMALL_ROWS, 1)
    assert fold_small_files(many) == FILES - 1
    assert data_files(many, "many") == [FILES, SMALL_ROWS]


@pytest.mark.parametrize(("share", "folds"), [(0.4, False), (0.6, True)])
def test_a_large_file_that_lost_most_of_its_rows_is_written_anew(
    many: Lake, share: float, folds: bool
) -> None:
    rows = 10 * SMALL_ROWS
    with many.writer("test") as connection:
        insert(connection, 0, rows)
        connection.execute(f"delete from ops.many where number < {share * rows:.0f}")
    fold_small_files(many)
    left = round((1 - share) * rows)
    assert data_files(many, "many") == [left if folds else rows]
    with many.reader(latest=True) as connection:
        found = connection.execute("select count(*), min(number) from ops.many").fetchall()
    assert found == [(left, rows - left)]


def test_a_few_deleted_rows_are_not_worth_a_commit(many: Lake) -> None:
    with many.writer("test") as connection:
        insert(connection, 0, SMALL_ROWS)
        connection.execute(f"delete from ops.many where number < {0.9 * SMALL_ROWS:.0f}")
    fold_small_files(many)
    assert data_files(many, "many") == [SMALL_ROWS]


def test_tables_with_most_files_go_first_and_no_more_than_asked(many: Lake) -> None:
    with many.writer("test") as connection:
        connection.execute("create table ops.more (number bigint)")
        for number in range(FILES):
            insert(connection, number, 1)
        for number in range(FILES + 1):
            connection.execute("insert into ops.more values (?)", [number])
    assert fold_small_files(many, 1) == FILES
    assert len(data_files(many, "more")) == 1
    assert len(data_files(many, "many")) == FILES


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_rows_are_the_same_whenever_files_become_one(
    lake: Lake, steps: list[tuple[str, int]]
) -> None:
    """A table of the lake holds what a plain one holds that went through the same, then and now."""
    plain = duckdb.connect()
    shown: dict[int, list[tuple[object, ...]]] = {}
    with lake.writer("test") as connection:
        for target in (connection, plain):
            target.execute(
                "create or replace table "
                f"{'ops.' if target is connection else ''}many (number bigint, name varchar)"
            )
    for place, (step, number) in enumerate(steps):
        if step == "fold":
            fold_small_files(lake)
        else:
            with lake.writer("test") as connection:
                for target, table in ((connection, "ops.many"), (plain, "many")):
                    target.execute(change(step, table), {"number": number, "place": place})
        with lake.reader(latest=True) as connection:
            at = current_snapshot(connection)
            shown[at] = connection.execute("from ops.many order by all").fetchall()
            assert shown[at] == plain.execute("from many order by all").fetchall()
            for snapshot, rows in shown.items():
                then = f"from ops.many at (version => {snapshot}) order by all"
                assert connection.execute(then).fetchall() == rows


def change(step: str, table: str) -> str:
    """A statement with ``$number`` and ``$place``, the same for both tables."""
    if step == "insert":
        return f"insert into {table} select range + $place, 'n' from range($number)"
    if step == "delete":
        return f"delete from {table} where number % 10 = $number % 10 and $place >= 0"
    return f"update {table} set name = 'at ' || $place where number % 10 = $number"


def test_upkeep_and_folds_go_together(lake: Lake, hasty: Settings) -> None:
    for number in range(1, FILES + 1):
        add_batch(lake, number)
    fold_small_files(lake)
    last = add_batch(lake, FILES + 1)
    before = fingerprints(lake, last)
    keep_lake(lake, hasty, set(), next_month())
    assert fold_small_files(lake) == 0
    assert fingerprints(lake, last) == before
