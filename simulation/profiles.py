"""Profiles as the CRM holds them: first entry, later changes, and accidental second profiles."""

from __future__ import annotations

import numpy as np

from simulation.anomalies import card_testers
from simulation.config import DAY, MarketConfig
from simulation.draws import Ints, Keys, Rows, below, between, child_keys, empty_rows, happens, pick
from simulation.names import (
    CITIES_PER_COUNTRY,
    FIRST_NAMES,
    LAST_NAMES,
    MAIL_DOMAINS,
    STREETS,
)
from simulation.persons import COUNTRIES, Persons

PROFILE = np.dtype(
    [
        ("customer", "i8"), ("updated", "i8"), ("signed_up", "i8"), ("first", "i2"),
        ("last", "i2"), ("slip", "i1"), ("mailbox", "i8"), ("mail_slip", "?"), ("domain", "i1"),
        ("phone", "i8"), ("country", "i1"), ("city", "i1"), ("street", "i2"), ("house", "i2"),
        ("born", "i8"), ("tier", "i1"),
    ]
)  # fmt: skip
"""One profile as of an update. `slip` is 1 for a mistyped first name, 2 for a last name;
`phone` is 8 national digits or -1; `born` counts days since 1970."""

TIERS = ("basic", "silver", "gold")

_MAILBOX_MODULUS, _MAILBOX_STEP = 7_999_993, 3_141_593
_MOVES, _CHANGES_MAIL = 0.10, 0.05


def profile_rows(config: MarketConfig, persons: Persons) -> Rows:
    """All `PROFILE` rows of some persons up to the end of the period."""
    first = first_profiles(persons)
    parts = [first, _moves(config, persons, first), _second_profiles(persons, first)]
    return np.concatenate(parts)


def first_profiles(persons: Persons) -> Rows:
    """The profile that each person makes at sign-up, shape (persons,)."""
    rows = _made_up(persons.key, persons.household, persons.number, persons.country)
    rows["customer"] = persons.ref
    rows["signed_up"] = rows["updated"] = persons.signed_up
    return rows


def tester_profiles(config: MarketConfig) -> Rows:
    """The throwaway profiles of card testers, made at the start of the period."""
    customers = card_testers(config)
    numbers = 6_000_000 + np.arange(len(customers))
    keys = child_keys(config.key, "card tester", numbers)
    rows = _made_up(keys, keys, numbers, below(keys, "country", len(COUNTRIES)))
    rows["customer"] = customers
    rows["signed_up"] = rows["updated"] = config.start
    return rows


def _made_up(key: Keys, household: Keys, number: Ints, country: Ints) -> Rows:
    age = between(key, "age", 18, 40) + between(key, "more age", 0, 45)
    return empty_rows(
        len(key), PROFILE,
        first=below(key, "first name", len(FIRST_NAMES)),
        last=below(household, "last name", len(LAST_NAMES)),
        mailbox=(number * _MAILBOX_STEP + 77) % _MAILBOX_MODULUS,
        domain=pick(key, "domain", (0.5, 0.3, 0.1, 0.1)),
        phone=(number * _MAILBOX_STEP + 4_711) % _MAILBOX_MODULUS + 20_000_000,
        country=country, city=below(household, "city", CITIES_PER_COUNTRY),
        street=below(household, "street", len(STREETS)), house=1 + below(household, "house", 180),
        born=20_454 - (age * 365.25).astype(np.int64),
        tier=pick(key, "tier", (0.7, 0.2, 0.1)),
    )  # fmt: skip


def _moves(config: MarketConfig, persons: Persons, first: Rows) -> Rows:
    """Later changes: a new address, or a new mail address, at some time before the end."""
    key = child_keys(persons.key, "update")
    moves = happens(key, "moves", _MOVES)
    mails = ~moves & happens(key, "new mail", _CHANGES_MAIL)
    span = config.finish - persons.joined - 2 * DAY
    later = np.flatnonzero((moves | mails) & (span > DAY))
    when = persons.joined + DAY + (between(key, "when", 0, 1) * span.clip(0)).astype(np.int64)
    rows = first[later].copy()
    key, moves = key[later], moves[later]
    rows["updated"] = when[later]
    rows["city"] = np.where(moves, below(key, "city", CITIES_PER_COUNTRY), rows["city"])
    rows["street"] = np.where(moves, below(key, "street", len(STREETS)), rows["street"])
    rows["house"] = np.where(moves, 1 + below(key, "house", 180), rows["house"])
    other = (rows["domain"] + 1) % len(MAIL_DOMAINS)
    rows["domain"] = np.where(moves, rows["domain"], other)
    return rows


def _second_profiles(persons: Persons, first: Rows) -> Rows:
    """Second profiles of the same person: a slip in the name, the mail address or the phone.

    Mail address or phone stays the same, so that a careful look can tell.
    """
    twice = np.flatnonzero(persons.second_ref >= 0)
    key = child_keys(persons.key[twice], "second")
    rows = first[twice].copy()
    rows["customer"] = persons.second_ref[twice]
    rows["signed_up"] = rows["updated"] = persons.second_from[twice]
    rows["slip"] = pick(key, "slip", (0.4, 0.3, 0.3))
    how = pick(key, "how", (0.35, 0.25, 0.25, 0.15))
    rows["mail_slip"] = how == 1
    rows["domain"] = np.where(how == 2, (rows["domain"] + 1) % len(MAIL_DOMAINS), rows["domain"])
    swapped = rows["phone"] // 100 * 100 + rows["phone"] % 10 * 10 + rows["phone"] // 10 % 10
    rows["phone"] = np.where(how == 0, swapped, np.where(how == 3, -1, rows["phone"]))
    return rows
