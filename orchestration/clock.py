"""The control row that a dbt run reads: which instant, which batches."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from orchestration.ingestion.sql import transaction
from orchestration.settings import Settings

TIME_COLUMNS = {
    "events": "occurred_at",
    "orders": "ordered_at",
    "messages": "sent_at",
    "feedback": "posted_at",
}
EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Clock:
    """The instant a run works as of, and the batches that it carries through."""

    as_of: datetime
    mode: str
    first_batch_id: int
    last_batch_id: int

    @property
    def has_new_batches(self) -> bool:
        return self.first_batch_id <= self.last_batch_id


def set_clock(
    connection: duckdb.DuckDBPyConnection, settings: Settings, *, whole_history: bool = False
) -> Clock:
    """Point ``ops.clock`` at the batches since the last published one.

    A batch stays in the window until a run has carried it through to the scores, so a run that
    died halfway is simply done again.
    """
    first, last = _batch_window(connection)
    if whole_history:
        first = 0
    known = connection.execute("select as_of from ops.clock").fetchone()
    end = _end_of_history(connection, since_batch=0 if known is None else first)
    if known is not None:
        end = max(end, known[0])
    if settings.as_of is not None:
        as_of = settings.as_of
        if as_of.tzinfo is not None:
            as_of = as_of.astimezone(UTC).replace(tzinfo=None)
    elif settings.clock == "live":
        as_of = max(end, datetime.now(UTC).replace(tzinfo=None))
    else:
        as_of = end
    clock = Clock(as_of, settings.clock, first, last)
    with transaction(connection):
        connection.execute("delete from ops.clock")
        connection.execute(
            "insert into ops.clock values (?, ?, ?, ?)",
            [clock.as_of, clock.mode, clock.first_batch_id, clock.last_batch_id],
        )
    return clock


def read_clock(connection: duckdb.DuckDBPyConnection) -> Clock:
    """The clock as the last run set it."""
    row = connection.execute(
        "select as_of, mode, first_batch_id, last_batch_id from ops.clock"
    ).fetchone()
    if row is None:
        raise RuntimeError("ops.clock is empty: materialize the asset ops/clock first")
    return Clock(*row)


def _batch_window(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    row = connection.execute(
        """
        select
            coalesce(max(batch_id) filter (where snapshot_id is not null), 0) + 1,
            coalesce(max(batch_id), 0)
        from ops.batches
        """
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _end_of_history(connection: duckdb.DuckDBPyConnection, since_batch: int) -> datetime:
    """The first instant that has every row before it."""
    newest = EPOCH
    for table, column in TIME_COLUMNS.items():
        row = connection.execute(
            f"select max({column}) from raw.{table} where batch_id >= ?", [since_batch]
        ).fetchone()
        if row is not None and row[0] is not None:
            newest = max(newest, row[0] + timedelta(microseconds=1))
    return newest
