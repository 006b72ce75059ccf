"""How segments hang together: a Ward tree of customers, and a self-organising map.

Pictures are PNG bytes in the manner of `ml.plots`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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

FEWEST = 10
MIXED = "#9a9a9a"


def dendrogram_png(
    points: Array,
    ids: IntArray,
    look: Mapping[int, Look],
    period: str,
    title: str = "Which customers join first: tree by Ward's linkage",
) -> bytes:
    """Ward's tree over a sample of customers, branches in the colour of their one segment.

    Parameters
    ----------
    points : float array, shape (n, d)
        Scaled features of a sample; a few hundred rows can be read.
    ids : int array, shape (n,)
        Segment of each.
    look : mapping of segment id to Look
        Holds every id.
    period, title : str

    Returns
    -------
    png : bytes
    """
    return png(dendrogram_figure(points, ids, look, period, title))


def dendrogram_figure(
    points: Array, ids: IntArray, look: Mapping[int, Look], period: str, title: str
) -> Figure:
    """Figure of `dendrogram_png`, to be looked into before it is drawn."""
    if len(points) < FEWEST:
        return nothing_figure(title, period, "too few customers for a tree")
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D
    from scipy.cluster.hierarchy import dendrogram, linkage

    merges = linkage(points, "ward")
    colours = [
        MIXED if segment is None else look[segment].colour
        for segment in _pure_segments(merges, ids)
    ]
    tree: dict[str, Any] = dendrogram(merges, no_plot=True, link_color_func=colours.__getitem__)
    figure = titled_figure(title, f"{period}, a sample of {len(points):,} customers", 9.5, 5.6)
    axes, strip = figure.subplots(2, 1, sharex=True, height_ratios=(9, 1))
    links = [np.column_stack([x, y]) for x, y in zip(tree["icoord"], tree["dcoord"], strict=True)]
    axes.add_collection(LineCollection(links, colors=tree["color_list"], linewidths=1.0))
    axes.set_xlim(0, 10 * len(points))
    axes.set_ylim(0, 1.04 * float(merges[-1, 2]))
    axes.set_ylabel("distance at which branches join\n(Ward, scaled features)")
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    leaves = ids[tree["leaves"]]
    for start, end in _runs(leaves):
        own = look[int(leaves[start])]
        strip.axvspan(10 * start, 10 * end, color=own.colour, linewidth=0)
        if end - start >= 0.04 * len(leaves):
            text = {"ha": "center", "va": "center", "fontsize": 9, "weight": "bold"}
            strip.text(5 * (start + end), 0.5, str(own.segment_id), color=own.ink, **text)
    strip.set(ylim=(0, 1), yticks=[])
    strip.set_xlabel("each customer's segment, in the order of the tree")
    strip.tick_params(axis="x", length=0, labelbottom=False)
    strip.spines[:].set_visible(False)
    present = [i for i in look if (ids == i).any()]
    lines = [
        Line2D([], [], color=look[i].colour, linewidth=4, label=look[i].label) for i in present
    ]
    lines.append(Line2D([], [], color=MIXED, linewidth=4, label="branch with several segments"))
    figure.legend(handles=lines, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


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
    figure = titled_figure(title, sampled, max(size * columns + 4.3, 8), max(size * rows + 1.6, 4))
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
        *(), handles=lines, loc="outside right center", frameon=False, fontsize=9,
        title=f"segment of most customers of a node;\narea: customers, {int(most):,} at most",
        title_fontsize=9, alignment="left",
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


def _pure_segments(merges: Array, ids: IntArray) -> list[int | None]:
    """The one segment of all leaves below each node of a linkage; None where there are several."""
    found: list[int | None] = [int(i) for i in ids]
    for left, right in merges[:, :2].astype(int):
        found.append(found[left] if found[left] == found[right] else None)
    return found


def _runs(values: IntArray) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each stretch of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    return list(zip([0, *edges.tolist()], [*edges.tolist(), len(values)], strict=True))
