"""E-mail addresses, links and handles in texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LOCAL = r"(?:\"[^\"\n]{1,64}\"|[\w!#$%&'*+/=?^`{|}~-][\w!#$%&'*+/=?^`{|}~.-]{0,63})"
_HOST = r"(?:[\w](?:[\w-]{0,61}\w)?)"
_AT = r"(?:@|\s@\s|\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?|_at_)"
_DOT = r"(?:\s?\.|\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?|_dot_)"
_EMAIL = re.compile(
    rf"(?<![\w.]){_LOCAL}{_AT}(?:{_HOST}(?:{_DOT}{_HOST})*{_DOT}[^\W\d_]{{2,24}}\b"
    r"|\[?\d{1,3}(?:\.\d{1,3}){3}\]?)",
    re.I,
)
_SPOKEN = re.compile(
    rf"(?<![\w.])[\w+-]+(?:(?:\.|\s(?:dot|point)\s)[\w+-]+)*\s(?:at|@)\s"
    rf"{_HOST}(?:(?:\.|\s(?:dot|point)\s){_HOST}){{0,3}}(?:\.|\s(?:dot|point)\s)"
    r"(?:com|org|net|edu|gov|info|io|co|biz|eu|uk|de|fr|nl|ch|at|es|it|be|pl|se|us|ca|au)\b",
    re.I,
)
_MIGHT_BE_SPOKEN = re.compile(r"\s(?:at|@)\s", re.I)
_MIGHT_BE_EMAIL = re.compile(r"@|[\[({<_]\s?at\s?[\])}>_]", re.I)
_LINK = re.compile(r"(?:https?://|ftp://|\bwww\.)[^\s<>\"']+", re.I)
_HANDLE = re.compile(r"(?<![\w.@/])@[A-Za-z_]\w{1,29}")
_TRAILING = ".,;:!?)]}>*"


def emails_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where e-mail addresses are, also ``jo [at] example.com`` and ``jo at example dot com``.

    Yields
    ------
    start, end : int
    """
    if _MIGHT_BE_EMAIL.search(text):
        for found in _EMAIL.finditer(text):
            yield found.span()
    if _MIGHT_BE_SPOKEN.search(text):
        for found in _SPOKEN.finditer(text):
            yield found.span()


def links_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where links are: their paths and queries hold names, accounts and tokens."""
    if "://" in text or "www." in text.lower():
        for found in _LINK.finditer(text):
            yield found.start(), found.start() + len(found.group().rstrip(_TRAILING))


def handles_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where handles of users are (``@someone``)."""
    if "@" in text:
        for found in _HANDLE.finditer(text):
            yield found.span()
