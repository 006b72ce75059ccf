"""Judging probabilities and values; the bootstrap behind the intervals is in `ml.intervals`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml import weighted
from ml.intervals import Array, rank_auc
from ml.resampling import resample

Metric = Callable[[Array, Array], float]
EPSILON = 1e-15


def roc_auc(label: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Area under the ROC curve; ties count half (Hanley and McNeil 1982).

    Parameters
    ----------
    label, score : array-like, shape (n,)
        Labels 0/1 and scores, higher meaning label 1.

    Returns
    -------
    auc : float
        NaN when one class is absent.
    """
    return rank_auc(_labels(label), _scores(score))


def average_precision(label: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Average precision: the sum of precision times the step in recall, ties as one step."""
    y, s = _labels(label), _scores(score)
    if not y.any():
        return float("nan")
    order = np.argsort(-s, kind="stable")
    hits = np.cumsum(y[order])
    last_of_tie = np.r_[np.flatnonzero(np.diff(s[order])), len(y) - 1]
    precision = hits[last_of_tie] / (last_of_tie + 1)
    recall_step = np.diff(np.r_[0.0, hits[last_of_tie]]) / hits[-1]
    return float(np.sum(precision * recall_step))


def log_loss(label: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Mean negative log-likelihood in nats; probabilities are clipped to [1e-15, 1 - 1e-15]."""
    y, p = _labels(label), np.clip(_scores(probability), EPSILON, 1 - EPSILON)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p)))


