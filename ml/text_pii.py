"""Personal data in texts: found by pattern and checksum, and replaced by what it was.

E-mail, telephone, card (Luhn), IBAN (ISO 13616, modulo 97), web links, addresses, names and the
handles of users. The reader of a masked text sees ``[EMAIL]`` where an address stood. Recall comes
before precision: a number that might be a telephone is masked unless the words before it say that
it is an order, an article or a price. Nothing is loaded and nothing leaves the process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ml.text_pii_names import names_in
from ml.text_pii_numbers import cards_in, ibans_in, phones_in
from ml.text_pii_places import addresses_in
from ml.text_pii_web import emails_in, handles_in, links_in

Span = tuple[int, int]
FINDERS: tuple[tuple[str, Callable[[str], Iterable[Span]]], ...] = (
    ("email", emails_in),
    ("link", links_in),
    ("iban", ibans_in),
    ("card", cards_in),
    ("address", addresses_in),
    ("phone", phones_in),
    ("name", names_in),
    ("handle", handles_in),
)
"""What is looked for, the surest first: where two overlap, the first one counts."""


@dataclass(frozen=True)
class Finding:
    """A piece of personal data: its kind, and where it begins and ends in the text."""

    kind: str
    start: int
    end: int


def find(text: str, *, keep: Collection[str] = ()) -> list[Finding]:
    """Find personal data in a clean text.

    Parameters
    ----------
    text : str
        As `ml.text_cleaning.clean` leaves it: look-alike digits and signs are plain there.
    keep : collection of str
        Handles and names that are nobody's, in lower case: brands and products.

    Returns
    -------
    list of Finding
        In the order of the text; none overlap.
    """
    found: list[Finding] = []
    for kind, finder in FINDERS:
        for start, end in finder(text):
            if keep and text[start:end].lower().strip("@") in keep:
                continue
            if all(end <= other.start or start >= other.end for other in found):
                found.append(Finding(kind, start, end))
    return sorted(found, key=lambda finding: finding.start)


def mask(text: str, *, keep: Collection[str] = ()) -> str:
    """The text with its personal data replaced: ``write to [EMAIL]``; see `find`."""
    return replaced(text, find(text, keep=keep))


def replaced(text: str, found: Sequence[Finding]) -> str:
    """The text with what was found in it replaced by its kind."""
    return "".join(_pieces(text, found)) if found else text


def _pieces(text: str, found: Sequence[Finding]) -> Iterator[str]:
    after = 0
    for finding in found:
        yield text[after : finding.start]
        yield f"[{finding.kind.upper()}]"
        after = finding.end
    yield text[after:]
