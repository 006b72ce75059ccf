"""The segment report: what it reads of a history, and how it says it."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

import duckdb
import pandas as pd
import pytest

from orchestration.documents import Card, Cards, Picture, to_html, to_markdown
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.segment_report import write_segment_report
from orchestration.segment_report_data import DATES, MOVE_DAYS, drawn_instants, read_report_data
from orchestration.settings import Settings

NOW = datetime(2026, 3, 31)


def day(days_ago: int, hour: int = 0) -> datetime:
    return NOW - timedelta(days=days_ago) + timedelta(hours=hour)


def score(writer: duckdb.DuckDBPyConnection, customer: str, as_of: datetime, segment: int) -> None:
    writer.execute(
        "insert into marts.score_history by name select $customer as customer_key, "
        "$as_of as as_of, $segment as segment_id, 'segment ' || $segment as segment_name, "
        "'v' as model_versions, $as_of as scored_at, 1 as batch_id",
        {"customer": customer, "as_of": as_of, "segment": segment},
    )


@pytest.fixture
def market() -> Iterator[duckdb.DuckDBPyConnection]:
    """Ann goes from 1 to 2 a week ago, bob is new since then; both have ordered."""
    with duckdb.connect() as writer:
        writer.execute("attach ':memory:' as lake; use lake")
        create_tables(writer)
        fill(writer)
        yield writer


def fill(writer: duckdb.DuckDBPyConnection) -> None:
    writer.execute("insert into ops.clock values (?, 'history', 1, 1)", [NOW])
    writer.execute("create table marts.customer_features (customer_key varchar, spent double)")
    writer.execute(
        "create table marts.orders (customer_key varchar, ordered_at timestamp, status varchar, "
        "net_amount double, currency varchar)"
    )
    for customer, as_of, segment in (
        ("ann", day(35), 1),
        ("ann", day(7), 2),
        ("bob", day(7), 1),
        ("bob", day(0), 1),
    ):
        score(writer, customer, as_of, segment)
    writer.executemany(
        "insert into marts.orders values (?, ?, ?, ?, 'EUR')",
        [
            ["ann", day(36), "completed", 10.0],
            ["ann", day(20), "completed", 30.0],
            ["ann", day(20), "returned", 500.0],
            ["bob", day(1), "completed", 7.0],
            [None, day(1), "completed", 900.0],
        ],
    )


def rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return [tuple(row) for row in frame.astype(object).to_numpy().tolist()]


def test_sizes_are_of_everyone_as_last_scored_then(market: duckdb.DuckDBPyConnection) -> None:
    data = read_report_data(market, ["spent"])
    assert rows(data.sizes) == [
        (day(35), 1, 1, 10.0),
        (day(7), 1, 1, 0.0),  # bob, whose only order comes later
        (day(7), 2, 1, 30.0),  # ann; her return is no revenue, nor what lies 28 days back
        (day(0), 1, 1, 7.0),
        (day(0), 2, 1, 30.0),  # not scored again, and still there
    ]
    assert data.currency == "EUR"
    assert data.names == {1: "segment 1", 2: "segment 2"}


def test_the_last_scoring_of_an_instant_counts(market: duckdb.DuckDBPyConnection) -> None:
    score(market, "ann", day(7), 3)
    market.execute("update marts.score_history set scored_at = ? where segment_id = 3", [day(6)])
    sizes = read_report_data(market, ["spent"]).sizes
    assert set(sizes[sizes["as_of"] == day(0)]["segment_id"]) == {1, 3}


def test_many_instants_are_thinned_to_days_evenly_with_first_and_last() -> None:
    instants = [day(days_ago, hour) for days_ago in range(100) for hour in (2, 1)]
    drawn = drawn_instants(instants)
    assert len(drawn) == DATES
    assert (drawn[0], drawn[-1]) == (day(99, 2), day(0, 2))
    assert all(instant.hour == 2 for instant in drawn)  # the last of its day
    steps = [(later - earlier).days for earlier, later in itertools.pairwise(drawn)]
    assert max(steps) - min(steps) <= 1
    assert drawn_instants(instants[:4]) == [day(1, 2), day(0, 2)]
    assert drawn_instants([]) == []


def test_a_table_that_is_not_there_is_told_from_an_empty_one(
    market: duckdb.DuckDBPyConnection,
) -> None:
    for table in ("segment_moves", "rule_segments", "segments"):
        market.execute(f"drop table if exists marts.{table}")
    data = read_report_data(market, ["spent"])
    assert data.moves is None
    assert data.rules is None
    market.execute(
        "create table marts.segment_moves (customer_key varchar, from_segment_id integer, "
        "from_segment_name varchar, to_segment_id integer, to_segment_name varchar, "
        "moved_at timestamp)"
    )
    market.execute(
        "create table marts.rule_segments (customer_key varchar, rule varchar, title varchar, "
        "entered_at timestamp)"
    )
    data = read_report_data(market, ["spent"])
    assert data.moves is not None
    assert data.moves.empty
    assert data.rules == []
    market.executemany(
        "insert into marts.segment_moves values (?, 1, 'one', 2, 'two', ?)",
        [["ann", day(7)], ["bob", day(1)], ["cyd", day(MOVE_DAYS + 1)]],
    )
    market.execute("insert into marts.rule_segments values ('ann', 'r', 'In a hurry', ?)", [NOW])
    data = read_report_data(market, ["spent"])
    assert data.moves is not None
    assert data.moves["customers"].tolist() == [2]
    assert data.rules == [{"title": "In a hurry", "customers": 1, "last_entered_at": NOW}]


def test_without_a_segmentation_nothing_is_written(lake: Lake, values: Settings) -> None:
    assert write_segment_report(lake, values) == {
        "written": "nothing: there is no segmentation yet"
    }
    assert not values.reports.exists()


def test_cards_and_pictures_are_escaped_and_described() -> None:
    blocks = [
        Cards((Card("1  <b>", "#0072B2", ("5 & more",)),)),
        Picture("segment_map", b"png", 'a "map"', is_wide=True),
    ]
    page = to_html("Segments", blocks)
    assert "<h3>1  &lt;b&gt;</h3><ul><li>5 &amp; more</li></ul>" in page
    assert 'border-color: #0072B2"' in page
    assert 'alt="a &quot;map&quot;"' in page
    text = to_markdown(blocks, lambda picture: f"{picture.title}.png")
    assert text == '**1  <b>**\n\n- 5 & more\n\n![a "map"](segment_map.png)\n'
