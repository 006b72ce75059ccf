"""No feature of an instant moves with what is recorded after it, and the test would notice.

Random histories are built once as they are, then with another future: its rows changed, rows of
every entity added, all of it gone. The features of the instant must stay. The same comparison
with the macro made blind to time, with days that know a later login, and with devices that know a
later customer, must fail. What does leak today, and is known to, is named in `KNOWN_LEAKS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pandas as pd
import pytest

from tests.dbt.dbt_lake import DbtLake, Row
from tests.dbt.histories import CUSTOMERS, DAYS, START, random_worlds

WORLDS = 12
INSTANT = datetime(2024, 3, 4)
END = datetime(2024, 3, 12, 12)
NEW_ROWS = {"event_id", "order_ref", "message_ref", "feedback_ref"}
WHO_IS_WHO = {"email", "phone", "birth_date", "signed_up_at"}
"""Columns that join refs; see `KNOWN_LEAKS`."""
TIMES = {
    "events": "occurred_at",
    "orders": "ordered_at",
    "messages": "sent_at",
    "feedback": "posted_at",
    "customers": "updated_at",
    "consents": "decided_at",
}
FUTURES = ("changed", "added", "gone")
CHANGES = {
    "events": "event_type = 'message_clicked', channel = 'app', value = 1e6",
    "orders": "channel = 'store', customer_key = '0: ann', status = 'returned'",
    "messages": "cost = 1e6, is_control = false, customer_key = '0: ann'",
    "feedback": "rating = 1, customer_key = '0: ann'",
    "customers": "city = 'Rome', signed_up_at = null",
    "consents": "granted = not granted",
}
KNOWN_LEAKS = {
    "mail": "two refs are one customer also before the profile that says so (ADR 8)",
}
PLANTED = {
    "days": ("customer_feature_history", "and days.last_at < spine.as_of"),
    "moods": ("customer_feature_history", "and feedback.posted_at < spine.as_of"),
    "logins": ("int_customer_days", "and occurred_at >= coalesce(linked_at, occurred_at)"),
}
"""Models with the condition that keeps a part of the future out."""
SHARED_IS_NOBODYS = "update intermediate.identity_map set is_owner = false where owned_until > ?"


@dataclass(frozen=True)
class State:
    """What one future gives: features of the instant and days before it, and as if leaking.

    Of each planted leak, `leaking` has the table by the model that is blind.
    """

    tables: Mapping[str, pd.DataFrame]
    leaking: Mapping[str, pd.DataFrame]


@pytest.fixture(scope="module")
def states(new_lake: Callable[[], DbtLake]) -> Mapping[str, State]:
    """The same past under four futures."""
    lake = new_lake()
    lake.load(random_worlds(7, WORLDS, 1))
    lake.load(_own_devices(7))
    lake.load(_own_rows())
    lake.load(_before_known_leaks())
    lake.set_clock(END, 1, 1)
    lake.set_as_of_dates([INSTANT])
    found = {"as it was": _state(lake)}
    for entity, change in CHANGES.items():
        changed = lake.table(f"raw.{entity}")[TIMES[entity]] >= INSTANT
        assert changed.any(), f"no {entity} after the instant: nothing would be changed"
        lake.execute(f"update raw.{entity} set {change} where {TIMES[entity]} >= ?", [INSTANT])
    lake.execute(
        "update raw.order_lines set unit_price = 1e6, discount = 5 where order_ref not in "
        "(select order_ref from raw.orders where ordered_at < ?)",
        [INSTANT],
    )
    found["changed"] = _state(lake)
    lake.load(_another_future(8))
    found["added"] = _state(lake)
    lake.load(_known_leaks())
    found["leaking"] = _state(lake)
    lake.execute(
        "delete from raw.order_lines where order_ref not in "
        "(select order_ref from raw.orders where ordered_at < ?)",
        [INSTANT],
    )
    for entity, time in TIMES.items():
        lake.execute(f"delete from raw.{entity} where {time} >= ?", [INSTANT])
    found["gone"] = _state(lake)
    return found


def _state(lake: DbtLake) -> State:
    outcome = lake.try_dbt("run", "--full-refresh", "--select", "+customer_feature_history")
    assert outcome.success
    compiled = {result.node.name: result.node.compiled_code for result in outcome.result}
    keys = {
        "customer_feature_history": ["customer_key", "as_of"],
        "int_customer_days": ["customer_key", "activity_date"],
    }

    def rows(name: str, query: str) -> pd.DataFrame:
        with lake.lake.reader(latest=True) as connection:
            frame = connection.execute(query).df().sort_values(keys[name], ignore_index=True)
        if "activity_date" in frame:
            frame = frame[frame["last_at"] < INSTANT].reset_index(drop=True)
        return frame

    tables = {name: rows(name, compiled[name]) for name in keys}
    leaking = {}
    for name, (model, condition) in PLANTED.items():
        assert compiled[model].count(condition) == 1
        leaking[name] = rows(model, compiled[model].replace(condition, ""))
    lake.execute(SHARED_IS_NOBODYS, [INSTANT])
    leaking["identity_map"] = rows("int_customer_days", compiled["int_customer_days"])
    return State(tables, leaking)


def _same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=False, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("future", FUTURES)
@pytest.mark.parametrize("table", sorted({model for model, _ in PLANTED.values()}))
def test_no_future_moves_what_was_known(
    states: Mapping[str, State], table: str, future: str
) -> None:
    before = states["as it was"].tables[table]
    assert before["customer_key"].nunique() >= 3 * WORLDS
    _same(before, states[future].tables[table])


@pytest.mark.slow
@pytest.mark.parametrize("future", FUTURES)
@pytest.mark.parametrize("leak", ["days", "moods"])
def test_features_that_see_what_comes_are_caught(
    states: Mapping[str, State], leak: str, future: str
) -> None:
    """Planted: the macro without one of its visibility conditions."""
    with pytest.raises(AssertionError):
        _same(states["as it was"].leaking[leak], states[future].leaking[leak])


@pytest.mark.slow
def test_days_that_know_a_later_login_are_caught(states: Mapping[str, State]) -> None:
    """Planted: the days without the condition on the login."""
    with pytest.raises(AssertionError):
        _same(
            states["as it was"].leaking["logins"],
            states["gone"].leaking["logins"],
        )


@pytest.mark.slow
def test_devices_that_know_a_later_customer_are_caught(states: Mapping[str, State]) -> None:
    """Planted: a device that a second customer uses later is nobody's before, too."""
    with pytest.raises(AssertionError):
        _same(states["added"].leaking["identity_map"], states["gone"].leaking["identity_map"])


