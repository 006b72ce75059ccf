"""Bootstrap of every metric of every model on the same samples, over rows or over customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.intervals import Array, Difference, bootstrap_weights, limits
from ml.weighted import WEIGHTED_METRICS
from ml.words import MEASURES


@dataclass(frozen=True)
class Resampled:
    """Figures of models on the data and on bootstrap samples that all models share.

    Attributes
    ----------
    models, metrics : tuple of str, lengths m and k
    values : float array, shape (m, k)
        On the data themselves.
    samples : float array, shape (rounds, m, k)
    level : float
        Coverage of the intervals.
    """

    models: tuple[str, ...]
    metrics: tuple[str, ...]
    values: Array
    samples: Array
    level: float = 0.95

    def table(self) -> pd.DataFrame:
        """Every figure with its interval: ``model``, ``metric``, ``value``, ``low``, ``high``."""
        records = [
            (
                model,
                metric,
                float(self.values[i, j]),
                *limits(self.samples[:, i, j], self.level),
            )
            for i, model in enumerate(self.models)
            for j, metric in enumerate(self.metrics)
        ]
        return pd.DataFrame(records, columns=["model", "metric", "value", "low", "high"])

    def differences(self, model: str = "model") -> pd.DataFrame:
        """How much better a model is than each other one, on the same samples.

        Returns
        -------
        table : DataFrame
            ``baseline``, ``metric``, ``difference`` (above 0: the model is better; errors and
            distances from 1 are turned round), ``low``, ``high``, ``verdict`` ("better",
            "worse", "no different").
        """
        ours = self.models.index(model)
        records = []
        for i, baseline in enumerate(self.models):
            if i == ours:
                continue
            for j, metric in enumerate(self.metrics):
                value = goodness(metric, self.values[[ours, i], j])
                gaps = goodness(metric, self.samples[:, ours, j]) - goodness(
                    metric, self.samples[:, i, j]
                )
                gap = Difference(float(value[0] - value[1]), *limits(gaps, self.level))
                records.append((baseline, metric, gap.value, gap.low, gap.high, gap.verdict))
        columns = ["baseline", "metric", "difference", "low", "high", "verdict"]
        return pd.DataFrame(records, columns=columns)


def goodness(metric: str, values: Array) -> Array:
    """Turn figures of a metric so that more is better, shape kept; see `ml.words.Measure`."""
    best = MEASURES[metric].best if metric in MEASURES else "high"
    if best == "low":
        return -values
    return -np.abs(values - 1) if best == "one" else values


def resample(
    label: npt.ArrayLike,
    scores: Mapping[str, npt.ArrayLike],
    metrics: Iterable[str],
    *,
    rounds: int,
    seed: int,
    clusters: npt.ArrayLike | None = None,
) -> Resampled:
    """Compute every metric of every model on the data and on `rounds` bootstrap samples.

    Parameters
    ----------
    label : array-like, shape (n,)
        What happened.
    scores : mapping of model name to array-like, shape (n,)
    metrics : iterable of str
        Names in `ml.weighted.WEIGHTED_METRICS`.
    rounds, seed : int
        Bootstrap samples and their seed.
    clusters : array-like, shape (n,), optional
        Customer of each row, when a customer has several.

    Returns
    -------
    Resampled

    Raises
    ------
    ValueError
        An unknown metric, no rows, or scores that are not finite; the message names them.
    """
    names = tuple(metrics)
    unknown = [name for name in names if name not in WEIGHTED_METRICS]
    if unknown:
        known = ", ".join(WEIGHTED_METRICS)
        raise ValueError(f"unknown metrics: {', '.join(unknown)} (known: {known})")
    y = np.asarray(label, dtype=float)
    models = {name: np.asarray(score, dtype=float) for name, score in scores.items()}
    for name, score in models.items():
        if not len(y) or score.shape != y.shape or not np.isfinite(score).all():
            raise ValueError(
                f"{name}: scores must be a non-empty, finite vector as long as the labels "
                f"(shape {score.shape}, labels {y.shape})"
            )

    def figures(weights: Array) -> Array:
        return np.stack(
            [
                np.stack([WEIGHTED_METRICS[name](y, s, weights) for name in names], axis=-1)
                for s in models.values()
            ],
            axis=1,
        )

    values = figures(np.ones((1, len(y))))[0]
    parts = [figures(weights) for weights in bootstrap_weights(len(y), rounds, seed, clusters)]
    return Resampled(tuple(models), names, values, np.concatenate(parts))
