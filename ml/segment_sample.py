"""Rows in an order of their own, and even samples of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def canonical_order(points: Array, strata: Array | None = None) -> IntArray:
    """Order rows by their values alone, so that the order they came in does not matter.

    Parameters
    ----------
    points : float array, shape (n, d)
    strata : float array, shape (n,), optional
        What to sort by first, such as spend; an even sample then has every size of customer in
        proportion.

    Returns
    -------
    order : int array, shape (n,)
    """
    keys = [points[:, i] for i in reversed(range(points.shape[1]))]
    return np.lexsort([*keys, strata] if strata is not None else keys).astype(np.int64)


def even_rows(count: int, size: int, seed: int = 0) -> IntArray:
    """Positions of `size` of `count` sorted rows at even steps (all where there are fewer).

    Systematic sampling: of rows sorted by spend every slice is drawn in proportion. The start is
    drawn by the seed.
    """
    if count <= size:
        return np.arange(count)
    start = np.random.default_rng(seed).uniform()
    return ((np.arange(size) + start) * count / size).astype(np.int64)
