"""The exact shares of the features in what a small tree says, for every set of answers to it.

What TreeSHAP (Lundberg et al. 2020) walks a tree for depends on the answers to its splits alone,
and a small tree has few sets of answers. So the Shapley values are found once per set, by their
definition, and a row's are looked up.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ml.forest import Tree

Array = npt.NDArray[np.float64]


def shapley_table(tree: Tree) -> tuple[tuple[int, ...], Array]:
    """Features that a tree asks about, and the share of each for each set of answers.

    A coalition of features follows the answers at its own splits; at the others the children are
    weighted by the rows that training saw in them, as LightGBM's ``pred_contrib`` does.

    Returns
    -------
    features : tuple of int, length f
    shares : array, shape (f, 2^len(splits))
    """
    features = tuple(sorted({split.feature for split in tree.splits}))
    answers = np.arange(1 << len(tree.splits))[:, None]
    coalitions = np.arange(1 << len(features))

    def expected(node: int) -> tuple[Array, float]:
        """Value and rows below a node, or below leaf ``~node``: (answers, coalitions) each."""
        if node < 0:
            return np.full((1, 1), tree.leaves[~node]), float(tree.rows[~node])
        left, left_rows = expected(int(tree.children[0, node]))
        right, right_rows = expected(int(tree.children[1, node]))
        rows = left_rows + right_rows
        mean = (left_rows * left + right_rows * right) / max(rows, 1.0)
        followed = np.where(answers >> node & 1, right, left)
        known = coalitions >> features.index(tree.splits[node].feature) & 1
        return np.where(known, followed, mean), rows

    values, _ = expected(0 if tree.splits else ~0)
    return features, np.ascontiguousarray((values @ _weights(len(features))).T)


def _weights(features: int) -> Array:
    """What each coalition's value counts for in each feature's share: (2^features, features)."""
    coalitions = np.arange(1 << features)[:, None]
    inside = coalitions >> np.arange(features) & 1
    others = inside.sum(axis=1, keepdims=True) - inside
    ways = np.array([comb(features - 1, size) for size in range(features)], dtype=float)
    return np.asarray(np.where(inside, 1.0, -1.0) / (features * ways[others]))
