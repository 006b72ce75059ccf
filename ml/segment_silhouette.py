"""How clearly each customer belongs to its segment, as a picture in the manner of `ml.plots`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

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


def silhouette_png(
    points: Array,
    ids: IntArray,
    look: Mapping[int, Look],
    period: str,
    title: str = "Silhouette: how clearly each customer belongs to its segment",
) -> bytes:
    """Silhouette of each customer, by segment (Rousseeuw 1987); see `pca_png`."""
    return png(silhouette_figure(points, ids, look, period, title))


def silhouette_figure(
    points: Array, ids: IntArray, look: Mapping[int, Look], period: str, title: str
) -> Figure:
    """Figure of `silhouette_png`."""
    from sklearn.metrics import silhouette_samples

    present = [i for i in look if (ids == i).any()]
    if len(points) < FEWEST or len(present) < 2:
        return nothing_figure(title, period, "a silhouette needs two segments with customers")
    widths = silhouette_samples(points, ids)
    sampled = f"{period}, a sample of {len(points):,} customers"
    figure = titled_figure(title, sampled, 9, 1.6 + len(present))
    axes = figure.subplots()
    # so that the labels of two small segments side by side do not overlap
    gap = max(7 * len(points) // (10 * len(present)), 1)
    start, ticks = 0, []
    for i in present:
        own = np.sort(widths[ids == i])[::-1]
        rows = start + np.arange(len(own))
        axes.fill_betweenx(rows, 0, own, color=look[i].colour, linewidth=0.5)
        below = float((own < 0).mean())
        words = f"mean {own.mean():.2f}" + (f", {below:.0%} nearer another" if below > 0 else "")
        axes.text(1.02, rows.mean(), words, va="center", fontsize=8.5, clip_on=False)
        name = "\n".join(textwrap.wrap(look[i].label, 28))
        ticks.append((float(rows.mean()), f"{name}\n{len(own):,} customers"))
        start += len(own) + gap
    mean = float(widths.mean())
    axes.axvline(mean, color="black", linestyle="--", linewidth=1)
    axes.text(mean, -0.1 * gap, f" mean of all {mean:.2f}", fontsize=8.5, va="bottom", ha="left")
    axes.axvline(0, color="0.4", linewidth=0.8)
    axes.set_yticks([place for place, _ in ticks], [text for _, text in ticks], fontsize=8.5)
    axes.set_ylim(start, -0.6 * gap)
    axes.set_xlim(min(-0.2, float(widths.min()) - 0.02), 1)
    axes.set_xlabel(
        "silhouette (1 deep within its segment, 0 between two, below 0 nearer another segment)"
    )
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure
