"""What texts are about: groups of embeddings that are named by their words and keep their identity.

K-means in the leading directions of the meaning vectors, its number of groups chosen by the
silhouette. Fitted again, a topic is matched to the old one whose centre is near (as segments are)
and keeps id and name; a new one gets an id that none ever had. A text far from every topic is in
none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_centres import continued, fit_kmeans
from ml.segment_matching import NOBODY, match_centroids
from ml.segment_quality import distance_matrix, silhouettes
from ml.text_embeddings import Vectors, meaning
from ml.text_topic_names import name_topics

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
NONE = -1
COUNTS = (4, 6, 8, 10, 12, 16, 20)
DIRECTIONS = 24
SAMPLE = 3_000
LEAST_TEXTS = 40
STAYS = 0.02
"""Added to the silhouette of as many topics as there were: a tie does not change them."""
FAR = 0.98
"""Quantile of the distances to the own centre beyond which a text is in no topic."""


@dataclass(frozen=True)
class Topics:
    """Topics in force.

    Attributes
    ----------
    ids : tuple of int
    names : tuple of str
    words : tuple of tuple of str
        The words that set each topic apart, the strongest first.
    centres : float array, shape (k, d)
        In the space of `axes`.
    mean, axes : float arrays, shapes (384,) and (d, 384)
    reach : float
        A text farther from every centre is in none.
    next_id : int
        An id that no topic ever had.
    """

    ids: tuple[int, ...]
    names: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    centres: Array
    mean: Array
    axes: Array
    reach: float
    next_id: int

    def points(self, vectors: Vectors) -> Array:
        """Texts in the space of the centres, shape (n, d)."""
        return (meaning(vectors).astype(float) - self.mean) @ self.axes.T

    def assign(self, vectors: Vectors) -> pd.DataFrame:
        """``topic_id`` (-1: none), ``topic`` (null: none) and ``distance`` of each text."""
        points = self.points(vectors)
        apart = _apart(points, self.centres)
        nearest = apart.argmin(axis=1)
        distance = np.sqrt(apart.min(axis=1) + _beside(vectors, self.mean, points))
        inside = distance <= self.reach
        names = np.array([*self.names, None], dtype=object)
        return pd.DataFrame(
            {
                "topic_id": np.where(inside, np.array(self.ids)[nearest], NONE),
                "topic": names[np.where(inside, nearest, len(self.ids))],
                "distance": distance,
            }
        )


def fit_topics(
    texts: Sequence[str],
    vectors: Vectors,
    *,
    old: Topics | None = None,
    counts: Sequence[int] = COUNTS,
    seed: int = 0,
) -> Topics:
    """Find topics.

    Parameters
    ----------
    texts : sequence of str, n texts
        Clean and masked: names of topics are made of their words.
    vectors : float32 array, shape (n, 768)
    old : Topics, optional
        In force before: the same groups keep id and name.
    counts : sequence of int
        Numbers of topics to choose from; those that would leave too few texts each are left out.
    seed : int

    Returns
    -------
    Topics

    Raises
    ------
    ValueError
        There are too few texts for two topics.
    """
    about = meaning(vectors).astype(float)
    mean, axes = _directions(about, seed)
    points = (about - mean) @ axes.T
    tried = [count for count in counts if count * LEAST_TEXTS <= len(texts)]
    if not tried:
        raise ValueError(
            f"{len(texts)} texts are too few for topics: {min(counts) * LEAST_TEXTS} are needed"
        )
    if old is not None and len(old.ids) not in tried and 1 < len(old.ids) < len(texts):
        tried = [*tried, len(old.ids)]
    before = None if old is None else (old.mean + old.centres @ old.axes - mean) @ axes.T
    centres = _centres(points, tried, before, seed)
    matched = (
        np.full(len(centres), NOBODY, dtype=np.int64)
        if before is None
        else match_centroids(before, centres)[0]
    )
    nearest = _apart(points, centres).argmin(axis=1)
    words = name_topics(texts, nearest, len(centres))
    apart = _apart(points, centres).min(axis=1)
    distance = np.sqrt(apart + _beside(vectors, mean, points))
    number = 1 if old is None else old.next_id
    ids, names = [], []
    for i, place in enumerate(matched):
        if old is not None and place != NOBODY:
            ids.append(old.ids[place])
            names.append(old.names[place])
            continue
        ids.append(number)
        names.append(", ".join(words[i][:3]) or f"topic {number}")
        number += 1
    return Topics(
        tuple(ids), tuple(names), tuple(words), centres, mean, axes,
        float(np.quantile(distance, FAR)) * 1.1, number,
    )  # fmt: skip


def _directions(about: Array, seed: int) -> tuple[Array, Array]:
    from sklearn.decomposition import PCA

    found = PCA(min(DIRECTIONS, len(about) - 1), random_state=seed, svd_solver="randomized")
    found.fit(about)
    return found.mean_, found.components_


def _centres(points: Array, counts: Sequence[int], before: Array | None, seed: int) -> Array:
    """Centres with the best silhouette on a sample; the old ones, refined, if about as good."""
    from ml.segment_assigners import PrototypeAssigner, nearest_group

    drawn = np.random.default_rng(seed).permutation(len(points))[:SAMPLE]
    distances = distance_matrix(points[drawn])
    best, chosen = -np.inf, None
    for fitted in fit_kmeans(points, counts, seed):
        assigner = fitted.assigner
        assert isinstance(assigner, PrototypeAssigner)
        stays = before is not None and len(before) == int(fitted.setting)
        if before is not None and stays:
            assigner = continued(points, before, assigner)
        score = float(silhouettes(distances, nearest_group(assigner, points[drawn])).mean())
        score += STAYS * stays
        if score > best:
            best, chosen = score, assigner
    assert chosen is not None
    return np.asarray(chosen.arrays()["prototypes"], dtype=float)


def _apart(points: Array, centres: Array) -> Array:
    """Squared distance of each point and centre, shape (n, k)."""
    squares = (points**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)
    apart: Array = np.maximum(squares - 2 * points @ centres.T, 0.0)
    return apart


def _beside(vectors: Vectors, mean: Array, points: Array) -> Array:
    """Squared distance of each text from the space of the centres: what no topic talks about."""
    whole = ((meaning(vectors).astype(float) - mean) ** 2).sum(axis=1)
    beside: Array = np.maximum(whole - (points**2).sum(axis=1), 0.0)
    return beside
