"""Pairs of old and new groups: by where their centroids lie, or by the members that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LIMIT = 0.7
"""Of the distance to the nearest other group: farther apart, two centroids are two groups."""
NOBODY = -1


def match_centroids(old: Array, new: Array, limit: float = LIMIT) -> tuple[IntArray, Array]:
    """Match new centroids to old ones by distance, each to at most one.

    The assignment has the least total distance (Kuhn 1955), where a pair beyond the limit counts
    as much as no pair. The limit is relative to the distance to the nearest other group, old or
    new, which has no unit and does not grow with the number of features, as a group's own spread
    does.

    Parameters
    ----------
    old, new : float array, shapes (m, d) and (k, d)
        In one space.
    limit : float
        Share of the distance to the nearest other group from which on a pair is none.

    Returns
    -------
    matched : int array, shape (k,)
        Position of the old centroid; -1 for a new one without.
    distance : float array, shape (k,)
        Of the pair, as a share of the distance to the nearest other group; NaN without one.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    matched = np.full(len(new), NOBODY, dtype=np.int64)
    distance = np.full(len(new), np.nan)
    if not len(old) or not len(new):
        return matched, distance
    apart = np.minimum.outer(_nearest_other(old), _nearest_other(new))
    between = cdist(old, new)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(between == 0, 0.0, between / apart)
    rows, columns = linear_sum_assignment(np.minimum(shares, limit))
    for i, j in zip(rows, columns, strict=True):
        if shares[i, j] < limit:
            matched[j], distance[j] = i, shares[i, j]
    return matched, distance


def match_members(
    old: Sequence[int] | IntArray, new: Sequence[int] | IntArray, counts: tuple[int, int]
) -> IntArray:
    """Match new segments to old ones by the customers they share: most of both.

    For segmentations in spaces without a common feature. Where there is one, centroids know more:
    a large new group would take the id of whatever old segment its customers lay nearest to.

    Parameters
    ----------
    old, new : int array, shape (n,)
        Positions of the segments that either segmentation puts the same customers in; negative
        for those in none.
    counts : (int, int)
        Numbers of old and of new segments.

    Returns
    -------
    matched : int array, shape (k,)
        Position of the old segment; -1 for a new one without.
    """
    old, new = np.asarray(old), np.asarray(new)
    both = (old >= 0) & (new >= 0)
    shared = np.zeros(counts, dtype=np.int64)
    np.add.at(shared, (old[both], new[both]), 1)
    largest = np.maximum.outer(
        np.bincount(old[old >= 0], minlength=counts[0]),
        np.bincount(new[new >= 0], minlength=counts[1]),
    )
    rows, columns = np.nonzero(2 * shared > largest)
    matched = np.full(counts[1], NOBODY, dtype=np.int64)
    matched[columns] = rows
    return matched


def _nearest_other(centroids: Array) -> Array:
    """Distance from each centroid to the nearest other one, shape (k,); infinite for a lone one."""
    from scipy.spatial.distance import cdist

    between = cdist(centroids, centroids)
    np.fill_diagonal(between, np.inf)
    return np.asarray(between.min(axis=1))
