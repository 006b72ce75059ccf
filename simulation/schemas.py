"""The columns of the canonical entities, as they are written to the landing folder."""

from __future__ import annotations

import pyarrow as pa

_TIME = pa.timestamp("us")
_TEXT = pa.string()
_WHOLE = pa.int64()
_REAL = pa.float64()


def _schema(entity: str, required: str) -> pa.Schema:
    names = required.split()
    return pa.schema(
        [pa.field(name, kind, name not in names) for name, kind in _COLUMNS[entity].items()]
    )


_COLUMNS = {
    "events": {
        "event_id": _TEXT, "occurred_at": _TIME, "event_type": _TEXT, "anonymous_ref": _TEXT,
        "customer_ref": _TEXT, "channel": _TEXT, "page": _TEXT, "product_ref": _TEXT,
        "campaign_ref": _TEXT, "quantity": _WHOLE, "value": _REAL, "currency": _TEXT,
        "country": _TEXT, "device": _TEXT, "user_agent": _TEXT, "referrer": _TEXT,
        "properties": _TEXT,
    },
    "customers": {
        "customer_ref": _TEXT, "updated_at": _TIME, "email": _TEXT, "phone": _TEXT,
        "full_name": _TEXT, "birth_date": pa.date32(), "address": _TEXT, "city": _TEXT,
        "postcode": _TEXT, "country": _TEXT, "signed_up_at": _TIME, "attributes": _TEXT,
    },
    "orders": {
        "order_ref": _TEXT, "ordered_at": _TIME, "customer_ref": _TEXT, "channel": _TEXT,
        "store_ref": _TEXT, "status": _TEXT, "currency": _TEXT,
    },
    "order_lines": {
        "order_ref": _TEXT, "line_number": _WHOLE, "product_ref": _TEXT, "quantity": _WHOLE,
        "unit_price": _REAL, "discount": _REAL,
    },
    "products": {
        "product_ref": _TEXT, "name": _TEXT, "category": _TEXT, "brand": _TEXT, "price": _REAL,
        "updated_at": _TIME,
    },
    "messages": {
        "message_ref": _TEXT, "sent_at": _TIME, "customer_ref": _TEXT, "campaign_ref": _TEXT,
        "channel": _TEXT, "variant": _TEXT, "is_control": pa.bool_(), "cost": _REAL,
    },
    "feedback": {
        "feedback_ref": _TEXT, "posted_at": _TIME, "body": _TEXT, "source_type": _TEXT,
        "customer_ref": _TEXT, "product_ref": _TEXT, "rating": _WHOLE, "language": _TEXT,
    },
    "consents": {
        "customer_ref": _TEXT, "purpose": _TEXT, "granted": pa.bool_(), "decided_at": _TIME,
    },
}  # fmt: skip

_REQUIRED = {
    "events": "event_id occurred_at event_type",
    "customers": "customer_ref updated_at",
    "orders": "order_ref ordered_at",
    "order_lines": "order_ref line_number product_ref quantity unit_price",
    "products": "product_ref",
    "messages": "message_ref sent_at customer_ref",
    "feedback": "feedback_ref posted_at body",
    "consents": "customer_ref purpose granted decided_at",
}

SCHEMAS: dict[str, pa.Schema] = {
    entity: _schema(entity, required) for entity, required in _REQUIRED.items()
}
"""One schema per canonical entity; required columns are not nullable."""
