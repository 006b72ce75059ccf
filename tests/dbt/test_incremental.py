"""Batches in any order give the tables of a full rebuild.

A dbt run costs seconds, so these are few seeded histories that are dense in coincidences, over one
warm process, instead of the hundreds of sparse ones that hypothesis would draw (and could not
shrink in reasonable time). Each seed is a test of its own: a failure names the history.
"""

from collections.abc import Callable
from datetime import datetime

import pytest
from dbt.contracts.graph.manifest import Manifest

from orchestration.dbt_increment import IncrementFailed, Recording, without_comment
from orchestration.visitor_events import events_of
from tests.dbt.dbt_lake import HOT, LIVE, REBUILT, DbtLake, Row, assert_same_tables
from tests.dbt.histories import random_history

AS_OF = datetime(2024, 3, 12, 12)
NewLake = Callable[[], DbtLake]


def _load(lake: DbtLake, rows: list[Row], batch: int) -> None:
    lake.load(row for row in rows if row[1]["batch_id"] == batch)


def _assert_equals_a_rebuild(lake: DbtLake, batches: int, context: str) -> None:
    increments = lake.marts()
    lake.set_clock(AS_OF, 0, batches)
    lake.dbt("run", "--full-refresh", *HOT)
    assert_same_tables(increments, lake.marts(), context)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "batches", "late_share"), [(0, 3, 1.0), (1, 5, 0.02)])
def test_increments_equal_a_rebuild(
    new_lake: NewLake, seed: int, batches: int, late_share: float
) -> None:
    lake, rows = new_lake(), random_history(seed, batches, late_share)
    for batch in range(1, batches + 1):
        _load(lake, rows, batch)
        lake.carry(AS_OF, batch, batch)
    _assert_equals_a_rebuild(lake, batches, f"seed {seed}")


@pytest.mark.parametrize(
    ("seed", "batches", "late_share"),
    [(2, 4, 1.0), pytest.param(3, 6, 0.02, marks=pytest.mark.slow)],
)
def test_replayed_increments_equal_a_rebuild(
    grown_lake: NewLake, manifest: Manifest, seed: int, batches: int, late_share: float
) -> None:
    """What dbt ran once, on nothing, carries all that comes, each batch in one transaction.

    One that fails changes nothing, and is done again. It is the same whether a batch touches few
    days of customers or many.
    """
    lake, rows = grown_lake(), random_history(seed, batches, late_share)
    many = _as_for_many_days(lake)
    for batch in range(1, batches + 1):
        _load(lake, rows, batch)
        if batch == 2:
            _assert_a_failure_changes_nothing(lake, batch)
        lake.replay(AS_OF, batch, batch, many if batch % 2 else None)
        _assert_events_are_found_by_their_visitors(lake, f"seed {seed}, batch {batch}")
    lake.manifest = manifest
    _assert_equals_a_rebuild(lake, batches, f"seed {seed}, replayed")


def _assert_events_are_found_by_their_visitors(lake: DbtLake, context: str) -> None:
    """`events_of` gives the rows of the view: of everyone, of any half, and of nobody."""
    with lake.lake.reader(latest=True) as connection:
        for chosen in ("true", "hash(visitor_key) % 2 = 0", "hash(visitor_key) % 2 = 1", "false"):
            connection.execute(
                "create or replace temporary table chosen as select distinct visitor_key "
                f"from lake.intermediate.int_events where visitor_key is not null and {chosen}"
            )
            found = f"from ({events_of('chosen')})"
            expected = (
                "select * from intermediate.int_events "
                "where visitor_key in (select visitor_key from chosen)"
            )
            for amiss in (f"{found} except all {expected}", f"{expected} except all {found}"):
                assert connection.execute(amiss).fetchall() == [], f"{context}: {chosen}"


def _as_for_many_days(lake: DbtLake) -> Recording:
    """The increment as it runs when no number of days counts as few."""
    assert lake.increment is not None
    statements = dict(lake.increment.statements)
    few = statements["int_customer_days"]
    many = [text.replace("<= 300000", "< 0") for text in few]
    assert many != few
    return Recording("", {**statements, "int_customer_days": many})


def _assert_a_failure_changes_nothing(lake: DbtLake, batch: int) -> None:
    assert lake.increment is not None
    statements = lake.increment.statements
    broken = {**statements, "kpi_daily": ["insert into marts.kpi_daily select 1 / 'x'"]}
    before = lake.marts()
    with pytest.raises(IncrementFailed, match=r"^kpi_daily: "):
        lake.replay(AS_OF, batch, batch, Recording("", broken))
    assert_same_tables(before, lake.marts(), "after the failure")


@pytest.mark.slow
def test_increments_equal_a_rebuild_when_raw_runs_ahead(new_lake: NewLake) -> None:
    """Files that land during a run are in raw before the run that carries them through."""
    lake = new_lake()
    lake.load(random_history(20, batches=3))
    for batch in (1, 2, 3):
        lake.carry(AS_OF, batch, batch)
    _assert_equals_a_rebuild(lake, 3, "raw ahead")


@pytest.mark.slow
def test_runs_that_died_halfway_are_made_good_by_the_next(new_lake: NewLake) -> None:
    """The window stays open: a run carries the batches of the died ones before it as well."""
    lake, rows = new_lake(), random_history(40, batches=4)
    steps = [(1, 1, LIVE), (2, 2, ("--select", "+identity_map"))]
    steps += [(2, 3, ("--select", "+int_sessions")), (2, 4, HOT)]
    for first, last, selection in steps:
        _load(lake, rows, last)
        lake.set_clock(AS_OF, first, last)
        lake.dbt("run", *selection)
    _assert_equals_a_rebuild(lake, 4, "died twice")


