"""The soak finds nothing where nothing is wrong, and finds what is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from orchestration import maintenance_lake
from orchestration.clock import set_clock
from orchestration.ingestion.ingest import ingest_batch
from orchestration.lake import Lake
from orchestration.maintenance_catalog import LakeSize, measure_lake
from orchestration.maintenance_lake import keep_lake
from orchestration.publication import publish
from orchestration.settings import Settings
from orchestration.waiting import Work, waiting_work
from simulation import MarketConfig
from simulation.config import microseconds
from simulation.live import LiveFeed
from tests.benchmarks.soak import Slope, Week, lost, soak

START = datetime(2026, 5, 4, tzinfo=UTC)
DAY_HOURS = 4


@pytest.fixture
def settled(values: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings for days of a few seconds."""
    monkeypatch.setattr(maintenance_lake, "READER_GRACE", timedelta(0))
    return values.model_copy(update={"settle_seconds": 0})


def feed() -> LiveFeed:
    return LiveFeed(MarketConfig(100, 2_000, 7), 60 / 3600, microseconds(START))


def take(lake: Lake, values: Settings, work: Work) -> None:
    """Ingest an hour and publish it; no model and no table of dbt."""
    with lake.writer("soak") as connection:
        files = waiting_work(connection, values, {}).files
        hour = [file for file in files if file.partition_key == work.partition_key]
        now, key = datetime.now(UTC), values.pseudonym_key()
        ingest_batch(connection, hour, work.partition_key, "soak", now, key)
        set_clock(connection, values)
        publish(connection, now.replace(tzinfo=None))


def upkeep(lake: Lake) -> Callable[[Settings], LakeSize]:
    def midnight(scaled: Settings) -> LakeSize:
        keep_lake(lake, scaled, set(), datetime.now(UTC))
        return measure_lake(lake)

    return midnight


def week_of(lake: Lake, values: Settings, handle: Callable[[Work], None], days: int) -> Week:
    hours = days * DAY_HOURS
    return soak(values, feed(), hours, handle, upkeep(lake), day_hours=DAY_HOURS)


@pytest.mark.slow
def test_days_go_by_and_nothing_is_lost_or_grows(lake: Lake, settled: Settings) -> None:
    week = week_of(lake, settled, lambda work: take(lake, settled, work), days=5)
    assert lost(settled, week) == []
    assert sum(one.rows for one in week.hours) > 1_000
    sizes = [size for size, _ in week.days]
    # what a day leaves goes when it is over: no more than two of them are there
    assert max(size.snapshots for size in sizes[1:]) <= 2.5 * sizes[0].snapshots
    assert sizes[-1].files <= sizes[1].files + 10


@pytest.mark.slow
def test_an_hour_that_was_not_taken_is_named(lake: Lake, settled: Settings) -> None:
    def forgetful(work: Work) -> None:
        if not work.partition_key.endswith("T01"):
            take(lake, settled, work)

    week = week_of(lake, settled, forgetful, days=1)
    assert lost(settled, week) == ["2026-05-04T01"]


def test_a_slope_is_known_within_its_interval() -> None:
    still = Slope.of([100 + (number % 3) for number in range(100)])
    assert still.low < 0 < still.high
    rising = Slope.of([100 + 0.5 * number + (number % 3) for number in range(100)])
    assert rising.low > 0
    assert rising.low < 0.5 < rising.high
