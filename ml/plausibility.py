"""An alarm on skill that is too good: most models that know the future learnt it from a leak.

A feature that sees the label period lifts the model and every baseline that learns from the same
features, so the model is compared with those that do not, and each feature is tried alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ml.evaluation import spearman
from ml.intervals import rank_auc

if TYPE_CHECKING:
    from ml.trained import TrainedModel

Array = npt.NDArray[np.float64]
MOST_PLAUSIBLE = 0.95
"""AUC (for a value: Spearman) above which a model of customers is not believed.

The best figures measured on untouched later customers are .87 (churn, weekly grocery shoppers)
and .77 (value, the same shop).
"""
FAR_ABOVE = 0.10
"""How far above every other baseline such a figure has to be."""
SAME_FEATURES = frozenset({"logistic"})
"""Baselines that would learn from a leaking feature too."""


def feature_power(
    matrix: Array, label: Array, names: Sequence[str], *, binary: bool
) -> dict[str, float]:
    """How well each feature alone orders the rows, in its better direction.

    Parameters
    ----------
    matrix : float array, shape (n, k)
        May hold NaN, which counts as below and as above all values, whichever orders better: a
        feature may leak by being null.
    label : float array, shape (n,)
        0 or 1, or a value.
    names : sequence of str, length k
    binary : bool
        AUC (0.5 to 1) of a label, or absolute Spearman correlation (0 to 1) with a value.

    Returns
    -------
    power : dict of str to float
        A constant feature has 0.5 or 0.
    """
    power = {}
    for name, column in zip(names, matrix.T, strict=True):
        null = np.isnan(column)
        sides = (-np.inf, np.inf) if null.any() else (0.0,)
        ranked = [np.unique(np.where(null, side, column), return_inverse=True)[1] for side in sides]
        power[name] = max(_power(label, ranks.astype(float), binary=binary) for ranks in ranked)
    return power


def suspicions(trained: TrainedModel, bound: float = MOST_PLAUSIBLE) -> tuple[str, ...]:
    """Say why a model's figures on the test cutoff are hard to believe; empty if they are not.

    Parameters
    ----------
    trained : TrainedModel
    bound : float
        Highest plausible AUC, or Spearman correlation of a value; 1 silences the alarm.
    """
    metric, unit = ("spearman", "Spearman") if trained.model.link == "log" else ("roc_auc", "AUC")
    found = []
    others = {
        name: trained.metric(metric, name)
        for name in trained.metrics["model"].unique()
        if name != "model" and name not in SAME_FEATURES
    }
    ours = trained.metric(metric)
    known = {name: figure for name, figure in others.items() if np.isfinite(figure)}
    best = max(known, key=lambda name: known[name], default=None)
    if ours > bound and (best is None or ours - known[best] > FAR_ABOVE):
        beside = "" if best is None else f", against {known[best]:.3f} of {best}"
        found.append(f"a leak? the model has {unit} {ours:.3f}{beside}")
    strong = [(power, name) for name, power in trained.feature_power.items() if power > bound]
    found += [
        f"a leak? feature {name} alone has {unit} {power:.3f}"
        for power, name in sorted(strong, reverse=True)
    ]
    return tuple(found)


def _power(label: Array, score: Array, *, binary: bool) -> float:
    if not binary:
        return abs(float(np.nan_to_num(spearman(label, score))))
    auc = float(np.nan_to_num(rank_auc(label, score), nan=0.5))
    return max(auc, 1 - auc)
