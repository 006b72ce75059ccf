"""Nothing lost and nothing twice, from landing to the marts; and every break of it is found."""

from collections.abc import Callable, Sequence

import pytest

from orchestration.conservation import (
    NotConserved,
    Outcome,
    assert_conserved,
    look,
    look_at_everything,
    look_at_run,
)
from orchestration.conservation_laws import LAWS, Law
from orchestration.conservation_scope import EVERYTHING, Scope
from orchestration.ingestion.ledger import forget_file
from orchestration.ingestion.sql import at_one_moment
from tests.dbt.conservation_room import carry, ingest, publish_all
from tests.dbt.dbt_lake import DbtLake
from tests.dbt.histories import random_worlds

NewLake = Callable[[], DbtLake]


def fill(lake: DbtLake, seed: int, batches: int, late_share: float) -> None:
    """Carry a dense history through, and look at each batch; the last one is not published."""
    rows = random_worlds(seed, 2, batches, late_share)
    for batch in range(1, batches + 1):
        ingest(lake, (row for row in rows if row[1]["batch_id"] == batch), f"b{batch}")
        carry(lake)
        with lake.lake.reader(latest=True) as connection, at_one_moment(connection):
            outcome = look_at_run(connection, lake.settings.landing)
        assert outcome.with_tables
        assert outcome.breaks == ()
        if batch < batches:
            publish_all(lake)


@pytest.fixture(scope="module")
def carried(grown_lake: NewLake) -> DbtLake:
    lake = grown_lake()
    assert_conserved(lake.lake)
    fill(lake, seed=11, batches=2, late_share=0.3)
    return lake


