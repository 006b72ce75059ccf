"""Feature rows of many customers at many dates, drawn from those of a real history."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

KEYS = ("customer_key", "as_of")
STEP_DAYS, HORIZON_DAYS = 14, 90
JITTER = 0.05
LOOKED_AT = 10_000
NEWEST = pd.Timestamp("2026-09-16")


def draw_rows(rows: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw rows with replacement; what is not counted in whole numbers varies a little.

    Nulls, zeros, counts and days since something stay as they are; all else of a row varies by
    one factor.
    """
    drawn = rows.iloc[rng.integers(0, len(rows), count)].reset_index(drop=True)
    factor = np.exp(JITTER * rng.standard_normal(count))
    for name in drawn.select_dtypes("float").columns:
        some = drawn[name].iloc[:LOOKED_AT].dropna()
        if not name.startswith("days_since_") and (some != np.floor(some)).any():
            drawn[name] *= factor
    return drawn


def spend_that_follows(features: pd.DataFrame, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Spend within the horizon by a known rule: who bought often and lately buys, for as much."""
    recency = features["days_since_last_order"].fillna(365).to_numpy(dtype=float)
    often = np.log1p(features["order_days_90d"].fillna(0).to_numpy(dtype=float))
    active = np.log1p(features["active_days_30d"].fillna(0).to_numpy(dtype=float))
    mean = features["average_order_value"].fillna(50).to_numpy(dtype=float)
    odds = -0.3 + 0.9 * often - 0.012 * recency + 0.3 * active * (recency > 30)
    buys = rng.random(len(features)) < 1 / (1 + np.exp(-odds))
    orders = 1 + rng.poisson(np.exp(0.6 * often - 0.5))
    return np.where(buys, mean * orders * rng.gamma(2.0, 0.5, len(features)), 0.0)


def history(
    rows: pd.DataFrame, customers: int, dates: int, seed: int
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Features and labels of every customer, date by date, oldest first.

    Yields
    ------
    features : DataFrame, `customers` rows
        The columns of ``marts.customer_feature_history``.
    labels : DataFrame, `customers` rows
        The columns of ``marts.customer_labels`` for the task ``value``.
    """
    rng = np.random.default_rng(seed)
    keys = [f"{number:032x}" for number in rng.permutation(customers)]
    for back in range(dates - 1, -1, -1):
        features = draw_rows(rows, customers, rng)
        features["customer_key"] = keys
        features["as_of"] = (NEWEST - pd.Timedelta(days=STEP_DAYS * back)).as_unit("us")
        labels = features[list(KEYS)].assign(
            task="value", horizon_days=HORIZON_DAYS, label=spend_that_follows(features, rng)
        )
        yield features, labels
