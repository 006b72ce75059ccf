"""Canonical rows as they are: raw takes what the collector accepted, and nothing is dropped."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from collector.plain import take_row

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def accepted(entity: str, row: dict[str, Any]) -> dict[str, Any]:
    taken = take_row(entity, row, NOW)
    assert taken.reason is None
    ((name, encoded),) = taken.lines
    assert name == entity
    content: dict[str, Any] = json.loads(encoded)
    return content


def test_an_event_needs_nothing_but_its_type() -> None:
    row = accepted("events", {"event_type": "login"})
    assert row["occurred_at"] == "2024-05-01T12:00:00"
    assert row["event_id"].startswith("collector-")


def test_an_offset_is_applied_and_numbers_may_be_text() -> None:
    given = {"event_type": "x", "occurred_at": "2024-05-01T13:00:00+02:00", "value": " 1.5 "}
    row = accepted("events", given)
    assert (row["occurred_at"], row["value"]) == ("2024-05-01T11:00:00", 1.5)


def test_what_is_no_column_is_kept_where_an_entity_keeps_anything() -> None:
    row = accepted("events", {"event_type": "x", "colour": "red", "properties": {"a": 1}})
    assert json.loads(row["properties"]) == {"colour": "red", "a": 1}
    customer = {"customer_ref": "c", "updated_at": "2024-05-01", "loyalty_ref": "7"}
    assert json.loads(accepted("customers", customer)["attributes"]) == {"loyalty_ref": "7"}


def test_the_same_row_with_a_time_has_the_same_identifier() -> None:
    row = {"event_type": "x", "occurred_at": "2024-05-01"}
    ids = {
        accepted("events", content)["event_id"] for content in (row, dict(reversed(row.items())))
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("entity", "row", "reason"),
    [
        ("events", [], "row: is no JSON object"),
        ("events", {"occurred_at": "2024-05-01"}, "event_type: missing"),
        ("events", {"event_type": " "}, "event_type: missing"),
        ("events", {"event_type": "x", "value": "1e999"}, "value: "),
        ("events", {"event_type": "x", "value": True}, "value: "),
        ("events", {"event_type": "x", "quantity": -1}, "quantity: -1 is negative"),
        ("events", {"event_type": "x", "occurred_at": 5}, "occurred_at: 5 is not an ISO"),
        ("events", {"event_type": "x", "properties": "{"}, 'properties: "{" is malformed'),
        ("events", {"event_type": "x", "properties": [1], "b": 2}, "properties: is no JSON"),
        ("events", {"event_type": "x", "page": "p" * 8_001}, "page: 8,001 characters"),
        ("orders", {"order_ref": "o", "ordered_at": "2024-01-01", "status": "lost"}, "status: "),
        ("orders", {"order_ref": "o", "ordered_at": "2024-01-01", "colour": 1}, "colour: no such"),
        ("order_lines", {"order_ref": "o", "line_number": 1.5}, "line_number: 1.5 is not a whole"),
        ("consents", {"customer_ref": "c", "purpose": "marketing", "granted": 2}, "granted: 2"),
        ("customers", {"customer_ref": "c", "updated_at": "2024-05-09"}, "updated_at: "),
    ],
)
def test_a_row_is_rejected_with_its_column(entity: str, row: Any, reason: str) -> None:
    taken = take_row(entity, row, NOW)
    assert taken.reason is not None
    assert taken.reason.startswith(reason)
    ((name, encoded),) = taken.lines
    assert name == entity
    assert json.loads(json.loads(encoded)["_source"]) == row
