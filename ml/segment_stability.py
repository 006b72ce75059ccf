"""Whether groups would come out again: from other customers, and from last month's features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_assigners import nearest_group
from ml.segment_families import Family
from ml.segment_quality import rand_index
from ml.segment_sample import canonical_order, even_rows
from ml.segment_space import SegmentSpace, fit_space

Array = npt.NDArray[np.float64]
LEAST_CUSTOMERS = 50
"""Fewer customers who were there in both months say nothing."""


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


@dataclass(frozen=True)
class Months:
    """Last month's features and now's of the same m customers, each in the space of its month.

    Attributes
    ----------
    now : float array, shape (m, d)
        In canonical order.
    earlier, now_as_earlier : float array, shape (m, d')
        In the space fitted on the earlier features: those, and now's.
    """

    now: Array
    earlier: Array
    now_as_earlier: Array

    def stability(self, family: Family, setting: float, seed: int) -> float:
        """Adjusted Rand index of now's customers, placed by now's groups and by last month's.

        Groups are fitted anew on each month; a family that finds none in one of them gets 0.
        """
        fitted = family.fit(self.now, (setting,), seed)
        before = family.fit(self.earlier[canonical_order(self.earlier)], (setting,), seed)
        if not fitted or not before:
            return 0.0
        return rand_index(
            nearest_group(fitted[0].assigner, self.now),
            nearest_group(before[0].assigner, self.now_as_earlier),
        )


def compare_months(
    now: pd.DataFrame,
    earlier: pd.DataFrame,
    space: SegmentSpace,
    rows: int = 2_500,
    seed: int = 0,
) -> Months | None:
    """Put two months of the same customers side by side.

    Parameters
    ----------
    now, earlier : DataFrame
        With ``customer_key`` and the columns of the space. Customers who are not in both, or are
        held apart in either, are left out.
    space : SegmentSpace
        Fitted on now.
    rows : int
        Most customers to compare.

    Returns
    -------
    Months, or None with fewer than `LEAST_CUSTOMERS` in both
    """
    for when, frame in (("now", now), ("earlier", earlier)):
        if frame["customer_key"].duplicated().any():
            raise ValueError(f"{when}: customers appear twice; give one row per customer")
    keys = np.intersect1d(now["customer_key"], earlier["customer_key"])
    here = now.set_index("customer_key").reindex(keys)
    before = earlier.set_index("customer_key").reindex(keys)
    placed = ~np.isnan(np.column_stack([space.points(here), space.points(before)])).any(axis=1)
    here, before = here.take(np.flatnonzero(placed)), before.take(np.flatnonzero(placed))
    if len(here) < LEAST_CUSTOMERS:
        return None
    order = canonical_order(space.points(here))
    order = order[even_rows(len(order), rows, seed)]
    here, before = here.take(order), before.take(order)
    past = fit_space(before, space.spec)
    return Months(space.points(here), past.points(before), past.points(here))