def brier_score(label: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Mean squared distance of probability and label (Brier 1950)."""
    return float(np.mean((_scores(probability) - _labels(label)) ** 2))


def calibration_table(
    label: npt.ArrayLike, probability: npt.ArrayLike, bins: int = 10
) -> pd.DataFrame:
    """Predicted against observed share in equal-width bins of the probability.

    Returns
    -------
    table : DataFrame
        One row per non-empty bin: ``low``, ``high``, ``rows``, ``predicted``, ``observed``.
    """
    y, p = _labels(label), _scores(probability)
    index = np.clip((p * bins).astype(int), 0, bins - 1)
    rows = np.bincount(index, minlength=bins)
    filled = np.flatnonzero(rows)
    return pd.DataFrame(
        {
            "low": filled / bins,
            "high": (filled + 1) / bins,
            "rows": rows[filled],
            "predicted": np.bincount(index, p, bins)[filled] / rows[filled],
            "observed": np.bincount(index, y, bins)[filled] / rows[filled],
        }
    )


def expected_calibration_error(
    label: npt.ArrayLike, probability: npt.ArrayLike, bins: int = 10
) -> float:
    """Row-weighted mean gap of predicted and observed share (Naeini et al. 2015)."""
    y, p = _labels(label), _scores(probability)
    index = np.clip((p * bins).astype(int), 0, bins - 1)
    return float(np.abs(np.bincount(index, p - y, bins)).sum() / len(y))


def lift(label: npt.ArrayLike, score: npt.ArrayLike, share: float) -> float:
    """Rate of label 1 in the highest-scored `share` of rows over the rate in all rows."""
    y, s = _labels(label), _scores(score)
    if not y.any():
        return float("nan")
    top = np.argsort(-s, kind="stable")[: _top(len(y), share)]
    return float(y[top].mean() / y.mean())


def gain(label: npt.ArrayLike, score: npt.ArrayLike, share: float) -> float:
    """Share of all label 1 that is in the highest-scored `share` of rows."""
    return top_share(_labels(label), score, share)


def calibration_slope(label: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Slope of a logistic regression of the label on the log-odds (Cox 1958); 1 is right."""
    y, p = _labels(label), _scores(probability)
    return float(weighted.calibration_slope(y, p, np.ones((1, len(y))))[0])


def mean_absolute_error(value: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean absolute error, in the unit of the value."""
    return float(np.mean(np.abs(_scores(value) - _scores(predicted))))


def root_mean_squared_error(value: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Root of the mean squared error, in the unit of the value."""
    return float(np.sqrt(np.mean((_scores(value) - _scores(predicted)) ** 2)))


def spearman(value: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN when either is constant."""
    a = pd.Series(_scores(value)).rank().to_numpy()
    b = pd.Series(_scores(predicted)).rank().to_numpy()
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def normalised_gini(value: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Gini of the value ranked by prediction over the Gini of the oracle's ranking."""
    y = _scores(value)
    oracle = _gain_area(y, y)
    return _gain_area(y, _scores(predicted)) / oracle if oracle > 0 else float("nan")


def aggregate_ratio(value: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Sum of predictions over the sum of values; 1 is right in the aggregate."""
    total = float(_scores(value).sum())
    return float(_scores(predicted).sum()) / total if total else float("nan")


def top_share(value: npt.ArrayLike, predicted: npt.ArrayLike, share: float = 0.1) -> float:
    """Share of all value held by the `share` of rows with the highest predictions."""
    y, s = _scores(value), _scores(predicted)
    top = np.argsort(-s, kind="stable")[: _top(len(y), share)]
    return float(y[top].sum() / y.sum()) if y.sum() else float("nan")


PROBABILITY_METRICS: Mapping[str, Metric] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier_score,
    "ece": expected_calibration_error,
    "lift_5": lambda y, s: lift(y, s, 0.05),
    "lift_10": lambda y, s: lift(y, s, 0.10),
    "lift_20": lambda y, s: lift(y, s, 0.20),
    "gain_5": lambda y, s: gain(y, s, 0.05),
    "gain_10": lambda y, s: gain(y, s, 0.10),
    "gain_20": lambda y, s: gain(y, s, 0.20),
}
VALUE_METRICS: Mapping[str, Metric] = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "spearman": spearman,
    "gini": normalised_gini,
    "aggregate_ratio": aggregate_ratio,
    "top_5": lambda y, s: top_share(y, s, 0.05),
    "top_10": top_share,
    "top_20": lambda y, s: top_share(y, s, 0.20),
}


def metrics_table(
    label: npt.ArrayLike,
    predictions: Mapping[str, npt.ArrayLike],
    metrics: Iterable[str] = PROBABILITY_METRICS,
    *,
    seed: int,
    rounds: int | None = None,
    clusters: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Every metric of every model with its 95 % bootstrap interval over the same customers.

    Parameters
    ----------
    label : array-like, shape (n,)
        What happened.
    predictions : mapping of model name to array-like, shape (n,)
    metrics : iterable of str
        Names of `PROBABILITY_METRICS` or `VALUE_METRICS`.
    seed : int
        Seed of the bootstrap.
    rounds : int, optional
        Bootstrap samples; default 200, fewer (at least 40) above 20,000 rows.
    clusters : array-like, shape (n,), optional
        Customer of each row, when a customer has several.

    Returns
    -------
    table : DataFrame
        Long: ``model``, ``metric``, ``value``, ``low``, ``high``.
    """
    y = np.asarray(label, dtype=float)
    drawn = rounds or int(np.clip(4_000_000 // max(len(y), 1), 40, 200))
    return resample(y, predictions, metrics, rounds=drawn, seed=seed, clusters=clusters).table()


def decile_table(value: npt.ArrayLike, predicted: npt.ArrayLike, groups: int = 10) -> pd.DataFrame:
    """Predicted against observed value in groups of equal size, highest predictions first.

    Parameters
    ----------
    value, predicted : array-like, shape (n,)
    groups : int, default 10
        Groups; fewer when there are fewer rows.

    Returns
    -------
    table : DataFrame
        One row per group: ``decile`` (1 is the highest), ``rows``, ``predicted_sum``,
        ``observed_sum``, ``predicted_mean``, ``observed_mean``, ``ratio`` (predicted over
        observed; NaN without observed value), ``share_of_observed``.
    """
    y, s = _scores(value), _scores(predicted)
    parts = np.array_split(np.argsort(-s, kind="stable"), min(groups, len(y)))
    table = pd.DataFrame(
        {
            "decile": np.arange(1, len(parts) + 1),
            "rows": [len(part) for part in parts],
            "predicted_sum": [float(s[part].sum()) for part in parts],
            "observed_sum": [float(y[part].sum()) for part in parts],
        }
    )
    table["predicted_mean"] = table["predicted_sum"] / table["rows"]
    table["observed_mean"] = table["observed_sum"] / table["rows"]
    observed = table["observed_sum"].where(table["observed_sum"] > 0)
    table["ratio"] = table["predicted_sum"] / observed
    table["share_of_observed"] = table["observed_sum"] / max(float(y.sum()), 1e-12)
    return table


def _labels(label: npt.ArrayLike) -> Array:
    y = np.asarray(label, dtype=float)
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("labels must be 0 or 1")
    return y


def _scores(score: npt.ArrayLike) -> Array:
    s = np.asarray(score, dtype=float)
    if s.ndim != 1 or not len(s) or not np.isfinite(s).all():
        raise ValueError(f"scores must be a non-empty, finite vector (shape {s.shape})")
    return s


def _top(n: int, share: float) -> int:
    return max(1, round(n * share))


def _gain_area(value: Array, score: Array) -> float:
    gains = np.cumsum(value[np.argsort(-score, kind="stable")])
    return float(gains.mean() / gains[-1] - 0.5 - 0.5 / len(value)) if gains[-1] else 0.0
