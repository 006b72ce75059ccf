"""How good groups are: apart, compact, and useful to know."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FloatMatrix = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
FOLDS = 5


class Usefulness(NamedTuple):
    """What the groups alone explain of the next period, out of sample; NaN where not known.

    ``spend`` is the R² of the rank of spend, ``churn`` the share of its deviance that is
    explained: 0 is nothing, 1 all; worse than the overall mean is below 0.
    """

    spend: float
    churn: float

    @property
    def mean(self) -> float:
        """Mean of what is known, or NaN."""
        known = [value for value in self if not np.isnan(value)]
        return float(np.mean(known)) if known else float("nan")


def distance_matrix(points: Array) -> FloatMatrix:
    """Euclidean distances of all pairs, shape (n, n): shared by every candidate's silhouette."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(points, points), dtype=np.float32)


def silhouettes(distances: FloatMatrix, groups: IntArray) -> Array:
    """Silhouette of every point (Rousseeuw 1987), shape (n,).

    Parameters
    ----------
    distances : float array, shape (n, n)
        From `distance_matrix`.
    groups : int array, shape (n,)
        0 to k - 1. A point alone in its group has 0, as has every point where there is only one
        group.
    """
    sizes = np.bincount(groups)
    present = np.flatnonzero(sizes)
    if len(present) < 2:
        return np.zeros(len(groups))
    members = (groups[:, None] == present).astype(np.float32)
    sums = (distances @ members).astype(np.float64)
    rows, own = np.arange(len(groups)), np.searchsorted(present, groups)
    counts = sizes[present].astype(float)
    inside = sums[rows, own] / np.maximum(counts[own] - 1, 1)
    means = sums / counts
    means[rows, own] = np.inf
    outside = means.min(axis=1)
    larger = np.maximum(inside, outside)
    usable = (counts[own] > 1) & (larger > 0)
    found = np.zeros(len(groups))
    found[usable] = (outside[usable] - inside[usable]) / larger[usable]
    return found


def davies_bouldin(points: Array, groups: IntArray) -> float:
    """Davies-Bouldin index, lower is better; NaN with fewer than two groups."""
    from sklearn.metrics import davies_bouldin_score

    if len(np.unique(groups)) < 2:
        return float("nan")
    return float(davies_bouldin_score(points, groups))


def calinski_harabasz(points: Array, groups: IntArray) -> float:
    """Calinski-Harabasz index, higher is better; NaN with fewer than two groups."""
    from sklearn.metrics import calinski_harabasz_score

    if len(np.unique(groups)) < 2:
        return float("nan")
    return float(calinski_harabasz_score(points, groups))


def rand_index(one: IntArray, other: IntArray) -> float:
    """Adjusted Rand index of two groupings of the same points (Hubert and Arabie 1985)."""
    a, b = (np.unique(groups, return_inverse=True)[1] for groups in (one, other))
    table = np.bincount(a * (b.max() + 1) + b, minlength=(a.max() + 1) * (b.max() + 1))
    table = table.reshape(a.max() + 1, b.max() + 1)
    together, rows, columns = (
        float(_pairs(counts).sum()) for counts in (table, table.sum(axis=1), table.sum(axis=0))
    )
    expected = rows * columns / max(float(_pairs(np.array(len(a)))), 1.0)
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def usefulness(groups: IntArray, spend: Array | None, churned: Array | None) -> Usefulness:
    """What groups explain of the next period, cross-fitted.

    Parameters
    ----------
    groups : int array, shape (n,)
        Groups at a past date. Rows in an order that says nothing: every fifth one is a fold.
    spend : float array, shape (n,), optional
        Spend in the period that followed; its unit does not matter.
    churned : float array, shape (n,), optional
        1 where nothing was bought in it, otherwise 0.
    """
    explained = [float("nan"), float("nan")]
    if spend is not None:
        ranks = _ranks(spend)
        predicted, mean = _cross_fitted(groups, ranks)
        explained[0] = _share(((ranks - predicted) ** 2).sum(), ((ranks - mean) ** 2).sum())
    if churned is not None:
        predicted, mean = _cross_fitted(groups, churned)
        explained[1] = _share(_deviance(churned, predicted), _deviance(churned, mean))
    return Usefulness(*explained)


def _pairs(counts: npt.NDArray[np.int64]) -> Array:
    found = counts.astype(float)
    return np.asarray(found * (found - 1) / 2)


def _ranks(values: Array) -> Array:
    """Mean ranks as shares: 0 to 1."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    return np.asarray(((below + (counts - 1) / 2) / max(len(values) - 1, 1))[inverse])


def _cross_fitted(groups: IntArray, values: Array) -> tuple[Array, Array]:
    """Mean of each row's group, and of all, among the rows of the other folds: (n,), (n,).

    One average row more in each group keeps a small one from certainty.
    """
    fold = np.arange(len(groups)) % FOLDS
    k = int(groups.max()) + 1
    predicted, mean = np.empty(len(groups)), np.empty(len(groups))
    for held in range(FOLDS):
        out = fold == held
        if not out.any():
            continue
        known = values[~out]
        mean[out] = overall = known.mean() if len(known) else values.mean()
        sums = np.bincount(groups[~out], weights=known, minlength=k) + overall
        predicted[out] = (sums / (np.bincount(groups[~out], minlength=k) + 1))[groups[out]]
    return predicted, mean


def _deviance(label: Array, probability: Array) -> float:
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-2 * (label * np.log(p) + (1 - label) * np.log1p(-p)).sum())


def _share(left: float, total: float) -> float:
    return 1 - left / total if total > 0 else float("nan")
