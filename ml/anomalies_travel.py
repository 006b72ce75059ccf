"""Impossible travel: one customer in two countries sooner than an airliner gets there.

A country is where its time zones have their cities (the public tz database). The distance of two
countries is that of their nearest such cities, less what lies between a city and the border, so
neighbours are never far apart and nobody who only drives is told.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.resources import files

import numpy as np

from ml.anomalies import HOUR, Finding, Visits, instant

KILOMETRES_PER_HOUR = 900.0
LEEWAY_KILOMETRES = 600.0
EARTH_RADIUS = 6_371.0


def impossible_travel(seen: Visits) -> list[Finding]:
    """Two events of one customer, one after the other, in countries too far apart for the time.

    The subject is the customer: events that name none, and those without country, tell nothing.
    """
    placed = seen.where(
        (seen.events["customer_key"].notna() & seen.events["country"].notna()).to_numpy()
    )
    country = placed.events["country"].to_numpy(dtype=object)
    moved = np.flatnonzero(
        (placed.visitor[1:] == placed.visitor[:-1]) & (country[1:] != country[:-1])
    )
    found = []
    for row in moved:
        hours = (placed.at[row + 1] - placed.at[row]) / HOUR
        needed = hours_between(str(country[row]), str(country[row + 1]))
        if needed <= hours:
            continue
        pair = placed.events.loc[[row, row + 1]]
        passed = f"{hours * 60:.0f} minutes" if hours * 60 >= 2 else f"{hours * 3_600:.0f} seconds"
        found.append(
            Finding(
                kind="impossible_travel",
                subject=str(pair["customer_key"].iloc[0]),
                severity="medium",
                score=float(min(needed / max(hours, 1 / 60), 1_000)),
                unusual=f"{passed} for what takes {needed:.1f} hours by air",
                since=instant(placed.at[row]),
                detected_at=instant(placed.at[row + 1]),
                last_seen_at=instant(placed.at[row + 1]),
                rows=tuple(pair["event_id"].astype(str)),
                message=f"in {country[row]}, and {passed} later in {country[row + 1]}",
            )
        )
    return found


@lru_cache(maxsize=100_000)
def hours_between(one: str, other: str) -> float:
    """The least hours from one country (ISO 3166, two letters) to another; 0 if one is unknown."""
    places = country_places()
    if one == other or one not in places or other not in places:
        return 0.0
    nearest = min(_kilometres(a, b) for a in places[one] for b in places[other])
    return max(nearest - LEEWAY_KILOMETRES, 0.0) / KILOMETRES_PER_HOUR


@lru_cache(maxsize=1)
def country_places() -> dict[str, list[tuple[float, float]]]:
    """Latitude and longitude, in degrees, of the cities of every country's time zones."""
    places: dict[str, list[tuple[float, float]]] = {}
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text()
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, position = line.split("\t")[:2]
            split = max(position.rfind("+"), position.rfind("-"))
            places.setdefault(country, []).append(
                (_degrees(position[:split], 2), _degrees(position[split:], 3))
            )
    return places


def _degrees(text: str, digits: int) -> float:
    sign = -1 if text[0] == "-" else 1
    whole, rest = text[1 : 1 + digits], text[1 + digits :]
    return sign * (int(whole) + int(rest[:2]) / 60 + (int(rest[2:]) / 3_600 if rest[2:] else 0))


def _kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance, by the haversine formula."""
    (a, b), (c, d) = (map(math.radians, place) for place in (one, other))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(half))
