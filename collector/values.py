"""A JSON value as a canonical column takes it, by the same rules as ingestion into raw."""

import math
from datetime import datetime

import orjson

from collector import instants
from orchestration.ingestion.entities import Column

Value = str | int | float | bool | None

SHOWN_CHARACTERS = 80
SPACES = " \t\r\n\v\f\u00a0\u2007\u202f\ufeff"
TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")
MOST_BIGINT = (1 << 63) - 1


class Unusable(ValueError):
    """A value that a column cannot take; the message says why, without the column's name."""


def is_missing(value: object) -> bool:
    """Whether a value says nothing: null, or a text of spaces."""
    return value is None or (isinstance(value, str) and not value.strip(SPACES))


def convert(column: Column, value: object, received: datetime) -> Value:
    """Turn a JSON value into what the column takes, None where it is missing.

    Raises
    ------
    Unusable
        When raw would reject the row for it.
    """
    if is_missing(value):
        return None
    if column.type == "json":
        return _json(column, value)
    if column.type == "timestamp":
        instant = instants.parse(value)
        if instant is None:
            raise Unusable(f"{shown(value)} is not an ISO 8601 instant")
        if not instants.is_in_time(instant, received):
            raise Unusable(f"{shown(value)} is not between 1970 and one day after arrival")
        return instants.text(instant)
    if column.type == "date":
        day = instants.parse_date(value)
        if day is None:
            raise Unusable(f"{shown(value)} is not an ISO 8601 date")
        if not instants.EARLIEST_DATE <= day <= received.date():
            raise Unusable(f"{shown(value)} is not between 1900 and arrival")
        return day.isoformat()
    if column.type == "boolean":
        return _boolean(value)
    if column.type in ("double", "bigint"):
        return _number(column, value)
    return _text(column, value)


def json_text(value: object) -> str:
    """Write a JSON value as text."""
    return orjson.dumps(value).decode()


def shown(value: object) -> str:
    """Give a value as messages quote it: as JSON, not endlessly."""
    text = json_text(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _text(column: Column, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unusable(f"{shown(value)} is not a text")
    text = value.strip(SPACES) if isinstance(value, str) else json_text(value)
    if not column.values:
        return _limited(column, text)
    if text.lower() not in column.values:
        raise Unusable(f"{shown(value)} is none of {', '.join(column.values)}")
    return text.lower()


def _json(column: Column, value: object) -> str:
    if isinstance(value, str):
        try:
            orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Unusable(f"{shown(value)} is malformed JSON") from None
        return _limited(column, value)
    return _limited(column, json_text(value))


def _limited(column: Column, text: str) -> str:
    if column.max_length is not None and len(text) > column.max_length:
        raise Unusable(f"{len(text):,} characters, at most {column.max_length:,}")
    return text


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        word = str(value).strip(SPACES).lower()
        if word in TRUE:
            return True
        if word in FALSE:
            return False
    raise Unusable(f"{shown(value)} is not true or false")


def _number(column: Column, value: object) -> int | float:
    number: float = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and value.isascii() and "_" not in value:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
    if not math.isfinite(number):
        raise Unusable(f"{shown(value)} is not a finite number")
    if column.non_negative and number < 0:
        raise Unusable(f"{shown(value)} is negative")
    if column.type == "double":
        return number
    if number != math.trunc(number) or abs(number) > MOST_BIGINT:
        raise Unusable(f"{shown(value)} is not a whole number")
    return int(number)
