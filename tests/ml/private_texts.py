"""Seeded texts with personal data in nasty formats, and texts with numbers that are none."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

_FRAMES = (
    "Hello, please write to {} as soon as you can.",
    "my details: {}, thanks",
    "I told your colleague twice already ({}) and nothing happened!!",
    "{} is what you asked for. The lamp still does not work.",
    "Use {}\nor do not bother.",
    "Order 48213377 from 2026-03-14 for EUR 1,249.00 is late; {}.",
    "ich warte seit dem 12.03.2026 auf Antwort: {}",
    "reach me here -> {} <- after 18:30",
)
_FIRST = ("anna", "björn", "zoe", "mary-jane", "o'neil", "li", "xavier", "katarzyna", "d.j")
_LAST = ("smith", "van-dijk", "müller", "garcia", "o.brien", "kowalska", "nguyen", "lee")
_HOSTS = ("example.com", "mail.example.co.uk", "exa-mple.org", "kunden.beispiel.de", "x.io")
_IBAN_SHAPES = {
    "DE": "#" * 18, "GB": "WEST" + "#" * 14, "FR": "#" * 23, "NL": "ABNA" + "#" * 10,
    "CH": "#" * 17, "ES": "#" * 20, "IT": "X" + "#" * 22, "AT": "#" * 16, "BE": "#" * 12,
    "NO": "#" * 11, "PL": "#" * 24, "MT": "MALT" + "#" * 23,
}  # fmt: skip
_CARD_SHAPES = (("4", 16), ("4", 13), ("51", 16), ("55", 16), ("34", 15), ("37", 15), ("6011", 16),
                ("2221", 16), ("3530", 16), ("30", 14), ("4", 19))  # fmt: skip
_PHONES = (
    "+49 30 #######", "+49 (0)171 ########", "0049-171-#######", "+1 (212) 555-####",
    "(212) 555-####", "212-555-####", "212.555.####", "1-800-555-####", "+44 20 7946 ####",
    "020 7946 ####", "07700 ######", "+33 6 ## ## ## ##", "06 ## ## ## ##", "06.##.##.##.##",
    "030/#######", "0171 / #######", "+31 6 ########", "+41 44 ### ## ##", "+12125550###",
    "0171########", "+91 98### #####", "+34 6## ## ## ##", "(030) ### ## ##",
    "212 555 #### ext. 12", "+39 06 #### ####", "+48 ### ### ###",
)  # fmt: skip
NUMBERS_OF_THINGS = (
    "order 4711004711", "invoice no. 2026-004211", "tracking 00340434161094021509",
    "on 2026-03-14 at 18:30:05", "between 2019-2024", "for EUR 1,249.00", "article 8801643",
    "€ 12.500.000 revenue", "ISBN 9783161484100", "version 10.15.7", "12/03/2026", "9-17 h",
    "IP 192.168.100.200", "1.000.000 people", "room 1204, floor 12", "4x100 m in 37.84",
    "ref: 88231-2210-1", "model 1234567890", "size 38/40/42", "booking 99120033",
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A text and the personal data in it."""

    text: str
    value: str


def planted(kind: str, count: int, seed: int = 0) -> list[Planted]:
    """Texts with one piece of personal data each."""
    rng = random.Random(f"{kind}{seed}")
    made = []
    for _ in range(count):
        value = MAKERS[kind](rng)
        made.append(Planted(rng.choice(_FRAMES).format(value), value))
    return made


def _digits(rng: random.Random, shape: str) -> str:
    return "".join(str(rng.randrange(10)) if letter == "#" else letter for letter in shape)


def _email(rng: random.Random) -> str:
    first, last, host = rng.choice(_FIRST), rng.choice(_LAST), rng.choice(_HOSTS)
    form = rng.randrange(10)
    address = f"{first}{rng.choice(('.', '_', '-', ''))}{last}@{host}"
    if form == 0:
        return f"{first}+shop{rng.randrange(99)}@{host}"
    if form == 1:
        return address.upper()
    if form == 2:
        return address.replace("@", rng.choice((" [at] ", "(at)", " (at) ", "[@]")))
    if form == 3:
        return address.replace("@", " at ").replace(".", " dot ")
    if form == 4:
        return address.replace("@", " @ ")
    if form == 5:
        return f"<{address}>"
    if form == 6:
        return f"mailto:{address}"
    if form == 7:
        return f'"{first} {last}"@{host}'
    return address


def _phone(rng: random.Random) -> str:
    return _digits(rng, rng.choice(_PHONES))


def _card(rng: random.Random) -> str:
    start, length = rng.choice(_CARD_SHAPES)
    body = start + _digits(rng, "#" * (length - len(start) - 1))
    number = next(body + str(last) for last in range(10) if _luhn(body + str(last)))
    gap = rng.choice(("", " ", "-", "  ", ".", " - ", "\n"))
    cuts = (4, 10) if length == 15 else range(4, length, 4)
    parts = [number[a:b] for a, b in zip((0, *cuts), (*cuts, length), strict=True)]
    return gap.join(parts)


def _iban(rng: random.Random) -> str:
    country = rng.choice(sorted(_IBAN_SHAPES))
    account = _digits(rng, _IBAN_SHAPES[country])
    turned = "".join(str(int(letter, 36)) for letter in account + country + "00")
    number = f"{country}{98 - int(turned) % 97:02d}{account}"
    gap = rng.choice(("", " ", "-", " "))
    number = gap.join(number[i : i + 4] for i in range(0, len(number), 4))
    return number.lower() if rng.random() < 0.2 else number


def _luhn(number: str) -> bool:
    digits = [int(letter) for letter in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


def _name(rng: random.Random) -> str:
    first = rng.choice(("Anna", "Björn", "Mary", "Xavier", "Katarzyna", "John", "Fatima"))
    last = rng.choice(("Smith", "van Dijk", "Müller", "García", "O'Brien", "Kowalska", "Lee"))
    return rng.choice((f"my name is {first} {last}", f"{first} {last}", f"Mrs {last}", first))


def _address(rng: random.Random) -> str:
    number = rng.randrange(1, 240)
    return rng.choice(
        (
            f"{number} Baker Street, London NW1 6XE", f"{number} Oak Ave, Springfield, IL 62704",
            f"Musterstraße {number}, 10115 Berlin", f"{number} rue de la Paix, 75002 Paris",
            f"Calle Mayor {number}, Madrid", f"Kerkstraat {number}a, 1017 GC Amsterdam",
            f"PO Box {number}12", f"Flat 3, {number} Station Road",
        )
    )  # fmt: skip


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "email": _email, "phone": _phone, "card": _card, "iban": _iban, "name": _name,
    "address": _address,
}  # fmt: skip
