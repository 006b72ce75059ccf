"""Segments as neighbourhoods of a self-organising map, as a picture in the manner of `ml.plots`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ml.plot_pages import nothing_figure, titled_figure
from ml.plots import png
from ml.segment_assigners import PrototypeAssigner, nearest_group
from ml.segment_looks import Look
from ml.segment_som import train_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def som_png(
    codebook: Array,
    segments: IntArray,
    customers: IntArray,
    look: Mapping[int, Look],
    period: str,
    title: str = "Self-organising map: segments as neighbourhoods",
) -> bytes:
    """Map of nodes: shade is the distance to the neighbours, disc the segment and its size.

    Parameters
    ----------
    codebook : float array, shape (rows, columns, d)
        Weights of the nodes in the scaled space.
    segments : int array, shape (rows, columns)
        Segment of each node; read only where there are customers.
    customers : int array, shape (rows, columns)
        Customers nearest to each node.
    look : mapping of segment id to Look
        Holds every segment of a node with customers.
    period, title : str

    Returns
    -------
    png : bytes
    """
    return png(som_figure(codebook, segments, customers, look, period, title))


def som_figure(
    codebook: Array,
    segments: IntArray,
    customers: IntArray,
    look: Mapping[int, Look],
    period: str,
    title: str,
) -> Figure:
    """Figure of `som_png`."""
    from matplotlib.lines import Line2D

    if not customers.sum():
        return nothing_figure(title, period, "no customers to map")
    rows, columns = customers.shape
    size = 0.58
    sampled = f"{period}, a sample of {int(customers.sum()):,} customers"
    figure = titled_figure(title, sampled, max(size * columns + 2.2, 8), size * rows + 2.8)
    axes = figure.subplots()
    mesh = axes.pcolormesh(u_matrix(codebook), cmap="Greys", vmin=0, edgecolors="white", alpha=0.75)
    most = float(customers.max())
    for (row, column), count in np.ndenumerate(customers):
        if not count:
            continue
        own = look[int(segments[row, column])]
        axes.scatter(
            [column + 0.5],
            [row + 0.5],
            s=60 + 640 * float(count) / most,
            color=own.colour,
            edgecolors="white",
            linewidths=1,
        )
        axes.text(
            *(column + 0.5, row + 0.5, str(own.segment_id)),
            ha="center", va="center", fontsize=8, weight="bold", color=own.ink,
        )  # fmt: skip
    axes.set_aspect("equal")
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel("Nodes side by side hold customers who are alike.", fontsize=9)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, shrink=0.8)
    bar.set_label("distance to the nodes around (dark: a border)", fontsize=9)
    bar.outline.set_visible(False)
    nodes = {i: int(((segments == i) & (customers > 0)).sum()) for i in look}
    lines = [
        Line2D(
            *([], []), color=look[i].colour, marker="o", linestyle="", markersize=9,
            label=f"{look[i].label} ({count} {'node' if count == 1 else 'nodes'})",
        )
        for i, count in nodes.items()
        if count
    ]  # fmt: skip
    figure.legend(
        *(), handles=lines, loc="outside lower center", ncols=2, frameon=False, fontsize=9,
        title=f"Colour: the segment of most customers of a node. Area: customers, {int(most):,} "
        "at most.",
        title_fontsize=9,
    )  # fmt: skip
    return figure


def map_customers(points: Array, ids: IntArray, seed: int) -> tuple[Array, IntArray, IntArray]:
    """Lay a map over customers and see which segment each of its nodes belongs to.

    Parameters
    ----------
    points : float array, shape (n, d)
        Scaled features of a sample, d of at least 2.
    ids : int array, shape (n,)
        Segment of each.
    seed : int

    Returns
    -------
    codebook, segments, customers
        For `som_png`; the segment of a node is that of most of its customers, the smallest id of
        those that tie, and 0 where it has none.
    """
    nodes = train_map(points, seed).nodes
    flat = nodes.reshape(-1, nodes.shape[2])
    owners = nearest_group(PrototypeAssigner(flat, np.arange(len(flat))), points)
    customers = np.bincount(owners, minlength=len(flat))
    segments = np.zeros(len(flat), dtype=np.int64)
    for node in np.flatnonzero(customers):
        found, counts = np.unique(ids[owners == node], return_counts=True)
        segments[node] = found[counts.argmax()]
    shape = nodes.shape[:2]
    return nodes, segments.reshape(shape), customers.reshape(shape).astype(np.int64)


def u_matrix(codebook: Array) -> Array:
    """Mean distance of each node to those beside, above and below it (Ultsch 1993).

    Parameters
    ----------
    codebook : float array, shape (rows, columns, d)

    Returns
    -------
    distances : float array, shape (rows, columns)
    """
    total, neighbours = np.zeros(codebook.shape[:2]), np.zeros(codebook.shape[:2])
    for axis in (0, 1):
        steps = np.linalg.norm(np.diff(codebook, axis=axis), axis=2)
        for side in (slice(None, -1), slice(1, None)):
            window = (side, slice(None)) if axis == 0 else (slice(None), side)
            total[window] += steps
            neighbours[window] += 1
    return np.asarray(total / np.maximum(neighbours, 1))
