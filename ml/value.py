"""Value: the gross spend expected within the horizon, as a hurdle model.

The chance to buy at all times the amount of those who buy (a Tweedie blend, Jorgensen 1987, on
buyers only). Against one Tweedie blend over everyone, on 7 and 8 rolling origins, the mean
absolute error is 1.4 % lower on Online Retail and even on Complete Journey, the root of the mean
squared error is lower on both, and the ranks are alike; see docs/adr/0009. With few buyers, or few
who do not buy, it is that one Tweedie blend.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ml.classifier import train
from ml.trained import TrainedModel


def train_value(
    frame: pd.DataFrame,
    *,
    horizon_days: int,
    spend: str = "revenue_90d",
    features: Sequence[str] | None = None,
    seed: int = 0,
    num_threads: int = 2,
    min_rows: int = 100,
) -> TrainedModel:
    """Train a value model and judge it beside recent spend scaled.

    Parameters
    ----------
    frame : DataFrame
        One row per (``customer_key``, ``as_of``); ``label`` is the gross spend of
        the next `horizon_days`, at least 0.
    horizon_days : int
        Length of the window in days.
    spend : str
        Feature of the baseline: recent spend in the unit of the label.
    features, seed, num_threads, min_rows
        See `ml.classifier.train`.

    Returns
    -------
    TrainedModel
        `predict` gives the expected spend in the unit of the label.

    Raises
    ------
    NotEnoughHistory, FeatureError
    """
    return train(
        frame,
        kind="value",
        horizon_days=horizon_days,
        baseline_column=spend,
        link="log",
        features=features,
        seed=seed,
        num_threads=num_threads,
        min_rows=min_rows,
    )
