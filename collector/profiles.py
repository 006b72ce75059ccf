"""Traits of an identify call, as a profile."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collector.mapping import SpecMapping, at
from collector.rows import Rejected
from collector.values import shown

IDENTIFIERS = (("userId",), ("anonymousId",))


def profile_row(
    mapping: SpecMapping,
    message: Mapping[str, Any],
    event: Mapping[str, object],
    received: datetime,
) -> dict[str, object] | None:
    """Give the customer's profile as of the call, None where nothing is said of a known one.

    Mobile libraries put traits into the context, others beside it; the latter win.
    """
    traits = message.get("traits")
    if not isinstance(traits, dict | None):
        raise Rejected(f"traits: {shown(traits)} is no JSON object")
    in_context = at(message, ("context", "traits"))
    traits = {**(in_context if isinstance(in_context, dict) else {}), **(traits or {})}
    if "customer_ref" not in event or not traits:
        return None
    row: dict[str, object] = {
        "customer_ref": event["customer_ref"],
        "updated_at": event["occurred_at"],
    }
    used: list[tuple[str, ...]] = []
    for rule in mapping.customers:
        value, paths = rule.value(traits, received)
        if value is not None:
            row[rule.column.name] = value
            used.extend(paths)
    attributes = _unused(traits, [*used, *IDENTIFIERS])
    if attributes:
        row["attributes"] = attributes
    return row


def _unused(traits: dict[str, Any], used: list[tuple[str, ...]]) -> dict[str, Any]:
    """What no column took, at most one level down."""
    rest = {name: dict(v) if isinstance(v, dict) else v for name, v in traits.items()}
    for path in used:
        if len(path) == 1:
            rest.pop(path[0], None)
        elif isinstance(rest.get(path[0]), dict):
            rest[path[0]].pop(path[1], None)
            if not rest[path[0]]:
                del rest[path[0]]
    return rest
