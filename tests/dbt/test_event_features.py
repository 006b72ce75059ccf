"""Features of messages and sessions: what training says of an instant is what scoring would have.

Each row of training is held against a lake in which everything after its instant is gone and the
clock stands at it: the view that scoring reads must say the same. The same comparison with the
conditions that keep the future out taken away must fail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pandas as pd
import pytest

from tests.dbt.dbt_lake import DbtLake, Row

START = datetime(2024, 3, 1)
DAYS = 24
END = START + timedelta(days=DAYS)
CUSTOMERS = 30
TIMES = {"events": "occurred_at", "orders": "ordered_at", "messages": "sent_at"}
TYPES = ("page_view", "product_view", "search", "add_to_cart", "remove_from_cart")
PLANTED = {
    "message_feature_history": "and spine.sent_at > past.sent_at",
    "session_feature_history": "and points.observed_at >= events.occurred_at",
}
"""Of each model, the condition that keeps the future out."""
OF_THE_MESSAGE = {"send_hour", "send_weekday"}
"""What scoring takes from the usual message of a channel, not from this one."""


@dataclass(frozen=True)
class Replay:
    """Rows of training, the same without the planted conditions, and what scoring said then."""

    learnt: Mapping[str, pd.DataFrame]
    leaking: Mapping[str, pd.DataFrame]
    messages: list[tuple[pd.Series, pd.DataFrame]]
    sessions: list[tuple[pd.Series, pd.DataFrame]]


@pytest.fixture(scope="module")
def replay(new_lake: Callable[[], DbtLake]) -> Replay:
    lake = new_lake()
    lake.load(_history(3))
    lake.set_clock(END, 1, 1)
    wanted = [*PLANTED, "message_features", "session_features"]
    outcome = lake.try_dbt("run", "--select", *(f"+{name}" for name in wanted))
    assert outcome.success
    compiled = {result.node.name: result.node.compiled_code for result in outcome.result}
    learnt = {name: lake.table(f"marts.{name}") for name in PLANTED}
    leaking = {}
    with lake.lake.reader(latest=True) as connection:
        connection.execute("set variable shoal_as_of = (select as_of from ops.clock)")
        for name, condition in PLANTED.items():
            assert compiled[name].count(condition) == 1
            leaking[name] = connection.execute(compiled[name].replace(condition, "")).df()
    points, sent = learnt["session_feature_history"], learnt["message_feature_history"]
    named_later = (points["customer_is_known"] == 0) & points["visitor_key"].str.startswith("ann")
    chosen = [
        ("session", row)
        for part in (points[named_later], points[points["customer_is_known"] == 1])
        for _, row in part.sort_values("observed_at").iloc[[len(part) // 2]].iterrows()
    ]
    late = sent[(sent["past_reactions"] > 0) & (sent["past_messages"] > 2)].sort_values("sent_at")
    chosen += [("message", row) for _, row in late.iloc[[len(late) // 2]].iterrows()]
    found: dict[str, list[tuple[pd.Series, pd.DataFrame]]] = {"session": [], "message": []}
    for kind, row in sorted(chosen, key=lambda each: _instant(*each), reverse=True):
        then = _instant(kind, row)
        after = ">" if kind == "session" else ">="
        for entity, time in TIMES.items():
            lake.execute(f"delete from raw.{entity} where {time} {after} ?", [then])
        lake.set_clock(then, 1, 1)
        view = f"{kind}_features"
        lake.dbt("run", "--full-refresh", "--select", f"+{view}")
        found[kind].append((row, lake.table(f"marts.{view}")))
    return Replay(learnt, leaking, found["message"], found["session"])


@pytest.mark.slow
def test_a_point_of_training_is_what_scoring_would_have_seen(replay: Replay) -> None:
    assert len(replay.sessions) == 2
    for row, open_sessions in replay.sessions:
        assert _matches(row, open_sessions), f"no open session is like {row['point_id']}"


@pytest.mark.slow
def test_a_point_that_sees_the_rest_of_its_session_is_caught(replay: Replay) -> None:
    leaking = replay.leaking["session_feature_history"].set_index("point_id")
    assert not all(
        # a session that sees its order has no row
        row["point_id"] in leaking.index and _matches(leaking.loc[row["point_id"]], open_sessions)
        for row, open_sessions in replay.sessions
    )


@pytest.mark.slow
def test_a_message_of_training_is_what_scoring_would_have_seen(replay: Replay) -> None:
    assert len(replay.messages) == 1
    for row, next_messages in replay.messages:
        pd.testing.assert_series_equal(
            *_alike(row, next_messages), check_names=False, rtol=1e-9, atol=1e-9
        )


@pytest.mark.slow
def test_a_message_that_sees_later_ones_is_caught(replay: Replay) -> None:
    leaking = replay.leaking["message_feature_history"].set_index("message_ref")
    for row, next_messages in replay.messages:
        seen, known = _alike(leaking.loc[row["message_ref"]], next_messages, row["customer_key"])
        assert seen["past_messages"] > known["past_messages"]


@pytest.mark.slow
def test_the_replay_sees_every_kind_of_feature(replay: Replay) -> None:
    """A feature that is the same everywhere would be compared in vain."""
    for name, frame in replay.learnt.items():
        features = frame.select_dtypes("float").columns
        same = {column for column in features if frame[column].nunique() < 2}
        assert not {column for column in same if not column.startswith(("sent_by", "entry_by"))}, (
            name
        )


def _instant(kind: str, row: pd.Series) -> datetime:
    at: pd.Timestamp = row["observed_at" if kind == "session" else "sent_at"]
    return at.to_pydatetime()


def _matches(row: pd.Series, open_sessions: pd.DataFrame) -> bool:
    names = [name for name in open_sessions.columns if name in row.index and name != "session_id"]
    names = [name for name in names if open_sessions[name].dtype == float]
    assert len(names) > 30
    wanted = row[names].astype(float)
    gap = (open_sessions[names] - wanted).abs()
    same = (gap < 1e-6) | (open_sessions[names].isna() & wanted.isna())
    return bool(same.all(axis=1).any())


def _alike(
    row: pd.Series, next_messages: pd.DataFrame, customer: str | None = None
) -> tuple[pd.Series, pd.Series]:
    of_customer = next_messages["customer_key"] == (customer or row["customer_key"])
    (_, then), *more = next_messages[
        of_customer & (next_messages["channel"] == row["channel"])
    ].iterrows()
    assert not more
    names = [
        name
        for name in then.index
        if name in row.index
        and next_messages[name].dtype == float
        and name not in OF_THE_MESSAGE
        and not name.endswith("variant")
    ]
    assert len(names) > 15
    return row[names].astype(float), then[names].astype(float)


def _history(seed: int) -> list[Row]:
    """Customers with a browser of their own, who log in now and then, and get messages."""
    chance = Random(seed)
    rows: list[Row] = []
    for number in range(CUSTOMERS):
        rows += _visits(chance, f"ann {number}", f"browser {number}")
        rows += _messages(chance, f"ann {number}")
    return rows


def _visits(chance: Random, customer: str, browser: str) -> list[Row]:
    rows: list[Row] = []
    for visit in range(chance.randint(4, 9)):
        at = START + timedelta(minutes=chance.randrange(DAYS * 24 * 60))
        steps = chance.randint(2, 8)
        login = chance.randrange(steps) if chance.random() < 0.6 else None
        for step in range(steps):
            values: dict[str, Any] = {
                "event_id": f"{browser} {visit} {step}",
                "anonymous_ref": browser,
                "occurred_at": at,
                "event_type": chance.choice(TYPES),
                "product_ref": chance.choice(["cup", "pot", "jar"]),
                "channel": chance.choice(["web", "app"]),
                "device": chance.choice(["mobile", "desktop"]),
                "campaign_ref": chance.choice(["spring", None]),
                "batch_id": 1,
            }
            if step == login:
                values.update(event_type="login", customer_ref=customer)
            elif step == steps - 2 and step > 0 and chance.random() < 0.5:
                values["event_type"] = "checkout_started"
            elif step == steps - 1 and step > 1 and chance.random() < 0.5:
                values["event_type"] = "order_completed"
                rows += _order(customer, f"{browser} {visit}", at)
            rows.append(("events", values))
            at += timedelta(seconds=chance.randrange(5, 900))
    return rows


def _order(customer: str, reference: str, at: datetime) -> list[Row]:
    order = {"order_ref": reference, "batch_id": 1}
    price = 4.0 + int(reference[-1])
    line = {"line_number": 1, "product_ref": "cup", "quantity": 1.0, "unit_price": price}
    return [
        ("orders", {**order, "customer_ref": customer, "ordered_at": at, "status": "completed"}),
        ("order_lines", {**order, **line, "discount": 1.0}),
    ]


def _messages(chance: Random, customer: str) -> list[Row]:
    rows: list[Row] = []
    for number in range(8):
        sent_at = START + timedelta(days=3 * number, minutes=chance.randrange(360, 600))
        campaign = f"campaign {number % 5}"
        message = {
            "message_ref": f"{customer} {number}",
            "sent_at": sent_at,
            "customer_ref": customer,
            "campaign_ref": campaign,
            "channel": chance.choice(["email", "sms"]),
            "variant": chance.choice(["a", "b"]),
            "is_control": chance.random() < 0.1,
            "batch_id": 1,
        }
        rows.append(("messages", message))
        for kind in ("message_opened", "message_clicked", "coupon_redeemed"):
            if chance.random() < 0.4:
                values = {
                    "event_id": f"{customer} {number} {kind}",
                    "customer_ref": customer,
                    "occurred_at": sent_at + timedelta(hours=chance.randrange(100)),
                    "event_type": kind,
                    "channel": "email",
                    "campaign_ref": chance.choice([campaign, campaign, None]),
                    "batch_id": 1,
                }
                rows.append(("events", values))
    return rows