SABOTAGE = {
    "a raw row is gone": (
        "raw holds what was accepted of each file",
        "delete from raw.events where rowid = (select max(rowid) from raw.events {in_batch})",
        "raw.events of events/arrived=2024-06-01T12/b2.jsonl",
    ),
    "a raw row is there twice": (
        "raw holds what was accepted in all",
        "insert into raw.orders select * from raw.orders {in_batch} limit 1",
        "raw.orders",
    ),
    "a row of no file": (
        "raw holds what was accepted of each file",
        "insert into raw.events by name select * replace ('stranger' as file_hash, 'x' as event_id)"
        " from raw.events {in_batch} limit 1",
        "raw.events of a file that the ledger does not have",
    ),
    "a count is forged": (
        "received = accepted + duplicates + rejected",
        "update ops.landed_files set duplicates = duplicates + 1 {in_batch} and entity = 'events'",
        "events/arrived=2024-06-01T12/b2.jsonl",
    ),
    "two counts are forged": (
        "a batch is the sum of its files",
        "update ops.landed_files set received = received + 5, duplicates = duplicates + 5 "
        "{in_batch} and entity = 'events'",
        "batch 2, duplicates",
    ),
    "a file is struck from the ledger": (
        "a batch is the sum of its files",
        "delete from ops.landed_files {in_batch} and entity = 'messages'",
        "batch 2, accepted",
    ),
    "a file is added to the ledger": (
        "raw holds what was accepted of each file",
        "insert into ops.landed_files by name select * replace ('other' as file, 'o' as file_hash) "
        "from ops.landed_files {in_batch} and entity = 'orders'",
        "raw.orders of other",
    ),
    "a rejection is invented": (
        "quarantine holds what was rejected",
        "insert into ops.rejected_rows select batch_id, file_hash, file, entity, 1, '', ['x'], "
        "ingested_at from ops.landed_files {in_batch} and entity = 'events'",
        "ops.rejected_rows of events/arrived=2024-06-01T12/b2.jsonl",
    ),
    "a session is gone": (
        "every event is in one session",
        "delete from intermediate.int_sessions where session_id = (select max(session_id) "
        "from intermediate.int_sessions as s semi join intermediate.int_touched_visitors as t "
        "on s.visitor_key = t.visitor_key and s.started_at >= t.touched_from)",
        "sessions of visitor",
    ),
    "a session counts an event twice": (
        "every event is in one session",
        "update intermediate.int_sessions set events = events + 1 where session_id = ("
        "select max(session_id) from intermediate.int_sessions as s "
        "semi join intermediate.int_touched_visitors as t "
        "on s.visitor_key = t.visitor_key and s.started_at >= t.touched_from)",
        "sessions of visitor",
    ),
    "an order is gone": (
        "every order is there once, with its lines",
        "delete from marts.orders where order_ref = "
        "(select max(order_ref) from staging.stg_orders {in_batch})",
        "marts.orders, order",
    ),
    "an order is there twice": (
        "every order is there once, with its lines",
        "insert into marts.orders from marts.orders where order_ref = "
        "(select max(order_ref) from staging.stg_orders {in_batch})",
        "marts.orders, order",
    ),
    "an order lacks a line": (
        "every order is there once, with its lines",
        "update marts.orders set line_count = line_count - 1 where order_ref = ("
        "select max(order_ref) from staging.stg_order_lines {in_batch} and order_ref in "
        "(select order_ref from staging.stg_orders))",
        "marts.orders, lines of order",
    ),
    "a feedback is lost on the way": (
        "every feedback is there once, with its signals",
        "delete from marts.feedback_signals where feedback_ref = "
        "(select max(feedback_ref) from staging.stg_feedback {in_batch})",
        "marts.feedback_signals of batch 2",
    ),
    "a feedback is there twice": (
        "every feedback is there once, with its signals",
        "insert into marts.feedback_signals from marts.feedback_signals where feedback_ref = "
        "(select max(feedback_ref) from staging.stg_feedback {in_batch})",
        "marts.feedback_signals of batch 2",
    ),
    "a customer's day is gone": (
        "every row is on its customer's day",
        "delete from intermediate.int_customer_days where (customer_key, activity_date) in ("
        "select (customer_key, max(activity_date)) from intermediate.int_customer_days as d "
        "semi join intermediate.int_touched_visitors as t on d.customer_key = t.visitor_key "
        "and d.activity_date >= cast(t.touched_from as date) group by customer_key limit 1)",
        "intermediate.int_customer_days",
    ),
    "a customer's earlier day is gone": (
        "a customer's days are as many as were counted",
        "delete from intermediate.int_customer_days where (customer_key, activity_date) in ("
        "select (customer_key, min(activity_date)) from intermediate.int_customer_days as d "
        "semi join intermediate.int_touched_visitors as t on d.customer_key = t.visitor_key "
        "group by customer_key having count(*) > 1 limit 1)",
        "intermediate.int_customer_days of customer",
    ),
    "a day counts a message twice": (
        "every row is on its customer's day",
        "update intermediate.int_customer_days set messages = messages + 1 "
        "where (customer_key, activity_date) in ("
        "select (customer_key, max(activity_date)) from intermediate.int_customer_days as d "
        "semi join intermediate.int_touched_visitors as t on d.customer_key = t.visitor_key "
        "and d.activity_date >= cast(t.touched_from as date) group by customer_key limit 1)",
        "intermediate.int_customer_days, messages of customer",
    ),
    "a customer is gone": (
        "every customer is there once",
        "delete from marts.customers where customer_key = (select max(visitor_key) "
        "from intermediate.int_touched_visitors where is_customer and visitor_key in "
        "(select customer_key from marts.customers))",
        "marts.customers, customer",
    ),
    "features are there twice": (
        "every customer is there once",
        "insert into marts.customer_features from marts.customer_features where customer_key = ("
        "select max(visitor_key) from intermediate.int_touched_visitors where is_customer "
        "and visitor_key in (select customer_key from marts.customers))",
        "marts.customer_features, customer",
    ),
}


def sabotaged(lake: DbtLake, statement: str, scope: Scope, laws: Sequence[Law] = LAWS) -> Outcome:
    """What the laws say after a change that nobody keeps."""
    with lake.lake.writer("test: sabotage") as connection:
        connection.execute("begin")
        try:
            changed = connection.execute(statement).fetchone()
            assert changed is not None
            assert changed[0] == 1, "the test has to change one row"
            return look(connection, scope, laws)
        finally:
            connection.execute("rollback")


