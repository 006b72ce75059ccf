"""Readable text from whatever a customer or an export sent: a row each, never an error.

HTML becomes its text, invalid UTF-8 and control characters go, look-alike forms (full-width
letters, ligatures) become plain ones (Unicode NFKC), drawn-out letters are shortened. What is left
is hashed: the same words have the same hash, and a text is embedded once.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 20_000
"""Characters kept of a text: its first three quarters and its last quarter."""
_GAP = " … "
_MARKUP = re.compile(
    r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|</?[A-Za-z][^<>]*>|<![A-Za-z][^<>]*>", re.S | re.I
)
_BLOCK = re.compile(r"<\s*/?\s*(?:br|p|div|li|tr|h[1-6])\b[^<>]*>", re.I)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2069\ufeff\ufffc\ufffd\ud800-\udfff]+"
)
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{3,}|([!?.,…*=_~#-])\2{3,}")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_READ = 200_000
"""Characters looked at before cleaning, so that markup of any size takes bounded time."""


class Kind(StrEnum):
    """What a body holds."""

    TEXT = "text"
    EMPTY = "empty"
    SYMBOLS = "symbols"
    """No letter and no digit: emoji, emoticons, punctuation."""


@dataclass(frozen=True)
class CleanText:
    """A body as it is read by everything after.

    Attributes
    ----------
    text : str
        Valid Unicode, at most `LONGEST` characters and a mark of the gap; lines are kept.
    kind : Kind
    is_cut : bool
        Whether the middle of a very long body is left out.
    """

    text: str
    kind: Kind
    is_cut: bool = False

    @property
    def content_hash(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return content_hash(self.text)


def content_hash(text: str) -> str:
    """SHA-256 of a clean text, in hexadecimal: the key under which its embedding is kept."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def clean(body: str | bytes | None) -> CleanText:
    """Clean one body.

    Parameters
    ----------
    body : str, bytes or None
        Bytes are read as UTF-8; what is none of it is left out.

    Returns
    -------
    CleanText
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
    text, is_cut = _ends(text, _READ)
    if "<" in text:
        text = _MARKUP.sub(" ", _BLOCK.sub("\n", text))
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = _UNSEEN.sub("", text)
    text = _LINES.sub("\n", _SPACES.sub(" ", text)).strip()
    text = _DRAWN_OUT.sub(lambda found: found.group()[:3], text)
    text, is_long = _ends(text, LONGEST)
    return CleanText(text, kind_of(text), is_cut or is_long)


def clean_all(bodies: Iterable[str | bytes | None]) -> list[CleanText]:
    """Clean bodies, one row each and in order."""
    return [clean(body) for body in bodies]


def _ends(text: str, longest: int) -> tuple[str, bool]:
    if len(text) <= longest:
        return text, False
    head = longest * 3 // 4
    return text[:head] + _GAP + text[head - longest :], True


def kind_of(text: str) -> Kind:
    """What a clean text holds."""
    if any(letter.isalnum() for letter in text):
        return Kind.TEXT
    return Kind.SYMBOLS if text.strip() else Kind.EMPTY
