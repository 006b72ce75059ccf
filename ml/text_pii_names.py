"""Names of people in texts: what follows a greeting or a title, and common first names.

There is no model behind this: a name that no cue introduces and that no list knows stays. What it
finds and misses is measured in tests/ml/test_text_pii.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_PART = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]+"
_OF = r"(?:(?:van|von|de|der|den|del|di|da|la|le|bin|al|el|ter|zu)\s){0,2}"
_FULL = rf"{_PART}(?:\s{_OF}(?:[A-Z]\.\s)?{_PART}){{0,2}}"
_CUES = re.compile(
    r"\b(?i:my name is|my name's|name is|i am called|this is|i'm|i am|ich heiße|ich heisse"
    r"|mein name ist|je m'appelle|mon nom est|me llamo|mi nombre es|mi chiamo|mijn naam is"
    r"|(?:spoke|speaking|talked) (?:to|with)|an? (?:agent|employee|colleague) (?:called|named)"
    rf"|signed|named|called|agent|attn\.?:?|name:|customer:|contact:)\s({_FULL})"
)
_TITLE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Madam|Herr|Frau|Herrn|Monsieur|Madame|Mme|Señora?|Sra?"
    rf"|Signora?|Mevrouw|Meneer)\.?\s({_OF}{_FULL})"
)
_CLOSING = re.compile(
    r"(?:^|\n|[.!?,]\s)(?i:(?:kind |best )?regards|best wishes|(?:yours )?sincerely|cheers|love"
    r"|yours faithfully|(?:many )?thanks|thank you|best|mit freundlichen grüßen|viele grüße|gruß"
    r"|cordialement|bien à vous|saludos|un saludo|cordiali saluti|groeten|greetings)"
    rf"\s?[,.!–-]?\s*\n?\s?[-–—]?\s?({_FULL})\s*[.!]?\s*(?:$|\n)"
)
_GREETING = re.compile(
    rf"\b(?i:dear|hi|hello|hey|hallo|liebe|lieber|bonjour|hola|ciao|beste)\s({_FULL})"
)
_WORD = re.compile(_PART)
_REST = re.compile(rf"(?:\s{_OF}(?:[A-Z]\.\s)?{_PART}){{1,2}}")
_OTHER_WORDS = """
    a an and am are at be but by can customer customers do does did all any every everyone
    everybody for from get good great had has have he her his how i if in is it its just like me
    my never no not of on or our please really so sorry still support sure team thank thanks
    that the their them then there they this to too very was we were what when where which who
    why will with would you your very happy unhappy angry furious disappointed delighted pleased
    glad sad upset tired done going madam sir gentlemen ladies service services sirs shop store
    folks guys people friend friends monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december yes ok
    okay hello hi hey also after before because absolutely awful bad best better cancel close
    delivery excellent fantastic horrible nothing now nobody order orders parcel price product
    quality recommended refund return returns terrible today tomorrow unacceptable useless
    wonderful worst yesterday english german french dutch american"""
_NO_NAMES = frozenset(_OTHER_WORDS.split())


@cache
def first_names() -> tuple[frozenset[str], frozenset[str]]:
    """First names in lower case: those that are nothing else, and those that are words too."""
    lines = files("ml").joinpath("text_first_names.txt").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    ambiguous = frozenset(name for line in words if line[0] == "?" for name in line[1:])
    return frozenset(name for line in words for name in line) - ambiguous - {"?"}, ambiguous


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where names of people are; words that begin a sentence are no names by themselves.

    Yields
    ------
    start, end : int
    """
    if text.islower():
        return
    for cue in (_TITLE, _CUES, _CLOSING, _GREETING):
        for found in cue.finditer(text):
            start, end = _trimmed(text, found.start(1), found.end(1))
            if start < end:
                yield start, end
    sure, ambiguous = first_names()
    after = 0
    for found in _WORD.finditer(text):
        if found.start() < after:
            continue
        word = found.group().lower().removesuffix("'s").removesuffix("’s")
        if word not in sure and word not in ambiguous:
            continue
        rest = _REST.match(text, found.end())
        end = _trimmed(text, found.start(), rest.end())[1] if rest else found.end()
        if word in sure or end > found.end():
            after = max(end, found.end())
            yield found.start(), after


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the words from the first one on that is no part of a name."""
    for part in _WORD.finditer(text, start, end):
        word = part.group()
        if word.lower() in _NO_NAMES or word[:2] in ("I'", "I’") or word.isupper():
            return start, max(start, len(text[: part.start()].rstrip()))
    return start, end
