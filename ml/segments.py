"""Segments of customers by recency, frequency and money: K-means on scaled logs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_model import SegmentModel, logged_rfm
from ml.segment_names import name_segments

__all__ = ["NoSegments", "SegmentModel", "fit_segments"]

Array = npt.NDArray[np.float64]


class NoSegments(ValueError):
    """There are too few customers, or too few distinct ones, to form segments."""


def fit_segments(
    frame: pd.DataFrame,
    *,
    recency: str = "days_since_last_order",
    frequency: str = "order_days",
    monetary: str = "revenue",
    k_range: Sequence[int] = range(3, 9),
    smallest_share: float = 0.02,
    sample: int = 5000,
    seed: int = 0,
) -> SegmentModel:
    """Find segments, their number chosen by silhouette (Rousseeuw 1987).

    Parameters
    ----------
    frame : DataFrame, n rows
        One row per customer.
    recency, frequency, monetary : str
        Columns; a customer without an order has a null recency or a frequency of 0.
    k_range : sequence of int
        Numbers of segments to try. Two is left out: it only parts many orders from few.
    smallest_share : float
        A solution with a smaller segment than this share is rejected.
    sample : int
        Rows that the silhouette is measured on (all are used where there are fewer).
    seed : int

    Returns
    -------
    SegmentModel

    Raises
    ------
    NoSegments
        Fewer distinct customers with orders than the smallest k, or every k was rejected.
    """
    columns = (recency, frequency, monetary)
    logged = logged_rfm(frame, columns)
    logged = logged[~np.isnan(logged).any(axis=1)]
    # K-means draws rows by position, so their order must not matter.
    logged = logged[np.lexsort(logged.T[::-1])]
    distinct = len(np.unique(logged, axis=0))
    tried = [k for k in k_range if k < distinct]
    if not tried:
        raise NoSegments(
            f"{len(logged)} customers with orders ({distinct} distinct) of {len(frame)}; "
            f"more than {min(k_range)} distinct ones are needed"
        )
    mean, scale = logged.mean(axis=0), logged.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    points = (logged - mean) / scale
    solutions = {k: _solve(points, k, seed, sample) for k in tried}
    selection = pd.DataFrame(
        [(k, score, smallest) for k, (_, score, smallest) in solutions.items()],
        columns=["k", "silhouette", "smallest_share"],
    )
    selection["eligible"] = selection["smallest_share"] >= smallest_share
    if not selection["eligible"].any():
        raise NoSegments(
            f"every k of {tried} has a segment below {smallest_share:.0%} of customers: "
            f"{selection['smallest_share'].round(4).tolist()}"
        )
    scores = selection["silhouette"].where(selection["eligible"], -np.inf)
    best = tried[int(scores.to_numpy().argmax())]
    selection["chosen"] = selection["k"] == best
    centroids = solutions[best][0]
    centroids = centroids[np.argsort(-centroids[:, 2], kind="stable")]
    return SegmentModel(
        columns=columns,
        mean=mean,
        scale=scale,
        centroids=centroids,
        names=name_segments(centroids),
        selection=selection,
        seed=seed,
    )


def _solve(points: Array, k: int, seed: int, sample: int) -> tuple[Array, float, float]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    model = KMeans(n_clusters=k, n_init=5, random_state=seed).fit(points)
    labels = model.labels_
    rows = np.arange(len(points))
    if len(rows) > sample:
        rows = np.random.default_rng(seed).choice(rows, sample, replace=False)
    if len(np.unique(labels[rows])) < 2:
        return model.cluster_centers_, -1.0, 0.0
    score = float(silhouette_score(points[rows], labels[rows]))
    return (
        model.cluster_centers_,
        score,
        float(np.bincount(labels, minlength=k).min() / len(points)),
    )
