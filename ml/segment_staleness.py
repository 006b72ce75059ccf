"""Whether a segmentation still fits: three figures with limits, and a verdict in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_assigners import assign
from ml.segment_model import QUANTILES, SegmentModel
from ml.segment_quality import distance_matrix, silhouettes
from ml.segment_sample import canonical_order, even_rows

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
FAR_QUANTILE = 0.95


@dataclass(frozen=True)
class Limits:
    """Beyond which a segmentation should be trained again.

    Attributes
    ----------
    drift : float
        Mean distance that centroids moved, in root mean square distances of members. A month of
        ordinary life moves them by about .1 (Online Retail .11, Complete Journey .08).
    silhouette_kept : float
        Share of the silhouette at fit.
    far_share : float
        Share of new customers further out than all but 5 % were at fit.
    least_new : int
        Fewer new customers say nothing.
    """

    drift: float = 0.3
    silhouette_kept: float = 0.8
    far_share: float = 0.15
    least_new: int = 100


@dataclass(frozen=True)
class Staleness:
    """Three figures and what they say.

    Attributes
    ----------
    drift : float
        Distance between the members' mean now and at fit, over the root mean square distance of
        members from it now; mean over segments, weighted by size.
    silhouette, silhouette_at_fit : float
    far_share : float
        Share of the new customers that lie further from their segments than 95 % of the customers
        at fit; .05 is what to expect. NaN with too few of them.
    problems : tuple of str
        What went over its limit, in words; empty: fresh.
    """

    drift: float
    silhouette: float
    silhouette_at_fit: float
    far_share: float
    problems: tuple[str, ...]

    @property
    def stale(self) -> bool:
        """Whether training again is asked for."""
        return bool(self.problems)

    @property
    def verdict(self) -> str:
        """One sentence for a check's description."""
        if not self.problems:
            return "the segments still fit"
        return f"train the segments again: {'; '.join(self.problems)}"


def staleness(
    model: SegmentModel,
    frame: pd.DataFrame,
    new: npt.ArrayLike | None = None,
    limits: Limits | None = None,
    rows: int = 4_000,
) -> Staleness:
    """Compare customers now with those that the segmentation was fitted on.

    Parameters
    ----------
    model : SegmentModel
    frame : DataFrame, n rows
        Customers now.
    new : bool array, shape (n,), optional
        Who was not there at the fit; default: everyone counts.
    limits : Limits, optional
    rows : int
        Most customers for the silhouette.
    """
    allowed = limits or Limits()
    points = model.space.points(frame)
    placed = ~np.isnan(points).any(axis=1)
    fresh = np.ones(len(frame), dtype=bool) if new is None else np.asarray(new, dtype=bool)
    points, fresh = points[placed], fresh[placed]
    if not len(points):
        return Staleness(np.nan, np.nan, model.at_fit.silhouette, np.nan, ("nobody has a segment",))
    found = assign(model.assigner, points)
    drift = _drift(model, points, found.group)
    order = canonical_order(points)
    sample = order[even_rows(len(order), rows)]
    silhouette = float(silhouettes(distance_matrix(points[sample]), found.group[sample]).mean())
    far_share = float("nan")
    if fresh.sum() >= allowed.least_new:
        far = model.at_fit.distances[QUANTILES.index(FAR_QUANTILE)]
        far_share = float((found.distance[fresh] > far).mean())
    before = model.at_fit.silhouette
    problems = []
    if drift > allowed.drift:
        problems.append(
            f"the groups have moved by {drift:.2f} of their radius (limit {allowed.drift:g})"
        )
    if silhouette < allowed.silhouette_kept * before:
        problems.append(
            f"the silhouette fell from {before:.3f} to {silhouette:.3f} (limit "
            f"{allowed.silhouette_kept:.0%} of it)"
        )
    if far_share > allowed.far_share:
        problems.append(
            f"{far_share:.0%} of new customers lie further out than all but "
            f"{1 - FAR_QUANTILE:.0%} did (limit {allowed.far_share:.0%})"
        )
    return Staleness(drift, silhouette, before, far_share, tuple(problems))


def _drift(model: SegmentModel, points: Array, groups: npt.NDArray[np.int64]) -> float:
    """Mean distance of members' means from where they were, in radii, weighted by size."""
    before = model.space.located(model.centroids)
    moved = 0.0
    for group in np.unique(groups):
        members = points[groups == group]
        centre = members.mean(axis=0)
        radius = float(np.sqrt(((members - centre) ** 2).sum(axis=1).mean()))
        step = float(np.linalg.norm(centre - before[group]))
        moved += len(members) * step / max(radius, 1e-9)
    return moved / len(points)
