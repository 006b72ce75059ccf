"""Which customers join first: Ward's tree beside the segments, in the manner of `ml.plots`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml.plot_pages import nothing_figure, titled_figure
from ml.plots import png
from ml.segment_looks import Look
from ml.segment_scatter import FEWEST

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

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
