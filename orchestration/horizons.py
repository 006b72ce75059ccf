"""How far each task looks ahead: from the customers' own rhythm, or as the settings say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from ml.horizons import churn_horizon, purchase_horizon
from ml.task import Rhythm, Task
from orchestration.settings import Settings

_ORDER_DAYS = """
select
    days_since_previous_order as gap_days,
    last_order_at as active_at
from intermediate.int_customer_days
where orders > 0
"""
_ACTIVE_DAYS = """
select
    activity_date - lag(activity_date) over (
        partition by customer_key order by activity_date
    ) as gap_days,
    last_at as active_at
from intermediate.int_customer_days
where events > 0 or orders > 0
"""


@dataclass(frozen=True)
class Lack:
    """Why the history gives no horizon.

    ``is_expected`` tells what a source does not have from what it has too little of yet.
    """

    reason: str
    is_expected: bool


@dataclass(frozen=True)
class Horizons:
    """What the history says of how far to look ahead.

    Attributes
    ----------
    days : mapping of name to int
        "churn", "purchase" and "inactivity", as far as the history gives them.
    oldest : mapping of {"churn", "inactivity"} to datetime
        The first order, and the first activity.
    lacking : mapping of {"churn", "inactivity"} to Lack
    """

    days: Mapping[str, int]
    oldest: Mapping[Rhythm, datetime]
    lacking: Mapping[Rhythm, Lack] = field(default_factory=dict)

    def days_of(self, task: Task) -> int:
        """How far the labels of a task look ahead."""
        return task.horizon if isinstance(task.horizon, int) else self.days[task.horizon]

    def population_days(self, task: Task) -> int:
        """How long ago a customer of the population was active last."""
        return 2 * self.days[task.population_horizon]


def read_horizons(connection: duckdb.DuckDBPyConnection, values: Settings) -> Horizons:
    """Look at the gaps between the days on which customers buy, and do anything."""
    days: dict[str, int] = {}
    oldest: dict[Rhythm, datetime] = {}
    lacking: dict[Rhythm, Lack] = {}
    queries: tuple[tuple[Rhythm, str, int | None], ...] = (
        ("churn", _ORDER_DAYS, values.churn_horizon_days),
        ("inactivity", _ACTIVE_DAYS, values.inactivity_horizon_days),
    )
    for name, query, given in queries:
        lack = _lack_of_rows(connection, name)
        if lack is not None:
            lacking[name] = lack
            continue
        gaps = connection.execute(
            f"select gap_days from ({query}) where gap_days is not null"
        ).fetchnumpy()["gap_days"]
        first, last = connection.execute(
            f"select min(active_at), max(active_at) from ({query})"
        ).fetchall()[0]
        try:
            days[name] = given or churn_horizon(gaps, (last - first).total_seconds() / 86_400)
        except ValueError as problem:
            lacking[name] = Lack(str(problem), is_expected=False)
            continue
        oldest[name] = first
        if name == "churn":
            days["purchase"] = values.purchase_horizon_days or purchase_horizon(gaps, days[name])
    return Horizons(days, oldest, lacking)


def _lack_of_rows(connection: duckdb.DuckDBPyConnection, name: Rhythm) -> Lack | None:
    has_orders, has_events = connection.execute(
        "select coalesce(bool_or(orders > 0), false), coalesce(bool_or(events > 0), false) "
        "from intermediate.int_customer_days"
    ).fetchall()[0]
    if name == "churn" and not has_orders:
        return Lack("no completed order with a customer has landed", is_expected=True)
    if name == "inactivity" and not has_events:
        words = (
            "no event has landed, so churn asks the same"
            if has_orders
            else ("no event and no order with a customer has landed")
        )
        return Lack(words, is_expected=True)
    return None
