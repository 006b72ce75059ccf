"""Calibration as two numbers on the scale of the link: a slope and a level.

Where rows are many, both come from a date that chose nothing and taught nothing before; the level
counts there with a weight, beside that of the newest labelled dates, because base rates move with
the season and a single date has moods. Where rows are few the slope comes from the validation
date. What was measured, and why isotonic regression stays out, is in docs/adr/0012.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
SLOPE_TRUST = 0.5
LEVEL_TRUST = 0.7
"""How far calibration goes from none (0) to what a few dates say (1): each has its own mood."""
OWN_DATE_DAYS = 60
"""Horizon at which a calibration date of its own counts as much as the newest dates learnt from."""
RECENT_DATES = 2
SLOPES = (0.5, 2.0)
MOST_SHIFT = 1.0


def platt_slope(raw: Array, label: Array, trust: float = SLOPE_TRUST) -> float:
    """Slope of Platt scaling (Platt 1999), drawn towards 1.

    Parameters
    ----------
    raw : float array, shape (n,)
        Log-odds of rows that the model has not seen.
    label : float array, shape (n,)
        0 or 1.
    trust : float
        0 keeps the scores, 1 is plain Platt scaling.

    Returns
    -------
    slope : float
        Positive, so the ranking never changes.
    """
    if np.ptp(raw) == 0 or len(np.unique(label)) < 2:
        return 1.0
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6, max_iter=200).fit(raw[:, None], label)
    return 1 + trust * (float(np.clip(model.coef_[0, 0], *SLOPES)) - 1)


def level_logit(raw: Array, label: Array, trust: float = LEVEL_TRUST) -> float:
    """Shift of the log-odds that makes the mean probability the mean label, drawn towards 0."""
    shift = 0.0
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(raw + shift, -50, 50)))
        step = float(np.sum(label - p) / max(float(np.sum(p * (1 - p))), 1e-9))
        shift = float(np.clip(shift + np.clip(step, -0.5, 0.5), -MOST_SHIFT, MOST_SHIFT))
    return trust * shift


def level_weight(horizon_days: int) -> float:
    """Weight of the level of a calibration date against that of the newest dates learnt from.

    The shorter its label window, the more a date is a mood of its own: with seven days, its level
    alone was worse than none on Complete Journey; with sixty, better on Online Retail.
    """
    return horizon_days / (horizon_days + OWN_DATE_DAYS)


def level_log(predicted: Array, value: Array, trust: float = SLOPE_TRUST) -> float:
    """Log of the factor that makes predictions sum to the values, drawn towards 0."""
    if predicted.sum() <= 0 or value.sum() <= 0:
        return 0.0
    shift = float(np.log(value.sum() / predicted.sum()))
    return trust * float(np.clip(shift, -MOST_SHIFT, MOST_SHIFT))
