"""What a model must beat: recency alone, logistic regression, recent spend scaled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.linear import LinearModel, fit_logistic, fit_tweedie
from ml.matrix import feature_matrix

Array = npt.NDArray[np.float64]


class RecencyBaseline:
    """Probability from recency alone, by monotone (isotonic) regression.

    Parameters
    ----------
    *columns : str
        Features in days, such as ``days_since_last_order``; of several the smallest counts. NaN
        in all of them counts as the longest time seen.

    Attributes
    ----------
    knots_ : float array, shape (m,)
        Feature values, ascending.
    rates_ : float array, shape (m,)
        Probability at each knot; between them it is interpolated.
    """

    def __init__(self, *columns: str) -> None:
        self.columns = columns

    def fit(self, frame: pd.DataFrame, label: Array) -> RecencyBaseline:
        """Learn the rates from n rows; the direction is the one that the data show."""
        from sklearn.isotonic import IsotonicRegression

        values = self._recency(frame)
        known = values[~np.isnan(values)]
        self.longest_ = float(known.max()) if len(known) else 0.0
        filled = np.where(np.isnan(values), self.longest_, values)
        rises = float(np.sum((filled - filled.mean()) * (label - label.mean()))) >= 0
        model = IsotonicRegression(increasing=rises, out_of_bounds="clip").fit(filled, label)
        self.knots_ = np.asarray(model.X_thresholds_, dtype=float)
        self.rates_ = np.asarray(model.y_thresholds_, dtype=float)
        return self

    def predict(self, frame: pd.DataFrame) -> Array:
        """Probabilities, shape (n,), in [0, 1]."""
        values = self._recency(frame)
        filled = np.where(np.isnan(values), self.longest_, values)
        return np.asarray(np.interp(filled, self.knots_, self.rates_))

    def _recency(self, frame: pd.DataFrame) -> Array:
        return np.asarray(np.fmin.reduce(feature_matrix(frame, self.columns), axis=1))


class SpendBaseline:
    """Value as recent spend times the ratio that held in training.

    Parameters
    ----------
    column : str
        Spend of a recent window, such as ``revenue_90d``. NaN counts as none.

    Attributes
    ----------
    ratio_ : float
        Sum of values over sum of recent spend.
    """

    def __init__(self, column: str) -> None:
        self.column = column

    def fit(self, frame: pd.DataFrame, value: Array) -> SpendBaseline:
        """Learn the ratio from n rows."""
        total = float(self._spend(frame).sum())
        self.ratio_ = float(value.sum()) / total if total > 0 else 0.0
        return self

    def predict(self, frame: pd.DataFrame) -> Array:
        """Values, shape (n,), in the unit of the label."""
        return self.ratio_ * self._spend(frame)

    def _spend(self, frame: pd.DataFrame) -> Array:
        values = feature_matrix(frame, (self.column,))[:, 0]
        return np.maximum(np.nan_to_num(values, nan=0.0), 0.0)


LOGISTIC_STRENGTHS = (0.0003, 0.003, 0.03, 0.3)
TWEEDIE_PENALTIES = (0.3, 0.1, 0.03)
CHOICE_ROWS = 10_000


def choose_logistic(
    fit: tuple[Array, Array], validation: tuple[Array, Array], signs: Sequence[int] = ()
) -> tuple[float, LinearModel]:
    """Choose the penalty of the logistic regression by log loss on the validation period.

    Penalties are compared on every k-th fit row where there are more than ``CHOICE_ROWS``; the
    strength is a factor of the summed loss, so fewer rows take a larger one for the same penalty.

    Parameters
    ----------
    fit, validation : tuple of float arrays
        Matrix of shape (n, k) and label of shape (n,).
    signs : sequence of int, length k, optional
        See `ml.linear.fit_logistic`.

    Returns
    -------
    strength : float
    model : LinearModel
        Fitted on the fit rows.
    """
    step = _step(fit)
    part = (fit[0][::step], fit[1][::step])

    def loss(strength: float) -> float:
        raw = fit_logistic(*part, strength * step, signs).raw(validation[0])
        return deviance(raw, validation[1], "logit")

    strength = min(LOGISTIC_STRENGTHS, key=loss)
    return strength, fit_logistic(*fit, strength, signs)


def choose_tweedie(
    fit: tuple[Array, Array], validation: tuple[Array, Array], signs: Sequence[int] = ()
) -> tuple[float, LinearModel]:
    """Choose the penalty of the Tweedie regression by deviance on the validation period."""
    step = _step(fit)
    part = (fit[0][::step], fit[1][::step])

    def loss(penalty: float) -> float:
        raw = fit_tweedie(*part, penalty, signs).raw(validation[0])
        return deviance(raw, validation[1], "log")

    penalty = min(TWEEDIE_PENALTIES, key=loss)
    return penalty, fit_tweedie(*fit, penalty, signs)


def _step(fit: tuple[Array, Array]) -> int:
    return max(1, len(fit[1]) // CHOICE_ROWS)


def deviance(raw: Array, label: Array, link: str, power: float = 1.5) -> float:
    """Mean log loss (logit) or Tweedie deviance up to a constant (log) of raw scores."""
    if link == "logit":
        return float(np.mean(np.logaddexp(0.0, raw) - label * raw))
    mean = np.exp(np.clip(raw, -50, 50))
    return float(
        np.mean(mean ** (2 - power) / (2 - power) - label * mean ** (1 - power) / (1 - power))
    )
