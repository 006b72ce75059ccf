"""What the rules for customers look at: events and days of the visitors that a batch touched."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from orchestration.clock import Clock
from orchestration.visitor_events import events_of

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
_SEEN = """
    events.occurred_at >= ?
    and events.occurred_at >= fresh.first_at - to_seconds(?)
"""
_VISITORS = f"""
    select
        events.visitor_key,
        max(events.customer_key) as customer_key,
        count(*) as events,
        min(events.occurred_at) as first_at,
        count(*) filter (where events.event_type = 'login_failed') as failed_logins,
        failed_logins >= ?
        or count(*) filter (where events.event_type = 'payment_failed') >= ?
        or count(*) filter (where events.event_type = 'product_view') >= ?
        or coalesce(
            min(events.country) filter (where events.customer_key is not null)
            <> max(events.country) filter (where events.customer_key is not null),
            false
        ) as is_suspect
    from ({events_of("fresh_visitors")}) as events
    inner join fresh_visitors as fresh on events.visitor_key = fresh.visitor_key
    where {_SEEN}
    group by 1
"""
_EVENTS = f"""
    select
        events.event_id,
        events.visitor_key,
        events.customer_key,
        events.anonymous_key,
        events.occurred_at,
        events.event_type,
        events.event_value,
        events.country
    from ({events_of("suspects")}) as events
    inner join suspects as fresh on events.visitor_key = fresh.visitor_key
    where {_SEEN}
"""
# devices on which the source itself named the customer: what identity adds later tells nothing
_DEVICES = f"""
    with targets as (select unnest(?) as visitor_key)
    select
        customer_key,
        anonymous_key,
        min(occurred_at) as first_seen_at
    from ({events_of("targets")})
    where ref_key is not null and anonymous_key is not null
    group by 1, 2
"""


@dataclass(frozen=True)
class Least:
    """Visitors with fewer of each, in all that is looked at, and in one country, can be no finding.

    Their events are counted and not read.
    """

    failed_logins: int
    failed_payments: int
    product_views: int


@dataclass(frozen=True)
class Touched:
    """What a batch touched.

    Attributes
    ----------
    events : int
        Those looked at, from `LOOK_BACK` before each visitor's first new event on.
    first_at : datetime or None
        The oldest of them.
    customers : list of str
        Whose they are, as far as they are customers'.
    suspicious : DataFrame
        `ml.anomalies.EVENT_COLUMNS` of the visitors who are not ruled out by `Least`.
    devices : DataFrame
        ``customer_key``, ``anonymous_key``, ``first_seen_at`` of customers with failed logins.
    """

    events: int
    first_at: datetime | None
    customers: list[str]
    suspicious: "pd.DataFrame"
    devices: "pd.DataFrame"


def read_touched(
    connection: duckdb.DuckDBPyConnection, clock: Clock, oldest: datetime, least: Least
) -> Touched:
    """Events of the visitors of whom the run's batches brought any since an instant."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pd.DataFrame()
    batches = [clock.first_batch_id, clock.last_batch_id, oldest]
    fresh = connection.execute(_FRESH, batches).fetch_arrow_table()
    if fresh.num_rows == 0:
        return Touched(0, None, [], nothing, nothing)
    connection.register("fresh_visitors", fresh)
    window = [pc.min(fresh["first_at"]).as_py() - LOOK_BACK, LOOK_BACK.total_seconds()]
    limits = [least.failed_logins, least.failed_payments, least.product_views]
    visitors = connection.execute(_VISITORS, [*limits, *window]).fetch_arrow_table()
    keys = visitors.filter(visitors["is_suspect"])["visitor_key"]
    suspicious, devices = nothing, nothing
    if len(keys):
        chosen = fresh.filter(pc.is_in(fresh["visitor_key"], pa.array(keys.to_pylist())))
        connection.register("suspects", chosen)
        suspicious = connection.execute(_EVENTS, window).df()
        connection.unregister("suspects")
    connection.unregister("fresh_visitors")
    tried = pc.greater_equal(visitors["failed_logins"], least.failed_logins)
    targets = visitors.filter(tried)["customer_key"].drop_null().to_pylist()
    if targets:
        devices = connection.execute(_DEVICES, [targets]).df()
    return Touched(
        pc.sum(visitors["events"]).as_py(),
        pc.min(visitors["first_at"]).as_py(),
        visitors["customer_key"].drop_null().to_pylist(),
        suspicious,
        devices,
    )


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
