"""Propensity: the probability that a customer buys within the horizon."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ml.classifier import train
from ml.trained import TrainedModel


def train_propensity(
    frame: pd.DataFrame,
    *,
    horizon_days: int,
    recency: str = "days_since_last_order",
    features: Sequence[str] | None = None,
    seed: int = 0,
    num_threads: int = 2,
    min_rows: int = 100,
) -> TrainedModel:
    """Train a purchase model and judge it beside recency and logistic regression.

    Parameters
    ----------
    frame : DataFrame
        One row per (``customer_key``, ``as_of``); ``label`` is 1 where the customer
        buys in the next `horizon_days`.
    horizon_days : int
        Length of the window in days.
    recency : str
        Feature of the recency baseline, in days.
    features, seed, num_threads, min_rows
        See `ml.classifier.train`.

    Returns
    -------
    TrainedModel
        `predict` gives the purchase probability.

    Raises
    ------
    NotEnoughHistory, FeatureError
    """
    return train(
        frame,
        kind="purchase",
        horizon_days=horizon_days,
        baseline_column=recency,
        link="logit",
        features=features,
        seed=seed,
        num_threads=num_threads,
        min_rows=min_rows,
    )
