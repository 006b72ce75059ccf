"""What people call the measures and the models that a figure is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """A measure in words.

    Attributes
    ----------
    words, meaning : str
        Its name, and in one line what a figure says.
    best : {"high", "low", "one", ""}
        Which figures are good ones; empty: neither high nor low ones as such.
    """

    words: str
    meaning: str
    best: Literal["high", "low", "one", ""] = "high"


MEASURES: Mapping[str, Measure] = {
    "roc_auc": Measure(
        "ROC AUC",
        "how often a customer with the outcome is ranked above one without; .5 is chance",
    ),
    "average_precision": Measure(
        "average precision",
        "mean share of hits among those ranked highest; chance is the share of all",
    ),
    "log_loss": Measure(
        "log loss", "how surprised the probabilities were by what happened; 0 is certainty", "low"
    ),
    "brier": Measure(
        "Brier score", "mean squared distance of probability and outcome; 0 is right", "low"
    ),
    "ece": Measure(
        "calibration error (ECE)",
        "mean gap of promised and observed share in ten bins of the probability",
        "low",
    ),
    "calibration_slope": Measure(
        "calibration slope",
        "1 is right; below it probabilities are too extreme, above too timid",
        "one",
    ),
    "aggregate_ratio": Measure(
        "predicted / observed", "sum of what was predicted over what came; 1 is right", "one"
    ),
    "mae": Measure("MAE", "mean absolute error, in the unit of the value", "low"),
    "negative_mae": Measure("MAE turned round", "mean absolute error times -1"),
    "rmse": Measure("RMSE", "root of the mean squared error: a few large misses decide it", "low"),
    "correlation": Measure("correlation", "Pearson's, of predicted and observed value"),
    "spearman": Measure("Spearman", "how alike the order by prediction and the real order are"),
    "gini": Measure(
        "normalised Gini", "how well the value is concentrated at the top; 1 is the perfect order"
    ),
    "coverage_80": Measure(
        "within the interval", "share of values within the 80 % interval; 80 to 90 % are right", ""
    ),
    "above_high": Measure(
        "above the interval", "share of values above its high end; 10 % are right", ""
    ),
    **{
        f"lift_{share}": Measure(
            f"lift at {share} %",
            f"how many times the usual share of hits the {share} % ranked highest hold",
        )
        for share in (5, 10, 20)
    },
    **{
        f"gain_{share}": Measure(
            f"gain at {share} %", f"share of all hits that the {share} % ranked highest hold"
        )
        for share in (5, 10, 20)
    },
    **{
        f"top_{share}": Measure(
            f"value in the top {share} %",
            f"share of all value that the {share} % ranked highest hold",
        )
        for share in (5, 10, 20)
    },
}

MODELS: Mapping[str, str] = {
    "recency": "recency alone",
    "logistic": "logistic regression",
    "recent_spend": "recent spend",
    "bgnbd": "BG/NBD",
    "bgnbd_spend": "BG/NBD with Gamma-Gamma",
    "past_rate": "own reaction rate",
    "has_cart": "has a cart",
    "product_views": "product views",
    "category_recency": "recency in the category",
    "category_share": "share of the category",
}
"""The baselines by name, in the order in which they are shown."""


def measure_words(name: str) -> str:
    """The words of a measure; one without words is named as it is."""
    return MEASURES[name].words if name in MEASURES else name


def model_words(name: str) -> str:
    """The words of a baseline; anything else is named as it is."""
    return MODELS.get(name, name)
