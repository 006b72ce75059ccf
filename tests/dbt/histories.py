"""Small random histories that are dense in coincidences.

Few visitors share few browsers over few days, on a grid of ten minutes that favours midnight: so
that sessions meet at exactly 30 minutes, cross days, and change owner often.
"""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from typing import Any

from tests.dbt.dbt_lake import Row

START = datetime(2024, 3, 1, 0, 5)  # no activity at midnight itself, which would cut its day in two
DAYS = 6
CUSTOMERS = ("ann", "bob", "cat", "dan", "eve")
BROWSERS = ("tab", "pad", "pc", "tv")
IDENTIFIERS = {
    "event_id", "anonymous_ref", "customer_ref", "order_ref", "message_ref", "feedback_ref",
    "email", "phone", "product_ref",
}  # fmt: skip
PRODUCTS = ("cup", "pot", "mug", "jar", "tin")
EVENT_TYPES = (
    "page_view", "product_view", "search", "add_to_cart", "remove_from_cart", "checkout_started",
    "order_completed", "login_failed", "message_opened", "message_clicked", "support_contact",
    "something_new",
)  # fmt: skip


def random_worlds(seed: int, count: int, batches: int, late_share: float = 1.0) -> list[Row]:
    """Histories that share no identifier, each in an order of its own, in common batches.

    What is true of their tables is true of each history, at the cost of one.
    """
    chance = random.Random(seed)
    rows: list[Row] = []
    for world in range(count):
        for entity, values in random_history(chance.randrange(1 << 30), batches, late_share):
            own = {
                name: f"{world}: {value}" if name in IDENTIFIERS and value is not None else value
                for name, value in values.items()
            }
            rows.append((entity, own))
    chance.shuffle(rows)
    return rows


def random_history(seed: int, batches: int, late_share: float = 1.0) -> list[Row]:
    """Raw rows of every entity, with unique keys, as ingestion leaves them.

    Parameters
    ----------
    late_share
        Probability that a row comes in any batch instead of in the one of its time. At 1 all
        order is lost; near 0 batches meet in the middle of sessions and touch the newest days.
    """
    chance = random.Random(seed)
    rows = [
        *_events(chance),
        *_orders(chance),
        *_messages(chance),
        *_feedback(chance),
        *_profiles(chance),
        *_consents(chance),
        *_products(chance),
    ]
    for _, values in rows:
        instants = [value for value in values.values() if isinstance(value, datetime)]
        is_late = not instants or chance.random() < late_share
        share = (instants[0] - START) / timedelta(days=DAYS) if instants else 0.0
        in_time = min(max(int(share * batches) + 1, 1), batches)
        values["batch_id"] = chance.randint(1, batches) if is_late else in_time
    return rows


def _instant(chance: random.Random) -> datetime:
    day = START + timedelta(days=chance.randrange(DAYS))
    if chance.random() < 0.6:
        return day + timedelta(minutes=10 * chance.randint(-9, 9))
    return day + timedelta(minutes=10 * chance.randrange(144))


def _amount(chance: random.Random, largest: int) -> float:
    return chance.randint(1, 4 * largest) / 4


def _events(chance: random.Random) -> list[Row]:
    rows: list[Row] = []
    for number in range(150):
        browser = chance.choice([*BROWSERS, *BROWSERS, None])
        is_login = chance.random() < 0.12
        customer = chance.choice(CUSTOMERS) if is_login or chance.random() < 0.25 else None
        values: dict[str, Any] = {
            "event_id": f"e{number}",
            "occurred_at": _instant(chance),
            "event_type": "login" if is_login else chance.choice(EVENT_TYPES),
            "anonymous_ref": browser,
            "customer_ref": customer,
            "channel": chance.choice(["Web", "App", None]),
            "page": chance.choice(["home", "sale", None]),
            "campaign_ref": chance.choice(["spring", None]),
            "device": chance.choice(["Phone", "desktop"]),
            "user_agent": "Kiosk 1.0" if number % 30 == 0 else None,
            "value": _amount(chance, 50) if chance.random() < 0.3 else None,
        }
        rows.append(("events", values))
    return rows


