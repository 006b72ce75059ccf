"""An isolation forest as plain arrays: what deviations from a habit are usual among customers.

scikit-learn grows it; the arrays judge without scikit-learn and are kept without pickle.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HabitForest:
    """An isolation forest as arrays, shape (trees, nodes) each; judged without scikit-learn.

    Attributes
    ----------
    feature : column that a node asks for, -1 for a leaf.
    threshold : a row whose value is at most this goes left.
    left, right : numbers of the nodes below.
    length : how deep a leaf lies, with what its rows would have added.
    usual_length : what `length` is divided by (Liu, Ting and Zhou 2008, c of the rows per tree).
    limit : score from which on a day is rare.
    """

    feature: npt.NDArray[np.int64]
    threshold: Array
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    length: Array
    usual_length: float
    limit: float

    def score(self, rows: Array) -> Array:
        """Oddness of rows of deviations, shape (rows,): 0 to 1, half for the ordinary."""
        values = compressed(rows)
        tree = np.arange(len(self.feature))[None, :]
        node = np.zeros((len(values), len(self.feature)), dtype=np.int64)
        row = np.arange(len(values))[:, None]
        while True:
            asks = self.feature[tree, node]
            if (asks < 0).all():
                break
            goes_left = values[row, asks.clip(0)] <= self.threshold[tree, node]
            below = np.where(goes_left, self.left[tree, node], self.right[tree, node])
            node = np.where(asks < 0, node, below)
        mean_length = self.length[tree, node].mean(axis=1)
        score: Array = 2.0 ** (-mean_length / self.usual_length)
        return score

    def to_bytes(self) -> bytes:
        """The forest as a NumPy archive of plain arrays."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **vars(self))
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> HabitForest:
        """What `to_bytes` wrote; nothing in it is executed."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            parts = {name: arrays[name] for name in arrays.files}
        usual, limit = float(parts.pop("usual_length")), float(parts.pop("limit"))
        return cls(**parts, usual_length=usual, limit=limit)


def compressed(rows: Array) -> Array:
    """Deviations on a scale on which thousands are not far from hundreds, in single precision."""
    values: Array = np.arcsinh(np.asarray(rows, dtype=np.float64)).astype(np.float32)
    return values


def fit_forest(
    rows: Array, seed: int, *, rare_share: float = 0.05, trees: int = 100, tree_rows: int = 256
) -> HabitForest:
    """Learn what deviations are usual.

    Parameters
    ----------
    rows : array of float, shape (days, rates)
        Deviations of a sample of customers and days.
    rare_share : float
        Share of these days that is as odd as ``limit`` or odder.
    trees, tree_rows : int
        Size of the forest.
    """
    from sklearn.ensemble import IsolationForest

    model = IsolationForest(
        n_estimators=trees,
        max_samples=min(tree_rows, len(rows)),
        random_state=seed,
        n_jobs=1,
    ).fit(compressed(rows))
    grown = [estimator.tree_ for estimator in model.estimators_]
    nodes = max(tree.node_count for tree in grown)

    def padded(parts: Iterable[Array], fill: float) -> Array:
        return np.stack([np.pad(p, (0, nodes - len(p)), constant_values=fill) for p in parts])

    forest = HabitForest(
        feature=padded((tree.feature for tree in grown), -1).clip(-1).astype(np.int64),
        threshold=padded((tree.threshold for tree in grown), 0.0),
        left=padded((tree.children_left for tree in grown), -1).astype(np.int64),
        right=padded((tree.children_right for tree in grown), -1).astype(np.int64),
        length=padded((_lengths(tree) for tree in grown), 0.0),
        usual_length=float(usual_length(np.array([model.max_samples_]))[0]),
        limit=1.0,
    )
    limit = float(np.quantile(forest.score(rows), 1 - rare_share))
    return HabitForest(**{**vars(forest), "limit": limit})


def _lengths(tree: Any) -> Array:
    """Depth of every node, and what the rows of a leaf would have added to it."""
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # a node comes before those below it
        for below in (tree.children_left[node], tree.children_right[node]):
            if below >= 0:
                depth[below] = depth[node] + 1
    lengths: Array = depth + usual_length(tree.n_node_samples)
    return lengths


def usual_length(rows: npt.ArrayLike) -> Array:
    """Mean length of an unsuccessful search in a binary tree of so many rows (Liu et al., 1)."""
    n = np.asarray(rows, dtype=np.float64)
    more = np.maximum(n, 3)
    lengths: Array = np.where(
        n <= 1,
        0.0,
        np.where(n == 2, 1.0, 2 * (np.log(more - 1) + np.euler_gamma) - 2 * (more - 1) / more),
    )
    return lengths
