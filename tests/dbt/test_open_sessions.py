"""Which open sessions are due to be scored again, and that their features are those of all."""

from collections.abc import Callable
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.dbt.dbt_lake import DbtLake
from tests.dbt.test_event_features import END, _history

SCORED_AGO = [timedelta(seconds=1), timedelta(minutes=4), timedelta(minutes=12)]
FEATURES = "from marts.session_features order by session_id"
OPEN = "from marts.open_sessions order by session_id"


@pytest.fixture(scope="module")
def market(new_lake: Callable[[], DbtLake]) -> tuple[DbtLake, datetime]:
    """A lake at a moment with many open sessions, of which the last batch touched some."""
    lake = new_lake()
    lake.load(_history(3))
    lake.set_clock(END, 1, 1)
    assert lake.try_dbt("run", "--select", "+session_features").success
    busiest = """
        select moments.ended_at from intermediate.int_sessions as moments
        inner join intermediate.int_sessions as others
            on others.ended_at between moments.ended_at - interval 30 minute and moments.ended_at
        group by 1 order by count(*) desc, 1 limit 1
    """
    with lake.lake.writer("test: a moment") as connection:
        row = connection.execute(busiest).fetchone()
        assert row is not None
        now: datetime = row[0] + timedelta(seconds=100)
        connection.execute("update ops.clock set as_of = ?", [now])
        connection.execute(
            "delete from intermediate.int_touched_visitors where visitor_key not in "
            "(select min(visitor_key) from marts.open_sessions)"
        )
    return lake, now


def _told(connection: duckdb.DuckDBPyConnection, scored_at: datetime | None) -> None:
    connection.execute("set variable shoal_scored_at = ?", [scored_at])


def test_all_are_due_for_whoever_has_scored_nothing(market: tuple[DbtLake, datetime]) -> None:
    with market[0].lake.reader(latest=True) as connection:
        found = connection.execute(OPEN).df()
    assert len(found) > 2
    assert found["is_due"].all()


@pytest.mark.parametrize("ago", SCORED_AGO)
def test_due_are_the_touched_and_every_five_minutes_the_waiting(
    market: tuple[DbtLake, datetime], ago: timedelta
) -> None:
    lake, now = market
    with lake.lake.reader(latest=True) as connection:
        _told(connection, now - ago)
        found = connection.execute(OPEN).df()
    idle = (now - found["ended_at"]).dt.total_seconds()
    waited = np.floor(idle / 300) > np.floor((idle - ago.total_seconds()) / 300)
    touched = found["visitor_key"] == found["visitor_key"].min()
    assert found["is_due"].tolist() == (waited | touched).tolist()
    assert touched.any()
    assert found["is_due"].all() or ago < timedelta(minutes=5)


@pytest.mark.parametrize("ago", SCORED_AGO)
def test_features_of_the_due_are_those_of_all(
    market: tuple[DbtLake, datetime], ago: timedelta
) -> None:
    lake, now = market
    with lake.lake.reader(latest=True) as connection:
        everyone = connection.execute(FEATURES).df()
        _told(connection, now - ago)
        due = connection.execute(OPEN).df().query("is_due")["session_id"]
        found = connection.execute(FEATURES).df()
    expected = everyone[everyone["session_id"].isin(due)].reset_index(drop=True)
    assert len(expected) > 0
    pd.testing.assert_frame_equal(found, expected)
