"""What the benchmark's readers ask finds every half of a batch."""

import duckdb
import pytest

from tests.benchmarks.reader import LOOK

WHOLE = """
create schema ops; create schema marts; create schema raw;
create table ops.batches as
    select * from (values (1, 10), (2, 20)) as _(batch_id, snapshot_id);
create table ops.clock as select 2 as last_batch_id;
create table raw.events as select unnest([1, 1, 2]) as batch_id;
create table marts.customer_features as
    select * from (values ('a', 1, 5), ('b', 2, 6), ('c', 2, 6))
    as _(customer_key, batch_id, as_of);
create table marts.customer_scores as from marts.customer_features;
create table marts.customer_segments as select customer_key, batch_id from marts.customer_features;
"""
BREAKS = {
    "the clock is behind": "update ops.clock set last_batch_id = 1",
    "a batch is not published": "update ops.batches set snapshot_id = null where batch_id = 2",
    "a score is of an earlier batch":
        "update marts.customer_scores set batch_id = 1 where customer_key = 'b'",
    "a score is of an earlier instant":
        "update marts.customer_scores set as_of = 5 where customer_key = 'b'",
    "a customer has no score": "delete from marts.customer_scores where customer_key = 'a'",
    "somebody is gone whose score is there":
        "delete from marts.customer_features where customer_key = 'c'",
    "two batches are the wrong way round":
        "update marts.customer_scores set batch_id = 3 - batch_id",
    "a customer is in no segment": "delete from marts.customer_segments where customer_key = 'b'",
    "a segment is of an earlier batch":
        "update marts.customer_segments set batch_id = 1 where customer_key = 'c'",
    "rows are of a batch that is not there": "insert into raw.events values (3)",
}  # fmt: skip


@pytest.fixture
def lake() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(WHOLE)
    return connection


def test_a_whole_batch_is_found_whole(lake: duckdb.DuckDBPyConnection) -> None:
    assert lake.execute(LOOK).fetchone() == (2, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("change", BREAKS.values(), ids=BREAKS)
def test_half_a_batch_is_found(lake: duckdb.DuckDBPyConnection, change: str) -> None:
    lake.execute(change)
    row = lake.execute(LOOK).fetchone()
    assert row is not None
    assert any(row[1:])
