"""Identifiers of people in one spelling, and whether a value only stands in for one.

Every function takes any text, gives null for what is no identifier, and never raises.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import lru_cache

from orchestration.settings import PROJECT_ROOT

PLACEHOLDERS = PROJECT_ROOT / "dbt_project" / "seeds" / "identity_placeholders.csv"
LONGEST = 320
"""Longest identifier in characters: that of an e-mail address."""
IGNORE_DOTS = {"gmail.com", "googlemail.com"}
IGNORE_TAGS = IGNORE_DOTS | {
    "outlook.com",
    "hotmail.com",
    "live.com",
    "icloud.com",
    "fastmail.com",
    "proton.me",
}
SAME_DOMAIN = {"googlemail.com": "gmail.com"}
REGIONS = {"UK": "GB", "EL": "GR"}
"""Codes in common use that are not the ISO code of the country."""
# characters of these categories are invisible: controls, joiners, direction marks, line ends
_INVISIBLE = {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}


@dataclass(frozen=True)
class Placeholder:
    """A reviewed pattern of values that must never join two people."""

    kind: str
    pattern: re.Pattern[str]
    reason: str


def normal_email(text: str | None) -> str | None:
    """Give the mailbox that an address names, in one spelling; null when it names none.

    Well-known providers deliver with and without dots or a tag; those are left out.
    """
    address = _plain(text, without=_INVISIBLE)
    if address is None:
        return None
    before = None
    while before != address:
        before = address
        if address.startswith("<") and address.endswith(">"):
            address = address[1:-1]
        address = address.removeprefix("mailto:")
    if address.count("@") != 1:
        return None
    mailbox, domain = address.split("@")
    if domain in IGNORE_TAGS:
        mailbox = mailbox.partition("+")[0]
    if domain in IGNORE_DOTS:
        mailbox = mailbox.replace(".", "")
    domain = SAME_DOMAIN.get(domain, domain)
    return f"{mailbox}@{domain}" if mailbox and domain else None


def normal_phone(text: str | None, country: str | None = None) -> str | None:
    """Give a number in E.164, such as ``+442079460123``; null when it cannot be read.

    Parameters
    ----------
    country
        ISO code of the country in which a national number is dialled; without it only
        international numbers can be read.
    """
    import phonenumbers

    plain = _plain(text, without={"Cc", "Cf", "Cs"})
    if plain is None:
        return None
    region = (_plain(country) or "").strip().upper()
    region = REGIONS.get(region, region)
    known = region in phonenumbers.SUPPORTED_REGIONS
    if not known and plain.lstrip().startswith("00"):
        plain = "+" + plain.lstrip().removeprefix("00")
    try:
        number = phonenumbers.parse(plain, region if known else None)
    except phonenumbers.NumberParseException:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def normal_loyalty(text: str | None) -> str | None:
    """Give a loyalty number in upper case, without spaces and dashes; null without one."""
    number = _plain(text, without={*_INVISIBLE, "Pd"}, case=str.upper)
    if number is None or number.startswith(("{", "[")):
        return None
    return number if any(c.isalnum() for c in number) else None


def placeholder_reason(kind: str, normal: str | None) -> str | None:
    """Say why a normal value (``email``, ``phone``, ``loyalty``) is no one's, or give null."""
    if normal is None:
        return None
    for placeholder in placeholders():
        if placeholder.kind == kind and placeholder.pattern.search(normal):
            return placeholder.reason
    return None


@lru_cache(maxsize=1)
def placeholders() -> tuple[Placeholder, ...]:
    """The reviewed patterns, read once.

    Raises
    ------
    ValueError
        When a pattern is no regular expression, naming its line.
    """
    rules = []
    with PLACEHOLDERS.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            try:
                pattern = re.compile(row["pattern"], re.ASCII)
            except re.error as error:
                raise ValueError(f"{PLACEHOLDERS}, line {number}: {error}") from None
            rules.append(Placeholder(row["identifier_kind"], pattern, row["reason"]))
    return tuple(rules)


def _plain(
    text: str | None, without: Set[str] = frozenset(), case: Callable[[str], str] = str.lower
) -> str | None:
    """A trimmed text in compatibility form and one case; null when empty or too long.

    Characters of the categories ``without`` are left out. A change of case can undo the form and
    leaving out can bring letters and accents together, so it goes on until nothing changes.
    """
    if text is None or len(text := text.strip()) > LONGEST:
        return None
    for _ in range(4):
        folded = unicodedata.normalize("NFKC", case(unicodedata.normalize("NFKC", text)))
        folded = "".join(c for c in folded if unicodedata.category(c) not in without).strip()
        if folded == text:
            break
        text = folded
    return text if text and len(text) <= LONGEST else None
