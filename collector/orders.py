"""Orders and their lines, from the ecommerce events of the Segment spec."""

from collections.abc import Mapping
from datetime import datetime
from math import fsum
from typing import Any

from collector.rows import Line, line, rejected
from collector.values import Unusable, convert, is_missing, shown
from orchestration.ingestion.entities import ENTITIES

STATUSES = {
    "order_completed": "completed",
    "order_cancelled": "cancelled",
    "order_returned": "returned",
}
COLUMNS = {column.name: column for column in ENTITIES["order_lines"].columns}
PRODUCT_NAMES = ("product_id", "productId", "sku", "id")
CENT_DIGITS = 2


def order_lines(event: Mapping[str, object], received: datetime) -> tuple[Line, ...]:
    """Write the order that an event tells of, and its lines.

    A refund that lists products is a return of these, an order of its own; one that lists none
    returns the whole order. A product that cannot be a line goes to quarantine alone: the event
    and the order stay.
    """
    status = STATUSES.get(str(event["event_type"]))
    properties: Any = event["properties"]
    order_ref = properties.get("order_ref")
    if status is None or order_ref is None:
        return ()
    products = properties.get("products")
    if not isinstance(products, list) or status == "cancelled":
        products = []
    if status == "returned" and products:
        order_ref = f"{order_ref}/refund/{event['event_id']}"
    order = {
        "order_ref": order_ref,
        "ordered_at": event["occurred_at"],
        "customer_ref": event.get("customer_ref"),
        "channel": event.get("channel"),
        "status": status,
        "currency": event.get("currency"),
    }
    return (
        line("orders", {k: v for k, v in order.items() if v is not None}, received),
        *_product_lines(order_ref, products, properties.get("discount"), received),
    )


def discount_shares(grosses: list[float], discount: float) -> list[float]:
    """Spread the discount of an order over its lines by what they cost, to the cent.

    The shares add up to the discount, or to the whole order where that is less.
    """
    total = fsum(grosses)
    discount = min(discount, total)
    if discount <= 0:
        return [0.0] * len(grosses)
    shares, given, passed = [], 0.0, 0.0
    for gross in grosses:
        passed += gross
        until = discount if passed >= total else round(discount * passed / total, CENT_DIGITS)
        shares.append(max(round(until - given, CENT_DIGITS + 4), 0.0))
        given = until
    return shares


def _product_lines(
    order_ref: str, products: list[Any], discount: object, received: datetime
) -> list[Line]:
    rows: list[dict[str, Any]] = []
    lines: list[Line] = []
    for number, product in enumerate(products, 1):
        try:
            row = {"order_ref": order_ref, "line_number": number, **_product(product, received)}
        except Unusable as problem:
            payload = {"order_ref": order_ref, "line_number": number, "product": product}
            lines += rejected("order_lines", payload, str(problem), received).lines
        else:
            rows.append(row)
    shares = discount_shares(
        [row["quantity"] * row["unit_price"] for row in rows], _discount(discount, received)
    )
    for row, share in zip(rows, shares, strict=True):
        if share:
            row["discount"] = share
        lines.append(line("order_lines", row, received))
    return lines


def _product(product: object, received: datetime) -> dict[str, object]:
    if not isinstance(product, dict):
        raise Unusable(f"product: {shown(product)} is no JSON object")
    names = [name for name in PRODUCT_NAMES if not is_missing(product.get(name))]
    given = {
        "product_ref": product.get(names[0]) if names else None,
        "quantity": 1 if is_missing(product.get("quantity")) else product["quantity"],
        "unit_price": product.get("price"),
    }
    row: dict[str, object] = {}
    for name, value in given.items():
        try:
            row[name] = convert(COLUMNS[name], value, received)
        except Unusable as problem:
            raise Unusable(f"{name}: {problem}") from None
        if row[name] is None:
            raise Unusable(f"{name}: missing")
    return row


def _discount(value: object, received: datetime) -> float:
    """The discount of the whole order; what is no number counts as none, the event keeps it."""
    try:
        discount = convert(COLUMNS["discount"], value, received)
    except Unusable:
        return 0.0
    return 0.0 if discount is None else float(discount)
