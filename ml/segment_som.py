"""Self-organising map: a sheet of nodes laid over the customers, its nodes grouped by Ward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.segment_assigners import PrototypeAssigner, nearest_group
from ml.segment_fitted import Fitted
from ml.segment_ward import cut_tree, ward_tree

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
SIDE = 8
STEPS = 5_000


@dataclass(frozen=True)
class SelfOrganisingMap:
    """A trained map.

    Attributes
    ----------
    nodes : float array, shape (height, width, d)
        Where each node lies among the customers.
    hits : int array, shape (height, width)
        Customers nearest to each node.
    """

    nodes: Array
    hits: IntArray


def train_map(points: Array, seed: int, side: int = SIDE, steps: int = STEPS) -> SelfOrganisingMap:
    """Train a square map (Kohonen 1982) from the plane of the two main axes.

    Parameters
    ----------
    points : float array, shape (n, d)
        In canonical order; d of at least 2.
    seed : int
        Draws the order in which customers are shown.
    side : int
        Nodes along each side.
    steps : int
        Customers shown.
    """
    from minisom import MiniSom

    som = MiniSom(side, side, points.shape[1], sigma=side / 4, learning_rate=0.5, random_seed=seed)
    if points.shape[1] > 1:
        som.pca_weights_init(points)
    else:
        som.random_weights_init(points)
    shown = np.random.default_rng(seed).integers(len(points), size=min(steps, 20 * len(points)))
    som.train(points[shown], len(shown))
    nodes = np.asarray(som.get_weights(), dtype=float)
    flat = nodes.reshape(side * side, -1)
    owners = nearest_group(PrototypeAssigner(flat, np.arange(len(flat))), points)
    hits = np.bincount(owners, minlength=len(flat)).reshape(side, side)
    return SelfOrganisingMap(nodes, hits.astype(np.int64))


def fit_som(points: Array, settings: Sequence[float], seed: int) -> list[Fitted]:
    """Train one map and group its nodes at every k; nodes without customers are left out."""
    trained = train_map(points, seed)
    used = trained.nodes[trained.hits > 0]
    tree = ward_tree(used)
    found = []
    for k in settings:
        if k >= len(used):
            continue
        groups = cut_tree(tree, int(k))
        if groups.max() > 0:
            found.append(Fitted(k, PrototypeAssigner.of(used, groups)))
    return found
