"""Groups as dense regions: HDBSCAN and DBSCAN.

Points in no dense region are noise while fitting and belong to no group. A customer who is placed
later always gets the group of the nearest dense point, so that nobody is left without a segment;
the distance says how far out a customer lies, and the share of noise stands in the selection.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ml.segment_assigners import PrototypeAssigner
from ml.segment_fitted import Fitted

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
HDBSCAN_SETTINGS = (0.02, 0.04, 0.08)
"""Least share of points in a group."""
DBSCAN_SETTINGS = (0.5, 0.7, 0.8, 0.9)
"""Share of points that are dense: the radius is this quantile of the distance to a neighbour."""
NEIGHBOURS = 10
SMALLEST_SHARE = 0.01
"""A dense region with fewer points is noise: DBSCAN has no least size of its own."""


def fit_hdbscan(points: Array, settings: Sequence[float], seed: int) -> list[Fitted]:
    """Hierarchical density clustering (Campello, Moulavi, Sander 2013); no randomness."""
    from sklearn.cluster import HDBSCAN

    found = []
    for share in settings:
        size = max(NEIGHBOURS, round(share * len(points)))
        model = HDBSCAN(min_cluster_size=size, min_samples=NEIGHBOURS, copy=True)
        found += _solution(share, points, model.fit(points).labels_)
    return found


def fit_dbscan(points: Array, settings: Sequence[float], seed: int) -> list[Fitted]:
    """Density clustering with one radius (Ester, Kriegel, Sander, Xu 1996); no randomness."""
    from scipy.spatial import cKDTree
    from sklearn.cluster import DBSCAN

    nth = min(NEIGHBOURS, len(points))
    reach = cKDTree(points).query(points, k=[nth])[0][:, 0]
    found = []
    for share in settings:
        radius = max(float(np.quantile(reach, share)), 1e-9)
        model = DBSCAN(eps=radius, min_samples=NEIGHBOURS)
        found += _solution(share, points, model.fit(points).labels_)
    return found


def _solution(setting: float, points: Array, labels: IntArray) -> list[Fitted]:
    """Leave out dense regions that are too small; nothing where fewer than two are left."""
    sizes = np.bincount(labels[labels >= 0])
    large = np.flatnonzero(sizes >= SMALLEST_SHARE * len(points))
    if len(large) < 2:
        return []
    numbers = np.full(len(sizes) + 1, -1)
    numbers[large] = np.arange(len(large))
    groups = numbers[labels]
    noise = float((groups < 0).mean())
    return [Fitted(setting, PrototypeAssigner.of(points, groups), noise)]
