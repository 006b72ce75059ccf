"""What a customer may spend, from low to high: quantiles of the outcome by predicted value.

The map is learnt on predictions of customers whose outcome the model had not seen. Among
customers with a like prediction one in ten spends more than the high end and at most one in ten
less than the low end. Where more than one in ten buys nothing the low end is 0 and the interval
covers 80 % plus what lies at 0, up to 90 %: no interval that ends at the 90 % quantile covers
less. In a heavy tail the mean, which is the expected value, can lie above the high end.

Source: split conformal quantiles (Lei et al. 2018) within bins of the prediction (Mondrian
categories, Vovk et al. 2005), made monotone by pooling adjacent violators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.intervals import bootstrap_rows

Array = npt.NDArray[np.float64]
TAIL = 0.1
"""Share of outcomes above the high end, and at most below the low end."""
MOST_BINS = 20
FEWEST_IN_BIN = 50
TINY = 1e-12
BOOTSTRAP_ROUNDS = 200


@dataclass(frozen=True)
class ValueInterval:
    """An 80 % interval as a function of the predicted value.

    Attributes
    ----------
    knots : float array, shape (m,)
        Predicted values, ascending and above 0.
    low, high : float array, shape (m,)
        Ends of the interval at each knot, not falling. Between knots they are interpolated,
        beyond them they keep their ratio to the prediction.
    """

    knots: Array
    low: Array
    high: Array

    def ends(self, predicted: Array) -> tuple[Array, Array]:
        """Low and high ends of predictions, each of shape (n,), in the unit of the label."""
        within = np.clip(predicted, self.knots[0], self.knots[-1])
        beyond = predicted / within
        return (
            np.interp(within, self.knots, self.low) * beyond,
            np.interp(within, self.knots, self.high) * beyond,
        )

    def to_dict(self) -> dict[str, list[float]]:
        """Return plain lists."""
        return {
            "knots": self.knots.tolist(),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> ValueInterval:
        """Rebuild what `to_dict` returned."""
        return cls(*(np.array(record[name], dtype=float) for name in ("knots", "low", "high")))


def fit_value_interval(predicted: Array, value: Array) -> ValueInterval:
    """Learn the interval from predictions and what came of them.

    Parameters
    ----------
    predicted : float array, shape (n,)
        Of customers whose outcome the model had not seen; at least 0.
    value : float array, shape (n,)
        What they spent; at least 0.

    Returns
    -------
    ValueInterval

    Raises
    ------
    ValueError
        No rows, or rows that do not match.
    """
    if len(predicted) != len(value) or not len(value):
        raise ValueError(
            f"an interval needs predictions with outcomes (have {len(predicted)}, {len(value)})"
        )
    bins = int(np.clip(len(value) // FEWEST_IN_BIN, 1, MOST_BINS))
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, bins + 1)[1:-1]))
    group = np.searchsorted(edges, predicted, side="right")
    parts = [np.flatnonzero(group == number) for number in np.unique(group)]
    centres = np.array([max(float(predicted[rows].mean()), TINY) for rows in parts])
    ends = np.array([_quantiles(value[rows]) for rows in parts])
    return ValueInterval(centres, _rising(centres, ends[:, 0]), _rising(centres, ends[:, 1]))


def coverage_table(
    interval: ValueInterval, predicted: Array, value: Array, *, seed: int
) -> pd.DataFrame:
    """How often outcomes of another time lie within their interval, and above it.

    Returns
    -------
    table : DataFrame
        Rows ``coverage_80`` and ``above_high`` in the form of `ml.evaluation.metrics_table`.
    """
    low, high = interval.ends(predicted)
    rows = bootstrap_rows(len(value), BOOTSTRAP_ROUNDS, seed)
    found = {"coverage_80": (value >= low) & (value <= high), "above_high": value > high}
    records = []
    for metric, hits in found.items():
        shares = hits[rows].mean(axis=1)
        ends = np.quantile(shares, [0.025, 0.975])
        records.append(("model", metric, float(hits.mean()), float(ends[0]), float(ends[1])))
    return pd.DataFrame(records, columns=["model", "metric", "value", "low", "high"])


def _quantiles(value: Array) -> tuple[float, float]:
    """Conformal 10 % and 90 % quantile: of n outcomes and one more to come."""
    n = len(value)
    ordered = np.sort(value)
    above = min(int(np.ceil((n + 1) * (1 - TAIL))), n) - 1
    below = int(np.floor((n + 1) * TAIL)) - 1
    return (float(ordered[below]) if below >= 0 else 0.0), float(ordered[above])


def _rising(centres: Array, ends: Array) -> Array:
    """Pool adjacent violators."""
    from sklearn.isotonic import IsotonicRegression

    return np.asarray(IsotonicRegression().fit_transform(centres, ends), dtype=float)
