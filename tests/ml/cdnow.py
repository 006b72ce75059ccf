"""The purchases of CDNOW by customer and day, and the protocol of the papers on them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DATA = Path(__file__).parents[3] / "shared/data/cdnow/cdnow_master.parquet"
CUTOFF = pd.Timestamp("1997-10-01")
HELD_OUT_DAYS = 273


def purchase_days() -> pd.DataFrame:
    """One row per customer and day with a purchase."""
    orders = pd.read_parquet(DATA)
    orders = orders.assign(
        customer_key=orders["customer_id"].map("{:06d}".format), day=orders["date"].dt.normalize()
    )
    found = orders.groupby(["customer_key", "day"], as_index=False)[["amount", "n_cds"]].sum()
    return found.rename(columns={"n_cds": "units"})