@pytest.mark.parametrize("scope", [Scope(2, 2), EVERYTHING], ids=["batch", "everything"])
@pytest.mark.parametrize("what", list(SABOTAGE))
def test_every_break_is_found_and_named(carried: DbtLake, what: str, scope: Scope) -> None:
    name, statement, place = SABOTAGE[what]
    (law,) = [law for law in LAWS if law.name == name]
    done = statement.format(in_batch="where batch_id = 2")
    outcome = sabotaged(carried, done, scope, [law])
    assert outcome.breaks
    assert {broken.law for broken in outcome.breaks} == {name}
    assert any(broken.place.startswith(place) for broken in outcome.breaks)


def test_the_check_fails_and_says_where(carried: DbtLake) -> None:
    _, statement, place = SABOTAGE["an order is gone"]
    done = statement.format(in_batch="where batch_id = 2")
    check = sabotaged(carried, done, Scope(2, 2)).as_check()
    assert not check.passed
    assert place in str(check.description)
    assert "rebuild_job" in str(check.description)


def test_a_loss_that_no_batch_touches_is_found_by_the_whole_look(carried: DbtLake) -> None:
    statement = (
        "delete from marts.orders where order_ref = (select max(order_ref) from marts.orders "
        "where order_ref not in (select order_ref from staging.stg_orders where batch_id = 2 "
        "union all select order_ref from staging.stg_order_lines where batch_id = 2))"
    )
    assert sabotaged(carried, statement, Scope(2, 2)).breaks == ()
    (broken,) = sabotaged(carried, statement, EVERYTHING).breaks
    assert broken.place.startswith("marts.orders, order")


def test_the_lines_of_the_collectors_files_are_counted_again(carried: DbtLake) -> None:
    landing = carried.settings.landing
    name = "events/arrived=2024-06-01T12/collector-test.jsonl"
    (landing / name).write_bytes(b'{"event_id": "1"}\n' * 3)
    statement = (
        "insert into ops.landed_files by name select * replace ("
        f"'{name}' as file, {(landing / name).stat().st_size} as bytes, 2 as received, "
        "2 as duplicates, 0 as accepted, 0 as rejected) "
        "from ops.landed_files where batch_id = 2 and entity = 'events'"
    )
    with carried.lake.writer("test: sabotage") as connection:
        connection.execute("begin")
        connection.execute(statement)
        outcome = look(connection, Scope(2, 2), laws=(), landing=landing)
        connection.execute("rollback")
    (landing / name).unlink()
    (broken,) = [each for each in outcome.breaks if each.place == name]
    assert (broken.expected, broken.found) == (3, 2)


def test_a_replayed_file_is_no_loss_while_it_is_remembered(carried: DbtLake) -> None:
    """Its rows stay in raw as what they were accepted as, and come again as duplicates."""
    with carried.lake.writer("test: replay") as connection:
        assert forget_file(connection, "events/arrived=2024-06-01T12/b1.jsonl") == 1
    with carried.lake.reader(latest=True) as connection, at_one_moment(connection):
        assert look_at_everything(connection).breaks == ()
    assert sabotaged(carried, "delete from ops.forgotten_files", EVERYTHING).breaks


def test_all_that_is_published_is_conserved(carried: DbtLake) -> None:
    """Tables are compared once every batch is published; a loss names its place."""
    assert not assert_conserved(carried.lake, carried.settings.landing).with_tables
    publish_all(carried)
    outcome = assert_conserved(carried.lake, carried.settings.landing)
    assert outcome.with_tables
    assert outcome.totals["received"] > 200
    carried.execute(
        "delete from raw.events where event_id = (select min(event_id) from raw.events)"
    )
    with pytest.raises(NotConserved, match=r"raw\.events of events/arrived"):
        assert_conserved(carried.lake)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_no_history_raises_a_false_alarm(grown_lake: NewLake, seed: int) -> None:
    lake = grown_lake()
    fill(lake, seed=seed, batches=4, late_share=(0.0, 0.1, 1.0)[seed % 3])
    publish_all(lake)
    assert_conserved(lake.lake, lake.settings.landing)
