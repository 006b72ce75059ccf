"""What sets each segment apart: sizes, means and standing, as a table, words and a heat map.

The standing of a segment in a feature is the mean percentile of its customers among all: a
customer drawn from it has a higher value than that share of customers, ties counted half. It needs
no scale, so skewed features, rare ones and other units all read alike; 50 % is like everybody.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.plot_pages import nothing_figure, titled_figure
from ml.plots import png
from ml.segment_looks import Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IntArray = npt.NDArray[np.int64]

TELLING = 0.1
"""Standing this far from a half counts as apart from the others."""


@dataclass(frozen=True)
class ProfileFeature:
    """A feature of the profiles, in words.

    Attributes
    ----------
    name : str
        Column of the features.
    label : str
        Such as "days since the last order".
    write : callable
        How a value is written, with its unit.
    """

    name: str
    label: str
    write: Callable[[float], str]


def profile_table(
    frame: pd.DataFrame, ids: IntArray, features: Sequence[ProfileFeature]
) -> pd.DataFrame:
    """Profile each segment against all customers.

    Parameters
    ----------
    frame : DataFrame, n rows
        One row per customer.
    ids : int array, shape (n,)
        Segment of each.
    features : sequence of ProfileFeature
        Columns of `frame`.

    Returns
    -------
    profile : DataFrame
        One row per segment with customers, by id: ``segment_id``, ``customers``, ``share``, and
        per feature ``mean_<name>`` and ``standing_<name>`` (0 to 1), over its customers with a
        value; NaN where none has one.
    """
    groups = pd.Series(ids, name="segment_id")
    sizes = groups.value_counts().sort_index()
    columns = {"customers": sizes, "share": sizes / max(len(ids), 1)}
    for feature in features:
        values = frame[feature.name].astype("float64").reset_index(drop=True)
        known = max(int(values.notna().sum()), 1)
        standing = (values.rank(method="average") - 0.5) / known
        columns[f"mean_{feature.name}"] = values.groupby(groups).mean()
        columns[f"standing_{feature.name}"] = standing.groupby(groups).mean()
    return pd.DataFrame(columns).rename_axis("segment_id").reset_index()


def apart(
    profile: pd.DataFrame, segment_id: int, features: Sequence[ProfileFeature], most: int = 3
) -> list[str]:
    """Say what sets a segment apart, the most telling first; empty where nothing does.

    Returns
    -------
    sentences : list of str
        Such as "orders so far: 12.3, higher than 91% of customers"; the figure is the mean.
    """
    (row,) = profile[profile["segment_id"] == segment_id].to_dict("records")
    found = []
    for feature in features:
        standing = float(row[f"standing_{feature.name}"])
        if np.isnan(standing) or abs(standing - 0.5) < TELLING:
            continue
        against = (
            f"higher than {standing:.0%}" if standing > 0.5 else f"lower than {1 - standing:.0%}"
        )
        mean = feature.write(float(row[f"mean_{feature.name}"]))
        found.append((abs(standing - 0.5), f"{feature.label}: {mean}, {against} of customers"))
    return [words for _, words in sorted(found, key=lambda one: -one[0])[:most]]


def profiles_png(
    profile: pd.DataFrame,
    look: Mapping[int, Look],
    features: Sequence[ProfileFeature],
    period: str,
    title: str = "What sets each segment apart",
) -> bytes:
    """Heat map of segments by features: means in figures, standing in colour.

    Parameters
    ----------
    profile : DataFrame
        From `profile_table`.
    look : mapping of segment id to Look
    features : sequence of ProfileFeature
    period : str
        Such as "as of 2024-03-31".
    title : str

    Returns
    -------
    png : bytes
    """
    return png(profiles_figure(profile, look, features, period, title))


def profiles_figure(
    profile: pd.DataFrame,
    look: Mapping[int, Look],
    features: Sequence[ProfileFeature],
    period: str,
    title: str,
) -> Figure:
    """Figure of `profiles_png`, to be looked into before it is drawn."""
    if profile.empty or not features:
        return nothing_figure(title, period, "no feature tells customers apart yet")
    rows, columns = len(profile), len(features)
    figure = titled_figure(title, period, 3.2 + 1.02 * columns, 2.4 + 0.66 * rows)
    axes = figure.subplots()
    standing = profile[[f"standing_{one.name}" for one in features]].to_numpy(dtype=float)
    means = profile[[f"mean_{one.name}" for one in features]].to_numpy(dtype=float)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(standing), cmap="RdBu_r", vmin=0, vmax=1, edgecolors="white"
    )
    for (row, column), place in np.ndenumerate(standing):
        known = np.isfinite(place)
        axes.text(
            column + 0.5,
            row + 0.5,
            features[column].write(float(means[row, column])) if known else "none\nknown",
            ha="center",
            va="center",
            fontsize=9,
            color="white" if known and abs(place - 0.5) > 0.3 else "black",
        )
    names = [
        "\n".join(
            [
                *textwrap.wrap(look[row["segment_id"]].label, 28),
                f"{row['customers']:,} customers, {row['share']:.0%}",
            ]
        )
        for row in profile.to_dict("records")
    ]
    axes.set_yticks(np.arange(rows) + 0.5, names, fontsize=9)
    labels = ["\n".join(textwrap.wrap(one.label, 14)) for one in features]
    axes.set_xticks(np.arange(columns) + 0.5, labels, fontsize=8.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.set_xlabel("figures: mean of the segment's customers who have a value", fontsize=8.5)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.ax.set_yticklabels(
        ["lower than\nalmost all", "lower than\nmost", "like\neverybody", "higher than\nmost",
         "higher than\nalmost all"],
        fontsize=8,
    )  # fmt: skip
    bar.outline.set_visible(False)
    return figure
