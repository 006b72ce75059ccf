"""Bursts of rare things counted by hour: complaints about a product, mentions of a term.

For each subject the count of an hour is compared with what its own past makes likely. The past is
a decaying mean rate with a Gamma prior, so what comes next is negative binomial (the
Gamma-Poisson predictive distribution); a subject that was never talked about has the rate of a
small prior. The hour that runs is judged by every text as it comes, against the whole hour: an
alarm is raised in the hour in which a burst starts, by the text that made it improbable, and
nothing later than that text is looked at.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

HOURS_A_YEAR = 24 * 365.25


@dataclass(frozen=True)
class BurstSettings:
    """When a count is a burst.

    Attributes
    ----------
    false_alarms : alarms a year, over all subjects so far, that chance alone may raise.
    half_life_hours : hours after which the past counts half.
    prior_hours : hours of the prior rate that a new subject begins with.
    prior_rate : texts an hour of a subject without a past.
    least : fewest texts of a burst, however rare the subject.
    warm_hours : hours at the beginning that are learnt from and not judged.
    rest_hours : hours after an alarm in which the same subject raises no other.
    spread : how much more the rate of an hour varies than chance; 1 is a Poisson process.
    """

    false_alarms: float = 1.0
    half_life_hours: float = 14 * 24.0
    prior_hours: float = 24.0
    prior_rate: float = 0.02
    least: int = 4
    warm_hours: int = 72
    rest_hours: int = 24
    spread: float = 1.5


@dataclass(frozen=True)
class Burst:
    """A subject that is suddenly talked about.

    Attributes
    ----------
    subject : str
    started_at, noticed_at : datetime
        The first text of the hour in question, and the text that made the count improbable.
    count : int
        Texts of the hour so far.
    expected : float
        Texts that the hour would have by the past.
    surprise : float
        -log10 of the probability of so many or more.
    rows : tuple of int
        Positions of the texts.
    """

    subject: str
    started_at: datetime
    noticed_at: datetime
    count: int
    expected: float
    surprise: float
    rows: tuple[int, ...]


@dataclass
class _Past:
    """What is remembered of a subject: its decayed number of texts, as of an hour."""

    weight: float
    hour: int


def find_bursts(
    times: Sequence[datetime] | pd.Series,
    subjects: Sequence[str] | pd.Series,
    settings: BurstSettings | None = None,
    *,
    observed_from: datetime | None = None,
    watched: int = 0,
) -> list[Burst]:
    """Find the bursts of each subject, as they would have been noticed at the time.

    Parameters
    ----------
    times : sequence of datetime, n texts
        UTC instants, in any order.
    subjects : sequence of str, n texts
    settings : BurstSettings, optional
    observed_from : datetime, optional
        Since when texts are gathered; default: the first text.
    watched : int
        Subjects that there are, where only some are given: chance has as many opportunities.

    Returns
    -------
    list of Burst
        In the order in which they are noticed.
    """
    settings = settings or BurstSettings()
    stamps = pd.to_datetime(pd.Series(list(times))).astype("datetime64[us]").to_numpy()
    names = list(subjects)
    if not len(stamps):
        return []
    order = np.argsort(stamps, kind="stable")
    begin = stamps[order[0]] if observed_from is None else np.datetime64(observed_from, "us")
    hours = ((stamps - begin) // np.timedelta64(3_600, "s")).astype(int)
    fade = 0.5 ** (1 / settings.half_life_hours)
    past: dict[str, _Past] = {}
    running: dict[str, list[int]] = defaultdict(list)
    rests: dict[str, int] = {}
    found = []
    for row in order:
        name, hour = names[row], int(hours[row])
        rows = running[name]
        if rows and hours[rows[0]] != hour:
            _learn(past, name, len(rows), int(hours[rows[0]]), fade)
            rows.clear()
        rows.append(int(row))
        if hour < settings.warm_hours or hour < rests.get(name, 0) or len(rows) < settings.least:
            continue
        shape, rate = _rate(past.get(name), hour, fade, settings)
        mean = shape / rate
        if len(rows) <= mean + 2 * math.sqrt(settings.spread * mean * (1 + 1 / rate)):
            continue
        chance = tail_probability(len(rows), shape, rate, settings.spread)
        if chance < settings.false_alarms / (HOURS_A_YEAR * max(watched, len(running))):
            rests[name] = hour + settings.rest_hours
            found.append(
                Burst(
                    name, _moment(stamps[rows[0]]), _moment(stamps[row]), len(rows), shape / rate,
                    -math.log10(max(chance, 1e-300)), tuple(rows),
                )
            )  # fmt: skip
    return found


def tail_probability(count: int, shape: float, rate: float, spread: float = 1.0) -> float:
    """Probability of `count` or more in an hour whose mean is Gamma(shape, rate) distributed.

    Parameters
    ----------
    count : int
    shape, rate : float
        Texts and hours of the past.
    spread : float
        Variance of an hour's count over that of the predictive distribution, at least 1.
    """
    from scipy.stats import nbinom

    mean = shape / rate
    variance = spread * mean * (1 + 1 / rate)
    p = mean / variance
    return float(nbinom.sf(count - 1, mean * p / (1 - p), p)) if p < 1 else 0.0


def _learn(past: dict[str, _Past], name: str, count: int, hour: int, fade: float) -> None:
    before = past.get(name)
    weight = before.weight * fade ** (hour - before.hour) if before else 0.0
    past[name] = _Past(weight + count, hour)


def _rate(
    past: _Past | None, hour: int, fade: float, settings: BurstSettings
) -> tuple[float, float]:
    """Texts and hours of a subject's past, as weighted at an hour, with the prior's."""
    watched = (1 - fade**hour) / (1 - fade)
    texts = past.weight * fade ** (hour - past.hour) if past else 0.0
    return texts + settings.prior_rate * settings.prior_hours, watched + settings.prior_hours


def _moment(stamp: np.datetime64) -> datetime:
    moment: datetime = stamp.astype("datetime64[us]").astype(datetime)
    return moment
