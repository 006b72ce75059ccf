"""Laws of the rules for customers: what is planted is found, by what came before it alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from ml.anomalies import EVENT_COLUMNS, Finding, customer_findings
from ml.anomalies_attacks import account_takeovers, card_tests, scraping
from ml.anomalies_travel import country_places, hours_between, impossible_travel
from simulation import MarketConfig, simulate

START = pd.Timestamp("2026-05-01 12:00")
USUAL_AMOUNT = 80.0
KINDS = {
    "account_takeover": "customer_ref",
    "card_testing": "customer_ref",
    "price_scraping": "anonymous_ref",
}


def events(*rows: tuple[float, str, str], **columns: object) -> pd.DataFrame:
    """Events of one customer: minutes from `START`, type, device."""
    frame = pd.DataFrame(rows, columns=["minutes", "event_type", "anonymous_key"])
    frame["event_id"] = [f"e{row:03d}" for row in range(len(frame))]
    frame["occurred_at"] = START + pd.to_timedelta(frame.pop("minutes"), unit="min")
    frame["visitor_key"] = frame["customer_key"] = "anna"
    frame["event_value"], frame["country"] = 5.0, None
    return frame.assign(**columns)[list(EVENT_COLUMNS)]


def first_seen(frame: pd.DataFrame) -> pd.DataFrame:
    named = frame[frame["customer_key"].notna() & frame["anonymous_key"].notna()]
    firsts = named.groupby(["customer_key", "anonymous_key"])["occurred_at"].min()
    return firsts.rename("first_seen_at").reset_index()


def find(frame: pd.DataFrame) -> list[Finding]:
    devices = first_seen(frame)
    return customer_findings(
        frame,
        [
            lambda seen: account_takeovers(seen, devices),
            lambda seen: card_tests(seen, USUAL_AMOUNT),
            scraping,
            impossible_travel,
        ],
    )


def kinds(found: Sequence[Finding]) -> list[str]:
    return [finding.kind for finding in found]


TAKEOVER = events(
    (-10_000, "login", "own"),
    *[(minute, "login_failed", "theirs") for minute in range(6)],
    (7, "login", "theirs"),
    (9, "order_completed", "theirs"),
)
CARDS = events(
    *[(minute, "payment_failed" if minute % 4 else "order_completed", "d") for minute in range(20)]
)
SCRAPER = events(
    *[(second / 60, "product_view", "bot") for second in range(300)],
    visitor_key="bot",
    customer_key=None,
)
ATTACKS = {"account_takeover": TAKEOVER, "card_testing": CARDS, "scraping": SCRAPER}


def test_a_takeover_is_told_at_the_login_and_critical_with_the_order() -> None:
    (at_login,) = find(TAKEOVER[TAKEOVER["event_type"] != "order_completed"])
    (at_order,) = find(TAKEOVER)
    assert (at_login.severity, at_order.severity) == ("high", "critical")
    assert at_order.since == START
    assert at_order.detected_at == START + pd.Timedelta(minutes=7)
    assert at_order.last_seen_at == START + pd.Timedelta(minutes=9)
    assert {"e007", "e008"} <= set(at_order.rows)
    assert "6 failed logins" in at_order.message


def test_a_forgotten_password_is_no_takeover() -> None:
    own = TAKEOVER.assign(anonymous_key="own")
    assert find(own) == []
    few = TAKEOVER[~TAKEOVER["event_id"].isin(["e001", "e002"])]
    assert find(few) == []
    slow = TAKEOVER.copy()
    slow.loc[1:6, "occurred_at"] -= pd.to_timedelta(
        [60 * hours for hours in range(6, 0, -1)], "min"
    )
    assert find(slow) == []


def test_card_testing_needs_many_small_and_failed_payments() -> None:
    (found,) = find(CARDS)
    assert found.severity == "critical"
    assert found.detected_at == START + pd.Timedelta(minutes=7)
    assert found.last_seen_at == START + pd.Timedelta(minutes=19)
    assert find(CARDS.assign(event_value=USUAL_AMOUNT)) == []
    assert find(CARDS.assign(event_type="order_completed")) == []
    assert find(CARDS.head(7)) == []


def test_scraping_is_told_by_rate_and_by_number_but_not_of_buyers() -> None:
    (found,) = find(SCRAPER)
    assert found.subject == "bot"
    assert found.score == 1.5
    slow = SCRAPER.assign(occurred_at=START + pd.to_timedelta(range(300), unit="min"))
    assert find(slow) == []
    all_day = events(*[(2 * view, "product_view", "bot") for view in range(600)])
    (slowly,) = find(all_day)
    assert "a day" in slowly.unusual
    buyer = SCRAPER.copy()
    buyer.loc[buyer.index % 100 == 0, "event_type"] = "order_completed"
    assert find(buyer) == []


def test_travel_faster_than_an_airliner_is_told_and_a_flight_is_not() -> None:
    trip = events((0, "page_view", "d"), (60, "page_view", "d"))
    (found,) = find(trip.assign(country=["DE", "US"]))
    assert found.kind == "impossible_travel"
    assert "DE" in found.message
    assert found.score > 5
    assert find(trip.assign(country=["DE", "FR"])) == []
    assert find(trip.assign(country=["DE", "??"])) == []
    assert find(trip.assign(country=["DE", "US"], customer_key=None)) == []
    flight = events((0, "page_view", "d"), (15 * 60, "page_view", "d"), country=["DE", "US"])
    assert find(flight.assign(country=["DE", "US"])) == []


def test_distances_are_symmetric_and_known_for_every_country_of_the_table() -> None:
    assert len(country_places()) > 240
    assert hours_between("AU", "GB") == hours_between("GB", "AU") > 12
    assert hours_between("DE", "DE") == hours_between("DE", "CH") == 0


@pytest.mark.parametrize("kind", ATTACKS)
def test_time_shifts_do_not_matter(kind: str) -> None:
    shift = pd.Timedelta(days=1_234, hours=5)
    frame = ATTACKS[kind]
    moved = find(frame.assign(occurred_at=frame["occurred_at"] + shift))
    assert kinds(moved) == [kind]
    for before, after in zip(find(frame), moved, strict=True):
        assert (after.since - before.since, after.rows) == (shift, before.rows)


@pytest.mark.parametrize("kind", ATTACKS)
def test_rows_after_the_instant_do_not_matter(kind: str) -> None:
    frame = ATTACKS[kind]
    (whole,) = find(frame)
    (known_then,) = find(frame[frame["occurred_at"] <= whole.detected_at])
    assert known_then.detected_at == whole.detected_at
    assert known_then.since == whole.since
    assert find(frame[frame["occurred_at"] < whole.detected_at]) == []


@pytest.mark.parametrize("kind", ATTACKS)
def test_the_order_of_the_rows_and_other_visitors_do_not_matter(kind: str) -> None:
    others = events((0, "page_view", "x"), (3, "login", "x"), visitor_key="ben", customer_key="ben")
    mixed = pd.concat([ATTACKS[kind], others.assign(event_id=["o1", "o2"])])
    assert find(mixed.sample(frac=1, random_state=3)) == find(ATTACKS[kind])


def test_without_events_nothing_is_found() -> None:
    assert find(TAKEOVER.head(0)) == []


def test_every_attack_of_a_market_is_found_and_hardly_anything_else(tmp_path: Path) -> None:
    simulate(
        MarketConfig(customers=600, events=16_000, seed=11, days=120),
        tmp_path / "landing",
        tmp_path / "truth",
        datetime(2026, 10, 1, tzinfo=UTC),
    )
    raw = pd.concat(map(pd.read_parquet, sorted((tmp_path / "landing/events").rglob("*.parquet"))))
    raw = raw.drop_duplicates("event_id")
    frame = raw.rename(
        columns={
            "customer_ref": "customer_key",
            "anonymous_ref": "anonymous_key",
            "value": "event_value",
        }
    )
    frame["visitor_key"] = frame["customer_key"].fillna(frame["anonymous_key"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"], utc=True).dt.tz_localize(None)
    truth = pd.concat(map(pd.read_parquet, (tmp_path / "truth/anomalies_truth").rglob("*.parquet")))
    planted = {(KINDS_FOUND[row.kind], getattr(row, KINDS[row.kind])) for row in truth.itertuples()}
    found = find(frame[list(EVENT_COLUMNS)])
    told = {(finding.kind, finding.subject) for finding in found}
    assert len(planted) >= 5
    assert planted <= told
    victims = {subject for _, subject in planted}
    assert {subject for _, subject in told} <= victims


KINDS_FOUND = {
    "account_takeover": "account_takeover",
    "card_testing": "card_testing",
    "price_scraping": "scraping",
}
