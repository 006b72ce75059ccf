"""Postal addresses in texts: a house number beside a word for a street, post boxes, postcodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NUMBER = r"\d{1,5}(?:\s?[-/]\s?\d{1,4})?\s?[A-Za-z]?"
_NAME = r"(?:\d{1,3}(?:st|nd|rd|th)|[A-Z][\w'’.-]*|(?:de|du|des|la|le|les|of|the|van|der|den)\b)"
_ENGLISH = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Close|Crescent|Cres"
    r"|Place|Pl|Square|Sq|Terrace|Ter|Way|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Gardens|Grove|Hill"
    r"|Mews|Row|Walk|Trail|Trl|Alley|Loop|Park|Quay|Plaza|Island|Islands|Junction|Turnpike|Ridge"
    r"|Rapid|Rapids|Station|Stream|Views?|Village|Bypass|Causeway|Cove|Creek|Estates?|Extension"
    r"|Fields?|Forest|Fords?|Glens?|Harbors?|Haven|Heights|Hollow|Key|Keys|Knolls?|Lakes?|Landing"
    r"|Manors?|Meadows?|Mill|Mills|Mountains?|Neck|Orchard|Oval|Pass|Path|Pike|Pines?|Plains?"
    r"|Points?|Ports?|Prairie|Ranch|River|Roads?|Route|Run|Shoals?|Shores?|Springs?|Spurs?|Summit"
    r"|Throughway|Trace|Track|Tunnel|Union|Unions|Valleys?|Viaduct|Vista|Wells?|Crossing|Common"
    r"|Corner|Corners|Course|Bend|Bluffs?|Branch|Bridge|Brooks?|Burgs?|Camp|Canyon|Cape|Center"
    r"|Centers|Cliffs?|Club|Crest|Dale|Dam|Divide|Fall|Falls|Ferry|Flats?|Forges?|Forks?|Fort"
    r"|Freeway|Garden|Gateway|Green|Greens|Hills|Inlet|Isle|Light|Lights|Lock|Locks|Lodge|Mall"
    r"|Mission|Motorway|Overpass|Parks|Passage|Radial|Rest|Rue|Skyway|Squares|Stravenue)"
)
_UNIT = r"(?:,?\s(?:Apt|Apartment|Flat|Unit|Suite|Ste|Floor|Fl|Room|No)\b\.?\s?#?\w{1,6})"
_CITY = r"[A-ZÀ-Þ][^\W\d_]+(?:['’.\s-]{1,2}[A-ZÀ-Þ][^\W\d_]+){0,2}"
_TOWN = (
    rf"(?:,?\s(?:(?:D|CH|F|NL|A)-)?\d{{4,5}}(?:\s[A-Z]{{2}}\b)?\s{_CITY}"
    rf"|,\s{_CITY}(?:,?\s(?:[A-Z]{{2}}\s)?"
    r"(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})\b)?)"
)
_TAIL = rf"{_UNIT}?{_TOWN}?"
_ADDRESSES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:(?:Apt|Apartment|Flat|Unit|Suite)\.?\s?#?\w{{1,5}},?\s)?{_NUMBER},?\s"
        rf"(?:{_NAME}\s){{1,4}}{_ENGLISH}\b\.?{_TAIL}",
        rf"\b\d{{1,5}}\s[A-Z][\w'’-]*(?:street|road|avenue|lane|drive|way)\b{_TAIL}",
        r"\b(?!Spring|During|Bring|String)[A-ZÄÖÜ][\wäöüß-]*(?:stra(?:ß|ss)e|str\.?|weg|gasse|allee|platz|ring|damm|ufer|straat"
        rf"|laan|plein|gracht|kade|dijk|singel|wijk)\s\d{{1,4}}\s?[a-zA-Z]?\b{_TOWN}?",
        rf"\b(?:[A-ZÄÖÜ][\wäöüß-]+\s){{1,2}}(?:Stra(?:ß|ss)e|Str\.|Allee|Platz|Weg|Ring|Damm|Straat)"
        rf"\s\d{{1,4}}\s?[a-zA-Z]?\b{_TOWN}?",
        r"\b\d{1,4}\s?(?:bis|ter|[A-Z])?,?\s(?i:rue|avenue|av\.|boulevard|bd|place|chemin|allée|quai"
        rf"|impasse|route|cours)\s(?:(?:de|du|des|la|le|les|l['’]|d['’])\s?){{0,3}}[\w'’-]+"
        rf"(?:[\s-][A-Z][\w'’-]+){{0,3}}{_TOWN}?",
        r"\b(?i:rue|calle|c/|via|viale|piazza|avenida|av\.|paseo|plaza|corso|largo|rua)\s"
        r"(?:(?:de|du|des|del|della|dei|la|las|los|le|les|di)\s){0,3}[A-Z][\w'’-]+"
        rf"(?:\s(?:(?:de|del|di|la)\s)?[A-Z][\w'’-]+){{0,3}},?\s(?:n[.º°]?\s?)?\d{{1,4}}\b{_TOWN}?",
        r"\b(?i:p\.?\s?o\.?\s?box|postfach|bo[iî]te postale|bp|apartado)\s\d[\d\s]{0,7}\d",
        r"\b(?:[A-Z][a-z'’-]+(?:\s[A-Z][a-z'’-]+){0,2},?\s)?[A-Z]{2}\s\d{5}(?:-\d{4})?\b",
        r"\b(?:[A-Z][a-z'’-]+,?\s)?[A-PR-UWYZ][A-HK-Y]?\d[A-HJKMNP-Y\d]?\s\d[ABD-HJLNP-UW-Z]{2}\b",
        r"\b[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]\s?\d[ABCEGHJ-NPRSTV-Z]\d\b",
    )
)
_DIGIT = re.compile(r"\d")


def addresses_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where postal addresses are: English, German, Dutch, French, Spanish and Italian forms.

    Yields
    ------
    start, end : int
    """
    if not _DIGIT.search(text):
        return
    for pattern in _ADDRESSES:
        for found in pattern.finditer(text):
            yield found.span()
