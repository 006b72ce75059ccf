"""Whether groups would come out again: from other customers, and from last month's features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_assigners import nearest_group
from ml.segment_families import Family
from ml.segment_quality import rand_index
from ml.segment_sample import canonical_order, even_rows
from ml.segment_space import NoSegments, SegmentSpace, fit_space

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def bootstrap_stability(
    family: Family, setting: float, points: Array, seed: int, rounds: int = 20
) -> float:
    """Mean adjusted Rand index of fits on resamples against the fit on all points.

    Parameters
    ----------
    points : float array, shape (n, d)
        In canonical order. Each round draws n of them with replacement, fits, and places all.
    rounds : int

    Returns
    -------
    float
        1: the same groups every time; 0: no more alike than by chance. A resample in which the
        family finds no groups counts 0. NaN where it finds none in all points.
    """
    fitted = family.fit(points, (setting,), seed)
    if not fitted:
        return float("nan")
    reference = nearest_group(fitted[0].assigner, points)
    found = []
    for number in range(rounds):
        rng = np.random.default_rng((seed, number))
        rows = np.sort(rng.integers(len(points), size=len(points)))
        again = family.fit(points[rows], (setting,), seed + 1 + number)
        same = rand_index(reference, nearest_group(again[0].assigner, points)) if again else 0.0
        found.append(same)
    return float(np.mean(found))


class Months:
    """Last month's features and now's of the same customers, and a space fitted on each.

    Parameters
    ----------
    now, earlier : DataFrame
        With ``customer_key`` and the columns of the space. Customers who are not in both, or are
        held apart in either, are left out.
    space : SegmentSpace
        Fitted on now.
    rows : int
        Most customers to compare.

    Raises
    ------
    NoSegments
        Nobody is in both.
    """

    def __init__(
        self,
        now: pd.DataFrame,
        earlier: pd.DataFrame,
        space: SegmentSpace,
        rows: int = 2_500,
        seed: int = 0,
    ) -> None:
        for when, frame in (("now", now), ("earlier", earlier)):
            if frame["customer_key"].duplicated().any():
                raise ValueError(f"{when}: customers appear twice; give one row per customer")
        keys = np.intersect1d(now["customer_key"], earlier["customer_key"])
        here, before = (frame.set_index("customer_key").loc[keys] for frame in (now, earlier))
        both = ~np.isnan(space.values(here)).any(axis=1)
        both &= ~np.isnan(space.values(before)).any(axis=1)
        here, before = here[both], before[both]
        if not len(here):
            raise NoSegments("nobody is in this month's features and in the earlier ones")
        order = canonical_order(space.points(here))
        order = order[even_rows(len(order), rows, seed)]
        here, before = here.take(order), before.take(order)
        past = fit_space(before, space.spec)
        self.now = space.points(here)
        self.earlier = past.points(before)
        self.now_as_earlier = past.points(here)
        self._order = canonical_order(self.earlier)

    def stability(self, family: Family, setting: float, seed: int) -> float:
        """Adjusted Rand index of now's customers, placed by now's groups and by last month's.

        Groups are fitted anew on each month, from the same customers.
        """
        fits = [family.fit(p, (setting,), seed) for p in (self.now, self.earlier[self._order])]
        if not all(fits):
            return 0.0
        placed = [
            nearest_group(fitted[0].assigner, points)
            for fitted, points in zip(fits, (self.now, self.now_as_earlier), strict=True)
        ]
        return rand_index(*placed)
