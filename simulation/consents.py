"""What customers allow, and when they take it back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.config import DAY, MarketConfig
from simulation.draws import Flags, Ints, between, child_keys, happens
from simulation.persons import Persons

PURPOSES = ("analytics", "personalisation", "marketing")
MARKETING = PURPOSES.index("marketing")
_GRANT_CHANCE = np.array([0.92, 0.82, 0.78])
_WITHDRAW_CHANCE = 0.08


@dataclass(frozen=True)
class Consents:
    """Decisions of some persons, arrays of shape (persons, purposes). Times in microseconds.

    `withdrawn_at` is the largest number for a consent that stands.
    """

    granted: Flags
    withdrawn_at: Ints


def draw_consents(config: MarketConfig, persons: Persons) -> Consents:
    """The first decision on each purpose, made at sign-up, and its later withdrawal."""
    keys = child_keys(persons.key[:, None], "consent", np.arange(len(PURPOSES))[None, :])
    granted = happens(keys, "granted", _GRANT_CHANCE)
    first = np.maximum(persons.joined, config.start)[:, None]
    span = (config.finish - first).clip(0)
    when = first + DAY + (between(keys, "when", 0, 1) * span).astype(np.int64)
    withdraws = granted & happens(keys, "withdraws", _WITHDRAW_CHANCE) & (when < config.finish)
    return Consents(granted, np.where(withdraws, when, np.iinfo(np.int64).max))


def consent_rows(persons: Persons, consents: Consents) -> tuple[Ints, Ints, Flags, Ints]:
    """Decisions as rows: numbers of customer_refs, purposes, granted, decided_at.

    A second profile answers the same as the first one at the time it is made.
    """
    people, purposes = np.indices(consents.granted.shape).reshape(2, -1)
    granted = consents.granted.ravel()
    withdrawn = np.flatnonzero(consents.withdrawn_at.ravel() < np.iinfo(np.int64).max)
    second = np.flatnonzero(persons.second_ref[people] >= 0)
    still = granted & (consents.withdrawn_at.ravel() > persons.second_from[people])
    refs = [persons.ref[people], persons.ref[people[withdrawn]], persons.second_ref[people[second]]]
    decided = [
        persons.signed_up[people],
        consents.withdrawn_at.ravel()[withdrawn],
        persons.second_from[people[second]],
    ]
    answers = [granted, np.zeros(len(withdrawn), dtype=np.bool_), still[second]]
    about = [purposes, purposes[withdrawn], purposes[second]]
    return (
        np.concatenate(refs),
        np.concatenate(about),
        np.concatenate(answers),
        np.concatenate(decided),
    )
