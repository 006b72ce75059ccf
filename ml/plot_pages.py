"""Figures with a head: title, and below it what and when it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def titled_figure(title: str, period: str, width: float, height: float) -> Figure:
    """A figure of so many inches with its head; what follows is laid out below it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    below = 1 - 0.68 / height
    figure = Figure(
        figsize=(width, height), layout=ConstrainedLayoutEngine(rect=(0.01, 0.01, 0.98, below))
    )
    FigureCanvasAgg(figure)
    figure.text(0.5, 1 - 0.12 / height, title, ha="center", va="top", fontsize=13, weight="bold")
    figure.text(0.5, 1 - 0.4 / height, period, ha="center", va="top", fontsize=9.5, color="0.35")
    return figure


def nothing_figure(
    title: str, period: str, words: str = "nothing to show in this period"
) -> Figure:
    """Figure that says that there is nothing to show, or why."""
    figure = titled_figure(title, period, 6.4, 2.6)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color="0.35")
    return figure
