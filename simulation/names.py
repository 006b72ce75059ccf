"""Made-up names and places, and the slips that people make when they type them."""

from __future__ import annotations

import unicodedata

FIRST_NAMES = (
    "Anna", "Ben", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Karin",
    "Leon", "Mara", "Noah", "Olivia", "Paul", "Rosa", "Simon", "Tessa", "Umar", "Vera", "Willem",
    "Yara", "Zoë", "Amélie", "Björn", "Chloe", "Daan", "Emily", "François", "Grace", "Hannah",
    "Ivan", "Jack", "Kim", "Lucas", "Maya", "Nora", "Oscar", "Priya", "Ravi", "Sofia", "Tom",
    "Ursula", "Victor", "Wendy", "Xavier", "Yusuf", "Aisha", "Martin",
)  # fmt: skip
LAST_NAMES = (
    "Albrecht", "Bakker", "Carter", "Dubois", "Engel", "Fischer", "Girard", "Hoffmann", "Ingram",
    "Jansen", "Keller", "Lambert", "Meyer", "Novak", "Okafor", "Patel", "Quinn", "Richter",
    "Schneider", "Thompson", "Ueda", "Visser", "Walker", "Xu", "Young", "Zimmermann", "Müller",
    "Bélanger", "Baumann", "Collins", "Diaz", "Evans", "Fontaine", "Graf", "Hughes", "Iversen",
    "Joshi", "Kaya", "Lefèvre", "Moreau", "Nguyen", "Olsen", "Peeters", "Rossi", "Schulz",
    "Turner", "Vogel", "Weber", "Yilmaz", "Berger", "Brandt", "Clarke", "Dekker", "Ferreira",
    "Hansen", "Kowalski", "Lang", "Martens", "Nielsen", "Parker",
)  # fmt: skip
STREETS = (
    "Lindenweg", "Mill Lane", "Rue des Lilas", "Kerkstraat", "Oak Avenue", "Gartenstrasse",
    "Station Road", "Rue du Moulin", "Dorpsstraat", "Maple Street",
)  # fmt: skip
CITIES = (
    ("Berlin", "Hamburg", "Leipzig", "Freiburg"), ("Lyon", "Nantes", "Lille", "Dijon"),
    ("Utrecht", "Breda", "Leiden", "Zwolle"), ("Leeds", "Bristol", "Norwich", "Perth"),
    ("Portland", "Madison", "Austin", "Albany"), ("Bern", "Basel", "Luzern", "Chur"),
)  # fmt: skip
CITIES_PER_COUNTRY = 4
MAIL_DOMAINS = ("example.com", "example.org", "mail.example.com", "post.example.org")
DIALLING = ("49", "33", "31", "44", "1", "41")


def plain(name: str) -> str:
    """The name in lower-case ASCII, as in a mail address."""
    decomposed = unicodedata.normalize("NFKD", name)
    return decomposed.encode("ascii", "ignore").decode().lower()


def mistyped(name: str) -> str:
    """The name with two letters in its middle swapped, or one dropped if they are the same."""
    middle = len(name) // 2
    if len(name) < 3 or name[middle - 1] == name[middle]:
        return name[:middle] + name[middle + 1 :]
    return name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]
