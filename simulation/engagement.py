"""Interest over time: how it drifts, what hurts it, and when a customer leaves for good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.calendar import week_starts
from simulation.config import WEEK, MarketConfig
from simulation.draws import Flags, Floats, Ints, child_keys, happens, normal, uniform
from simulation.personas import traits
from simulation.persons import Persons

ENGAGEMENT_SLOPE = 1.0
TROUBLE_SLOPE = 1.2

_PERSISTENCE = 0.96
_SPREAD = 1.0
_FADE_PER_WEEK = 0.30
_FADE_LIMIT = 3.0
_RECOVERY_CHANCE = 0.03
_TROUBLE_CHANCE = 0.008
_TROUBLE_LASTS = 0.75


@dataclass(frozen=True)
class Interest:
    """Weekly state of some persons, arrays of shape (persons, weeks) unless said otherwise.

    Parameters
    ----------
    level : log engagement, 0 for average.
    trouble : remaining annoyance after a bad experience, 0 for none.
    trouble_begins : a bad experience happens in this week.
    hazard : intensity of leaving per week: the chance to leave between two weeks is
        1 - exp(-sum of the hazards), given that the person is still there.
    churn_at : shape (persons,), microseconds; the largest number for those who stay.
    """

    level: Floats
    trouble: Floats
    trouble_begins: Flags
    hazard: Floats
    churn_at: Ints


NEVER = np.iinfo(np.int64).max


def draw_interest(config: MarketConfig, persons: Persons) -> Interest:
    """The weekly interest of persons and the instant at which they leave.

    Interest follows an autoregressive path that does not depend on leaving. At some point it
    may begin to fade. A low level and recent trouble raise the hazard, and both show in the
    behaviour, so that leaving can be foreseen but never known.
    """
    keys = child_keys(persons.key[:, None], "week", np.arange(config.weeks)[None, :])
    level, trouble, begins = _paths(persons, keys)
    base = traits("hazard")[persons.persona]
    hazard = base[:, None] * np.exp(-ENGAGEMENT_SLOPE * level + TROUBLE_SLOPE * trouble)
    hazard = np.minimum(hazard, 1.5)
    return Interest(level, trouble, begins, hazard, _leave_at(config, persons, hazard))


def _paths(persons: Persons, keys: np.ndarray) -> tuple[Floats, Floats, Flags]:
    shocks = normal(keys, "interest") * _SPREAD * np.sqrt(1 - _PERSISTENCE**2)
    fades = uniform(keys, "fade") < traits("fading")[persons.persona][:, None]
    recovers = happens(keys, "recover", _RECOVERY_CHANCE)
    begins = happens(keys, "trouble", _TROUBLE_CHANCE)
    people, weeks = keys.shape
    level, trouble = np.empty((people, weeks)), np.empty((people, weeks))
    drift = _SPREAD * normal(persons.key, "first interest")
    faded, fading = np.zeros(people), np.zeros(people, dtype=np.bool_)
    annoyed = np.zeros(people)
    for week in range(weeks):
        drift = _PERSISTENCE * drift + shocks[:, week]
        fading = (fading | fades[:, week]) & ~recovers[:, week]
        faded = np.where(fading, np.minimum(faded + _FADE_PER_WEEK, _FADE_LIMIT), faded * 0.6)
        annoyed = annoyed * _TROUBLE_LASTS + begins[:, week]
        level[:, week] = drift - faded
        trouble[:, week] = np.minimum(annoyed, 2.0)
    return level, trouble, begins


def _leave_at(config: MarketConfig, persons: Persons, hazard: Floats) -> Ints:
    """The instant at which the hazard summed since joining reaches an exponential number."""
    starts = week_starts(config)
    present = ((starts[None, :] + WEEK - persons.joined[:, None]) / WEEK).clip(0, 1)
    summed = np.cumsum(hazard * present, axis=1)
    patience = -np.log(uniform(persons.key, "patience"))
    week = (summed < patience[:, None]).sum(axis=1)
    leaves = week < config.weeks
    week = np.minimum(week, config.weeks - 1)
    rows = np.arange(len(persons))
    over = (summed[rows, week] - patience) / hazard[rows, week]
    churn_at = starts[week] + WEEK - (over.clip(0, 1) * WEEK).astype(np.int64)
    churn_at = np.maximum(churn_at, persons.joined + 1)
    return np.where(leaves & (churn_at < config.finish), churn_at, NEVER)


def active_share(config: MarketConfig, persons: Persons, interest: Interest) -> Floats:
    """Part of each week in which a person is a customer, shape (persons, weeks)."""
    starts = week_starts(config)[None, :]
    opens = np.maximum(starts, persons.joined[:, None])
    closes = np.minimum(starts + WEEK, interest.churn_at[:, None])
    closes = np.minimum(closes, config.finish)
    return ((closes - opens) / WEEK).clip(0, 1)