def _orders(chance: random.Random) -> list[Row]:
    rows: list[Row] = []
    for number in range(30):
        reference = f"o{number}"
        customer = chance.choice([*CUSTOMERS, *CUSTOMERS, None])
        ordered_at = _instant(chance)
        statuses = ["completed"] if chance.random() < 0.85 else []
        statuses += [name for name in ("cancelled", "returned") if chance.random() < 0.2]
        for status in statuses or ["returned"]:
            values: dict[str, Any] = {
                "order_ref": reference,
                "ordered_at": ordered_at,
                "customer_ref": customer,
                "channel": chance.choice(["store", "web", None]),
                "status": None if status == "completed" and chance.random() < 0.3 else status,
            }
            rows.append(("orders", values))
            ordered_at += timedelta(hours=chance.choice([0, 1, 20, 60]))
            if chance.random() < 0.1:  # a correction: somebody else's order after all
                customer = chance.choice([*CUSTOMERS, None])
        for line in range(chance.randint(0, 3)):
            values = {
                "order_ref": reference,
                "line_number": line,
                "product_ref": chance.choice(PRODUCTS),
                "quantity": float(chance.randint(1, 3)),
                "unit_price": _amount(chance, 20),
                # more than the line is worth, too
                "discount": chance.choice([None, _amount(chance, 3), 80.0]),
            }
            rows.append(("order_lines", values))
    rows.append(
        (
            "order_lines",
            {
                "order_ref": "unknown",
                "line_number": 1,
                "product_ref": "cup",
                "quantity": 1.0,
                "unit_price": 1.0,
            },
        )
    )
    return rows


def _messages(chance: random.Random) -> list[Row]:
    return [
        (
            "messages",
            {
                "message_ref": f"m{number}",
                "sent_at": _instant(chance),
                "customer_ref": chance.choice([*CUSTOMERS, "only_held_back"]),
                "is_control": chance.choice([True, False, None]),
                "cost": _amount(chance, 1),
            },
        )
        for number in range(20)
    ]


def _feedback(chance: random.Random) -> list[Row]:
    return [
        (
            "feedback",
            {
                "feedback_ref": f"f{number}",
                "posted_at": _instant(chance),
                "body": ("fine", "where is it", "awful", "I am leaving")[number % 4],
                "source_type": ("review", "ticket", "chat")[number % 3],
                "customer_ref": chance.choice([*CUSTOMERS, None]),
                "rating": chance.choice([None, 1.0, 4.0, 5.0]),
            },
        )
        for number in range(12)
    ]


def _profiles(chance: random.Random) -> list[Row]:
    """Profiles with identifiers of their own, some shared: by two, and by more than can be one."""
    rows: list[Row] = []
    for number in range(14):
        customer = chance.choice([*CUSTOMERS, "only_profile"])
        shared = chance.random() < 0.25
        values: dict[str, Any] = {
            "customer_ref": customer,
            "updated_at": START + timedelta(hours=number),
            "email": chance.choice([None, "mail"]) if shared else f"mail of {customer}",
            "phone": chance.choice([None, f"phone of {customer}", "phone one", "phone two"]),
            "birth_date": chance.choice([None, date(1980, 1, 1), date(1990, 1, 1)]),
            "signed_up_at": chance.choice([None, START - timedelta(days=number)]),
            "city": chance.choice(["Oslo", "Rome"]),
            "country": "no",
            "attributes": json.dumps({"number": number}),
        }
        rows.append(("customers", values))
    return rows


def _consents(chance: random.Random) -> list[Row]:
    return [
        (
            "consents",
            {
                "customer_ref": chance.choice([*CUSTOMERS, "only_consent"]),
                "purpose": chance.choice(["analytics", "personalisation", "marketing"]),
                "granted": chance.random() < 0.5,
                "decided_at": START + timedelta(hours=number),
            },
        )
        for number in range(15)
    ]


def _products(chance: random.Random) -> list[Row]:
    return [
        (
            "products",
            {
                "product_ref": product,
                "name": product.upper(),
                "category": chance.choice(["kitchen", "garden"]),
                "updated_at": START + timedelta(hours=number),
            },
        )
        for product in PRODUCTS[:-1]
        for number in range(2)
    ]
