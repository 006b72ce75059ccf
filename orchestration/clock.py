"""The control rows that a dbt run reads: which instant, which batches, which past instants."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from ml.task import Task
from ml.tasks import TASKS
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


@dataclass(frozen=True)
class Horizons:
    """Label horizons in days; the population is who was active in ``population_days`` before."""

    churn_days: int
    purchase_days: int

    @property
    def population_days(self) -> int:
        return 2 * self.churn_days

    def days_of(self, task: Task) -> int:
        """How far the labels of a task look ahead."""
        return {"churn": self.churn_days, "purchase": self.purchase_days}[task.horizon]


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
    newest = _newest_instant(connection, since_batch=0 if known is None else first)
    if known is not None:
        newest = max(newest, known[0])
    if settings.as_of is not None:
        as_of = settings.as_of
        if as_of.tzinfo is not None:
            as_of = as_of.astimezone(UTC).replace(tzinfo=None)
    elif settings.clock == "live":
        as_of = max(newest, datetime.now(UTC).replace(tzinfo=None))
    else:
        as_of = newest
    clock = Clock(as_of, settings.clock, first, last)
    connection.execute("begin")
    connection.execute("delete from ops.clock")
    connection.execute(
        "insert into ops.clock values (?, ?, ?, ?)",
        [clock.as_of, clock.mode, clock.first_batch_id, clock.last_batch_id],
    )
    connection.execute("commit")
    return clock


def read_clock(connection: duckdb.DuckDBPyConnection) -> Clock:
    """The clock as the last run set it."""
    row = connection.execute(
        "select as_of, mode, first_batch_id, last_batch_id from ops.clock"
    ).fetchone()
    if row is None:
        raise RuntimeError("ops.clock is empty: materialize the asset ops/clock first")
    return Clock(*row)


def as_of_dates(
    newest: datetime, oldest: datetime, horizon_days: int, step_days: int, count: int
) -> list[datetime]:
    """Past midnights to train or judge on, newest first.

    The newest one has its whole horizon behind it; the oldest leaves at least one horizon of
    history before it.
    """
    midnight = datetime(newest.year, newest.month, newest.day)
    dates = [midnight - timedelta(days=horizon_days + step * step_days) for step in range(count)]
    return [date for date in dates if date >= oldest + timedelta(days=horizon_days)]


def set_as_of_dates(
    connection: duckdb.DuckDBPyConnection,
    horizons: Horizons,
    newest: datetime,
    oldest: datetime,
    step_days: int,
    count: int,
) -> int:
    """Write the training instants of every task into ``ops.as_of_dates``; returns the rows."""
    rows = [
        (task.name, date, horizons.days_of(task), horizons.population_days)
        for task in TASKS.values()
        for date in as_of_dates(newest, oldest, horizons.days_of(task), step_days, count)
    ]
    connection.execute("begin")
    connection.execute("delete from ops.as_of_dates")
    if rows:
        connection.executemany("insert into ops.as_of_dates values (?, ?, ?, ?)", rows)
    connection.execute("commit")
    return len(rows)


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


def _newest_instant(connection: duckdb.DuckDBPyConnection, since_batch: int) -> datetime:
    newest = EPOCH
    for table, column in TIME_COLUMNS.items():
        row = connection.execute(
            f"select max({column}) from raw.{table} where batch_id >= ?", [since_batch]
        ).fetchone()
        if row is not None and row[0] is not None:
            newest = max(newest, row[0])
    return newest
