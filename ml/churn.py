"""Churn: the probability that an active customer buys nothing within the horizon."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ml.classifier import train
from ml.trained import TrainedModel


def train_churn(
    frame: pd.DataFrame,
    *,
    horizon_days: int,
    recency: str = "days_since_last_order",
    features: Sequence[str] | None = None,
    seed: int = 0,
    num_threads: int = 2,
    min_rows: int = 100,
) -> TrainedModel:
    """Train a churn model and judge it beside recency and logistic regression.

    Parameters
    ----------
    frame : DataFrame
        One row per (``customer_key``, ``as_of``) of customers who bought in the last
        2 x `horizon_days`; ``label`` is 1 where nothing is bought in the next `horizon_days`.
    horizon_days : int
        Days without a purchase that count as churn.
    recency : str
        Feature of the recency baseline, in days.
    features, seed, num_threads, min_rows
        See `ml.classifier.train`.

    Returns
    -------
    TrainedModel
        `predict` gives the churn probability.

    Raises
    ------
    NotEnoughHistory, FeatureError
    """
    return train(
        frame,
        kind="churn",
        horizon_days=horizon_days,
        baseline_column=recency,
        link="logit",
        features=features,
        seed=seed,
        num_threads=num_threads,
        min_rows=min_rows,
    )
