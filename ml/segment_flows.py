"""Segments over time: size and value by date, and who moved from which to which.

Pictures are PNG bytes in the manner of `ml.plots`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.plot_pages import nothing_figure, titled_figure
from ml.plots import STYLES, png
from ml.segment_looks import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

Array = npt.NDArray[np.float64]

GAP_INCHES = 0.38
"""White space between two segments of a column: their labels of two lines then never overlap."""


def sizes_png(
    sizes: pd.DataFrame,
    look: Mapping[int, Look],
    period: str,
    revenue: str,
    title: str = "Segments over time: size and value",
) -> bytes:
    """Customers and revenue of each segment, date by date.

    Parameters
    ----------
    sizes : DataFrame
        One row per date and segment: ``as_of`` (datetime), ``segment_id``, ``customers``,
        ``revenue``. A segment without a row on a date had no customers then.
    look : mapping of segment id to Look
        Holds every id.
    period : str
    revenue : str
        What ``revenue`` is, for its axis, such as "orders of the 28 days before (EUR)".
    title : str

    Returns
    -------
    png : bytes
    """
    return png(sizes_figure(sizes, look, period, revenue, title))


def sizes_figure(
    sizes: pd.DataFrame, look: Mapping[int, Look], period: str, revenue: str, title: str
) -> Figure:
    """Figure of `sizes_png`, to be looked into before it is drawn."""
    if sizes["as_of"].nunique() < 2:
        return nothing_figure(title, period, "a course over time needs two dates")
    present = [i for i in look if (sizes["segment_id"] == i).any()]
    figure = titled_figure(title, period, 11, 3.6 + 0.22 * len(present))
    grid = figure.subplots(1, 2)
    for axes, column, words in zip(
        grid, ("customers", "revenue"), ("customers", revenue), strict=True
    ):
        table = sizes.pivot_table(index="as_of", columns="segment_id", values=column, aggfunc="sum")
        table = table.reindex(columns=present).fillna(0).sort_index()
        for place, i in enumerate(present):
            axes.plot(
                table.index,
                table[i],
                color=look[i].colour,
                linestyle=STYLES[place % len(STYLES)],
                marker=look[i].marker,
                markersize=5,
                label=look[i].label,
            )
        axes.set_ylim(0, 1.08 * max(float(table.to_numpy().max()), 1.0))
        _end_labels(axes, [(i, float(table[i].iloc[-1])) for i in present], look)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(words, fontsize=10, loc="left")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="x", labelrotation=30, labelsize=8.5)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def moves_png(
    moves: pd.DataFrame,
    look: Mapping[int, Look],
    sizes: Mapping[int, int],
    period: str,
    title: str = "Who moved between segments",
) -> bytes:
    """Bands from the segments that customers left to those that they joined.

    Parameters
    ----------
    moves : DataFrame
        One row per pair: ``from_id``, ``to_id`` (segment ids), ``customers``.
    look : mapping of segment id to Look
        Holds every id.
    sizes : mapping of segment id to int
        Customers of each segment now.
    period, title : str

    Returns
    -------
    png : bytes
    """
    return png(moves_figure(moves, look, sizes, period, title))


def moves_figure(
    moves: pd.DataFrame, look: Mapping[int, Look], sizes: Mapping[int, int], period: str, title: str
) -> Figure:
    """Figure of `moves_png`."""
    flows = moves[(moves["customers"] > 0) & (moves["from_id"] != moves["to_id"])]
    if flows.empty:
        return nothing_figure(title, period, "nobody has moved in this period")
    left = [i for i in look if (flows["from_id"] == i).any()]
    right = [i for i in look if (flows["to_id"] == i).any()]
    total = float(flows["customers"].sum())
    most = max(len(left), len(right))
    height = 1.9 + 0.85 * most
    gap = GAP_INCHES / (height - 0.9)
    everyone = sum(sizes.values())
    share = f" among {everyone:,} customers" if everyone else ""
    moved = f"{period}: {total:,.0f} moves{share}; who stayed is not drawn"
    figure = titled_figure(title, moved, 11, height)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(-0.62, 1.62), ylim=(0, 1))
    out = flows.groupby("from_id")["customers"].sum()
    into = flows.groupby("to_id")["customers"].sum()
    starts, unit = _stack([float(out[i]) for i in left], most, gap)
    ends, _ = _stack([float(into[i]) for i in right], most, gap)
    tops = {("from", i): top for i, top in zip(left, starts, strict=True)}
    tops |= {("to", i): top for i, top in zip(right, ends, strict=True)}
    for side, ids, sums, x in (("from", left, out, -0.02), ("to", right, into, 1.0)):
        for i in ids:
            top, extent = tops[side, i], float(sums[i]) * unit
            axes.add_patch(_bar(x, top - extent, 0.02, extent, look[i].colour))
            _side_label(axes, side, look[i], top - extent / 2, int(sums[i]), sizes.get(i, 0))
    order_left = {i: place for place, i in enumerate(left)}
    order_right = {i: place for place, i in enumerate(right)}
    bands = sorted(
        flows[["from_id", "to_id", "customers"]].to_numpy(dtype=np.int64).tolist(),
        key=lambda band: (order_left[band[0]], order_right[band[1]]),
    )
    leaving = dict(tops)
    for start, end, customers in bands:
        extent = customers * unit
        y0, y1 = leaving["from", start], leaving["to", end]
        leaving["from", start] -= extent
        leaving["to", end] -= extent
        xs, upper = _curve(y0, y1)
        colour = look[start].colour
        axes.fill_between(xs, upper - extent, upper, color=colour, alpha=0.45, linewidth=0)
        if extent > 0.022:
            axes.text(
                *(0.08, float(np.interp(0.08, xs, upper)) - extent / 2, f"{customers:,}"),
                va="center", fontsize=8.5,
            )  # fmt: skip
    axes.text(-0.02, 1.0, "left", ha="right", va="bottom", fontsize=9, color="0.35")
    axes.text(1.02, 1.0, "joined", ha="left", va="bottom", fontsize=9, color="0.35")
    return figure


def _side_label(axes: Axes, side: str, own: Look, y: float, moved: int, now: int) -> None:
    name = "\n".join(textwrap.wrap(own.label, 44))
    words = f"{moved:,} {'left' if side == 'from' else 'joined'}; {now:,} customers now"
    axes.text(
        *((-0.04, y, f"{name}\n{words}") if side == "from" else (1.04, y, f"{name}\n{words}")),
        ha="right" if side == "from" else "left",
        va="center",
        fontsize=8.5,
    )


def _stack(extents: Sequence[float], most: int, gap: float) -> tuple[list[float], float]:
    """Tops of bars stacked from 1 down, and the height of one customer."""
    unit = (1 - gap * (most - 1)) / sum(extents)
    tops, top = [], 1.0
    for extent in extents:
        tops.append(top)
        top -= extent * unit + gap
    return tops, unit


def _curve(start: float, end: float) -> tuple[Array, Array]:
    """A smooth way from the left bar to the right one."""
    xs = np.linspace(0, 1, 80)
    return xs, start + (end - start) * (3 * xs**2 - 2 * xs**3)


def _bar(x: float, y: float, width: float, height: float, colour: str) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, color=colour, linewidth=0)


def _end_labels(axes: Axes, ends: Sequence[tuple[int, float]], look: Mapping[int, Look]) -> None:
    """The id of each line behind its end, moved apart where they would lie on each other."""
    step = 0.055 * axes.get_ylim()[1]
    places: list[float] = []
    for i, value in sorted(ends, key=lambda end: end[1]):
        place = max(value, places[-1] + step) if places else value
        places.append(place)
        axes.annotate(
            str(i),
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            weight="bold",
            color="black",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": look[i].colour},
        )
