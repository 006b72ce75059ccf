"""Pictures of journeys, funnels, cohorts and attribution, as PNG bytes.

Each has a title, the period below it, and units on its axes. An empty frame gives a picture that
says so. Drawn in the manner of `ml.plots`.
"""

from __future__ import annotations

import pandas as pd

from ml.journey_figures import (
    attribution_figure,
    funnel_figure,
    journey_map_figure,
    retention_figure,
)
from ml.plots import png


def journey_map_png(
    transitions: pd.DataFrame, period: str, title: str = "Steps of the customer journey"
) -> bytes:
    """Which step follows which, how often, and after how long.

    Parameters
    ----------
    transitions : DataFrame
        One row per pair of steps: ``from_step``, ``to_step`` (str), ``transitions`` (count),
        ``probability`` (share of what leaves ``from_step``), ``median_hours`` (waiting time, NaN
        where unknown). The 25 most frequent are drawn.
    period : str
        Such as "2024-01-01 to 2024-03-31".
    title : str

    Returns
    -------
    png : bytes

    Raises
    ------
    KeyError
        A column is missing.
    """
    return png(journey_map_figure(transitions, period, title))


def funnel_png(funnel: pd.DataFrame, period: str, title: str = "Conversion funnel") -> bytes:
    """How many visitors reach each step, and how soon.

    Parameters
    ----------
    funnel : DataFrame
        One row per step: ``step_number``, ``step`` (str), ``visitors`` (count),
        ``conversion_from_previous``, ``conversion_from_first`` (shares, NaN on the first step),
        ``median_hours_from_previous``.
    period, title : str
        See `journey_map_png`.

    Returns
    -------
    png : bytes

    Raises
    ------
    KeyError
        A column is missing.
    """
    return png(funnel_figure(funnel, period, title))


def retention_heatmap_png(
    cohorts: pd.DataFrame, period: str, title: str = "Retention by cohort", unit: str = "month"
) -> bytes:
    """Share of each cohort that is still active, period by period.

    Parameters
    ----------
    cohorts : DataFrame
        One row per cohort and period: ``cohort`` (date), ``cohort_size`` (count),
        ``period_number`` (int, 0 is the cohort's own period), ``retained_share``. The latest 36
        cohorts and first 25 periods are drawn.
    period, title : str
        See `journey_map_png`.
    unit : str
        Length of a period, such as "month" or "week".

    Returns
    -------
    png : bytes

    Raises
    ------
    KeyError
        A column is missing.
    """
    return png(retention_figure(cohorts, period, title, unit))


def attribution_png(
    credits: pd.DataFrame, period: str, title: str = "Conversions credited to channels"
) -> bytes:
    """Credit of each channel by each model, side by side.

    Parameters
    ----------
    credits : DataFrame
        One row per model and channel: ``model``, ``channel`` (str), ``conversions``; see
        `ml.attribution.attribute`. The 12 channels with most credit are drawn, the rest summed.
    period, title : str
        See `journey_map_png`.

    Returns
    -------
    png : bytes

    Raises
    ------
    KeyError
        A column is missing.
    """
    return png(attribution_figure(credits, period, title))
