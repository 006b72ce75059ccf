"""Linear models over prepared features, kept as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
SOLVER = "newton-cholesky"  # many rows, few columns: a third of the time of lbfgs
LIMIT = 6.0
"""Standardised features are cut at this many standard deviations, so that no outlier runs off."""
MOST_ROWS = 50_000
"""Rows that a linear model learns from; more are drawn down to it, always the same ones."""
CHUNK_ROWS = 8192
"""Rows scored at a time, so that what is made on the way stays in the processor's cache."""


@dataclass(frozen=True)
class Preparation:
    """Median imputation with missing indicators, log1p for skewed, standardisation.

    Attributes
    ----------
    median : float array, shape (k,)
    is_skewed : bool array, shape (k,)
        Non-negative features with a skewness above 1.
    has_nulls : bool array, shape (k,)
        Features that get an indicator column; m of them.
    mean, scale : float array, shape (k + m,)
    """

    median: Array
    is_skewed: npt.NDArray[np.bool_]
    has_nulls: npt.NDArray[np.bool_]
    mean: Array
    scale: Array

    @classmethod
    def learn(cls, matrix: Array) -> Preparation:
        """Learn from a float matrix of shape (n, k) that may hold NaN."""
        null = np.isnan(matrix)
        some = ~null.all(axis=0)
        median = np.zeros(matrix.shape[1])
        median[some] = np.nanmedian(matrix[:, some], axis=0)
        filled = np.where(null, median, matrix)
        spread = filled.std(axis=0)
        centred = filled - filled.mean(axis=0)
        third = np.mean(centred * centred * centred, axis=0)
        skew = np.divide(third, spread**3, out=np.zeros_like(third), where=spread > 0)
        skewed = (filled.min(axis=0) >= 0) & (skew > 1)
        has_nulls = null.mean(axis=0) > 0.001
        raw = _stack(matrix, median, skewed, has_nulls)
        scale = raw.std(axis=0)
        return cls(median, skewed, has_nulls, raw.mean(axis=0), np.where(scale > 1e-9, scale, 1.0))

    def apply(self, matrix: Array) -> Array:
        """Prepare a matrix of shape (n, k): float array, shape (n, k + m)."""
        raw = _stack(matrix, self.median, self.is_skewed, self.has_nulls)
        raw -= self.mean
        raw /= self.scale
        return np.clip(raw, -LIMIT, LIMIT, out=raw)


