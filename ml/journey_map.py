"""The journey map: steps as boxes from left to right, transitions as arrows between them.

All lengths are inches: the axes cover the whole figure, one data unit per inch.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.journey_layout import BOX, Layout, Point, bezier_points, edges
from ml.plots import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL = (0.98, 0.2)
# Six of Okabe and Ito, then of Tol's muted scheme, as a journey may have many steps.
HUES = (*COLOURS[:6], "#882255", "#44AA99", "#999933", "#332288")


def draw_map(axes: Axes, transitions: pd.DataFrame, layout: Layout, busy: pd.Series) -> None:
    """Draw boxes, arrows and their labels.

    Parameters
    ----------
    axes : Axes
        One data unit per inch.
    transitions : DataFrame
        The arrows to draw; columns as in `ml.journey_plots.journey_map_png`.
    layout : Layout
    busy : Series of int, index step
        Number written in each box.
    """
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    steps = sorted(layout.centre, key=lambda step: layout.centre[step])
    colour = {step: HUES[i % len(HUES)] for i, step in enumerate(steps)}
    boxes = {}
    for step, (x, y) in layout.centre.items():
        boxes[step] = FancyBboxPatch(
            (x - BOX[0] / 2, y - BOX[1] / 2),
            *BOX,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor="white",
            edgecolor=colour[step],
            linewidth=1.8,
            zorder=3,
        )
        axes.add_patch(boxes[step])
        axes.text(
            x,
            y,
            f"{_short(step)}\n{busy[step]:,.0f}",
            ha="center",
            va="center",
            fontsize=8.5,
            linespacing=1.1,
            zorder=4,
        )
    most = max(float(transitions["transitions"].max()), 1)
    curves = []
    labels = [
        percent(share) + ("" if pd.isna(wait) else f" · {hours(wait)}")
        for share, wait in zip(transitions["probability"], transitions["median_hours"], strict=True)
    ]
    for (before, after, count), label in zip(edges(transitions), labels, strict=True):
        start, bend, end = layout.curve[before, after]
        loop = before == after
        line = 0.7 + 5.3 * count / most
        arrow = FancyArrowPatch(
            start,
            end,
            connectionstyle=f"arc3,rad={_rad(start, bend, end):.6f}",
            arrowstyle=f"-|>,head_length={3.2 + line * 0.8},head_width={1.8 + line * 0.5}",
            patchA=None if loop else boxes[before],
            patchB=None if loop else boxes[after],
            shrinkA=0,
            shrinkB=0 if loop else 2,
            linewidth=line,
            color=colour[before],
            alpha=0.6,
            zorder=2,
        )
        axes.add_patch(arrow)
        curves.append((label, colour[before], bezier_points(start, bend, end)))
    taken = [(*centre, *BOX) for centre in layout.centre.values()]
    for label, hue, points in sorted(curves, key=lambda curve: _length(curve[2])):
        x, y = _free_place(points, taken)
        taken.append((x, y, *LABEL))
        axes.text(
            x,
            y,
            label,
            ha="center",
            va="center",
            fontsize=7.5,
            color=_dark(hue),
            bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "linewidth": 0, "alpha": 0.9},
            zorder=5,
        )


def hours(value: float) -> str:
    """A waiting time in hours, or a dash where there is none."""
    if pd.isna(value):
        return "–"
    digits = 2 if 0 < value < 0.1 else 1 if value < 10 else 0
    return f"{value:,.{digits}f} h"


def percent(share: float) -> str:
    """A share in percent, or a dash where there is none."""
    if pd.isna(share):
        return "–"
    return f"{share:.0%}" if share >= 0.1 or share == 0 else f"{share:.1%}"


def _short(step: str) -> str:
    lines = textwrap.wrap(step.replace("_", " "), 19) or [step]
    if len(lines) > 2:
        lines = [lines[0], f"{lines[1][:18]}…"]
    return "\n".join(lines)


def _rad(start: Point, bend: Point, end: Point) -> float:
    """Bend of a curve as matplotlib's ``arc3`` counts it."""
    (x0, y0), (x1, y1) = start, end
    off = (bend[0] - (x0 + x1) / 2, bend[1] - (y0 + y1) / 2)
    return (off[0] * (y1 - y0) - off[1] * (x1 - x0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)


def _length(points: npt.NDArray[np.float64]) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _free_place(
    points: npt.NDArray[np.float64], taken: Sequence[tuple[float, float, float, float]]
) -> Point:
    """Place on the curve, near its middle, where a label covers least of what stands there."""
    best, least = (float(points[0, 0]), float(points[0, 1])), np.inf
    for i, (x, y) in enumerate(points):
        cost = 0.02 * abs(i - (len(points) - 1) / 2) / len(points)
        for cx, cy, width, height in taken:
            across = (width + LABEL[0]) / 2 + 0.04 - abs(x - cx)
            up = (height + LABEL[1]) / 2 + 0.04 - abs(y - cy)
            cost += max(across, 0) * max(up, 0)
        if cost < least:
            best, least = (float(x), float(y)), cost
    return best


def _dark(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return tuple(0.55 * part for part in to_rgb(colour))
