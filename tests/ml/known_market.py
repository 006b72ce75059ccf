"""A small market with a known law: who has been away longer, and buys less often, churns more."""

from __future__ import annotations

import numpy as np
import pandas as pd

DATES = pd.date_range("2024-01-01", periods=9, freq="14D")
HORIZON = 28


def market(customers: int = 400, seed: int = 0, dates: pd.DatetimeIndex = DATES) -> pd.DataFrame:
    """Rows of (customer, date) with five features, one of them noise, and a churn label."""
    rng = np.random.default_rng(seed)
    n = customers * len(dates)
    away = rng.gamma(2.0, 10.0, n).round()
    orders = rng.poisson(3, n).astype(float)
    spend = orders * rng.lognormal(3, 0.5, n)
    gap = np.where(orders > 1, rng.gamma(4, 5, n), np.nan)
    odds = 0.06 * (away - 20) - 0.35 * (orders - 3)
    return pd.DataFrame(
        {
            "customer_key": np.tile([f"c{i:04d}" for i in range(customers)], len(dates)),
            "as_of": np.repeat(dates.to_numpy().astype("datetime64[us]"), customers),
            "days_since_last_order": away,
            "orders_30d": orders,
            "revenue_90d": spend,
            "gap_mean": gap,
            "noise": rng.normal(size=n),
            "label": (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int),
        }
    )