@pytest.mark.slow
def test_one_late_row_changes_what_a_rebuild_would_change(new_lake: NewLake) -> None:
    """Batches of one row each: nothing else in the batch recomputes a day by accident."""
    lake, rows = new_lake(), random_history(50, batches=1)
    _load(lake, rows, 1)
    lake.carry(AS_OF, 1, 1)

    guest_order = {
        "order_ref": "guest",
        "ordered_at": datetime(2024, 3, 2, 9),
        "status": "completed",
    }
    lone_event = {"event_id": "lone", "anonymous_ref": "new", "event_type": "page_view"}
    midnight = datetime(2024, 4, 2)
    lake.load(
        [
            ("orders", {**guest_order, "batch_id": 2}),
            ("events", {**lone_event, "occurred_at": midnight.replace(minute=10), "batch_id": 2}),
        ]
    )
    lake.carry(AS_OF, 2, 2)
    earlier = {**lone_event, "event_id": "before", "occurred_at": datetime(2024, 4, 1, 23, 50)}
    lake.load([("events", {**earlier, "batch_id": 3})])
    lake.carry(AS_OF, 3, 3)
    later = {**lone_event, "event_id": "after", "occurred_at": midnight.replace(minute=30)}
    lake.load([("events", {**later, "batch_id": 4})])
    lake.carry(AS_OF, 4, 4)
    days = lake.table("marts.kpi_daily")["kpi_date"].astype(str)
    assert "2024-04-01" in set(days)
    assert "2024-04-02" not in set(days)
    _assert_equals_a_rebuild(lake, 4, "one row each")


@pytest.mark.slow
def test_rebuilding_one_model_alone_keeps_everyone(new_lake: NewLake) -> None:
    """A full refresh of one model sees more than the last batch, and every data test passes."""
    lake, rows = new_lake(), random_history(60, batches=2)
    for batch in (1, 2):
        _load(lake, rows, batch)
        lake.carry(AS_OF, batch, batch)
    lake.set_as_of_dates([datetime(2024, 3, 4), datetime(2024, 3, 6)])
    lake.dbt("run", *REBUILT)
    lake.dbt("test", "--exclude", "test_type:unit")

    before = lake.marts()
    models = ["int_sessions", "int_customer_days", "customers", "customer_features", "kpi_daily"]
    lake.dbt("run", "--full-refresh", "--select", *models)
    assert_same_tables(before, lake.marts(), "models rebuilt alone")


@pytest.mark.slow
def test_a_batch_joins_by_hash(new_lake: NewLake) -> None:
    """A condition that the engine cannot hash compares every row with every other."""
    lake, rows = new_lake(), random_history(70, batches=2)
    _load(lake, rows, 1)
    lake.carry(AS_OF, 1, 1)
    _load(lake, rows, 2)
    lake.set_clock(AS_OF, 2, 2)
    said: list[str] = []
    outcome = lake.try_dbt(
        "run", *LIVE, callbacks=[lambda event: said.append(getattr(event.data, "sql", ""))]
    )
    assert outcome.success
    values = [text for text in map(without_comment, said) if text.startswith("set variable")]
    queries = {result.node.name: result.node.compiled_code for result in outcome.result}
    with lake.lake.reader(latest=True) as connection:
        for value in values:
            connection.execute(value)
        plans = {
            name: connection.execute(f"explain {query}").fetchall()[0][1]
            for name, query in queries.items()
            if query
        }
    assert "HASH_JOIN" in plans["int_events"]
    assert [name for name, plan in plans.items() if "BLOCKWISE_NL_JOIN" in plan] == []


@pytest.mark.slow
def test_feedback_follows_its_masking_reading_and_owner(new_lake: NewLake) -> None:
    """Rows of earlier batches change with what they are made of, and no others are touched."""
    lake, rows = new_lake(), random_history(80, batches=2)
    _load(lake, rows, 1)
    lake.carry(AS_OF, 1, 1)
    before = lake.table("marts.feedback_signals", ["feedback_ref"]).set_index("feedback_ref")
    masked_anew = before.index[before["body"] == "awful"][0]
    lake.execute(
        "update ops.masked_texts set body = 'fine', content_hash = sha256('fine'), "
        "changed_batch_id = 2 where feedback_ref = ?",
        [masked_anew],
    )
    lake.execute(
        "insert into raw.feedback (feedback_ref, posted_at, body, batch_id) "
        "values ('bare', timestamp '2024-03-05', 'call Jane', 2)"
    )
    staged = lake.table("staging.stg_feedback").set_index("feedback_ref")
    assert staged.loc["bare", ["body", "content_hash"]].isna().all()
    _load(lake, rows, 2)
    lake.read_texts("a newer model", batch=2)
    lake.carry(AS_OF, 2, 2)
    after = lake.table("marts.feedback_signals", ["feedback_ref"]).set_index("feedback_ref")
    assert set(before["reader"]) == {"test"}
    assert set(after["reader"]) == {"a newer model"}
    assert after.loc[masked_anew, "sentiment"] == "positive"
    # features of customers whom no batch touches follow once a day
    lake.dbt("run", "--full-refresh", "--select", "customer_features")
    _assert_equals_a_rebuild(lake, 2, "read anew")
