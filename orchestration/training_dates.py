"""The control rows that training reads: which task learns from which past instants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from ml.task import Task
from ml.tasks import TASKS
from orchestration.horizons import Horizons


@dataclass(frozen=True)
class Skipped:
    """A task that nothing is trained for now, and why.

    ``is_expected`` where that is as it should be: the source has nothing to learn it from, or
    another model answers it.
    """

    task: str
    reason: str
    is_expected: bool


def as_of_dates(
    newest: datetime,
    oldest: datetime,
    horizon_days: int,
    step_days: int,
    count: int,
    anchors: Iterable[int] = (),
) -> list[datetime]:
    """Past midnights to train or judge on, newest first.

    The newest one has its whole horizon behind it; the oldest leaves at least one horizon of
    history before it. With anchors (days), the dates fall on those that lie one of the anchors
    and any number of steps back, as near as the horizon allows: a date that tasks share costs its
    features once.
    """
    back = min(
        (horizon_days + (anchor - horizon_days) % step_days for anchor in anchors),
        default=horizon_days,
    )
    midnight = datetime(newest.year, newest.month, newest.day)
    dates = [midnight - timedelta(days=back + step * step_days) for step in range(count)]
    return [date for date in dates if date >= oldest + timedelta(days=horizon_days)]


def skipped_tasks(horizons: Horizons) -> list[Skipped]:
    """Tasks that the history gives no horizon for, or that another task answers."""
    found = []
    for task in TASKS.values():
        lack = horizons.lacking.get(task.population_horizon)
        if lack is not None:
            found.append(Skipped(task.name, lack.reason, lack.is_expected))
        elif is_answered_by_another(task, horizons):
            found.append(
                Skipped(
                    task.name,
                    f"{task.same_as} looks {task.horizon} days ahead too: "
                    f"its champion gives {task.score_column}",
                    True,
                )
            )
    return found


def is_answered_by_another(task: Task, horizons: Horizons) -> bool:
    """Whether another task asks the same, given the horizons."""
    return bool(task.same_as) and horizons.days_of(TASKS[task.same_as]) == horizons.days_of(task)


def plan_dates(
    horizons: Horizons, newest: datetime, step_days: int, count: int
) -> list[tuple[str, datetime, int, int, str, str]]:
    """Rows of ``ops.as_of_dates``: the past instants of every task that is not skipped."""
    skipped = {each.task for each in skipped_tasks(horizons)}
    anchors = [horizons.days[name] for name in ("churn", "purchase") if name in horizons.days]
    rows: list[tuple[str, datetime, int, int, str, str]] = []
    for task in TASKS.values():
        if task.name in skipped:
            continue
        oldest, horizon = horizons.oldest[task.population_horizon], horizons.days_of(task)
        what = (horizon, horizons.population_days(task), task.outcome, task.population)
        dates = as_of_dates(newest, oldest, horizon, step_days, count, anchors)
        rows += [(task.name, date, *what) for date in dates]
    return rows


def set_as_of_dates(
    connection: duckdb.DuckDBPyConnection,
    horizons: Horizons,
    newest: datetime,
    step_days: int,
    count: int,
    top_categories: int,
) -> tuple[int, Sequence[Skipped]]:
    """Write the training instants of every task into ``ops.as_of_dates``.

    With them goes of how many categories customers are asked.

    Returns
    -------
    rows : int
    skipped : sequence of Skipped
        Also in ``ops.skipped_tasks``.
    """
    rows, skipped = plan_dates(horizons, newest, step_days, count), skipped_tasks(horizons)
    connection.execute("begin")
    connection.execute("delete from ops.as_of_dates")
    connection.execute("delete from ops.skipped_tasks")
    if rows:
        connection.executemany(
            "insert into ops.as_of_dates (task, as_of, horizon_days, population_days, outcome, "
            "population, top_categories) values (?, ?, ?, ?, ?, ?, ?)",
            [(*row, top_categories) for row in rows],
        )
    for each in skipped:
        connection.execute(
            "insert into ops.skipped_tasks values (?, ?, ?)",
            [each.task, each.reason, each.is_expected],
        )
    connection.execute("commit")
    return len(rows), skipped


def read_skipped_tasks(connection: duckdb.DuckDBPyConnection) -> dict[str, Skipped]:
    """Tasks that the last plan left out, by name."""
    rows = connection.execute("select task, reason, is_expected from ops.skipped_tasks").fetchall()
    return {row[0]: Skipped(*row) for row in rows}
