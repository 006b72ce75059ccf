"""Rows with canonical columns as they are, checked column by column."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime

import orjson

from collector import instants
from collector.limits import flaw
from collector.rows import Rejected, Taken, line, rejected
from collector.values import Unusable, convert
from orchestration.ingestion.entities import ENTITIES

EXTRAS = {"events": "properties", "customers": "attributes"}
"""Column of an entity that keeps what is none of its columns."""


def take_row(entity: str, row: object, received: datetime, *, inspect: bool = True) -> Taken:
    """Turn one JSON object with canonical columns into a line of its entity.

    Parameters
    ----------
    inspect
        Whether it may be too deep or have a NUL (`limits.may_be_deep`).
    """
    try:
        if inspect and (problem := flaw(row)):
            raise Rejected(problem)
        return Taken((line(entity, _checked(entity, row, received), received),))
    except Rejected as problem:
        return rejected(entity, row, str(problem), received)


def event_id_of(message: Mapping[str, object], when: object) -> str:
    """An identifier for a message without one.

    A message that says when it happened is the same when it is sent again, so it is known by its
    content; of one that does not, two equal ones are two.
    """
    if when is None:
        return f"collector-{secrets.token_hex(16)}"
    content = orjson.dumps(message, option=orjson.OPT_SORT_KEYS)
    return f"content-{hashlib.sha256(content).hexdigest()[:32]}"


def _checked(entity: str, row: object, received: datetime) -> dict[str, object]:
    if not isinstance(row, dict):
        raise Rejected("row: is no JSON object")
    columns = {column.name: column for column in ENTITIES[entity].columns}
    given = {name: value for name, value in row.items() if name in columns}
    extra = {name: value for name, value in row.items() if name not in columns}
    if extra:
        _keep(entity, given, extra, columns)
    if entity == "events":
        if not given.get("event_id"):
            given["event_id"] = event_id_of(row, given.get("occurred_at"))
        if given.get("occurred_at") is None:
            given["occurred_at"] = instants.text(received)
    checked: dict[str, object] = {}
    for name, column in columns.items():
        try:
            value = convert(column, given.get(name), received)
        except Unusable as problem:
            raise Rejected(f"{name}: {problem}") from None
        if value is not None:
            checked[name] = value
        elif column.required:
            raise Rejected(f"{name}: missing")
    return checked


def _keep(
    entity: str,
    given: dict[str, object],
    extra: Mapping[str, object],
    columns: Mapping[str, object],
) -> None:
    """Put what is none of the entity's columns into the one that keeps anything."""
    kept = EXTRAS.get(entity)
    if kept is None:
        raise Rejected(f"{next(iter(extra))}: no such column (has: {', '.join(columns)})")
    content = given.get(kept)
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise Rejected(f"{kept}: is no JSON object, so it cannot keep {', '.join(extra)}")
    given[kept] = {**extra, **content}
