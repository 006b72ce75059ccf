"""The clock points at unpublished batches, and never goes back."""

from datetime import datetime, timedelta

import duckdb

from orchestration.clock import read_clock, set_clock
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
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    for number, snapshot in ((1, 10), (2, None), (3, None)):
        add_batch(scratch, number, snapshot)
    clock = set_clock(scratch, values)
    assert (clock.first_batch_id, clock.last_batch_id) == (2, 3)
    assert read_clock(scratch) == clock


def test_window_is_empty_when_all_is_published(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    add_batch(scratch, 1, 10)
    assert not set_clock(scratch, values).has_new_batches


def test_rebuild_covers_every_batch(scratch: duckdb.DuckDBPyConnection, values: Settings) -> None:
    add_batch(scratch, 1, 10)
    assert set_clock(scratch, values, whole_history=True).first_batch_id == 0


def test_history_works_as_of_the_end_of_its_rows_and_does_not_go_back(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    add_batch(scratch, 1, None)
    add_order(scratch, JUNE, 1)
    assert set_clock(scratch, values).as_of == JUNE + MOMENT
    scratch.execute("update ops.batches set snapshot_id = 10")
    add_batch(scratch, 2, None)
    add_order(scratch, JUNE - timedelta(days=30), 2)
    assert set_clock(scratch, values).as_of == JUNE + MOMENT


def test_live_works_as_of_the_wall_clock(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    add_order(scratch, JUNE, 1)
    live = values.model_copy(update={"clock": "live"})
    assert set_clock(scratch, live).as_of > JUNE
    future = datetime(2999, 1, 1)
    add_order(scratch, future, 1)
    assert set_clock(scratch, live).as_of == future + MOMENT


def test_a_pinned_instant_wins(scratch: duckdb.DuckDBPyConnection, values: Settings) -> None:
    add_order(scratch, JUNE, 1)
    pinned = values.model_copy(update={"as_of": datetime(2026, 3, 1)})
    assert set_clock(scratch, pinned).as_of == datetime(2026, 3, 1)
