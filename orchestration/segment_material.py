"""What segments are found from: customers now and before, and what they did next."""

from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd

from orchestration.lake import Lake, current_snapshot

MONTH_DAYS = 30
LEAST_DAYS = 14


@dataclass(frozen=True)
class Material:
    """What segments are found from.

    Attributes
    ----------
    features : DataFrame
        Customers now.
    earlier : DataFrame or None
        The same about a month before.
    outcomes : DataFrame or None
        Features at a past date, with ``next_spend`` and ``churned`` of the time after it.
    names_ever : tuple of str
        Of all segments that there were.
    next_id : int
        Above the id of every segment that there was.
    snapshot : int
        Of the lake.
    """

    features: pd.DataFrame
    earlier: pd.DataFrame | None
    outcomes: pd.DataFrame | None
    names_ever: tuple[str, ...]
    next_id: int
    snapshot: int

    @property
    def as_of(self) -> datetime:
        """Newest instant of the features."""
        instant: datetime = self.features["as_of"].max().to_pydatetime()
        return instant


def read_material(lake: Lake) -> Material:
    """Read everything that segments are found from, at the live edge."""
    with lake.reader(latest=True) as connection:
        features = connection.execute("from marts.customer_features order by customer_key").df()
        return Material(
            features=features,
            earlier=_earlier(connection),
            outcomes=_outcomes(connection),
            names_ever=tuple(
                name
                for (name,) in connection.execute(
                    "select segment_name from marts.segments order by segment_id"
                ).fetchall()
            ),
            next_id=_one(
                connection,
                "select 1 + coalesce(max(segment_id), 0) from (select segment_id from "
                "marts.segments union all select segment_id from marts.customer_segments)",
            ),
            snapshot=current_snapshot(connection),
        )


def _earlier(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame | None:
    """Features nearest to a month before the newest, at least two weeks before it."""
    frame = connection.execute(
        """
        with newest as (
            select max(as_of) as as_of from marts.customer_features
        ),
        chosen as (
            select arg_min(
                history.as_of,
                abs(date_diff('hour', history.as_of, newest.as_of - to_days($month)))
            ) as as_of
            from (select distinct as_of from marts.customer_feature_history) as history
            cross join newest
            where history.as_of <= newest.as_of - to_days($least)
        )
        select history.*
        from marts.customer_feature_history as history
        inner join chosen on history.as_of = chosen.as_of
        order by history.customer_key
        """,
        {"month": MONTH_DAYS, "least": LEAST_DAYS},
    ).df()
    return None if frame.empty else frame


def _outcomes(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame | None:
    """Features at the newest date whose spend and churn afterwards are known."""
    frame = connection.execute(
        """
        with outcomes as (
            select
                customer_key,
                as_of,
                max(label) filter (where task = 'value') as next_spend,
                max(label) filter (where task = 'churn') as churned
            from marts.customer_labels
            where task in ('value', 'churn')
            group by 1, 2
            having count(distinct task) = 2
        )
        select features.*, outcomes.next_spend, outcomes.churned
        from marts.customer_feature_history as features
        inner join outcomes
            on
                features.customer_key = outcomes.customer_key
                and features.as_of = outcomes.as_of
        where outcomes.as_of = (select max(as_of) from outcomes)
        order by features.customer_key
        """
    ).df()
    return None if frame.empty else frame


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
