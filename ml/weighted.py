"""Metrics of many samples at once: a sample is a vector of row weights.

A bootstrap sample says how often each row was drawn. With weights instead of drawn rows the
samples share their sorts (Newson 2006) and rows of one customer can be drawn together. 200 samples
of 10,000 rows take 0.06 s a metric, 0.11 s with drawn rows.

Every function takes label or value of shape (n,), score of shape (n,) and weights of shape
(b, n), and returns one figure per sample, shape (b,); NaN where a sample leaves it undefined.
With weights of 1 it is the metric of the same name in `ml.evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ml.intervals import Array, IntArray, weighted_auc

WeightedMetric = Callable[[Array, Array, Array], Array]
BINS = 10
EPSILON = 1e-15
NEWTON_STEPS = 8


def average_precision(label: Array, score: Array, weights: Array) -> Array:
    """Sum of precision times the step in recall, ties as one step."""
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.r_[np.flatnonzero(np.diff(score[order])), len(score) - 1]
    drawn = weights[:, order]
    hits = np.cumsum(drawn * label[order], axis=1)[:, last_of_tie]
    seen = np.cumsum(drawn, axis=1)[:, last_of_tie]
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    step = np.diff(hits, axis=1, prepend=0.0)
    return _ratio((precision * step).sum(axis=1), hits[:, -1])


def log_loss(label: Array, probability: Array, weights: Array) -> Array:
    """Mean negative log-likelihood in nats."""
    p = np.clip(probability, EPSILON, 1 - EPSILON)
    return _mean(-label * np.log(p) - (1 - label) * np.log1p(-p), weights)


def brier_score(label: Array, probability: Array, weights: Array) -> Array:
    """Mean squared distance of probability and label."""
    return _mean((probability - label) ** 2, weights)


def expected_calibration_error(label: Array, probability: Array, weights: Array) -> Array:
    """Row-weighted mean gap of predicted and observed share in ten equal bins."""
    index = np.clip((probability * BINS).astype(int), 0, BINS - 1)
    gaps = np.zeros((len(label), BINS))
    gaps[np.arange(len(label)), index] = probability - label
    return _ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def calibration_slope(label: Array, probability: Array, weights: Array) -> Array:
    """Slope of a logistic regression of the label on the log-odds (Cox 1958); 1 is right.

    Below 1 the probabilities are too extreme, above 1 too timid.
    """
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    x = np.log(p / (1 - p))
    level, slope = np.zeros(len(weights)), np.ones(len(weights))
    if np.ptp(x) == 0:
        return np.full(len(weights), np.nan)
    for _ in range(NEWTON_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(level[:, None] + slope[:, None] * x, -50, 50)))
        error = weights * (label - fitted)
        curve = weights * fitted * (1 - fitted)
        a, b, c = curve.sum(axis=1), curve @ x, curve @ (x * x)
        g, h = error.sum(axis=1), error @ x
        determinant = a * c - b * b
        with np.errstate(invalid="ignore", divide="ignore"):
            level = level + np.clip((c * g - b * h) / determinant, -2, 2)
            slope = slope + np.clip((a * h - b * g) / determinant, -1, 1)
    return slope


def gain(share: float) -> WeightedMetric:
    """Share of all positives, or of all value, held by the highest-scored `share` of rows."""

    def metric(value: Array, score: Array, weights: Array) -> Array:
        hits, _ = _top(value, score, weights, share)
        return _ratio(hits, weights @ value)

    return metric


def lift(share: float) -> WeightedMetric:
    """Rate of label 1 in the highest-scored `share` of rows over the rate in all rows."""

    def metric(label: Array, score: Array, weights: Array) -> Array:
        hits, rows = _top(label, score, weights, share)
        return _ratio(hits / rows, _mean(label, weights))

    return metric


def mean_absolute_error(value: Array, predicted: Array, weights: Array) -> Array:
    """Mean absolute error, in the unit of the value."""
    return _mean(np.abs(value - predicted), weights)


def root_mean_squared_error(value: Array, predicted: Array, weights: Array) -> Array:
    """Root of the mean squared error, in the unit of the value."""
    return np.asarray(np.sqrt(_mean((value - predicted) ** 2, weights)))


def spearman(value: Array, predicted: Array, weights: Array) -> Array:
    """Spearman's rank correlation, ties at their mean rank."""
    a, b = _ranks(value, weights), _ranks(predicted, weights)
    a -= _row_mean(a, weights)[:, None]
    b -= _row_mean(b, weights)[:, None]
    spread = np.sqrt(_row_mean(a * a, weights) * _row_mean(b * b, weights))
    return _ratio(_row_mean(a * b, weights), spread)


