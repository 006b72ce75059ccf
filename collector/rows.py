"""Rows as lines of a landing file, and why a row or a message was not taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from collector import instants
from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.reserved import ERRORS, RECEIVED, SOURCE

Line = tuple[str, bytes]

REQUIRED_AS_NULL = {
    entity.name: {column.name: None for column in entity.columns if column.required}
    for entity in ENTITIES.values()
}
COLUMNS_AS_NULL = {entity.name: dict.fromkeys(entity.column_names) for entity in ENTITIES.values()}


class Rejected(ValueError):
    """A message or row that is not taken; the message begins with the field or with ``row:``."""


@dataclass(frozen=True)
class Taken:
    """What became of one message.

    Attributes
    ----------
    lines
        Entity and line of every row, the rejected message itself included.
    reason
        Why it was rejected, None where it was accepted.
    """

    lines: tuple[Line, ...]
    reason: str | None = None


def line(entity: str, row: Mapping[str, object], received: datetime) -> Line:
    """Write a row; when it was received makes each file's content its own."""
    return entity, orjson.dumps({**row, RECEIVED: instants.text(received)})


def rejected(entity: str, payload: object, reason: str, received: datetime) -> Taken:
    """Write a rejected message, so that ingestion puts it into quarantine with its reason."""
    row = {
        **REQUIRED_AS_NULL[entity],
        ERRORS: [f"row: {reason.removeprefix('row: ')}"],
        SOURCE: orjson.dumps(payload).decode(),
    }
    return Taken((line(entity, row, received),), reason)


def with_every_column(entity: str, encoded: bytes) -> bytes:
    """Name every column of an entity in a line, so that a file tells of none that it lacks."""
    return orjson.dumps({**COLUMNS_AS_NULL[entity], **orjson.loads(encoded)})
