"""A burst of complaints is alerted in the hour it starts, never before; without one nothing is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

import pandas as pd
import pytest

from orchestration.defs.listening.checks import check_issues_were_not_foreseen
from tests.orchestration.listening_room import (
    ListeningRoom,
    Market,
    listening_room,
    simulated_market,
)

SAID = {
    "quality": {"broke", "rubbish", "defect", "flimsy", "poor", "useless", "horrible"},
    "delivery": {"arrived", "late", "parcel", "delayed", "smashed"},
}
HOUR = timedelta(hours=1)
MarketOf = Callable[[int], Market]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ListeningRoom:
    return listening_room(tmp_path_factory.mktemp("listening") / "home")


@pytest.fixture
def room(made: ListeningRoom) -> ListeningRoom:
    made.empty()
    return made


@pytest.fixture(scope="module")
def market_of(tmp_path_factory: pytest.TempPathFactory) -> MarketOf:
    """Markets by seed, simulated once."""
    return lru_cache(lambda seed: simulated_market(tmp_path_factory.mktemp("market"), seed))


def moved(market: Market, by: timedelta) -> Market:
    """The market with its planted bursts at another time of the day."""
    planted = market.texts["source_type"] == "post"
    texts = market.texts.assign(
        posted_at=market.texts["posted_at"].where(~planted, market.texts["posted_at"] + by)
    )
    bursts = [{**burst, "start": burst["start"] + by} for burst in market.bursts]
    return Market(texts.sort_values("posted_at", ignore_index=True), bursts, market.products)


def between(texts: pd.DataFrame, start: datetime | None, end: datetime) -> pd.DataFrame:
    until = texts[texts["posted_at"] < end]
    return until if start is None else until[until["posted_at"] >= start]


def assert_told_in_time(room: ListeningRoom, market: Market) -> None:
    """Batches end just before a burst and an hour after its start."""
    room.sell(market.products)
    seen: datetime | None = None
    for number, burst in enumerate(sorted(market.bursts, key=lambda one: one["start"])):
        start = burst["start"].to_pydatetime()
        room.say(between(market.texts, seen, start), start)
        assert len(room.alerts()) == number, "an alert before the burst"
        room.say(between(market.texts, start, start + HOUR), start + HOUR)
        seen = start + HOUR
        alerts = room.alerts()
        assert len(alerts) == number + 1
        alert = alerts[0]
        assert (alert["kind"], alert["subject"]) == ("complaint_burst", burst["product_ref"])
        assert start <= alert["since"] <= alert["detected_at"] <= start + HOUR
        assert alert["delivery"] == "delivered"
        words = set(alert["message"].split("about: ")[1].replace(",", "").split())
        assert words & SAID[burst["topic"]], alert["message"]
    end = max(market.texts["posted_at"]).to_pydatetime() + HOUR
    room.say(between(market.texts, seen, end), end)
    assert len(room.alerts()) == len(market.bursts), "one incident for each burst"
    for (examples,) in room.rows("select examples from marts.emerging_issues"):
        assert 2 <= len(examples) == len(set(examples)) <= 5


@pytest.mark.parametrize(
    ("seed", "hours"), [(5, 0), pytest.param(11, -9.1, marks=pytest.mark.slow)]
)
def test_a_burst_is_told_within_its_hour_and_never_before(
    room: ListeningRoom, market_of: MarketOf, seed: int, hours: float
) -> None:
    assert_told_in_time(room, moved(market_of(seed), timedelta(hours=hours)))
    with room.lake.reader(latest=True) as connection:
        assert check_issues_were_not_foreseen(connection).passed


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-8, 0, 5, 11.9])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bursts_of_other_markets_and_hours_are_told_in_time(
    room: ListeningRoom, market_of: MarketOf, seed: int, hours: float
) -> None:
    assert_told_in_time(room, moved(market_of(seed), timedelta(hours=hours)))


def assert_quiet(room: ListeningRoom, market: Market, weeks: int, step: timedelta) -> None:
    """No alert in the last weeks of the market without its planted posts."""
    texts = market.texts[market.texts["source_type"] != "post"]
    end = max(texts["posted_at"]).to_pydatetime()
    now, seen = end - timedelta(weeks=weeks), None
    while now < end:
        room.say(between(texts, seen, now), now)
        now, seen = now + step, now
    assert [alert["message"] for alert in room.alerts()] == []


def test_without_a_burst_there_is_no_alert_for_weeks(
    room: ListeningRoom, market_of: MarketOf
) -> None:
    assert_quiet(room, market_of(5), 12, timedelta(weeks=4))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_markets_without_a_burst_are_quiet_day_by_day(
    room: ListeningRoom, market_of: MarketOf, seed: int
) -> None:
    assert_quiet(room, market_of(seed), 8, timedelta(days=1))
