"""Agglomerative clustering by Ward's criterion; new points join their nearest known one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ml.segment_assigners import PrototypeAssigner
from ml.segment_fitted import Fitted

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def ward_tree(points: Array) -> Array:
    """Merges in scipy's linkage format, shape (n - 1, 4): for dendrograms and cuts (Ward 1963)."""
    from scipy.cluster.hierarchy import linkage

    return np.asarray(linkage(points, method="ward"), dtype=float)


def cut_tree(tree: Array, k: int) -> IntArray:
    """Group of every point, 0 to k - 1, when the tree is cut into at most k groups."""
    from scipy.cluster.hierarchy import fcluster

    return np.asarray(fcluster(tree, k, criterion="maxclust"), dtype=np.int64) - 1


def fit_ward(points: Array, settings: Sequence[float], seed: int) -> list[Fitted]:
    """Grow one tree and cut it at every k; the seed plays no part."""
    tree = ward_tree(points)
    found = []
    for k in settings:
        groups = cut_tree(tree, int(k))
        if groups.max() > 0:
            found.append(Fitted(k, PrototypeAssigner.of(points, groups)))
    return found
