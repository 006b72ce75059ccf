"""Funnels and retention of real clickstreams, against a computation of its own in plain Python."""

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pandas as pd
import pytest

from orchestration.ingestion.ingest import ingest_batch
from orchestration.ingestion.land import land_source
from orchestration.ingestion.landing import scan
from orchestration.settings import PROJECT_ROOT
from tests.dbt.dbt_lake import PROJECT, DbtLake

DATA = PROJECT_ROOT.parent / "shared" / "data" / "events"
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no real data in {DATA}")


class Event(NamedTuple):
    """One event; of the same instant, the identifier decides which is first."""

    visitor: int
    at: datetime
    event_id: str
    type: str


def _event_id(*values: object) -> str:
    return hashlib.md5("|".join(map(str, values)).encode()).hexdigest()


def _simple_shop(rows: pd.DataFrame) -> Iterator[Event]:
    types = {"cart": "add_to_cart", "delivery_choice": "checkout_started"}
    types |= {"main": "page_view", "catalog": "page_view", "payment_done": "order_completed"}
    for user, event, timestamp in rows[["user_id", "event", "timestamp"]].itertuples(index=False):
        kind = "product_view" if event.startswith("product") else types.get(event, event)
        yield Event(
            user, datetime.fromisoformat(timestamp), _event_id(user, event, timestamp), kind
        )


def _taobao(rows: pd.DataFrame) -> Iterator[Event]:
    types = {"pv": "product_view", "cart": "add_to_cart", "fav": "add_to_wishlist"}
    types |= {"buy": "order_completed"}
    names = ["user_id", "item_id", "category_id", "behavior", "ts"]
    for user, item, category, behavior, ts in rows[names].itertuples(index=False):
        at = datetime.fromtimestamp(ts, UTC).replace(tzinfo=None)
        yield Event(user, at, _event_id(user, item, category, behavior, ts), types[behavior])


STREAMS = {
    "simple_shop": ("simple_onlineshop.parquet", _simple_shop, "direct"),
    "taobao": ("taobao_2h_stream.parquet", _taobao, "app"),
}


class Funnel(NamedTuple):
    steps: list[str]
    window: timedelta
    is_strict: bool


def _funnels() -> dict[str, Funnel]:
    funnels: dict[str, Funnel] = {}
    with (PROJECT / "seeds" / "funnel_steps.csv").open() as file:
        for row in csv.DictReader(file):
            window = timedelta(hours=float(row["window_hours"]))
            funnel = Funnel([], window, row["is_strict"] == "true")
            funnels.setdefault(row["funnel"], funnel).steps.append(row["step"])
    return funnels


def _way(events: list[Event], entry: int, funnel: Funnel) -> list[datetime]:
    """The instants at which the steps are reached from one entry."""
    reached, place = [events[entry].at], entry
    for step in funnel.steps[1:]:
        ahead = range(place + 1, place + 2 if funnel.is_strict else len(events))
        found = next((n for n in ahead if n < len(events) and events[n].type == step), None)
        if found is None or events[found].at - events[entry].at > funnel.window:
            break
        reached.append(events[found].at)
        place = found
    return reached


def _expected_funnels(journeys: list[list[Event]]) -> dict[tuple[str, date, int], object]:
    """Visitors and median wait in hours by funnel, day of entry and step."""
    waits: dict[tuple[str, date, int], list[float]] = defaultdict(list)
    for name, funnel in _funnels().items():
        for events in journeys:
            first: dict[tuple[date, int], float] = {}
            for entry, event in enumerate(events):
                if event.type != funnel.steps[0]:
                    continue
                way = _way(events, entry, funnel)
                for number, at in enumerate(way, start=1):
                    wait = (at - way[max(number - 2, 0)]).total_seconds() / 3600
                    first.setdefault((event.at.date(), number), wait)
            for (day, number), wait in first.items():
                waits[name, day, number].append(wait)
    return {key: (len(hours), median(hours)) for key, hours in waits.items()}


def _expected_retention(journeys: list[list[Event]]) -> dict[tuple[str, date, int], object]:
    """Cohort's size and customers who ordered, by unit, cohort and period."""

    def start(unit: str, day: date) -> date:
        return day - timedelta(days=day.weekday()) if unit == "week" else day.replace(day=1)

    def number(unit: str, cohort: date, period: date) -> int:
        if unit == "week":
            return (period - cohort).days // 7
        return 12 * (period.year - cohort.year) + period.month - cohort.month

    days = [
        sorted({event.at.date() for event in events if event.type == "order_completed"})
        for events in journeys
    ]
    days = [ordered for ordered in days if ordered]
    expected: dict[tuple[str, date, int], object] = {}
    for unit in ("week", "month"):
        cohorts = Counter(start(unit, ordered[0]) for ordered in days)
        periods = {start(unit, day) for ordered in days for day in ordered}
        retained = Counter(
            (start(unit, ordered[0]), period)
            for ordered in days
            for period in {start(unit, day) for day in ordered}
        )
        for cohort, customers in cohorts.items():
            for period in periods:
                if period >= cohort:
                    key = (unit, cohort, number(unit, cohort, period))
                    expected[key] = (customers, retained[cohort, period])
    return expected


def _landed(lake: DbtLake, mapping: str, file: Path) -> None:
    landing = lake.settings.landing
    land_source(mapping, [file], PROJECT_ROOT / "sources", landing, NOW)
    files, problems = scan(landing)
    assert problems == []
    with lake.lake.writer("test: ingest") as connection:
        ingest_batch(connection, files, "2024-06-01T12", "run", NOW, "test key")


@pytest.mark.parametrize("mapping", STREAMS)
def test_funnels_and_retention_are_those_of_another_computation(
    new_lake: Callable[[], DbtLake], mapping: str
) -> None:
    file, read, channel_group = STREAMS[mapping]
    lake = new_lake()
    _landed(lake, mapping, DATA / file)
    events = sorted(set(read(pd.read_parquet(DATA / file))))
    by_visitor: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_visitor[event.visitor].append(event)
    journeys = list(by_visitor.values())
    lake.set_clock(max(event.at for event in events), 0, 1)
    lake.dbt("run", "--select", "+funnels", "+retention_cohorts")

    table = lake.table("marts.funnels")
    assert set(table["channel_group"]) == {channel_group}
    assert set(table["segment_name"]) == {"none"}
    expected = _expected_funnels(journeys)
    entered: dict[tuple[str, date], int] = {}
    for row in table.itertuples():
        key = (row.funnel, row.entry_date.date(), row.step_number)
        visitors, hours = expected.pop(key, (0, None))
        assert row.visitors == visitors, key
        if row.step_number == 1:
            entered[key[:2]] = visitors
        assert row.conversion_from_first == visitors / entered[key[:2]]
        if hours is None or row.step_number == 1:
            assert pd.isna(row.median_wait_hours)
        else:
            assert row.median_wait_hours == pytest.approx(hours, rel=0, abs=1e-9)
    assert expected == {}, "nothing is missing"
    assert table.loc[table["step"] == "order_completed", "visitors"].sum() > 100

    retention = lake.table("marts.retention_cohorts")
    found = {
        (row.cohort_unit, row.cohort_start.date(), row.period_number): (row.customers, row.retained)
        for row in retention.itertuples()
    }
    assert found == _expected_retention(journeys)
