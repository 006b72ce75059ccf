"""Whether groups would come out again: from other customers, and from last month's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_assigners import nearest_group
from ml.segment_families import Family
from ml.segment_fitted import Fitted
from ml.segment_quality import rand_index
from ml.segment_sample import canonical_order, even_rows
from ml.segment_space import SegmentSpace, fit_space

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LEAST_CUSTOMERS = 50
"""Fewer customers a month ago say nothing."""


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
    """Last month's customers to fit on, and now's to place, each in the space of its month.

    Attributes
    ----------
    earlier : float array, shape (r, d')
        Last month's customers in last month's space, in canonical order.
    now : float array, shape (m, d)
    now_as_earlier : float array, shape (m, d')
        Now's customers in last month's space.
    """

    earlier: Array
    now: Array
    now_as_earlier: Array

    def stability(
        self, family: Family, solutions: Sequence[Fitted], seed: int
    ) -> dict[float, float]:
        """How alike now's customers are grouped by last month's segmentation and by now's.

        Parameters
        ----------
        solutions : sequence of Fitted
            Of the family, fitted on now.

        Returns
        -------
        dict of float
            Adjusted Rand index by setting; 0 where the family finds no groups in last month.
        """
        settings = [fitted.setting for fitted in solutions]
        before = _placed(family, settings, self.earlier, self.now_as_earlier, seed)
        return {
            fitted.setting: rand_index(
                nearest_group(fitted.assigner, self.now), before[fitted.setting]
            )
            if fitted.setting in before
            else 0.0
            for fitted in solutions
        }


def compare_months(
    now: pd.DataFrame,
    earlier: pd.DataFrame,
    space: SegmentSpace,
    rows: int = 2_500,
    seed: int = 0,
) -> Months | None:
    """Put two months side by side.

    Parameters
    ----------
    now, earlier : DataFrame
        One row per customer of each month. The groups of a month rest on all of its customers,
        as in training; so does the comparison on all of now's.
    space : SegmentSpace
        Fitted on now.
    rows : int
        Most customers of each month.

    Returns
    -------
    Months, or None with fewer than `LEAST_CUSTOMERS` that can be placed in the earlier month
    """
    counting = [column for column in space.spec.columns if column.weight > 0]
    _, _, apart = space.spec.read(earlier, counting)
    if (~apart).sum() < LEAST_CUSTOMERS:
        return None
    past = fit_space(earlier, space.spec)
    here, there = space.points(now), past.points(now)
    both = ~np.isnan(here).any(axis=1) & ~np.isnan(there).any(axis=1)
    here, there = here[both], there[both]
    order = canonical_order(here)
    order = order[even_rows(len(order), rows, seed)]
    before = past.points(earlier)
    before = before[~np.isnan(before).any(axis=1)]
    before = before[canonical_order(before)]
    return Months(before[even_rows(len(before), rows, seed)], here[order], there[order])