@dataclass(frozen=True)
class LinearModel:
    """Intercept plus coefficients times prepared features: log-odds, or log of a mean."""

    preparation: Preparation
    coefficients: Array
    intercept: float

    def raw(self, matrix: Array) -> Array:
        """Linear predictor of a matrix of shape (n, k): float array, shape (n,)."""
        found = np.full(len(matrix), self.intercept)
        for start in range(0, len(matrix), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            self.add(np.ascontiguousarray(matrix[part].T), found[part])
        return found

    def add(self, columns: Array, total: Array) -> None:
        """Add the share of each feature, shape (k, n), to n totals.

        Column by column, as `Preparation.apply` prepares it.
        """
        p, k = self.preparation, len(columns)
        indicators = np.clip((np.array([[0.0], [1.0]]) - p.mean[k:]) / p.scale[k:], -LIMIT, LIMIT)
        known, unknown = indicators * self.coefficients[k:]
        indicator_of = np.cumsum(p.has_nulls) - 1
        column = np.empty(len(total))
        for feature, values in enumerate(columns):
            np.copyto(column, values)
            null = np.isnan(column)
            np.copyto(column, p.median[feature], where=null)
            if p.is_skewed[feature]:
                np.maximum(column, 0, out=column)
                np.log1p(column, out=column)
            column -= p.mean[feature]
            column /= p.scale[feature]
            np.maximum(column, -LIMIT, out=column)
            np.minimum(column, LIMIT, out=column)
            column *= self.coefficients[feature]
            total += column
            if p.has_nulls[feature]:
                place = indicator_of[feature]
                total += np.where(null, unknown[place], known[place])

    def contributions(self, matrix: Array) -> Array:
        """Additive share of each feature against the mean customer: shape (n, k).

        A feature's indicator column counts towards the feature.
        """
        parts = self.preparation.apply(matrix) * self.coefficients
        k = matrix.shape[1]
        shares = parts[:, :k].copy()
        shares[:, self.preparation.has_nulls] += parts[:, k:]
        return shares

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        p = self.preparation
        return {
            "median": p.median.tolist(),
            "is_skewed": p.is_skewed.tolist(),
            "has_nulls": p.has_nulls.tolist(),
            "mean": p.mean.tolist(),
            "scale": p.scale.tolist(),
            "coefficients": self.coefficients.tolist(),
            "intercept": self.intercept,
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> LinearModel:
        """Rebuild what `to_dict` returned."""
        preparation = Preparation(
            np.array(record["median"], dtype=float),
            np.array(record["is_skewed"], dtype=bool),
            np.array(record["has_nulls"], dtype=bool),
            np.array(record["mean"], dtype=float),
            np.array(record["scale"], dtype=float),
        )
        coefficients = np.array(record["coefficients"], dtype=float)
        return cls(preparation, coefficients, float(record["intercept"]))


def fit_logistic(
    matrix: Array, label: Array, strength: float, signs: Sequence[int] = ()
) -> LinearModel:
    """Logistic regression with an L2 penalty.

    Parameters
    ----------
    matrix : float array, shape (n, k)
        May hold NaN.
    label : float array, shape (n,)
        0 or 1.
    strength : float
        Inverse of the penalty (scikit-learn's C).
    signs : sequence of int, length k, optional
        Features whose coefficient is never below 0 (1) or never above (-1).
    """
    from sklearn.linear_model import LogisticRegression

    strength *= max(1.0, len(label) / MOST_ROWS)  # it weighs the summed loss against the penalty
    matrix, label = _some_rows(matrix, label)
    preparation = Preparation.learn(matrix)
    model = LogisticRegression(C=strength, max_iter=100, tol=1e-6, solver=SOLVER)
    coefficients, intercept = _fit_signed(model, preparation.apply(matrix), label, signs)
    return LinearModel(preparation, coefficients, intercept)


def fit_tweedie(
    matrix: Array, value: Array, penalty: float, signs: Sequence[int] = (), power: float = 1.5
) -> LinearModel:
    """Tweedie regression with log link and an L2 penalty on values scaled to mean 1.

    Parameters
    ----------
    matrix : float array, shape (n, k)
    value : float array, shape (n,)
        Not negative; its mean is above zero.
    penalty : float
        Factor of the L2 term (scikit-learn's alpha).
    signs : sequence of int, length k, optional
        See `fit_logistic`.
    power : float
        Variance power, between 1 (Poisson) and 2 (gamma).
    """
    from sklearn.linear_model import TweedieRegressor

    matrix, value = _some_rows(matrix, value)
    preparation = Preparation.learn(matrix)
    mean = float(value.mean())
    model = TweedieRegressor(power=power, alpha=penalty, link="log", max_iter=100, solver=SOLVER)
    coefficients, intercept = _fit_signed(model, preparation.apply(matrix), value / mean, signs)
    return LinearModel(preparation, coefficients, intercept + float(np.log(mean)))


def _fit_signed(
    model: Any, prepared: Array, label: Array, signs: Sequence[int]
) -> tuple[Array, float]:
    """Fit, and again without the features whose coefficient has the wrong sign, until none has."""
    wanted = np.zeros(prepared.shape[1])
    wanted[: len(signs)] = signs  # indicators of nulls, which stand behind the features, are free
    kept = np.ones(len(wanted))
    while True:
        model.fit(prepared * kept, label)
        coefficients = kept * np.ravel(model.coef_)
        wrong = coefficients * wanted < 0
        if not wrong.any():
            return coefficients, float(np.ravel(model.intercept_)[0])
        kept[wrong] = 0


def _some_rows(matrix: Array, label: Array) -> tuple[Array, Array]:
    if len(label) <= MOST_ROWS:
        return matrix, label
    rows = np.random.default_rng(0).choice(len(label), MOST_ROWS, replace=False, shuffle=False)
    rows.sort()
    return matrix[rows], label[rows]


def _stack(
    matrix: Array, median: Array, skewed: npt.NDArray[np.bool_], has_nulls: npt.NDArray[np.bool_]
) -> Array:
    null = np.isnan(matrix)
    k = matrix.shape[1]
    stacked = np.empty((len(matrix), k + int(has_nulls.sum())))
    filled = stacked[:, :k]
    filled[:] = matrix
    np.copyto(filled, median, where=null)
    if skewed.any():
        filled[:, skewed] = np.log1p(np.maximum(filled[:, skewed], 0))
    stacked[:, k:] = null[:, has_nulls]
    return stacked