def correlation(value: Array, predicted: Array, weights: Array) -> Array:
    """Pearson's correlation."""
    a = value - _mean(value, weights)[:, None]
    b = predicted - _mean(predicted, weights)[:, None]
    spread = np.sqrt(_row_mean(a * a, weights) * _row_mean(b * b, weights))
    return _ratio(_row_mean(a * b, weights), spread)


def normalised_gini(value: Array, predicted: Array, weights: Array) -> Array:
    """Gini of the value ranked by prediction over the Gini of the oracle's ranking."""
    return _ratio(_gain_area(value, predicted, weights), _gain_area(value, value, weights))


def aggregate_ratio(value: Array, predicted: Array, weights: Array) -> Array:
    """Sum of predictions over the sum of what happened; 1 is right in the aggregate."""
    return _ratio(weights @ predicted, weights @ value)


WEIGHTED_METRICS: Mapping[str, WeightedMetric] = {
    "roc_auc": weighted_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier_score,
    "ece": expected_calibration_error,
    "calibration_slope": calibration_slope,
    "lift_5": lift(0.05),
    "lift_10": lift(0.10),
    "lift_20": lift(0.20),
    "gain_5": gain(0.05),
    "gain_10": gain(0.10),
    "gain_20": gain(0.20),
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "spearman": spearman,
    "correlation": correlation,
    "gini": normalised_gini,
    "aggregate_ratio": aggregate_ratio,
    "top_5": gain(0.05),
    "top_10": gain(0.10),
    "top_20": gain(0.20),
}
"""The metrics of `ml.evaluation`, by the same names."""


def _mean(values: Array, weights: Array) -> Array:
    return _ratio(weights @ values, weights.sum(axis=1))


def _row_mean(values: Array, weights: Array) -> Array:
    return _ratio((values * weights).sum(axis=1), weights.sum(axis=1))


def _ratio(part: Array, whole: Array) -> Array:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))


def _top(value: Array, score: Array, weights: Array, share: float) -> tuple[Array, Array]:
    """Value in, and number of, the highest-scored rows, a row that was drawn twice counting two."""
    order = np.argsort(-score, kind="stable")
    drawn = weights[:, order]
    rows = np.maximum(1, np.round(weights.sum(axis=1) * share))
    before = np.cumsum(drawn, axis=1) - drawn
    taken = np.clip(rows[:, None] - before, 0, drawn)
    return np.asarray(taken @ value[order]), rows


def _ranks(values: Array, weights: Array) -> Array:
    _, inverse = np.unique(values, return_inverse=True)
    index: IntArray = inverse
    order = np.argsort(index, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(index[order])) + 1]
    size = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(size, axis=1) - size / 2
    return np.asarray(middle[:, index], dtype=float)


def _gain_area(value: Array, score: Array, weights: Array) -> Array:
    order = np.argsort(-score, kind="stable")
    drawn, y = weights[:, order], value[order]
    won = drawn * y
    before = np.cumsum(won, axis=1) - won
    area = (drawn * before + y * drawn * (drawn + 1) / 2).sum(axis=1)
    rows = weights.sum(axis=1)
    return np.asarray(_ratio(area, rows * won.sum(axis=1)) - 0.5 - 0.5 / rows)
