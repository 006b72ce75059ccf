"""Customers as points: PCA and t-SNE maps.

Pictures are PNG bytes in the manner of `ml.plots`. Rows are drawn in the order given: sort and
sample them before (`ml.segment_sample`), and equal data give equal bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ml.plot_pages import nothing_figure, titled_figure
from ml.plots import png
from ml.segment_looks import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FEWEST = 10
"""Points below which no map says anything."""
LOUD = 0.3
"""Loading from which on a feature is named on an axis of the PCA map."""


def pca_map(points: Array) -> tuple[Array, Array, Array]:
    """Project points onto the two directions of most variance.

    Parameters
    ----------
    points : float array, shape (n, d)

    Returns
    -------
    places : float array, shape (n, 2)
    shares : float array, shape (2,)
        Share of the variance along each direction.
    loadings : float array, shape (2, d)
        Unit vectors; the largest entry of each is positive.
    """
    centred = points - points.mean(axis=0)
    if centred.shape[1] == 1:
        centred = np.column_stack([centred, np.zeros(len(centred))])
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    loadings = directions[:2]
    largest = np.abs(loadings).argmax(axis=1)
    loadings = loadings * np.sign(loadings[np.arange(2), largest])[:, None]
    total = float((spread**2).sum())
    shares = spread[:2] ** 2 / total if total > 0 else np.zeros(2)
    return centred @ loadings.T, shares, loadings


def tsne_map(points: Array, seed: int, rounds: int = 500) -> Array:
    """Places that keep neighbours together, shape (n, 2); van der Maaten and Hinton (2008)."""
    from sklearn.manifold import TSNE

    model = TSNE(
        n_components=2,
        init="pca",
        perplexity=min(30.0, (len(points) - 1) / 3),
        max_iter=rounds,
        random_state=seed,
    )
    return np.asarray(model.fit_transform(points), dtype=np.float64)


def pca_png(
    points: Array,
    ids: IntArray,
    look: Mapping[int, Look],
    features: Sequence[str],
    period: str,
    title: str = "Customers by segment: the two widest directions (PCA)",
) -> bytes:
    """Map of customers on their principal components.

    Parameters
    ----------
    points : float array, shape (n, d)
        Scaled features of a sample of customers.
    ids : int array, shape (n,)
        Segment of each.
    look : mapping of segment id to Look
        Holds every id.
    features : sequence of str, length d
        Labels of the columns of ``points``.
    period : str
        Such as "as of 2024-03-31".
    title : str

    Returns
    -------
    png : bytes
    """
    return png(pca_figure(points, ids, look, features, period, title))


def pca_figure(
    points: Array,
    ids: IntArray,
    look: Mapping[int, Look],
    features: Sequence[str],
    period: str,
    title: str,
) -> Figure:
    """Figure of `pca_png`, to be looked into before it is drawn."""
    if len(points) < FEWEST:
        return nothing_figure(title, period, "too few customers for a map")
    places, shares, loadings = pca_map(points)
    figure, axes = _map(places, ids, look, title, period)
    for set_label, number in ((axes.set_xlabel, 0), (axes.set_ylabel, 1)):
        words = _direction(loadings[number], features) if number < len(features) else "nothing"
        text = f"component {number + 1}, {shares[number]:.0%} of the variance. Towards {words}"
        set_label("\n".join(textwrap.wrap(text, 76)), fontsize=9)
    return figure


def tsne_png(
    points: Array,
    ids: IntArray,
    look: Mapping[int, Look],
    period: str,
    seed: int,
    title: str = "Customers by segment: who is whose neighbour (t-SNE)",
) -> bytes:
    """Map of customers on which neighbours stay neighbours; see `pca_png`."""
    return png(tsne_figure(points, ids, look, period, seed, title))


def tsne_figure(
    points: Array, ids: IntArray, look: Mapping[int, Look], period: str, seed: int, title: str
) -> Figure:
    """Figure of `tsne_png`."""
    if len(points) < FEWEST:
        return nothing_figure(title, period, "too few customers for a map")
    figure, axes = _map(tsne_map(points, seed), ids, look, title, period)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(
        "Points that touch are alike. Directions, gaps and the areas of groups mean nothing.",
        fontsize=9,
    )
    return figure


def _map(
    places: Array, ids: IntArray, look: Mapping[int, Look], title: str, period: str
) -> tuple[Figure, Axes]:
    figure = titled_figure(title, f"{period}, a sample of {len(places):,} customers", 9.5, 6.4)
    axes = figure.subplots()
    present = [i for i in look if (ids == i).any()]
    for i in present:
        own = places[ids == i]
        share = len(own) / len(places)
        axes.scatter(
            own[:, 0],
            own[:, 1],
            s=16,
            alpha=0.65,
            color=look[i].colour,
            marker=look[i].marker,
            linewidths=0,
            label=f"{look[i].label} ({share:.0%})",
        )
    for i in present:
        middle = np.median(places[ids == i], axis=0)
        axes.text(
            *(float(middle[0]), float(middle[1]), str(i)),
            ha="center",
            va="center",
            fontsize=11,
            weight="bold",
            bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": look[i].colour},
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.2)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9, markerscale=1.8)
    return figure, axes


def _direction(loading: Array, features: Sequence[str]) -> str:
    """What grows and what falls along a direction, strongest first."""
    order = np.argsort(-np.abs(loading), kind="stable")[:3]
    named = [i for place, i in enumerate(order) if place == 0 or abs(loading[i]) >= LOUD]
    words = []
    for word, sign in (("higher", 1), ("lower", -1)):
        own = [features[i] for i in named if sign * loading[i] > 0]
        words += [f"{word} {', '.join(own)}"] if own else []
    return "; ".join(words)
