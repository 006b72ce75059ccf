"""What holds once every model was run: dbt's unit tests, views without a clock, one definition of
every feature with nothing of the future in it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pandas as pd
import pytest

from tests.dbt.dbt_lake import DbtLake, Row, messages
from tests.dbt.histories import random_history

AS_OF = datetime(2024, 3, 12, 12)
PAST = datetime(2024, 3, 4)
TIMES = {
    "events": "occurred_at",
    "orders": "ordered_at",
    "messages": "sent_at",
    "feedback": "posted_at",
    "customers": "updated_at",
    "consents": "decided_at",
}
NewLake = Callable[[], DbtLake]


@pytest.fixture(scope="module")
def lake(new_lake: NewLake) -> DbtLake:
    """A lake with a random history, built up to the clock; tests may add batches to it."""
    lake = new_lake()
    lake.load(random_history(80, 1))
    lake.load(_told_later())
    lake.set_clock(AS_OF, 1, 1)
    lake.set_as_of_dates([PAST, AS_OF])
    lake.dbt("run")
    return lake


def _told_later() -> list[Row]:
    """What only the future tells: whose a browser was, and that an order comes back.

    And two words of one customer, months apart.
    """
    day = timedelta(days=1)
    visit = {"anonymous_ref": "new_phone", "event_type": "page_view", "batch_id": 1}
    order = {"order_ref": "comes_back", "customer_ref": "bob", "batch_id": 1}
    said = {"customer_ref": "bob", "body": "awful", "batch_id": 1}
    return [
        ("feedback", {**said, "feedback_ref": "long ago", "posted_at": PAST - 100 * day}),
        ("feedback", {**said, "feedback_ref": "of late", "posted_at": PAST - day}),
        ("events", {**visit, "event_id": "before_login", "occurred_at": PAST - day}),
        (
            "events",
            {**visit, "event_id": "login", "occurred_at": PAST + day, "customer_ref": "ann"},
        ),
        ("orders", {**order, "status": "completed", "ordered_at": PAST - day}),
        ("orders", {**order, "status": "returned", "ordered_at": PAST + day}),
    ]


def _history(lake: DbtLake, as_of: datetime) -> pd.DataFrame:
    history = lake.table("marts.customer_feature_history", ["customer_key", "as_of"])
    return history[history["as_of"] == as_of].reset_index(drop=True)


def _same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=False, rtol=1e-9, atol=1e-9)


def test_every_unit_test_passes(lake: DbtLake) -> None:
    """They say themselves what rows there are; dbt asks the relations for their columns."""
    lake.dbt("test", "--select", "test_type:unit")


def test_a_missing_clock_is_named(lake: DbtLake) -> None:
    """Without its clock a run says so instead of computing nothing."""
    lake.execute("delete from ops.clock")
    outcome = lake.try_dbt("run", "--select", "stg_events", "identity_map")
    lake.set_clock(AS_OF, 1, 1)
    assert not outcome.success
    assert "ops.clock has 0 rows instead of 1" in "\n".join(messages(outcome))


def test_no_view_holds_what_a_run_found(lake: DbtLake) -> None:
    """A view is read by other sessions, and later: an instant of the run would be none, or old."""
    with lake.lake.reader(latest=True) as connection:
        views = connection.execute(
            "select schema_name || '.' || view_name, sql from duckdb_views() "
            "where database_name = 'lake'"
        ).fetchall()
        assert len(views) > 10
        for name, text in views:
            assert "getvariable('shoal_as_of')" not in text, name
            assert "batch_id')" not in text, name
            connection.execute(f"select * from lake.{name} limit 1").fetchall()


def test_history_at_the_clock_equals_the_current_features(lake: DbtLake) -> None:
    history = _history(lake, AS_OF)
    current = lake.table("marts.customer_features", ["customer_key"]).drop(columns="batch_id")
    assert len(history) >= 3
    assert list(history) == list(current)
    nobodys = [name for name in history if history[name].isna().all()]
    assert not nobodys, f"null for everybody, so nothing is compared: {nobodys}"
    known = current["customer_key"].isin(history["customer_key"])
    _same(history, current[known].reset_index(drop=True))


@pytest.mark.slow
def test_something_before_the_instant_does_change_a_feature(lake: DbtLake) -> None:
    """The opposite law: the test above would notice."""
    before = _history(lake, PAST)
    row = {
        "event_id": "one_more",
        "occurred_at": PAST - timedelta(hours=30),
        "event_type": "search",
        "customer_ref": "ann",
        "batch_id": 2,
    }
    lake.load([("events", row)])
    lake.set_clock(AS_OF, 2, 2)
    lake.dbt("run")
    after = _history(lake, PAST)
    changed = before["customer_key"] == "ann"
    assert (after.loc[changed, "searches_30d"] == before.loc[changed, "searches_30d"] + 1).all()
    _same(before[~changed], after[~changed])
