"""The live feed writes whole files, in time, at its rate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulation import LiveFeed, MarketConfig, follow
from simulation.config import SECOND, microseconds
from simulation.live import shares_of_visits
from simulation.schemas import SCHEMAS

CONFIG = MarketConfig(customers=500, events=20_000, seed=5, days=120)
START = datetime(2026, 11, 22, 3, 59, 30, tzinfo=UTC)


class Clock:
    """A clock that moves only when someone waits."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self.seen: list[str] = []

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def _run(landing: Path, seconds: float = 60) -> int:
    clock = Clock(START)
    return follow(
        CONFIG, landing, rate=50, batch_seconds=5, clock=clock, wait=clock.wait, seconds=seconds
    )


def test_feed_writes_whole_canonical_files_at_its_rate(tmp_path: Path) -> None:
    total = _run(tmp_path)
    assert total == pytest.approx(50 * 60, rel=0.25)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert all(path.suffix == ".parquet" for path in files)
    assert not [path for path in files if path.name.startswith(".")]
    for path in files:
        assert pq.read_schema(path).equals(SCHEMAS[path.relative_to(tmp_path).parts[0]])
    assert len(list(tmp_path.glob("events/*/*.parquet"))) == 12
    hours = {path.name for path in tmp_path.glob("events/*")}
    assert hours == {"arrived=2026-11-22T03", "arrived=2026-11-22T04"}


def test_an_interrupt_leaves_only_whole_files(tmp_path: Path) -> None:
    clock = Clock(START)

    def wait(seconds: float) -> None:
        clock.wait(seconds)
        if clock.now > START + timedelta(seconds=12):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(CONFIG, tmp_path, rate=50, batch_seconds=5, clock=clock, wait=wait)
    assert len(list(tmp_path.glob("events/*/*.parquet"))) == 2
    assert not list(tmp_path.rglob(".*"))


def test_batches_join_without_gap_or_overlap() -> None:
    start = microseconds(START)
    coarse, fine = LiveFeed(CONFIG, 80, start), LiveFeed(CONFIG, 80, start)
    assert coarse.advance(start + 10 * SECOND)["events"].num_rows > 0
    seen: set[str] = set()
    now = start
    for _ in range(20):
        events = fine.advance(now + 5 * SECOND)["events"]
        instants = [microseconds(at) for at in events["occurred_at"].to_pylist()]
        assert all(now <= at < now + 5 * SECOND for at in instants)
        ids = set(events["event_id"].to_pylist())
        assert len(ids) == events.num_rows
        assert not ids & seen
        seen |= ids
        now += 5 * SECOND


def test_orders_come_with_their_lines_and_newcomers_with_their_profile() -> None:
    start = microseconds(START)
    feed = LiveFeed(CONFIG, 300, start)
    tables = feed.advance(start + 120 * SECOND)
    orders = set(tables["orders"]["order_ref"].to_pylist())
    assert orders
    assert orders == set(tables["order_lines"]["order_ref"].to_pylist())
    completed = sum(
        kind == "order_completed" for kind in tables["events"]["event_type"].to_pylist()
    )
    assert completed == len(orders)
    assert tables["customers"].num_rows > 0
    assert tables["consents"].num_rows == 3 * tables["customers"].num_rows


def test_same_start_gives_the_same_feed() -> None:
    start = microseconds(START)
    one, two = (LiveFeed(CONFIG, 50, start).advance(start + 5 * SECOND) for _ in range(2))
    assert all(one[entity].equals(two[entity]) for entity in one)


def test_time_does_not_run_backwards() -> None:
    feed = LiveFeed(CONFIG, 50, microseconds(START))
    with pytest.raises(ValueError, match="runs forward"):
        feed.advance(microseconds(START))


def test_no_visitor_of_the_feed_lives_on_the_page() -> None:
    """At fifty events a second, 500 customers are too few to come as their habits say."""
    start = microseconds(START)
    feed = LiveFeed(CONFIG, 50, start)
    events = feed.advance(start + 600 * SECOND)["events"]
    visitors = pc.value_counts(pc.drop_null(events["customer_ref"])).field("counts")
    assert len(visitors) > 50
    assert pc.max(visitors).as_py() < 0.05 * events.num_rows


@given(
    weights=arrays(
        float, st.integers(2, 60), elements=st.floats(0, 1e3).map(lambda x: round(x, 3))
    ),
    most=st.floats(0.001, 1.0),
)
def test_nobody_comes_more_often_than_is_allowed(weights: np.ndarray, most: float) -> None:
    assume(weights.sum() > 0)
    shares = shares_of_visits(weights, most)
    coming = weights > 0
    assert (shares[~coming] == 0).all()
    assert (shares[coming] > 0).all()
    assert shares.sum() == pytest.approx(1)
    assert shares.max() <= max(most, 1 / coming.sum()) * (1 + 1e-6)
    habit = np.argsort(weights, kind="stable")
    assert (np.diff(shares[habit]) >= -1e-12).all()
    if weights.max() <= most * weights.sum():
        assert shares == pytest.approx(weights / weights.sum())
