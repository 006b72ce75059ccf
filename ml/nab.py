"""The Numenta Anomaly Benchmark's score of an online detector (Lavin and Ahmad 2015).

A detector gives one score per row of a series. A detection is a score at or above one threshold,
the same for the whole corpus and chosen to be best for it. The first detection in a labelled window
earns up to 1, the more the earlier; every detection outside costs up to 0.11, less just behind a
window; a window without any costs 1. The first 15 % of a series (at most 750 rows) are for learning
and not judged. 100 is the perfect detector, 0 the one that never detects anything.

References
----------
Lavin, A. and Ahmad, S. (2015). Evaluating real-time anomaly detection algorithms: the Numenta
Anomaly Benchmark. IEEE ICMLA 2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PROBATION = 0.15
PROBATION_ROWS = 5_000
FAR = 3.0
NEVER = np.inf


@dataclass(frozen=True)
class Profile:
    """What a detection in a window earns, one outside costs, and a missed window costs."""

    hit: float = 1.0
    false_alarm: float = 0.11
    miss: float = 1.0


STANDARD = Profile()


@dataclass(frozen=True)
class Labelled:
    """One series of the corpus, as a detector saw it.

    Attributes
    ----------
    scores : array of float, shape (rows,)
        What the detector said of each row when it had seen no later one.
    windows : tuple of (int, int)
        First and last row of each labelled window, both included, in order.
    """

    scores: Array
    windows: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class NabScore:
    """A detector's result: 0 to 100 for the corpus, the threshold, and raw points by series."""

    score: float
    threshold: float
    points: Mapping[str, float]


def windows_of(in_window: Flags) -> tuple[tuple[int, int], ...]:
    """First and last row of every run of true, both included."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], in_window, [False]]).astype(np.int8)))
    return tuple((int(first), int(end) - 1) for first, end in edges.reshape(-1, 2))


def probation_rows(rows: int) -> int:
    """How many first rows of a series are not judged."""
    return int(PROBATION * min(rows, PROBATION_ROWS))


def scaled_sigmoid(position: Array) -> Array:
    """What a detection is worth at a relative position: -1 start of a window, 0 its end, 1 behind.

    Falls from 0.987 through 0 to -1, which it is from `FAR` on.
    """
    position = np.asarray(position, dtype=np.float64)
    worth: Array = 2 / (1 + np.exp(5 * np.minimum(position, FAR))) - 1
    return np.where(position >= FAR, -1.0, worth)


def row_worth(rows: int, windows: tuple[tuple[int, int], ...], profile: Profile) -> Array:
    """What a detection at each row earns or costs, shape (rows,)."""
    at = np.arange(rows, dtype=np.float64)
    worth = np.full(rows, -profile.false_alarm)
    for first, last in windows:
        behind = (at[last + 1 :] - last) / max(last - first, 1)
        worth[last + 1 :] = profile.false_alarm * scaled_sigmoid(behind)
    for first, last in windows:
        inside = -(last - at[first : last + 1] + 1) / (last - first + 1)
        worth[first : last + 1] = (
            profile.hit * scaled_sigmoid(inside) / scaled_sigmoid(np.array(-1.0))
        )
    return worth


def points(series: Labelled, threshold: float, profile: Profile = STANDARD) -> float:
    """Raw points of one series at a threshold."""
    rows = len(series.scores)
    detected = series.scores >= threshold
    detected[: probation_rows(rows)] = False
    worth = row_worth(rows, series.windows, profile)
    outside = np.ones(rows, dtype=bool)
    total = 0.0
    for first, last in series.windows:
        outside[first : last + 1] = False
        hits = np.flatnonzero(detected[first : last + 1])
        total += worth[first + hits[0]] if len(hits) else -profile.miss
    return total + float(worth[detected & outside].sum())


def nab_score(corpus: Mapping[str, Labelled], profile: Profile = STANDARD) -> NabScore:
    """Score a corpus at the threshold that is best for all of it together.

    Parameters
    ----------
    corpus : mapping of str to Labelled
        By name of the series; at least one has a window.

    Raises
    ------
    ValueError
        When no series has a window: then there is nothing to find.
    """
    count = sum(len(series.windows) for series in corpus.values())
    if count == 0:
        raise ValueError("no series has a labelled window: there is nothing to find")
    threshold = best_threshold(corpus, profile)
    found = {name: points(series, threshold, profile) for name, series in corpus.items()}
    return NabScore(normalised(sum(found.values()), count, profile), threshold, found)


def normalised(total: float, windows: int, profile: Profile = STANDARD) -> float:
    """Raw points of a corpus on the scale of 0 (no detection) to 100 (perfect)."""
    worst, best = -profile.miss * windows, profile.hit * windows
    return 100 * (total - worst) / (best - worst)


def best_threshold(corpus: Mapping[str, Labelled], profile: Profile = STANDARD) -> float:
    """The threshold with the most raw points, found by lowering it past every score in turn.

    Of equally good ones the highest; infinity when no detection at all is best.
    """
    scores, gains = [], []
    for series in corpus.values():
        rows = len(series.scores)
        judged = np.arange(rows) >= probation_rows(rows)
        worth = row_worth(rows, series.windows, profile)
        outside = judged.copy()
        for first, last in series.windows:
            outside[first : last + 1] = False
            inside = np.arange(first, last + 1)[judged[first : last + 1]]
            order = np.argsort(-series.scores[inside], kind="stable")
            inside = inside[order]
            # lowering the threshold lets an earlier row of the window count: only the gain is new
            best = np.maximum.accumulate(np.concatenate([[-profile.miss], worth[inside]]))
            scores.append(series.scores[inside])
            gains.append(np.diff(best))
        scores.append(series.scores[outside])
        gains.append(worth[outside])
    every, gain = np.concatenate(scores), np.concatenate(gains)
    order = np.argsort(-every, kind="stable")
    every, total = every[order], np.cumsum(gain[order])
    ends = np.flatnonzero(np.append(every[1:] != every[:-1], True))
    if len(ends) == 0 or total[ends].max() <= 0:
        return NEVER
    return float(every[ends[np.argmax(total[ends])]])
