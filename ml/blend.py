"""One additive model: trees and a linear model, averaged on the scale of the link.

``raw = slope * (share * trees + (1 - share) * linear) + intercept``; the prediction is the
inverse link of ``raw``. Averaging on that scale keeps contributions additive, so that the
reasons given for a score are those of the score itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.forest import CHUNK_ROWS, Forest, NotSmall
from ml.linear import LinearModel
from ml.matrix import feature_matrix

if TYPE_CHECKING:
    from lightgbm import Booster

Array = npt.NDArray[np.float64]
Link = Literal["logit", "log"]


@dataclass(frozen=True)
class BlendModel:
    """A trained, calibrated scorer that is plain text and numbers.

    Attributes
    ----------
    features : tuple of str, length k
    trees : str
        A LightGBM model in its text format.
    linear : LinearModel
    tree_share : float
        Weight of the trees, 0 to 1.
    link : {"logit", "log"}
        Probability or value.
    slope, intercept : float
        Calibration on the scale of the link.
    """

    features: tuple[str, ...]
    trees: str
    linear: LinearModel
    tree_share: float
    link: Link
    slope: float = 1.0
    intercept: float = 0.0

    @cached_property
    def booster(self) -> Booster:
        """The trees, parsed once."""
        import lightgbm as lgb

        return lgb.Booster(model_str=self.trees)

    @cached_property
    def forest(self) -> Forest | None:
        """The trees for fast scoring; None where they are too large for it."""
        try:
            return Forest.parse(self.trees)
        except NotSmall:
            return None

    def calibrated(self, slope: float, intercept: float) -> BlendModel:
        """Return the same model with another calibration."""
        return replace(self, slope=slope, intercept=intercept)

    def raw(self, matrix: Array, num_threads: int = 2) -> Array:
        """Calibrated scores on the scale of the link: shape (n, k) to (n,)."""
        if not len(matrix):
            return np.empty(0)
        if self.forest is None:
            found = self.booster.predict(matrix, raw_score=True, num_threads=num_threads)
            trees, straight = np.asarray(found, dtype=float), self.linear.raw(matrix)
        else:
            trees = np.zeros(len(matrix))
            straight = np.full(len(matrix), self.linear.intercept)
            for start in range(0, len(matrix), CHUNK_ROWS):
                part = slice(start, start + CHUNK_ROWS)
                columns = np.ascontiguousarray(matrix[part].T)
                self.forest.add(columns, trees[part])
                self.linear.add(columns, straight[part])
        return self.slope * blend(trees, straight, self.tree_share) + self.intercept

    def predict(self, frame: pd.DataFrame, num_threads: int = 2) -> Array:
        """Score a frame.

        Parameters
        ----------
        frame : DataFrame, n rows
            Holds every feature; other columns are ignored.
        num_threads : int, default 2
            Threads of LightGBM.

        Returns
        -------
        prediction : float array, shape (n,)
            Probabilities in [0, 1], or values of at least 0 in the unit of the label.

        Raises
        ------
        FeatureError
            A feature is missing or not numeric; the message names it.
        """
        raw = self.raw(feature_matrix(frame, self.features), num_threads)
        return inverse_link(raw, self.link)

    def contributions(self, frame: pd.DataFrame, num_threads: int = 2) -> Array:
        """Additive share of each feature in the raw score: float array, shape (n, k).

        Trees by their Shapley values (TreeSHAP, Lundberg et al. 2020), by LightGBM itself where
        they are too large for `Forest`; the linear part against the mean customer.
        """
        matrix = feature_matrix(frame, self.features)
        if not len(matrix):
            return np.empty((0, len(self.features)))
        if self.forest is None:
            found = self.booster.predict(matrix, pred_contrib=True, num_threads=num_threads)
            trees = np.asarray(found, dtype=float)[:, :-1]
        else:
            trees = self.forest.contributions(matrix)
        return self.slope * blend(trees, self.linear.contributions(matrix), self.tree_share)

    def gain(self) -> Array:
        """Share of each feature in the gain of the trees, shape (k,)."""
        gain = np.asarray(self.booster.feature_importance("gain"), dtype=float)
        return gain / max(float(gain.sum()), 1e-12)

    def coefficients(self) -> Array:
        """Coefficient of each prepared feature in the linear part, shape (k,)."""
        return self.linear.coefficients[: len(self.features)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers, without the text of the trees."""
        return {
            "features": list(self.features),
            "linear": self.linear.to_dict(),
            "tree_share": self.tree_share,
            "link": self.link,
            "slope": self.slope,
            "intercept": self.intercept,
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any], trees: str) -> BlendModel:
        """Rebuild what `to_dict` returned."""
        return cls(
            features=tuple(record["features"]),
            trees=trees,
            linear=LinearModel.from_dict(record["linear"]),
            tree_share=float(record["tree_share"]),
            link=record["link"],
            slope=float(record["slope"]),
            intercept=float(record["intercept"]),
        )


def blend(trees: Array, linear: Array, tree_share: float) -> Array:
    """Weighted mean of two arrays of one shape."""
    return np.asarray(tree_share * trees + (1 - tree_share) * linear)


def inverse_link(raw: Array, link: Link) -> Array:
    """Probability (logit) or value (log) of a raw score, shape kept."""
    if link == "log":
        return np.exp(np.clip(raw, -50, 50))
    return np.asarray(1 / (1 + np.exp(-np.clip(raw, -50, 50))))
