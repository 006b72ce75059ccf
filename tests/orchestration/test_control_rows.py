"""The clock points at unpublished batches, and never goes back."""

from datetime import datetime, timedelta

import duckdb

from orchestration.clock import Horizons, as_of_dates, read_clock, set_as_of_dates, set_clock
from orchestration.settings import Settings

JUNE = datetime(2026, 6, 1, 12)

MOMENT = timedelta(microseconds=1)
"""What happens at an instant is not known at it."""


def add_batch(connection: duckdb.DuckDBPyConnection, number: int, snapshot: int | None) -> None:
    connection.execute(
        "insert into ops.batches values (?, '2026-01-01T00', 'r', 1, 1, 0, 0, ?, ?, null)",
        [number, JUNE, snapshot],
    )


def add_order(connection: duckdb.DuckDBPyConnection, at: datetime, batch: int) -> None:
    connection.execute(
        "insert into raw.orders by name select 'o' as order_ref, ? as ordered_at, ? as batch_id",
        [at, batch],
    )


def test_window_is_every_batch_that_is_not_published(
    writer: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    for number, snapshot in ((1, 10), (2, None), (3, None)):
        add_batch(writer, number, snapshot)
    clock = set_clock(writer, values)
    assert (clock.first_batch_id, clock.last_batch_id) == (2, 3)
    assert read_clock(writer) == clock


def test_window_is_empty_when_all_is_published(
    writer: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    add_batch(writer, 1, 10)
    assert not set_clock(writer, values).has_new_batches


def test_rebuild_covers_every_batch(writer: duckdb.DuckDBPyConnection, values: Settings) -> None:
    add_batch(writer, 1, 10)
    assert set_clock(writer, values, whole_history=True).first_batch_id == 0


def test_history_works_as_of_the_end_of_its_rows_and_does_not_go_back(
    writer: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    add_batch(writer, 1, None)
    add_order(writer, JUNE, 1)
    assert set_clock(writer, values).as_of == JUNE + MOMENT
    writer.execute("update ops.batches set snapshot_id = 10")
    add_batch(writer, 2, None)
    add_order(writer, JUNE - timedelta(days=30), 2)
    assert set_clock(writer, values).as_of == JUNE + MOMENT


def test_live_works_as_of_the_wall_clock(
    writer: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    add_order(writer, JUNE, 1)
    live = values.model_copy(update={"clock": "live"})
    assert set_clock(writer, live).as_of > JUNE
    future = datetime(2999, 1, 1)
    add_order(writer, future, 1)
    assert set_clock(writer, live).as_of == future + MOMENT


def test_a_pinned_instant_wins(writer: duckdb.DuckDBPyConnection, values: Settings) -> None:
    add_order(writer, JUNE, 1)
    pinned = values.model_copy(update={"as_of": datetime(2026, 3, 1)})
    assert set_clock(writer, pinned).as_of == datetime(2026, 3, 1)


def test_training_dates_have_their_horizon_behind_them_and_history_before() -> None:
    oldest = datetime(2026, 1, 1)
    dates = as_of_dates(JUNE, oldest, horizon_days=30, step_days=14, count=100)
    assert dates[0] == datetime(2026, 5, 2)
    assert all(date + timedelta(days=30) <= JUNE for date in dates)
    assert all(date >= oldest + timedelta(days=30) for date in dates)
    assert len(as_of_dates(JUNE, oldest, 30, 14, 3)) == 3


def test_every_task_gets_its_dates(writer: duckdb.DuckDBPyConnection) -> None:
    rows = set_as_of_dates(
        writer, Horizons(30, 7), JUNE, JUNE - timedelta(days=200), step_days=14, count=5
    )
    assert rows == 15
    found = writer.execute(
        "select task, count(*), min(horizon_days), max(population_days) "
        "from ops.as_of_dates group by 1 order by 1"
    ).fetchall()
    assert found == [("churn", 5, 30, 60), ("purchase", 5, 7, 60), ("value", 5, 30, 60)]
