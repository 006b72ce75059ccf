"""What the rules for customers look at: events and days of the visitors that a batch touched."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from orchestration.clock import Clock

if TYPE_CHECKING:
    import pandas as pd

LOOK_BACK = timedelta(hours=25)
"""More than the longest window of a rule, so that it is whole for every new row."""
HABIT_DAYS = 180
_FRESH = """
    select visitor_key, min(occurred_at) as first_at
    from intermediate.int_events
    where batch_id between ? and ? and occurred_at >= ?
    group by 1
"""
_EVENTS = """
    select
        events.event_id,
        events.visitor_key,
        events.customer_key,
        events.anonymous_key,
        events.occurred_at,
        events.event_type,
        events.event_value,
        events.country
    from intermediate.int_events as events
    inner join fresh_visitors as fresh on events.visitor_key = fresh.visitor_key
    where
        events.occurred_at >= ?
        and events.occurred_at >= fresh.first_at - to_seconds(?)
"""
# devices on which the source itself named the customer: what identity adds later tells nothing
_DEVICES = """
    select
        customer_key,
        anonymous_key,
        min(occurred_at) as first_seen_at
    from intermediate.int_events
    where
        customer_key in (select unnest(?))
        and ref_key is not null
        and anonymous_key is not null
    group by 1, 2
"""


@dataclass(frozen=True)
class Touched:
    """What a batch touched.

    Attributes
    ----------
    events : DataFrame
        `ml.anomalies.EVENT_COLUMNS`, from `LOOK_BACK` before each visitor's first new event on.
    devices : DataFrame
        ``customer_key``, ``anonymous_key``, ``first_seen_at`` of customers with failed logins.
    """

    events: "pd.DataFrame"
    devices: "pd.DataFrame"


def read_touched(
    connection: duckdb.DuckDBPyConnection, clock: Clock, oldest: datetime, failed_logins: int
) -> Touched:
    """Events of the visitors of whom the run's batches brought any since an instant.

    Parameters
    ----------
    failed_logins : int
        Customers with fewer in these events cannot have been taken over: their devices are not
        looked up.
    """
    import pandas as pd

    fresh = connection.execute(
        _FRESH, [clock.first_batch_id, clock.last_batch_id, oldest]
    ).fetch_arrow_table()
    if fresh.num_rows == 0:
        empty = pd.DataFrame(columns=["event_id"])
        return Touched(empty, empty)
    connection.register("fresh_visitors", fresh)
    first = min(fresh["first_at"].to_pylist())
    seconds = LOOK_BACK.total_seconds()
    events = connection.execute(_EVENTS, [first - LOOK_BACK, seconds]).df()
    failed = events.loc[events["event_type"] == "login_failed", "customer_key"].value_counts()
    suspects = failed.index[failed >= failed_logins].tolist()
    devices = connection.execute(_DEVICES, [suspects]).df()
    connection.unregister("fresh_visitors")
    return Touched(events, devices)


def read_days(
    connection: duckdb.DuckDBPyConnection, as_of: datetime, customers: list[str] | None
) -> "pd.DataFrame":
    """Active days of some customers, or of a sample of all, in the `HABIT_DAYS` before an instant.

    Returns
    -------
    DataFrame
        ``customer_key``, ``activity_date``, ``first_at``, ``last_at`` and the rates of
        `ml.anomalies_habit`.
    """
    from ml.anomalies_habit import RATES

    chosen = (
        "customer_key in (select unnest(?))"
        if customers is not None
        else "hash(customer_key) % greatest(1, (select count(*) from marts.customers) // ?) = 0"
    )
    return connection.execute(
        f"select customer_key, activity_date, first_at, last_at, {', '.join(RATES)} "
        f"from intermediate.int_customer_days where activity_date >= ? and {chosen}",
        [as_of.date() - timedelta(days=HABIT_DAYS), customers if customers is not None else 2_000],
    ).df()
