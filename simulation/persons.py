"""Who the customers are: what never changes about a person."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from simulation.config import DAY, HOUR, MarketConfig
from simulation.draws import (
    Flags,
    Floats,
    Ints,
    Keys,
    below,
    between,
    child_keys,
    happens,
    normal,
    pick,
    uniform,
)
from simulation.personas import CATEGORIES, traits

COUNTRIES = ("DE", "FR", "NL", "GB", "US", "CH")
CURRENCIES = ("EUR", "EUR", "EUR", "GBP", "USD", "CHF")
_COUNTRY_SHARES = (0.36, 0.16, 0.12, 0.18, 0.12, 0.06)

_HOUSEHOLD_CHANCE = 0.16
_DUPLICATE_CHANCE = 0.05
_JOINED_BEFORE = 0.40
_REF_MODULUS = 99_999_989
_REF_STEP = 38_742_049


def customer_refs(config: MarketConfig, persons: Ints, profile: int) -> Ints:
    """Numbers of customer_refs: a different one for each person and profile (0 or 1)."""
    offset = int(child_keys(config.key, "customer refs")) % _REF_MODULUS
    return ((persons * 2 + profile) * _REF_STEP + offset) % _REF_MODULUS


@dataclass(frozen=True)
class Persons:
    """Fixed facts of some persons; every array has shape (persons,). Times in microseconds.

    Parameters
    ----------
    number : person number in the market.
    household : key shared by the persons of one home, who share surname, address and tablet.
    signed_up, joined : the profile's birth, and the first instant at which the person is active.
    activity : factor on all rates of the person, median 1.
    favourite : preferred category.
    response : shift of all campaign effects of the person.
    satisfaction : shift of the sentiment in everything that the person writes.
    ref, second_ref : numbers of the customer_refs; `second_ref` is -1 for most.
    second_from : when the second profile was made.
    """

    number: Ints
    key: Keys
    household: Keys
    shares_home: Flags
    persona: Ints
    country: Ints
    signed_up: Ints
    joined: Ints
    activity: Floats
    favourite: Ints
    response: Floats
    satisfaction: Floats
    ref: Ints
    second_ref: Ints
    second_from: Ints

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: Ints) -> Persons:
        """The persons in these rows."""
        return Persons(**{fact.name: getattr(self, fact.name)[rows] for fact in fields(self)})


def draw_persons(config: MarketConfig, numbers: Ints) -> Persons:
    """The persons with these numbers, shape (n,); the same whoever they are drawn with."""
    key = child_keys(config.key, "person", numbers)
    pair = child_keys(config.key, "pair", numbers // 2)
    shares_home = happens(pair, "household", _HOUSEHOLD_CHANCE)
    household = np.where(shares_home, pair, child_keys(key, "home"))
    before = happens(key, "joined before", _JOINED_BEFORE)
    history = (between(key, "signed up before", 5, 900) * DAY).astype(np.int64)
    spread = uniform(key, "joined") ** 0.9 * (config.days - 2) * DAY
    signed_up = np.where(before, config.start - history, config.start + spread.astype(np.int64))
    second_from = signed_up + (between(key, "second profile", 30, 300) * DAY).astype(np.int64)
    second_from = np.maximum(second_from, config.start + 9 * HOUR)
    has_second = happens(key, "has second profile", _DUPLICATE_CHANCE / 0.8)
    has_second &= second_from < config.finish - DAY
    return Persons(
        number=numbers,
        key=key,
        household=household,
        shares_home=shares_home,
        persona=pick(key, "persona", traits("share")),
        country=pick(household, "country", _COUNTRY_SHARES),
        signed_up=signed_up,
        joined=np.maximum(signed_up, config.start),
        activity=np.exp(0.70 * normal(key, "activity")),
        favourite=below(key, "favourite", len(CATEGORIES)),
        response=0.15 * normal(key, "response"),
        satisfaction=0.35 * normal(key, "satisfaction"),
        ref=customer_refs(config, numbers, 0),
        second_ref=np.where(has_second, customer_refs(config, numbers, 1), -1),
        second_from=second_from,
    )


def ref_in_use(persons: Persons, rows: Ints, keys: Keys, times: Ints) -> Ints:
    """Numbers of the customer_refs that persons `rows` use at `times`.

    Someone with two profiles uses either of them once both exist.
    """
    second = persons.second_ref[rows]
    uses_second = (second >= 0) & (times >= persons.second_from[rows] + HOUR)
    uses_second &= happens(keys, "uses second profile", 0.5)
    return np.where(uses_second, second, persons.ref[rows])
