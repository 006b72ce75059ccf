"""Messages of the Segment spec: checked, put right in time, turned into canonical rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from collector import instants
from collector.consents import consent_rows
from collector.limits import flaw
from collector.mapping import Path_, SpecMapping
from collector.orders import order_lines
from collector.plain import event_id_of
from collector.profiles import profile_row
from collector.rows import Line, Rejected, Taken, line, rejected
from collector.values import is_missing, json_text, shown
from orchestration.ingestion.entities import LONG_TEXT_LENGTH, REFERENCE_LENGTH

TYPES = ("track", "page", "screen", "identify", "group", "alias")
NEEDED = {"track": "event", "group": "groupId", "alias": "previousId"}
OF_AN_ATTEMPT = ("sentAt", "_metadata", "writeKey")
Row = dict[str, object]


@dataclass(frozen=True)
class Spec:
    """How messages are taken.

    Attributes
    ----------
    orders
        Whether an Order Completed, Cancelled or Refunded becomes an order besides its event.
    keep_ip
        Whether the address of the sender, where a message has it, stays in the properties.
    """

    mapping: SpecMapping
    orders: bool = True
    keep_ip: bool = False

    def take(
        self, message: object, received: datetime, sent: datetime | None, *, inspect: bool = True
    ) -> Taken:
        """Turn a message into rows, or say why not.

        Parameters
        ----------
        sent
            When the sender says that it sent the message, by its own clock.
        inspect
            Whether it may be too deep or have a NUL (`limits.may_be_deep`).
        """
        try:
            if inspect and (problem := flaw(message)):
                raise Rejected(problem)
            return Taken(tuple(self._lines(message, received, sent)))
        except Rejected as problem:
            return rejected("events", message, str(problem), received)

    def _lines(self, message: object, received: datetime, sent: datetime | None) -> list[Line]:
        if not isinstance(message, dict):
            raise Rejected("row: is no JSON object")
        kind = message.get("type")
        if kind not in TYPES:
            raise Rejected(f"type: {shown(kind)} is none of {', '.join(TYPES)}")
        needed = NEEDED.get(kind)
        if needed and _reference(message, needed) is None:
            raise Rejected(f"{needed}: missing, a {kind} has to have it")
        event = self._event(message, received, sent)
        lines = [line("events", event, received)]
        if kind == "identify" and (profile := profile_row(self.mapping, message, event, received)):
            lines.append(line("customers", profile, received))
        if kind == "track" and self.orders:
            lines += order_lines(event, received)
        for decision in consent_rows(self.mapping, message, event):
            lines.append(line("consents", decision, received))
        return lines

    def _event(self, message: dict[str, Any], received: datetime, sent: datetime | None) -> Row:
        row: Row = {
            "event_id": _reference(message, "messageId"),
            "occurred_at": instants.text(_occurred(message, received, sent)),
            "event_type": self._event_type(message),
            "anonymous_ref": _reference(message, "anonymousId"),
            "customer_ref": _reference(message, "userId"),
        }
        if message["type"] == "alias":
            row["anonymous_ref"] = _reference(message, "previousId")
        if row["customer_ref"] is None and row["anonymous_ref"] is None:
            raise Rejected("userId: missing, and so is anonymousId")
        if row["event_id"] is None:
            same = {name: value for name, value in message.items() if name not in OF_AN_ATTEMPT}
            row["event_id"] = event_id_of(same, _own_time(message))
        for rule in self.mapping.events:
            value, _ = rule.value(message, received)
            if value is not None:
                row[rule.column.name] = value
        row.setdefault("channel", self.mapping.channel(message))
        row["device"] = self.mapping.device(message)
        row["properties"] = self._properties(message)
        if len(json_text(row["properties"])) > LONG_TEXT_LENGTH:
            raise Rejected(f"properties: more than {LONG_TEXT_LENGTH:,} characters")
        return {name: value for name, value in row.items() if value is not None}

    def _event_type(self, message: Mapping[str, Any]) -> str:
        if message["type"] != "track":
            return self.mapping.call_types[message["type"]]
        if not isinstance(message["event"], str):
            raise Rejected(f"event: {shown(message['event'])} is no name")
        if len(message["event"]) > REFERENCE_LENGTH:
            raise Rejected(f"event: more than {REFERENCE_LENGTH:,} characters")
        return self.mapping.event_type(message["event"].strip())

    def _properties(self, message: Mapping[str, Any]) -> Row:
        """Everything that no column has: what was sent, its context, what names the call."""
        kind = message["type"]
        properties = message.get("properties")
        if not isinstance(properties, dict | None):
            raise Rejected(f"properties: {shown(properties)} is no JSON object")
        kept: Row = dict(properties or {})
        context = message.get("context")
        if not isinstance(context, dict | None):
            raise Rejected(f"context: {shown(context)} is no JSON object")
        left_out = self.mapping.context_left_out
        if self.keep_ip:
            left_out = tuple(path for path in left_out if path != ("ip",))
        if context := without(context or {}, left_out):
            kept["context"] = context
        if kind == "track":
            kept["event_name"] = message["event"]
            order_ref = _reference(kept, "order_id") or _reference(kept, "orderId")
            if order_ref is not None:
                kept["order_ref"] = order_ref
        elif kind == "group":
            kept["group_ref"] = _reference(message, "groupId")
            kept["traits"] = message.get("traits")
        elif kind == "alias":
            kept["previous_ref"] = _reference(message, "previousId")
        elif kind == "identify" and _reference(message, "userId") is None:
            kept["traits"] = message.get("traits")
        elif kind in ("page", "screen"):
            kept.update({k: message[k] for k in ("name", "category") if message.get(k)})
        return kept


def without(content: dict[str, Any], paths: tuple[Path_, ...]) -> dict[str, Any]:
    """Copy an object without what stands at some paths."""
    kept = dict(content)
    for name, *rest in paths:
        if not rest:
            kept.pop(name, None)
        elif isinstance(kept.get(name), dict):
            inner = without(kept[name], (tuple(rest),))
            kept.pop(name)
            if inner:
                kept[name] = inner
    return kept


def sent_at(container: Mapping[str, Any]) -> datetime | None:
    """When a message or a batch says that it was sent."""
    return instants.parse(container.get("sentAt"))


def _reference(container: Mapping[str, Any], name: str) -> str | None:
    """An identifier as text, None where it is missing."""
    value = container.get(name)
    if is_missing(value):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Rejected(f"{name}: {shown(value)} is no identifier")
    text = value.strip() if isinstance(value, str) else json_text(value)
    if len(text) > REFERENCE_LENGTH:
        raise Rejected(f"{name}: {len(text):,} characters, at most {REFERENCE_LENGTH:,}")
    return text


def _own_time(message: Mapping[str, Any]) -> object:
    for name in ("originalTimestamp", "timestamp"):
        if not is_missing(message.get(name)):
            return message[name]
    return None


def _occurred(message: Mapping[str, Any], received: datetime, sent: datetime | None) -> datetime:
    """When it happened, by our clock: the sender's time, moved by how far its clock is off."""
    given = _own_time(message)
    if given is None:
        return received
    instant = instants.parse(given)
    if instant is None:
        raise Rejected(f"timestamp: {shown(given)} is not an ISO 8601 instant")
    skew = timedelta() if sent is None else instants.clock_skew(sent, received)
    moved = instants.corrected(instant, skew)
    if moved is None or not instants.is_in_time(moved, received):
        raise Rejected(f"timestamp: {shown(given)} is not between 1970 and one day after arrival")
    return moved
