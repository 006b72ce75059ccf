"""How much a request may be: bytes, messages, depth. What is beyond is refused, never cut."""

import zlib

SINGLE_BYTES = 32_000
BATCH_BYTES = 500_000
BATCH_MESSAGES = 1_000
DEPTH = 20

GZIP_WINDOW = 16 + zlib.MAX_WBITS
NUL = "\0"


class TooLarge(ValueError):
    """A body is longer than its limit, as sent or after decompression."""


def gunzip(body: bytes, limit: int) -> bytes:
    """Decompress a gzip body, never past its limit.

    Raises
    ------
    TooLarge
        When more than ``limit`` bytes come out.
    ValueError
        When it is no gzip, cut short, or followed by something else.
    """
    decoder = zlib.decompressobj(GZIP_WINDOW)
    try:
        text = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise ValueError(f"body: is no gzip ({error})") from None
    if len(text) > limit:
        raise TooLarge(f"body: more than {limit:,} bytes after decompression")
    if not decoder.eof or decoder.unused_data:
        raise ValueError("body: is no whole gzip stream")
    return text


def may_be_deep(body: bytes) -> bool:
    """Whether a body may be deeper than allowed, or have a NUL: a cheap look that never misses."""
    return body.count(b"{") + body.count(b"[") > DEPTH or b"\\u0000" in body


def flaw(value: object, depth: int = 1) -> str | None:
    """Say what keeps a message out: deeper than allowed, or a NUL in a text or a name."""
    if isinstance(value, str):
        return "row: has a NUL character" if NUL in value else None
    if not isinstance(value, dict | list):
        return None
    if depth > DEPTH:
        return f"row: more than {DEPTH} levels deep"
    children = value
    if isinstance(value, dict):
        if any(NUL in name for name in value):
            return "row: has a NUL character in a name"
        children = list(value.values())
    for child in children:
        found = flaw(child, depth + 1)
        if found is not None:
            return found
    return None
