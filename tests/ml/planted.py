"""Customers of four groups that everybody can see, and customers of none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

Groups = Sequence[tuple[float, float, float, int]]
GROUPS: Groups = ((8, 20, 4000, 60), (20, 5, 500, 150), (120, 1.5, 80, 300), (150, 10, 2000, 90))
"""Recency (days), order days, spend and size of each group."""
COLUMNS = ["days_since_last_order", "order_days_total", "revenue_total"]


def planted(spread: float = 0.15, seed: int = 0, groups: Groups = GROUPS) -> pd.DataFrame:
    """Customers with the group they were drawn from, ``truth``, shuffled."""
    rng = np.random.default_rng(seed)
    parts = []
    for truth, (recency, frequency, monetary, size) in enumerate(groups):
        values = np.array([recency, frequency, monetary]) * rng.lognormal(0, spread, (size, 3))
        parts.append(pd.DataFrame(values, columns=COLUMNS).assign(truth=truth))
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sample(frac=1, random_state=seed + 1, ignore_index=True)
    return frame.assign(customer_key=[f"c{number:05d}" for number in range(len(frame))])


def noise(customers: int = 600, seed: int = 0) -> pd.DataFrame:
    """Customers evenly spread over the logs: no groups to find."""
    rng = np.random.default_rng(seed)
    values = np.expm1(rng.uniform(1, 5, (customers, 3)))
    return pd.DataFrame(values, columns=COLUMNS)
