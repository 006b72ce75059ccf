"""Write keys: where a request has one, and whether it is ours."""

import base64
import binascii
import hmac
from collections.abc import Iterable


class WriteKeys:
    """The keys that may write.

    Every key is compared, whole and in constant time, so that the time of an answer tells nothing.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = [key.encode() for key in keys]

    def has(self, key: str) -> bool:
        """Whether a key is one of ours."""
        given = key.encode("utf-8", "replace")
        matches = [hmac.compare_digest(given, known) for known in self._keys]
        return any(matches)


def key_in_header(authorization: str) -> str | None:
    """Give the key of an ``Authorization`` header: Basic user name or bearer token."""
    scheme, _, credentials = authorization.strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        return credentials or None
    if scheme.lower() != "basic":
        return None
    try:
        user = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user or None
