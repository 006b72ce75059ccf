"""A value in two steps: the probability to buy at all, times the amount of those who buy.

Against one Tweedie blend on rolling origins of Online Retail and Complete Journey it errs less
or as much, and ranks alike; see docs/adr/0009.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.blend import BlendModel, Link
from ml.matrix import feature_matrix

Array = npt.NDArray[np.float64]
DIVIDER = "\n--- amount ---\n"
"""Between the trees of the two parts in one text."""
FLAT = 1e-9


@dataclass(frozen=True)
class HurdleModel:
    """A calibrated probability and an amount given a purchase, over the same features.

    Attributes
    ----------
    buys : BlendModel
        Log-odds of any purchase in the window.
    amount : BlendModel
        Log of the amount of those who buy.
    """

    buys: BlendModel
    amount: BlendModel

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in the order of both parts."""
        return self.buys.features

    @property
    def link(self) -> Link:
        """The scale of `raw`: the log of the expected value."""
        return "log"

    @property
    def trees(self) -> str:
        """The trees of both parts in LightGBM's text format, one after the other."""
        return self.buys.trees + DIVIDER + self.amount.trees

    def raw(self, matrix: Array, num_threads: int = 2) -> Array:
        """Log of the expected value: shape (n, k) to (n,)."""
        return _log_sigmoid(self.buys.raw(matrix, num_threads)) + self.amount.raw(
            matrix, num_threads
        )

    def predict(self, frame: pd.DataFrame, num_threads: int = 2) -> Array:
        """Expected values of a frame, shape (n,); see `BlendModel.predict`."""
        raw = self.raw(feature_matrix(frame, self.features), num_threads)
        return np.exp(np.clip(raw, -50, 50))

    def contributions(self, frame: pd.DataFrame, num_threads: int = 2) -> Array:
        """Additive share of each feature in the log of the expected value, shape (n, k).

        The shares in the amount are those of its blend. The shares in the log-odds are carried
        to the log-probability by the slope of the secant between the mean customer and this one,
        so that they add up exactly there too (rescale rule of DeepLIFT, Shrikumar et al. 2017;
        for models in series, Chen et al. 2022).
        """
        odds = self.buys.contributions(frame, num_threads)
        log_odds = self.buys.raw(feature_matrix(frame, self.features), num_threads)
        change = odds.sum(axis=1)
        middle = log_odds - change
        flat = np.abs(change) < FLAT
        rise = _log_sigmoid(log_odds) - _log_sigmoid(middle)
        tangent = 1 - np.exp(_log_sigmoid(middle))
        secant = np.where(flat, tangent, rise / np.where(flat, 1.0, change))
        return secant[:, None] * odds + self.amount.contributions(frame, num_threads)

    def gain(self) -> Array:
        """Share of each feature in the gain of the trees, mean of both parts, shape (k,)."""
        return (self.buys.gain() + self.amount.gain()) / 2

    def coefficients(self) -> Array:
        """Coefficients of the linear part of the amount, shape (k,)."""
        return self.amount.coefficients()

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers, without the text of the trees."""
        return {"buys": self.buys.to_dict(), "amount": self.amount.to_dict()}


Scorer = BlendModel | HurdleModel


def scorer_from_dict(record: dict[str, Any], trees: str) -> Scorer:
    """Rebuild a blend or a hurdle model from its `to_dict` and its trees."""
    if "buys" not in record:
        return BlendModel.from_dict(record, trees)
    buys, amount = trees.split(DIVIDER)
    return HurdleModel(
        BlendModel.from_dict(record["buys"], buys), BlendModel.from_dict(record["amount"], amount)
    )


def _log_sigmoid(raw: Array) -> Array:
    return np.asarray(-np.logaddexp(0.0, -raw))
