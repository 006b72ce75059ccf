"""Whether groups would come out again: from other customers, and from last month's features."""

from __future__ import annotations

from collections.abc import Sequence
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
IntArray = npt.NDArray[np.int64]
LEAST_CUSTOMERS = 50
"""Fewer customers who were there in both months say nothing."""


def bootstrap_stability(
    family: Family, settings: Sequence[float], points: Array, seed: int, rounds: int = 20
) -> dict[float, float]:
    """Mean adjusted Rand index of fits on resamples against the fit on all points.

    Parameters
    ----------
    settings : sequence of float
        All of them are fitted on the same resamples.
    points : float array, shape (n, d)
        In canonical order. Each round draws n of them with replacement, fits, and places all.
    rounds : int

    Returns
    -------
    dict of float
        By setting. 1: the same groups every time; 0: no more alike than by chance. A resample in
        which the family finds no groups counts 0. NaN where it finds none in all points.
    """
    reference = _placed(family, settings, points, points, seed)
    found: dict[float, list[float]] = {setting: [] for setting in settings}
    for number in range(rounds):
        rng = np.random.default_rng((seed, number))
        rows = np.sort(rng.integers(len(points), size=len(points)))
        again = _placed(family, settings, points[rows], points, seed + 1 + number)
        for setting, groups in reference.items():
            same = rand_index(groups, again[setting]) if setting in again else 0.0
            found[setting].append(same)
    return {key: float(np.mean(values)) if values else np.nan for key, values in found.items()}


def _placed(
    family: Family, settings: Sequence[float], points: Array, others: Array, seed: int
) -> dict[float, IntArray]:
    """Groups fitted on some points, of others, by setting."""
    fits = family.fit(points, settings, seed)
    return {fitted.setting: nearest_group(fitted.assigner, others) for fitted in fits}


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

    def stability(self, family: Family, settings: Sequence[float], seed: int) -> dict[float, float]:
        """Adjusted Rand index of now's customers, placed by now's groups and by last month's.

        Groups are fitted anew on each month, from the same customers. By setting; a family that
        finds no groups in one of the months gets 0.
        """
        ordered = self.earlier[canonical_order(self.earlier)]
        now = _placed(family, settings, self.now, self.now, seed)
        before = _placed(family, settings, ordered, self.now_as_earlier, seed)
        return {
            key: rand_index(now[key], before[key]) if key in now and key in before else 0.0
            for key in settings
        }


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
