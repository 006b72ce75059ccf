"""What messages of the Segment spec become, by the table and by the clock."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from collector_room import PAYLOADS, payload
from hypothesis import given
from hypothesis import strategies as st

from collector.instants import clock_skew
from collector.mapping import DEFAULT, MappingError, SpecMapping
from collector.messages import Spec
from collector.orders import discount_shares

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
SPEC = Spec(SpecMapping.load())
Rows = dict[str, list[dict[str, Any]]]


def rows_of(message: dict[str, Any], spec: Spec = SPEC, sent: datetime | None = None) -> Rows:
    """Rows of an accepted message, by entity."""
    taken = spec.take(message, NOW, sent)
    assert taken.reason is None
    rows: Rows = {}
    for entity, encoded in taken.lines:
        rows.setdefault(entity, []).append(json.loads(encoded))
    return rows


def track(event: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": event,
        "userId": "user-1",
        "messageId": "m1",
        "timestamp": "2024-05-01T11:00:00Z",
        "properties": properties,
    }


def messages_of(name: str) -> list[dict[str, Any]]:
    """Messages of a recorded library, with the kind that the address of a single one says."""
    kinds = {"p": "page", "t": "track", "i": "identify", "g": "group", "a": "alias"}
    found = []
    for request in payload(name):
        last = request["path"].rpartition("/")[2]
        found += request["body"].get("batch") or [
            {**request["body"], "type": kinds.get(last, last)}
        ]
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_every_message_of_public_libraries_is_one_event(name: str) -> None:
    received = datetime(2100, 1, 1, tzinfo=UTC)
    messages = messages_of(name)
    assert messages
    for message in messages:
        taken = SPEC.take(message, received, None)
        assert taken.reason is None
        events = [json.loads(encoded) for entity, encoded in taken.lines if entity == "events"]
        assert [event["event_id"] for event in events] == [message["messageId"]]
        assert "email" not in json.dumps(events)


def test_a_page_of_a_browser() -> None:
    (event,) = rows_of({**messages_of("analytics_next")[0], "timestamp": "2024-05-01"})["events"]
    assert event["event_type"] == "page_view"
    assert event["anonymous_ref"]
    assert "customer_ref" not in event
    expected = {
        "channel": "web",
        "page": "/games/monopoly",
        "campaign_ref": "spring_sale",
        "referrer": "cpc",
    }
    assert {name: event[name] for name in expected} == expected
    assert event["properties"]["context"]["campaign"] == {"source": "google", "name": "spring_sale"}


def test_a_screen_of_an_app_is_a_page_view_in_the_app() -> None:
    screen = messages_of("analytics_android")[1]
    (event,) = rows_of(screen)["events"]
    found = [event[name] for name in ("event_type", "channel", "device", "page")]
    assert found == ["page_view", "app", "mobile", "Product"]


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("Product Viewed", "product_view"),
        ("product_viewed", "product_view"),
        ("productViewed", "product_view"),
        ("add_to_cart", "add_to_cart"),
        ("Signed In", "login"),
        ("Wheel of Fortune spun", "wheel_of_fortune_spun"),
        ("结账", "结账"),
        ("---", "---"),
    ],
)
def test_names_of_events(name: str, event_type: str) -> None:
    (event,) = rows_of(track(name))["events"]
    assert (event["event_type"], event["properties"]["event_name"]) == (event_type, name)


def test_the_value_of_something_added_is_its_price_times_quantity() -> None:
    (event,) = rows_of(track("Product Added", price="4.25", quantity=3))["events"]
    assert (event["value"], event["quantity"]) == (12.75, 3)
    (single,) = rows_of(track("Product Added", price=4.25))["events"]
    assert single["value"] == 4.25


def test_what_no_column_can_hold_stays_in_the_properties() -> None:
    (event,) = rows_of(track("Product Added", price="dear", quantity=-1, colour=["red"]))["events"]
    assert not {"value", "quantity"} & set(event)
    kept = {name: event["properties"][name] for name in ("price", "quantity", "colour")}
    assert kept == {"price": "dear", "quantity": -1, "colour": ["red"]}


def test_an_address_is_kept_only_when_asked_for() -> None:
    message = {**track("x"), "context": {"ip": "10.0.0.7", "traits": {"email": "a@b.example"}}}
    assert "10.0.0.7" not in json.dumps(rows_of(message))
    kept = rows_of(message, Spec(SPEC.mapping, keep_ip=True))["events"][0]
    assert kept["properties"]["context"] == {"ip": "10.0.0.7"}


def test_an_alias_ties_the_earlier_identifier_to_the_customer() -> None:
    alias = {"type": "alias", "previousId": "anon-1", "userId": "user-1", "messageId": "m"}
    (event,) = rows_of(alias)["events"]
    assert (event["anonymous_ref"], event["customer_ref"]) == ("anon-1", "user-1")


def test_a_group_keeps_its_traits() -> None:
    group = {"type": "group", "groupId": 9, "traits": {"name": "Initech"}, "userId": "user-1"}
    (event,) = rows_of(group)["events"]
    assert event["properties"] == {"group_ref": "9", "traits": {"name": "Initech"}}


def test_traits_become_a_profile_and_no_event() -> None:
    traits = {
        "firstName": "Ann",
        "lastName": "Lee",
        "email": "ann.lee@example.com",
        "birthday": "1990-04-05",
        "address": {"street": "1 High St", "city": "London", "state": "x"},
        "createdAt": "yesterday",
        "loyalty_ref": "AB12",
    }
    rows = rows_of({"type": "identify", "userId": "user-1", "traits": traits})
    (profile,) = rows["customers"]
    assert profile["full_name"] == "Ann Lee"
    assert profile["birth_date"] == "1990-04-05"
    assert (profile["address"], profile["city"]) == ("1 High St", "London")
    left = {"address": {"state": "x"}, "createdAt": "yesterday", "loyalty_ref": "AB12"}
    assert profile["attributes"] == left
    assert "ann.lee" not in json.dumps(rows["events"])


def test_traits_of_nobody_known_stay_with_the_event() -> None:
    traits = {"email": "ann.lee@example.com"}
    rows = rows_of({"type": "identify", "anonymousId": "anon-1", "traits": traits})
    assert "customers" not in rows
    assert rows["events"][0]["properties"]["traits"] == traits


def test_consent_is_read_from_the_change_and_not_from_every_message() -> None:
    preferences = {"Advertising": False, "Marketing": True, "Analytics": True, "Other": True}
    context = {"consent": {"categoryPreferences": preferences}}
    changed = {**track("Segment Consent Preference Updated"), "context": context}
    decided = {row["purpose"]: row["granted"] for row in rows_of(changed)["consents"]}
    assert decided == {"marketing": False, "analytics": True}
    assert "consents" not in rows_of({**track("Product Viewed"), "context": context})


ORDER = {
    "order_id": "o1",
    "revenue": 25,
    "discount": 2.5,
    "currency": "USD",
    "products": [
        {"product_id": "p1", "price": 19, "quantity": 1},
        {"sku": "s2", "price": "4.25", "quantity": 2},
    ],
}


def test_an_order_and_its_lines() -> None:
    rows = rows_of(track("Order Completed", **ORDER))
    (order,) = rows["orders"]
    assert (order["order_ref"], order["status"], order["customer_ref"]) == (
        *("o1", "completed"),
        "user-1",
    )
    assert rows["events"][0]["properties"]["order_ref"] == "o1"
    lines = rows["order_lines"]
    assert [(line["line_number"], line["product_ref"]) for line in lines] == [(1, "p1"), (2, "s2")]
    worth = sum(line["quantity"] * line["unit_price"] - line["discount"] for line in lines)
    assert worth == pytest.approx(27.5 - 2.5)


def test_orders_can_be_left_to_another_source() -> None:
    rows = rows_of(track("Order Completed", **ORDER), Spec(SPEC.mapping, orders=False))
    assert set(rows) == {"events"}


def test_a_refund_of_products_is_a_return_of_its_own_and_one_without_is_of_the_order() -> None:
    part = rows_of(track("Order Refunded", order_id="o1", products=ORDER["products"][:1]))  # type: ignore[index]
    assert part["orders"][0]["order_ref"] == part["order_lines"][0]["order_ref"] == "o1/refund/m1"
    whole = rows_of(track("Order Refunded", order_id="o1"))
    assert (whole["orders"][0]["order_ref"], whole["orders"][0]["status"]) == ("o1", "returned")
    assert "order_lines" not in whole


def test_a_product_that_is_no_line_goes_to_quarantine_alone() -> None:
    products = [{"product_id": "p1", "price": 3}, {"product_id": "p2"}, "p3"]
    rows = rows_of(track("Order Completed", order_id="o1", products=products))
    reasons = [line["_errors"] for line in rows["order_lines"] if "_errors" in line]
    assert reasons == [
        ["row: unit_price: missing"],
        ['row: product: "p3" is no JSON object'],
    ]
    assert len(rows["events"]) == len(rows["orders"]) == 1


@given(
    grosses=st.lists(st.floats(0, 1e6).map(lambda x: round(x, 2)), min_size=1, max_size=20),
    discount=st.floats(0, 1e6).map(lambda x: round(x, 2)),
)
def test_shares_of_a_discount_add_up_and_none_is_negative(
    grosses: list[float], discount: float
) -> None:
    shares = discount_shares(grosses, discount)
    assert min(shares) >= 0
    assert sum(shares) == pytest.approx(min(discount, sum(grosses)), abs=1e-3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "tarck"}, "type: "),
        ({"event": None}, "event: missing"),
        ({"event": ["a"]}, "event: "),
        ({"userId": None}, "userId: missing"),
        ({"userId": {"id": 1}}, "userId: "),
        ({"userId": "x" * 1_001}, "userId: 1,001 characters"),
        ({"timestamp": "soon"}, 'timestamp: "soon" is not'),
        ({"timestamp": "2024-05-03T00:00:00Z"}, "timestamp: "),
        ({"properties": [1]}, "properties: "),
        ({"context": "x"}, "context: "),
        ({"properties": {"a": "b\0"}}, "row: has a NUL"),
    ],
)
def test_what_cannot_be_an_event_is_rejected_with_its_field(
    change: dict[str, Any], reason: str
) -> None:
    taken = SPEC.take({**track("x"), **change}, NOW, None)
    assert taken.reason is not None
    assert taken.reason.startswith(reason)
    ((entity, encoded),) = taken.lines
    row = json.loads(encoded)
    assert (entity, row["event_id"]) == ("events", None)
    assert row["_errors"] == [f"row: {taken.reason.removeprefix('row: ')}"]
    assert json.loads(row["_source"])["type"]


def test_depth_has_a_limit() -> None:
    deep: Any = 1
    for _ in range(18):
        deep = [deep]
    assert SPEC.take(track("x", a=deep), NOW, None).reason is None
    assert SPEC.take(track("x", a=[deep]), NOW, None).reason == "row: more than 20 levels deep"


@given(hours=st.integers(-48, 48), late=st.floats(0, 4.9))
def test_a_wrong_clock_is_put_right_the_same_way_at_every_attempt(hours: int, late: float) -> None:
    wrong = timedelta(hours=hours)
    happened = NOW - timedelta(minutes=30)
    message = {**track("x"), "timestamp": (happened + wrong).isoformat()}
    first = rows_of(message, sent=NOW + wrong)["events"][0]["occurred_at"]
    again = rows_of(message, sent=NOW + wrong - timedelta(seconds=late))["events"][0]
    assert first == again["occurred_at"] == happened.replace(tzinfo=None).isoformat()


def test_a_right_clock_is_left_alone_however_slow_the_way() -> None:
    assert clock_skew(NOW - timedelta(seconds=4.9), NOW) == timedelta(0)
    assert clock_skew(NOW - timedelta(seconds=5.1), NOW) == timedelta(seconds=10)


def test_a_message_without_an_identifier_is_known_by_its_content_and_time() -> None:
    message = {**track("x"), "messageId": None}
    attempts = [{**message, "sentAt": f"2024-05-01T11:00:0{number}Z"} for number in range(2)]
    ids = [rows_of(attempt)["events"][0]["event_id"] for attempt in attempts]
    assert ids[0] == ids[1]
    timeless = {**message, "timestamp": None}
    others = [rows_of(timeless)["events"][0]["event_id"] for _ in range(2)]
    assert others[0] != others[1]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  quantity: [", "  quantities: [", 'events: no column "quantities"'),
        ("  page: [", "  page: x #", "events.page: is no list"),
        ("consents:", "consent:", "has to have exactly"),
        ("windows|", "(windows|", "unterminated"),
    ],
)
def test_a_wrong_table_is_refused_by_name(old: str, new: str, problem: str, tmp_path: Any) -> None:
    path = tmp_path / "segment.yml"
    path.write_text(DEFAULT.read_text().replace(old, new))
    with pytest.raises(MappingError, match=problem) as found:
        SpecMapping.load(path)
    assert str(path) in str(found.value)
