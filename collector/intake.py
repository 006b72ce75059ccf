"""From a request to messages: who may write, how much, in which form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request

from collector.keys import WriteKeys, key_in_header
from collector.limits import TooLarge, gunzip

JSON_TYPES = ("application/json", "text/plain", "application/x-www-form-urlencoded", "")
"""What libraries send JSON as; browsers send it as plain text to save a request before it."""


class Refused(Exception):
    """A request that is answered without a message of it being counted as received."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Body:
    """A request's JSON, and the same as text."""

    value: Any
    text: bytes


def check_headers(headers: Headers, limit: int) -> int:
    """Refuse what cannot be taken before it is read; gives the most bytes it may need.

    Raises
    ------
    Refused
        With 413 or 415.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in JSON_TYPES:
        raise Refused(415, f"content-type: {kind!r} is none of application/json, text/plain")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Refused(415, f"content-encoding: {encoding!r} is neither gzip nor identity")
    length = headers.get("content-length", "")
    if encoding == "gzip" or not length.isdecimal():
        return limit
    if int(length) > limit:
        raise Refused(413, f"body: {int(length):,} bytes, at most {limit:,}")
    return int(length)


async def read_body(request: Request, limit: int) -> Body:
    """Read and decode a body, never past its limit.

    Raises
    ------
    Refused
        With 400 or 413.
    """
    text = await _read(request, limit)
    if request.headers.get("content-encoding", "").strip().lower() == "gzip":
        try:
            text = gunzip(text, limit)
        except TooLarge as problem:
            raise Refused(413, str(problem)) from None
        except ValueError as problem:
            raise Refused(400, str(problem)) from None
    try:
        return Body(orjson.loads(text), text)
    except orjson.JSONDecodeError as problem:
        raise Refused(400, f"body: is no JSON ({problem})") from None


def check_header_key(request: Request, keys: WriteKeys) -> bool:
    """Whether the header or the address has a key, which then has to be right.

    Raises
    ------
    Refused
        With 401.
    """
    authorization = request.headers.get("authorization")
    key = None
    if authorization:
        key = key_in_header(authorization)
    elif request.scope["query_string"]:
        key = request.query_params.get("writeKey")
    if key is None:
        return False
    if not keys.has(key):
        raise Refused(401, "write key: is not one of ours")
    return True


def check_body_key(value: object, keys: WriteKeys) -> None:
    """Refuse a body whose ``writeKey`` is missing or wrong.

    Raises
    ------
    Refused
        With 401.
    """
    key = value.get("writeKey") if isinstance(value, dict) else None
    if not isinstance(key, str) or not keys.has(key):
        raise Refused(
            401, "write key: missing or wrong; send it as Basic user name, bearer or writeKey"
        )


def messages_of_batch(value: object, most: int) -> list[Any]:
    """The messages of a batch, each with the context that the batch has for all.

    Raises
    ------
    Refused
        With 400 or 413.
    """
    if not isinstance(value, dict) or not isinstance(value.get("batch"), list):
        raise Refused(400, "batch: missing, or no list")
    batch: list[Any] = value["batch"]
    if len(batch) > most:
        raise Refused(413, f"batch: {len(batch):,} messages, at most {most:,}")
    shared = value.get("context")
    if not isinstance(shared, dict) or not shared:
        return batch
    return [_with_context(message, shared) for message in batch]


def rows_of_body(value: object, most: int) -> list[Any]:
    """Canonical rows: one object, a list of them, or a ``batch`` beside the key.

    Raises
    ------
    Refused
        With 413.
    """
    if isinstance(value, dict) and isinstance(value.get("batch"), list):
        value = value["batch"]
    elif isinstance(value, dict) and "writeKey" in value:
        value = {name: content for name, content in value.items() if name != "writeKey"}
    rows = value if isinstance(value, list) else [value]
    if len(rows) > most:
        raise Refused(413, f"body: {len(rows):,} rows, at most {most:,}")
    return rows


def _with_context(message: object, shared: Mapping[str, Any]) -> object:
    if not isinstance(message, dict):
        return message
    own = message.get("context")
    if own is not None and not isinstance(own, dict):
        return message
    return {**message, "context": {**shared, **(own or {})}}


async def _read(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise Refused(413, f"body: more than {limit:,} bytes")
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
