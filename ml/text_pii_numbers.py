"""Cards, IBANs and telephone numbers in texts, told from order numbers, dates and prices."""

from __future__ import annotations

import re
from collections.abc import Iterator

_APART = r"[\s.\-–—/_]{0,3}"
_DIGITS = re.compile(r"\d(?:[\s().\-–—/_]{0,3}\d){6}")
_CARD = re.compile(rf"(?<![\w+])\d(?:{_APART}\d){{12,18}}(?!\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[\s.-]?\d{2}(?:[\s.\-–]{0,2}[A-Za-z0-9]){11,30}")
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30,
    "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
"""Length by country (ISO 13616 registry)."""
_PHONE = re.compile(
    r"(?<![\w@#€$£.,:/-])(?<![€$£]\s)"
    r"(?:(?:\+|\(\+)\s?|\(\s?)?\d(?:[\s().\-–—/]{0,3}\d){6,16}"
    r"(?:\s?(?:ext|x|extension|durchwahl)\.?\s?\d{1,6})?(?![\w%€$£]|[-–]\d|[.,]\d)",
    re.I,
)
_DATE = re.compile(
    r"(?:(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}"
    r"|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d)(?:\s.*)?",
    re.S,
)
_YEARS = re.compile(r"(?:19|20)\d\d\s?[-–—/]\s?(?:19|20)\d\d")
_THOUSANDS = re.compile(r"\d{1,3}(?:[\s.]000)+|\d{1,3}(?:\.\d{3})+")
_PHONE_WORD = re.compile(
    r"(?:phone|call|tel|mobile|mobil|cell|whats\s?app|ring|reach|text|fax|handy|number|nummer"
    r"|contact|dial|sms|portable|móvil|landline|office|home|work)\W{0,3}(?:\w+\W{1,3}){0,4}$",
    re.I,
)
_OTHER_WORD = re.compile(
    r"(?:order|bestell\w*|commande|pedido|invoice|rechnung\w*|ref(?:erence)?|ticket|tracking"
    r"|article|artikel\w*|item|sku|isbn|ean|serial|model|batch|booking|case|policy|parcel"
    r"|shipment|confirmation|flight|id|transaction|receipt|voucher|coupon|version|part)"
    r"\W{0,3}(?:(?:no|nr|number|nummer|id|code|ref|is|was|num)\W{0,3}){0,3}$",
    re.I,
)
_MONEY_WORD = re.compile(r"(?:€|\$|£|eur|usd|gbp|chf|price|cost|paid)\W{0,3}$", re.I)


def ibans_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where IBANs are: of their country's length and with a right checksum.

    One with a wrong checksum counts where the word IBAN stands before it: a slip of the pen.

    Yields
    ------
    start, end : int
    """
    if not _DIGITS.search(text) and "iban" not in text.lower():
        return
    at = 0
    while found := _IBAN.search(text, at):
        at = found.start() + 2
        kept = [i for i in range(found.start(), found.end()) if text[i].isalnum()]
        length = _IBAN_LENGTHS.get(text[kept[0] : kept[0] + 2].upper())
        if length is None or len(kept) < length:
            continue
        end = kept[length - 1] + 1
        written = "".join(text[i] for i in kept[:length]).upper()
        if (
            _has_iban_checksum(written)
            or "iban" in text[max(found.start() - 25, 0) : found.start()].lower()
        ):
            yield found.start(), end
            at = end


def cards_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where card numbers are: 13 to 19 digits of a card scheme, right by Luhn.

    Yields
    ------
    start, end : int
    """
    if not _DIGITS.search(text):
        return
    for found in _CARD.finditer(text):
        places = [i for i in range(found.start(), found.end()) if text[i].isdigit()]
        for first, last in _card_windows(len(places)):
            digits = [int(text[i]) for i in places[first:last]]
            if digits[0] in (2, 3, 4, 5, 6) and _has_luhn_checksum(digits):
                yield places[first], places[last - 1] + 1
                break


def phones_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where telephone numbers are: 7 to 15 digits that are nothing else.

    Yields
    ------
    start, end : int
    """
    if not _DIGITS.search(text):
        return
    for found in _PHONE.finditer(text):
        written = found.group()
        digits = sum(letter.isdigit() for letter in written)
        if digits <= 17 and _is_phone(written, text[max(found.start() - 45, 0) : found.start()]):
            yield found.span()


def _is_phone(written: str, before: str) -> bool:
    if written.lstrip("( ").startswith(("+", "00")):
        return True
    if _DATE.fullmatch(written) or _YEARS.fullmatch(written) or _MONEY_WORD.search(before):
        return False
    if _OTHER_WORD.search(before):
        return False
    if _PHONE_WORD.search(before):
        return True
    digits = [letter for letter in written if letter.isdigit()]
    if _THOUSANDS.fullmatch(written) or len(digits) > 13:
        return False
    return len(digits) >= 9 or not written.isdigit()


def _card_windows(count: int) -> Iterator[tuple[int, int]]:
    """The whole run first, then runs of 16 and 15 digits at either end of it."""
    yield 0, count
    for length in (16, 15):
        if count > length:
            yield 0, length
            yield count - length, count


def _has_luhn_checksum(digits: list[int]) -> bool:
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0 and any(digits)


def _has_iban_checksum(iban: str) -> bool:
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1
