"""When people shop: the year, the week and the day."""

from __future__ import annotations

import numpy as np

from simulation.config import DAY, HOUR, MINUTE, WEEK, MarketConfig
from simulation.draws import Floats, Ints, Keys, below, pick, uniform

_BY_MONTH = np.array([0.92, 0.86, 0.92, 0.97, 1.02, 0.98, 0.90, 0.88, 1.00, 1.05, 1.30, 1.40])
_GIFTS_BY_MONTH = np.array([0.6, 0.9, 0.8, 0.8, 1.2, 0.9, 0.7, 0.7, 0.8, 1.0, 1.8, 2.4])
_BY_WEEKDAY = np.array([1.0, 0.95, 0.95, 1.0, 1.1, 1.3, 1.15])
_STORE_BY_WEEKDAY = np.array([0.8, 0.8, 0.85, 1.0, 1.4, 2.0, 0.2])
_BY_HOUR = np.array(
    [.3, .15, .1, .08, .1, .25, .6, .9, 1, 1, 1, 1.05, 1.2, 1.1, 1, 1, 1.1, 1.3, 1.6, 1.9, 2, 1.7,
     1.1, .6]
)  # fmt: skip
_STORE_BY_HOUR = np.array([0] * 9 + [0.6, 1, 1.1, 1.2, 1, 0.9, 1, 1.2, 1.5, 1.4, 0.8] + [0] * 4)


def week_starts(config: MarketConfig) -> Ints:
    """First microsecond of each week of the market, shape (weeks,)."""
    return config.start + np.arange(config.weeks, dtype=np.int64) * WEEK


def month_of(times: Ints) -> Ints:
    """Month from 0 (January) to 11 of instants in microseconds."""
    months = times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    result: Ints = months % 12
    return result


def season(config: MarketConfig, gifts: bool = False) -> Floats:
    """Demand of each week relative to an average one, shape (weeks,)."""
    profile = _GIFTS_BY_MONTH if gifts else _BY_MONTH
    return profile[month_of(week_starts(config) + WEEK // 2)]


def moments(keys: Keys, week_start: Ints, in_store: bool) -> Ints:
    """Instants in the weeks that begin at `week_start`, by the profile of week and day.

    Parameters
    ----------
    keys, week_start : shape (n,); `week_start` in microseconds at midnight UTC.
    in_store : use the opening hours of stores.
    """
    weekdays = (week_start // DAY + 3) % 7
    by_weekday = _STORE_BY_WEEKDAY if in_store else _BY_WEEKDAY
    offsets = (np.arange(7)[None, :] + weekdays[:, None]) % 7
    day = pick(keys, "day", by_weekday[offsets])
    hour = pick(keys, "hour", _STORE_BY_HOUR if in_store else _BY_HOUR)
    within = (uniform(keys, "minute") * HOUR).astype(np.int64)
    return week_start + day * DAY + hour * HOUR + within


def days_later(keys: Keys, name: str, times: Ints, low: int, high: int) -> Ints:
    """Instants `low` to `high` days after `times`, at an hour when people are awake."""
    day = times // DAY + low + below(keys, name, high - low + 1)
    hour = pick(keys, name + "/hour", _BY_HOUR)
    return day * DAY + hour * HOUR + below(keys, name + "/minute", 60) * MINUTE