@pytest.mark.slow
def test_the_test_sees_every_feature(states: Mapping[str, State]) -> None:
    """A feature that is the same for everybody would be compared in vain."""
    features = states["as it was"].tables["customer_feature_history"]
    assert [name for name in features if features[name].nunique() < 2] == ["as_of"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "leak",
    [
        pytest.param(leak, marks=pytest.mark.xfail(strict=True, reason=reason))
        for leak, reason in KNOWN_LEAKS.items()
    ],
)
def test_known_leaks_are_closed(states: Mapping[str, State], leak: str) -> None:
    """Strict: whoever closes one takes it off the list."""
    before, after = (
        table[table["customer_key"] == f"{leak}: ann"].reset_index(drop=True)
        for table in (
            states[name].tables["customer_feature_history"] for name in ("added", "leaking")
        )
    )
    assert len(before) == 1, "the case itself is not in the history"
    _same(before, after)


@pytest.mark.slow
def test_known_leaks_reach_nobody_else(states: Mapping[str, State]) -> None:
    before, after = (
        table[~table["customer_key"].str.startswith(tuple(KNOWN_LEAKS))].reset_index(drop=True)
        for table in (
            states[name].tables["customer_feature_history"] for name in ("added", "leaking")
        )
    )
    _same(before, after)


