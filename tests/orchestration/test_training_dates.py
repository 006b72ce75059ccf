"""Which task learns from which past instants, and which is not trained and why."""

from datetime import datetime, timedelta
from itertools import pairwise

import duckdb
import pandas as pd
import pytest

from ml.tasks import TASKS
from orchestration.horizons import Horizons, Lack, read_horizons
from orchestration.settings import Settings
from orchestration.training_dates import (
    as_of_dates,
    read_skipped_tasks,
    set_as_of_dates,
    skipped_tasks,
)

JUNE = datetime(2026, 6, 1, 12)
JANUARY = datetime(2026, 1, 1)
DAY = timedelta(days=1)


def days(**measures: list[int]) -> pd.DataFrame:
    """Two customers, each with the same days of events or orders."""
    rows = [
        {
            "customer_key": key,
            "activity_date": (JANUARY + number * DAY).date(),
            "last_at": JANUARY + number * DAY,
            "events": float("events" in name),
            "orders": float("orders" in name),
            "last_order_at": JANUARY + number * DAY if "orders" in name else pd.NaT,
            "days_since_previous_order": gap if "orders" in name else None,
        }
        for key in ("a", "b")
        for name, numbers in measures.items()
        for number, gap in zip(
            numbers,
            [None, *(y - x for x, y in pairwise(numbers))],
            strict=True,
        )
    ]
    return pd.DataFrame(rows)


def hold(writer: duckdb.DuckDBPyConnection, table: pd.DataFrame) -> None:
    writer.register("made", table)
    writer.execute("create or replace table intermediate.int_customer_days as from made")


def both(churn: int, purchase: int, inactivity: int) -> Horizons:
    known = {"churn": churn, "purchase": purchase, "inactivity": inactivity}
    return Horizons(known, {"churn": JUNE - 200 * DAY, "inactivity": JUNE - 200 * DAY})


def test_dates_have_their_horizon_behind_them_and_history_before() -> None:
    dates = as_of_dates(JUNE, JANUARY, horizon_days=30, step_days=14, count=100)
    assert dates[0] == datetime(2026, 5, 2)
    assert all(date + timedelta(days=30) <= JUNE for date in dates)
    assert all(date >= JANUARY + timedelta(days=30) for date in dates)
    assert len(as_of_dates(JUNE, JANUARY, 30, 14, 3)) == 3


@pytest.mark.parametrize("horizon", [7, 14, 30, 60])
def test_dates_are_shared_with_the_anchors_where_that_costs_less_than_a_step(horizon: int) -> None:
    anchors = (90, 14)
    dates = as_of_dates(JUNE, JANUARY, horizon, 14, 100, anchors)
    midnight = datetime(2026, 6, 1)
    assert all((midnight - date).days % 14 in {a % 14 for a in anchors} for date in dates)
    assert horizon <= (midnight - dates[0]).days < horizon + 14
    if horizon in anchors:
        assert dates == as_of_dates(JUNE, JANUARY, horizon, 14, 100)


def test_every_task_gets_its_dates(writer: duckdb.DuckDBPyConnection) -> None:
    rows, skipped = set_as_of_dates(writer, both(30, 14, 60), JUNE, 14, 5, top_categories=5)
    assert (rows, skipped) == (5 * len(TASKS), [])
    asked = writer.execute("select distinct top_categories from ops.as_of_dates").fetchall()
    assert asked == [(5,)]
    found = writer.execute(
        "select task, count(*), min(horizon_days), max(population_days), any_value(outcome), "
        "any_value(population) from ops.as_of_dates group by 1 order by 1"
    ).fetchall()
    assert found == [
        ("churn", 5, 30, 60, "no purchase", "buyers"),
        ("inactivity", 5, 60, 120, "no activity", "active"),
        ("purchase", 5, 14, 60, "purchase", "active"),
        ("purchase_30d", 5, 30, 60, "purchase", "active"),
        ("purchase_7d", 5, 7, 60, "purchase", "active"),
        ("value", 5, 30, 60, "spend", "buyers"),
    ]


@pytest.mark.parametrize("horizon", [7, 30])
def test_one_question_is_not_asked_twice(writer: duckdb.DuckDBPyConnection, horizon: int) -> None:
    set_as_of_dates(writer, both(60, horizon, 60), JUNE, 14, 3, 5)
    skipped = read_skipped_tasks(writer)
    assert set(skipped) == {f"purchase_{horizon}d"}
    (left_out,) = skipped.values()
    assert left_out.is_expected
    assert f"purchase looks {horizon} days ahead too" in left_out.reason
    planned = writer.execute("select distinct task from ops.as_of_dates").fetchall()
    assert {name for (name,) in planned} == set(TASKS) - set(skipped)
    set_as_of_dates(writer, both(60, 14, 60), JUNE, 14, 3, 5)
    assert read_skipped_tasks(writer) == {}


def test_horizons_follow_the_rhythm_unless_they_are_set(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    hold(scratch, days(orders=list(range(0, 400, 25)), events=list(range(0, 400, 6))))
    found = read_horizons(scratch, values)
    assert found.days == {"churn": 30, "purchase": 30, "inactivity": 7}
    assert found.oldest == {"churn": JANUARY, "inactivity": JANUARY}
    given = values.model_copy(update={"churn_horizon_days": 50, "inactivity_horizon_days": 11})
    assert read_horizons(scratch, given).days == {"churn": 50, "purchase": 30, "inactivity": 11}


def test_without_orders_only_inactivity_is_asked(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    hold(scratch, days(events=list(range(0, 200, 6))))
    horizons = read_horizons(scratch, values)
    assert horizons.days == {"inactivity": 7}
    skipped = skipped_tasks(horizons)
    assert {each.task for each in skipped} == set(TASKS) - {"inactivity"}
    assert {each.reason for each in skipped} == {"no completed order with a customer has landed"}
    assert all(each.is_expected for each in skipped)


def test_without_events_churn_asks_for_inactivity_too(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    hold(scratch, days(orders=list(range(0, 400, 25))))
    (left_out,) = [
        each for each in skipped_tasks(read_horizons(scratch, values)) if each.task == "inactivity"
    ]
    assert left_out.is_expected
    assert "churn asks the same" in left_out.reason


def test_too_short_a_history_is_said_and_is_no_matter_of_course(
    writer: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    hold(writer, days(orders=[0, 5, 9], events=[1, 2, 3]))
    horizons = read_horizons(writer, values)
    reason = "9 days of history are too few: the shortest horizon of 7 days needs 35"
    assert horizons.lacking == {
        "churn": Lack(reason, is_expected=False),
        "inactivity": Lack(reason, is_expected=False),
    }
    assert len(skipped_tasks(horizons)) == len(TASKS)
    assert set_as_of_dates(writer, horizons, JUNE, 14, 13, 5)[0] == 0
    hold(writer, days(orders=[0]).head(0))
    assert all(each.is_expected for each in skipped_tasks(read_horizons(writer, values)))
