"""What the segment report is made of, read from the tables that people query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from orchestration.ingestion.sql import columns
from orchestration.rows import Row, first_row, has_table, read_rows

if TYPE_CHECKING:
    import pandas as pd

DATES = 13
"""Sizes are drawn at so many of the instants of scoring, the last one included."""
REVENUE_DAYS = 28
MOVE_DAYS = 30

_CUSTOMERS = """
select
    segments.segment_id,
    segments.segment_name,
    scores.expected_value,
    scores.churn_probability,
    {features}
from marts.customer_segments as segments
inner join marts.customer_features as features on segments.customer_key = features.customer_key
left join marts.customer_scores as scores on segments.customer_key = scores.customer_key
order by segments.customer_key
"""
_INSTANTS = """
select distinct as_of
from marts.score_history
where segment_id is not null
order by 1
"""
_SIZES = """
with instants as (
    select unnest($instants::timestamp[]) as as_of
),
customers as (
    select distinct customer_key
    from marts.score_history
    where segment_id is not null
),
history as (
    select customer_key, as_of, max_by(segment_id, scored_at) as segment_id
    from marts.score_history
    where segment_id is not null
    group by 1, 2
),
members as (
    select instants.as_of, history.customer_key, history.segment_id
    from instants
    cross join customers
    asof join history
        on customers.customer_key = history.customer_key and instants.as_of >= history.as_of
),
spent as (
    select instants.as_of, orders.customer_key, sum(orders.net_amount) as revenue
    from instants
    inner join marts.orders as orders
        on
            orders.ordered_at < instants.as_of
            and orders.ordered_at >= instants.as_of - to_days($revenue_days)
    where orders.status = 'completed' and orders.customer_key is not null
    group by 1, 2
)
select
    members.as_of,
    members.segment_id,
    count(*) as customers,
    coalesce(sum(spent.revenue), 0) as revenue
from members
left join spent
    on members.as_of = spent.as_of and members.customer_key = spent.customer_key
group by 1, 2
order by 1, 2
"""
_MOVES = """
select
    from_segment_id as from_id,
    any_value(from_segment_name) as from_name,
    to_segment_id as to_id,
    any_value(to_segment_name) as to_name,
    count(*) as customers
from marts.segment_moves
where moved_at > $as_of - to_days($days)
group by 1, 3
order by 1, 3
"""
_FLICKER = """
select period_start, movers, came_back_share
from marts.segment_flicker
where period_unit = 'month' and is_complete
order by period_start desc
limit 1
"""
_RULES = """
select title, count(*) as customers, max(entered_at) as last_entered_at
from marts.rule_segments
group by 1
order by 2 desc, 1
"""
_DISABLED_RULES = """
select coalesce(title, rule) as title, error
from ops.segment_rules
where error is not null
order by rule
"""
_LAST_NAMES = """
select segment_id, max_by(segment_name, scored_at) as segment_name
from marts.score_history
where segment_id is not null
group by 1
"""
_CURRENCIES = "select distinct currency from marts.orders where currency is not null limit 2"


@dataclass(frozen=True)
class ReportData:
    """Segments now and over time.

    Attributes
    ----------
    as_of : datetime
        Of the clock.
    customers : DataFrame
        One row per customer, in the order of the keys: ``segment_id``, ``segment_name``,
        ``expected_value``, ``churn_probability`` and the features asked for.
    names : dict of segment id to str
        Of every segment that there was, as far as the tables know.
    lives : dict of segment id to dict
        ``colour``, ``born_at`` and ``retired_at`` (None while it is in force) of every segment;
        empty where the deployment keeps no list of segments.
    sizes : DataFrame
        ``as_of``, ``segment_id``, ``customers``, ``revenue`` of the `REVENUE_DAYS` before.
    moves : DataFrame or None
        Of the `MOVE_DAYS` before the clock: ``from_id``, ``from_name``, ``to_id``, ``to_name``,
        ``customers``; None where the deployment keeps none.
    flicker : dict or None
        The last complete month: ``period_start``, ``movers``, ``came_back_share``.
    rules : list of dict or None
        ``title``, ``customers``, ``last_entered_at``; None without rule segments.
    disabled_rules : list of dict
        ``title``, ``error``.
    currency : str
        Of the orders; empty where there are several.
    """

    as_of: datetime
    customers: "pd.DataFrame"
    names: dict[int, str]
    lives: dict[int, Row]
    sizes: "pd.DataFrame"
    moves: "pd.DataFrame | None"
    flicker: Row | None
    rules: list[Row] | None
    disabled_rules: list[Row]
    currency: str


def read_report_data(connection: duckdb.DuckDBPyConnection, features: Sequence[str]) -> ReportData:
    """Read what the report shows.

    Parameters
    ----------
    features
        Columns of ``marts.customer_features``.
    """
    clock = first_row(connection, "select as_of from ops.clock")
    assert clock is not None
    as_of: datetime = clock["as_of"]
    query = _CUSTOMERS.format(features=columns(list(features), "features."))
    names = {row["segment_id"]: row["segment_name"] for row in read_rows(connection, _LAST_NAMES)}
    lives: dict[int, Row] = {}
    if has_table(connection, "marts", "segments"):
        known = read_rows(connection, "from marts.segments")
        names |= {row["segment_id"]: row["segment_name"] for row in known}
        lives = {row["segment_id"]: row for row in known}
    has_moves = has_table(connection, "marts", "segment_moves")
    has_flicker = has_table(connection, "marts", "segment_flicker")
    has_rules = has_table(connection, "marts", "rule_segments")
    has_record = has_table(connection, "ops", "segment_rules")
    currencies = [row["currency"] for row in read_rows(connection, _CURRENCIES)]
    return ReportData(
        as_of=as_of,
        customers=connection.execute(query).df(),
        names=names,
        lives=lives,
        sizes=_sizes(connection),
        moves=connection.execute(_MOVES, {"as_of": as_of, "days": MOVE_DAYS}).df()
        if has_moves
        else None,
        flicker=first_row(connection, _FLICKER) if has_flicker else None,
        rules=read_rows(connection, _RULES) if has_rules else None,
        disabled_rules=read_rows(connection, _DISABLED_RULES) if has_record else [],
        currency=currencies[0] if len(currencies) == 1 else "",
    )


def drawn_instants(instants: Sequence[datetime]) -> list[datetime]:
    """At most `DATES` of the instants of scoring, in order: the last of a day, at even steps."""
    days = list({instant.date(): instant for instant in sorted(instants)}.values())
    last, steps = len(days) - 1, min(len(days), DATES) - 1
    return [days[i * last // max(steps, 1)] for i in range(steps + 1)]


def _sizes(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    instants = [row["as_of"] for row in read_rows(connection, _INSTANTS)]
    drawn = {"instants": drawn_instants(instants), "revenue_days": REVENUE_DAYS}
    return connection.execute(_SIZES, drawn).df()
