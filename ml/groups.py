"""Whether a model serves every group of customers about as well as all others.

A ranking may be less sharp in a group because its members are alike, as in a segment that was cut
by the same behaviour: then the AUC is low but about as high as the group's own probabilities
promise. A flag says where to look, not that the model is to blame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.blend import Link
from ml.intervals import Array, bootstrap_weights, limits, rank_auc, weighted_auc
from ml.weighted import aggregate_ratio, spearman

SMALLEST_GROUP = 200
"""Rows below which a group is reported but not judged."""
FEWEST_OF_A_CLASS = 30
"""Rows of label 0, and of label 1 (for a value: above 0), that it takes too."""
RANKING_MARGIN = 0.02
"""AUC or Spearman: how far below zero the interval of the difference must end for a flag."""
CALIBRATION_MARGIN = 0.10
"""How much further from right (absolute log of predicted over observed) than all others."""
TENURE_DAYS = (90, 365)
ORDER_DAYS = (2, 5)
OTHER = "other"


def judge_groups(
    predictions: pd.DataFrame,
    dimensions: Sequence[str],
    link: Link,
    *,
    rounds: int = 200,
    seed: int = 0,
    model: str = "model",
) -> pd.DataFrame:
    """Figures of a model by group, and which groups it serves clearly worse than all others.

    A group is flagged where the whole 95 % interval of its difference to all others, drawn by
    customer, lies beyond `RANKING_MARGIN` or `CALIBRATION_MARGIN`. The margins keep tiny but
    certain differences, and most chance ones, from raising a flag.

    Parameters
    ----------
    predictions : DataFrame
        ``customer_key``, ``label``, a column of predictions, and one column per dimension; a
        null is the group "unknown".
    dimensions : sequence of str
        Columns to group by, such as ``segment`` and ``country``.
    link : {"logit", "log"}
        Probability (ranked by AUC) or value (by Spearman).
    rounds, seed : int
        Bootstrap samples and their seed.
    model : str, default "model"
        Column of the predictions.

    Returns
    -------
    table : DataFrame
        One row per dimension and group, largest first: ``dimension``, ``group``, ``rows``,
        ``customers``, ``base_rate`` (mean label), ``ranking``, ``ranking_low``,
        ``ranking_high``, ``promised`` (the AUC that the group's own probabilities imply if
        they are right; NaN for a value), ``calibration`` (sum predicted over sum observed),
        ``calibration_low``, ``calibration_high``, ``ranking_difference`` (to all others),
        ``ranking_difference_low``, ``ranking_difference_high``, ``flag``: "" , "too small",
        "ranking", "calibration" or "ranking and calibration".
    """
    label = predictions["label"].to_numpy(dtype=float)
    score = predictions[model].to_numpy(dtype=float)
    keys = predictions["customer_key"].to_numpy()
    groups = {
        (dimension, str(name)): (members == name).to_numpy(dtype=bool)
        for dimension in dimensions
        for members in (predictions[dimension].astype(object).fillna("unknown"),)
        for name in members.value_counts().index
    }
    rank = weighted_auc if link == "logit" else spearman
    judged = {key: inside for key, inside in groups.items() if is_large(label[inside], link)}

    def figures(weights: Array, key: tuple[str, str]) -> Array:
        inside = groups[key]
        parts = (inside, ~inside) if key in judged and not inside.all() else (inside,)
        found = [
            metric(label[part], score[part], weights[:, part])
            for part in parts
            for metric in (rank, aggregate_ratio)
        ]
        found += [np.full(len(weights), np.nan)] * (4 - len(found))
        return np.stack(found)

    whole = np.ones((1, len(label)))
    drawn: dict[tuple[str, str], list[Array]] = {key: [] for key in groups}
    for weights in bootstrap_weights(len(label), rounds, seed, keys):
        for key in groups:
            drawn[key].append(figures(weights, key))
    rows = [
        {
            "dimension": key[0],
            "group": key[1],
            "rows": int(inside.sum()),
            "customers": len(np.unique(keys[inside])),
            "base_rate": float(label[inside].mean()),
            "promised": (
                rank_auc(score[inside], score[inside]) if link == "logit" else float("nan")
            ),
            **_row(figures(whole, key)[:, 0], np.concatenate(drawn[key], axis=1), key in judged),
        }
        for key, inside in groups.items()
    ]
    return pd.DataFrame(rows)


def merge_small(groups: pd.Series, most: int = 10) -> pd.Series:
    """Keep the `most` largest groups of a column and call all others "other"; nulls stay."""
    kept = groups.value_counts().index[:most]
    return groups.where(groups.isin(kept) | groups.isna(), OTHER)


def is_large(label: Array, link: Link) -> bool:
    """Whether a group with these labels is judged, or is too small for it."""
    positive = int((label > 0).sum())
    fewest = min(positive, len(label) - positive) if link == "logit" else positive
    return len(label) >= SMALLEST_GROUP and fewest >= FEWEST_OF_A_CLASS


def tenure_band(days: pd.Series) -> pd.Series:
    """Band of days since the first purchase: the bounds are `TENURE_DAYS`; null stays null."""
    return _bands(days, TENURE_DAYS, " days")


def order_days_band(order_days: pd.Series) -> pd.Series:
    """Band of days with an order: the bounds are `ORDER_DAYS`; null stays null."""
    return _bands(order_days, ORDER_DAYS, "")


def simple_groups(rows: pd.DataFrame) -> Mapping[str, npt.NDArray[np.bool_]]:
    """Groups by tenure and by days with an order, where the features tell them.

    Parameters
    ----------
    rows : DataFrame, n rows

    Returns
    -------
    groups : mapping of group to bool array, shape (n,)
        Who is in it; a row may be in none.
    """
    dimensions = {
        "days_since_first_order": ("tenure", tenure_band),
        "order_days_total": ("order days", order_days_band),
    }
    found = {}
    for column, (name, band) in dimensions.items():
        if column not in rows:
            continue
        values = rows[column].astype(float)
        bands = band(values)
        for each in bands.iloc[np.argsort(values.to_numpy())].dropna().unique():
            found[f"{name} {each}"] = (bands == each).to_numpy(dtype=bool)
    return found


def _bands(values: pd.Series, bounds: tuple[int, int], unit: str) -> pd.Series:
    low, high = bounds
    names = [f"under {low}{unit}", f"{low} to {high - 1}{unit}", f"{high}{unit} or more"]
    return pd.cut(values, [-np.inf, low, high, np.inf], right=False, labels=names).astype(object)


def _row(values: Array, samples: Array, is_judged: bool) -> dict[str, object]:
    ranking_gap = samples[0] - samples[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        miss = np.abs(np.log(samples[1])) - np.abs(np.log(samples[3]))
    low, high = limits(ranking_gap)
    flags = []
    if is_judged and high < -RANKING_MARGIN:
        flags.append("ranking")
    if is_judged and limits(miss)[0] > CALIBRATION_MARGIN:
        flags.append("calibration")
    ranking_low, ranking_high = limits(samples[0])
    calibration_low, calibration_high = limits(samples[1])
    return {
        "ranking": float(values[0]),
        "ranking_low": ranking_low,
        "ranking_high": ranking_high,
        "calibration": float(values[1]),
        "calibration_low": calibration_low,
        "calibration_high": calibration_high,
        "ranking_difference": float(values[0] - values[2]),
        "ranking_difference_low": low,
        "ranking_difference_high": high,
        "flag": " and ".join(flags) if is_judged else "too small",
    }