def _own_devices(seed: int) -> list[Row]:
    """Devices of one customer each, some with a login before the instant, some only after it."""
    chance = Random(seed)
    rows: list[Row] = []
    for world in range(WORLDS):
        for customer in CUSTOMERS:
            device = f"{world}: own device of {customer}"
            login = chance.randrange(8)
            for number in range(8):
                values: dict[str, Any] = {
                    "event_id": f"{device}: {number}",
                    "anonymous_ref": device,
                    "occurred_at": START + timedelta(minutes=chance.randrange(DAYS * 24 * 60)),
                    "event_type": chance.choice(["page_view", "search", "add_to_cart"]),
                    "batch_id": 1,
                }
                if number == login:
                    values.update(event_type="login", customer_ref=f"{world}: {customer}")
                rows.append(("events", values))
    return rows


def _own_rows() -> list[Row]:
    """Of every world: an older past, and news after the instant."""
    day = timedelta(days=1)
    rows: list[Row] = []
    for world in range(WORLDS):
        ann = {"customer_ref": f"{world}: ann", "batch_id": 1}
        order = {**ann, "order_ref": f"{world}: comes back"}
        for age in (45, 200):
            then = INSTANT - age * day
            old = {**ann, "order_ref": f"{world}: {age} days old"}
            line = {"product_ref": "cup", "quantity": 1.0, "unit_price": 2.0 + world}
            rows += [
                _event(f"{world}: {age}", then, customer_ref=f"{world}: ann"),
                ("orders", {**old, "status": "completed", "ordered_at": then}),
                (
                    "feedback",
                    {
                        **ann,
                        "feedback_ref": f"{world}: {age} days old",
                        "posted_at": then,
                        "body": ("fine", "awful")[world % 2],
                    },
                ),
                (
                    "order_lines",
                    {**line, "order_ref": old["order_ref"], "line_number": 1, "batch_id": 1},
                ),
            ]
        rows += [
            _event(f"{world}: at the instant", INSTANT, customer_ref=f"{world}: ann"),
            ("orders", {**order, "status": "completed", "ordered_at": INSTANT - day}),
            ("orders", {**order, "status": "returned", "ordered_at": INSTANT + day}),
            ("customers", {**ann, "city": "Bonn", "updated_at": INSTANT + day}),
            (
                "consents",
                {**ann, "purpose": "analytics", "granted": True, "decided_at": INSTANT + day},
            ),
        ]
    return rows


def _event(key: str, occurred_at: datetime, **values: str) -> Row:
    event = {"event_type": "page_view", "event_id": key, "occurred_at": occurred_at}
    return "events", {**event, "batch_id": 1, **values}


def _before_known_leaks() -> list[Row]:
    hour = timedelta(hours=1)
    return [
        _event("mail 1", INSTANT - hour, customer_ref="mail: ann"),
        _event("mail 2", INSTANT - hour, customer_ref="mail: second ref"),
    ]


def _known_leaks() -> list[Row]:
    later = INSTANT + timedelta(hours=1)
    profile = {"email": "mail: ann@home", "updated_at": later, "batch_id": 1}
    return [
        ("customers", {**profile, "customer_ref": "mail: ann"}),
        ("customers", {**profile, "customer_ref": "mail: second ref"}),
    ]


def _another_future(seed: int) -> list[Row]:
    """More rows of every entity after the instant, of the same people on each other's devices."""
    shift = INSTANT + timedelta(hours=1) - START + timedelta(minutes=90)
    rows = [
        _event(
            f"{world}: visitor of {customer}",
            INSTANT + timedelta(days=1),
            customer_ref=f"{world}: visitor",
            anonymous_ref=f"{world}: own device of {customer}",
        )
        for world in range(WORLDS)
        for customer in CUSTOMERS
    ]
    for entity, values in random_worlds(seed, WORLDS, 1):
        new = {
            name: f"new {value}" if name in NEW_ROWS and value is not None else value
            for name, value in values.items()
            if name not in WHO_IS_WHO
        }
        new.update(
            {name: value + shift for name, value in new.items() if isinstance(value, datetime)}
        )
        rows.append((entity, new))
    return rows
