"""Anomalies of one metric, value by value: what was never so far from its habit lately.

Two deviations are followed. *Season*: how far a value lies outside what the same time of day held
one, two, three or seven days ago, the nearest of them counting, so that a weekend is compared with
the last one. *Level*: how far the mean of the newest values lies from the median of those before,
which finds a shift that no single value gives away. The score of a value is its deviation divided
by the largest one of late (a maximum that fades), the larger of both views: 1 is a record, 2 twice
the record. So a metric that always spikes needs a greater spike, and a smooth one little; nothing
is assumed of the distribution, and one setting serves all metrics.

Nothing of the future is used: a detector is fed one value at a time. What it remembers can be kept.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST = 10.0
"""The highest score: a deviation where there never was one has no ratio."""


@dataclass(frozen=True)
class MetricSettings:
    """How a metric is watched; the defaults are one setting for all metrics.

    Attributes
    ----------
    day_rows : values per day; 1 or less when the metric has no time of day.
    unit : what one happening adds to the metric: 1 for counts, the mean square of the amounts over
        their mean for sums, 0 for anything else. Deviations that chance alone makes of so few
        happenings (a Poisson process) are no record.
    lag_days : days back at which the same time of day is looked at.
    slack_rows : values before and after that time that count as the same time.
    short_rows, long_rows : newest values, and values before them, that the level compares.
    half_life_rows : values after which a record counts half.
    warm_rows : values at the beginning that are learnt from and not judged.
    rest_rows : values after an alert in which only something more unusual is told.
    floor_sigmas : deviation, in standard deviations of chance and one happening for each of them,
        that a record is never below.
    """

    day_rows: int
    unit: float = 0.0
    lag_days: tuple[int, ...] = (1, 2, 3, 7)
    slack_rows: int = 1
    short_rows: int = 12
    long_rows: int = 288
    half_life_rows: int = 2_000
    warm_rows: int = 200
    rest_rows: int = 200
    floor_sigmas: float = 4.0

    @property
    def kept_rows(self) -> int:
        """Values that have to be remembered."""
        season = max(self.lag_days) * self.day_rows + self.slack_rows if self.has_season else 0
        return max(season, self.short_rows + self.long_rows) + 1

    @property
    def has_season(self) -> bool:
        return self.day_rows > self.slack_rows


@dataclass(frozen=True)
class Reading:
    """What is thought of one value.

    Attributes
    ----------
    score : deviation over the record of late, 0 to `MOST`; above 1 it is unheard of.
    told : the score, or 0 while a recent alert already told as much.
    view : ``season`` or ``level``, whichever is more unusual.
    value, expected : what was seen (for ``level`` the mean of the newest values), and what the
        view had expected instead.
    """

    score: float
    told: float
    view: str
    value: float
    expected: float


class MetricDetector:
    """Judges the values of one metric in order, and remembers what it needs.

    Parameters
    ----------
    settings : MetricSettings
    history : sequence of float
        The values just before, at least ``settings.kept_rows`` of them if there were so many.
    memory : sequence of float, optional
        `memory` of the detector that judged them: this one goes on from there. Without it the
        detector begins anew, and the history is not looked at.
    """

    def __init__(
        self,
        settings: MetricSettings,
        history: Sequence[float] = (),
        memory: Sequence[float] | None = None,
    ) -> None:
        self.settings = settings
        self._fade = 0.5 ** (1 / settings.half_life_rows)
        self._rows, self._since_alert, self._peak = (memory or (0.0, np.inf, 0.0))[:3]
        self._records = list(memory[3:] if memory else (0.0, 0.0))
        self._kept = deque(history if memory else (), maxlen=settings.kept_rows)
        self._sorted = sorted(list(self._kept)[: -settings.short_rows][-settings.long_rows :])

    @property
    def memory(self) -> tuple[float, ...]:
        """What the next value needs besides the values before it."""
        return (self._rows, self._since_alert, self._peak, *self._records)

    def update(self, value: float) -> Reading:
        """Judge the next value by those before it, then learn it."""
        readings = (self._season(value), self._level(value))
        judged = self._rows >= self.settings.warm_rows
        best = Reading(0.0, 0.0, "season", value, value)
        for number, (view, deviation, seen, expected, floor) in enumerate(readings):
            record = max(self._records[number], floor)
            score = 0.0
            if judged and deviation > 0:
                score = min(deviation / record, MOST) if record > 0 else MOST
            if score > best.score or number == 0:
                best = Reading(score, score, view, seen, expected)
            self._records[number] = max(self._records[number] * self._fade, deviation)
        self._learn(value)
        return self._rested(best)

    def _season(self, value: float) -> tuple[str, float, float, float, float]:
        settings, kept = self.settings, self._kept
        nearest, expected = np.inf, value
        if settings.has_season:
            for days in settings.lag_days:
                at = len(kept) - days * settings.day_rows
                if at < 0:
                    break
                first = max(at - settings.slack_rows, 0)
                then = [kept[row] for row in range(first, at + settings.slack_rows + 1)]
                low, high = min(then), max(then)
                deviation = max(low - value, value - high, 0.0)
                if deviation < nearest:
                    nearest, expected = deviation, low if value < low else min(value, high)
                if nearest == 0:
                    break
        deviation = 0.0 if nearest == np.inf else nearest
        return "season", deviation, value, expected, self._chance(expected, 1)

    def _level(self, value: float) -> tuple[str, float, float, float, float]:
        settings, kept = self.settings, self._kept
        if len(self._sorted) < 10:
            return "level", 0.0, value, value, 0.0
        newest = [kept[-row] for row in range(1, settings.short_rows)]
        mean = (sum(newest) + value) / (len(newest) + 1)
        middle, odd = divmod(len(self._sorted), 2)
        median = (
            self._sorted[middle] if odd else (self._sorted[middle - 1] + self._sorted[middle]) / 2
        )
        return "level", abs(mean - median), mean, median, self._chance(median, settings.short_rows)

    def _chance(self, expected: float, rows: int) -> float:
        """The deviation of a mean of so many values that is still taken for chance.

        So many standard deviations of a Poisson process, and as many happenings more: one visitor
        may be behind several.
        """
        unit, sigmas = self.settings.unit, self.settings.floor_sigmas
        return sigmas * (math.sqrt(unit * max(expected, unit) / rows) + unit / rows)

    def _learn(self, value: float) -> None:
        settings, kept = self.settings, self._kept
        self._rows += 1
        leaving = settings.short_rows + settings.long_rows
        if len(kept) >= leaving:
            del self._sorted[bisect_left(self._sorted, kept[-leaving])]
        kept.append(value)
        if len(kept) > settings.short_rows:
            insort(self._sorted, kept[-settings.short_rows - 1])

    def _rested(self, found: Reading) -> Reading:
        self._since_alert += 1
        if self._since_alert <= self.settings.rest_rows and found.score <= self._peak:
            return Reading(found.score, 0.0, found.view, found.value, found.expected)
        if found.score > 1:
            self._since_alert, self._peak = 0.0, found.score
        return found
