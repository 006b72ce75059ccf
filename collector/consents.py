"""Consent as the Segment spec has it, to decisions on our purposes."""

from collections.abc import Mapping
from typing import Any

from collector.mapping import SpecMapping, at, plain_name

PREFERENCES = ("context", "consent", "categoryPreferences")


def consent_rows(
    mapping: SpecMapping, message: Mapping[str, Any], event: Mapping[str, object]
) -> list[dict[str, object]]:
    """One row per purpose that a customer decides on in this message.

    Every message may carry the preferences; only identify and the event of a change are read, or
    a visit would be hundreds of equal decisions.
    """
    kind = message["type"]
    changed = kind == "track" and plain_name(message["event"]) == mapping.consent_event
    preferences = at(message, PREFERENCES)
    if "customer_ref" not in event or not (changed or kind == "identify"):
        return []
    if not isinstance(preferences, dict):
        return []
    decisions: dict[str, bool] = {}
    for category, granted in preferences.items():
        purpose = mapping.purposes.get(category.lower())
        if purpose is not None and isinstance(granted, bool):
            decisions[purpose] = decisions.get(purpose, True) and granted
    return [
        {
            "customer_ref": event["customer_ref"],
            "purpose": purpose,
            "granted": granted,
            "decided_at": event["occurred_at"],
        }
        for purpose, granted in decisions.items()
    ]
