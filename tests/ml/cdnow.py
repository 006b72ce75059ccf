"""CDNOW by the protocol of the papers: known until 1997-09-30, repeat purchases of 39 weeks after.

No label as long as the 39 weeks is known at the cutoff, so the estimator of values learns rates:
at each of some earlier dates, the purchase days from that date to the cutoff, per day. How much
the whole cohort will still buy is left to BG/NBD, whose sum sets the level.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ml.bgnbd import fit_bgnbd
from ml.classifier import judge
from ml.task import Task

DATA = Path(__file__).parents[3] / "shared/data/cdnow/cdnow_master.parquet"
CUTOFF = pd.Timestamp("1997-10-01")
FIRST_DATE = pd.Timestamp("1997-04-02")
HELD_OUT_DAYS, STEP_DAYS, LEAST_WINDOW_DAYS = 273, 14, 28
PURCHASE_DAYS = Task(
    name="purchase_days",
    outcome="spend",
    horizon="purchase",
    population="buyers",
    baseline_columns=("order_days_90d",),
    score_column="expected_purchase_days",
    description="Expected purchase days.",
    title="Purchase days within {days} days",
    meaning="The purchase days expected of a customer.",
)


@dataclass(frozen=True)
class Prediction:
    """Purchase days in the 39 weeks, by customer: what came, and what each model said."""

    observed: np.ndarray
    bgnbd: np.ndarray
    model: np.ndarray

    def figures(self, name: str) -> dict[str, float]:
        """MAE, RMSE, correlation, and predicted over observed in sum."""
        predicted = getattr(self, name)
        error = predicted - self.observed
        return {
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt(np.mean(error**2))),
            "correlation": float(np.corrcoef(self.observed, predicted)[0, 1]),
            "ratio": float(predicted.sum() / self.observed.sum()),
        }


def predict(seed: int = 0) -> Prediction:
    """Learn from what was known at the cutoff, predict every customer."""
    days = _purchase_days()
    dates = pd.date_range(
        CUTOFF - pd.Timedelta(days=LEAST_WINDOW_DAYS), FIRST_DATE, freq=f"-{STEP_DAYS}D"
    )
    frame = pd.concat([_rows(days, date) for date in (*dates[::-1], CUTOFF)], ignore_index=True)
    judgement = judge(
        frame.drop(columns="days_since_first_order"),
        PURCHASE_DAYS,
        horizon_days=LEAST_WINDOW_DAYS,
        seed=seed,
        num_threads=1,
    )
    said = judgement.predictions
    now = frame[frame["as_of"] == CUTOFF].set_index("customer_key").loc[said["customer_key"]]
    history = (
        now["order_days_total"] - 1,
        now["days_since_first_order"] - now["days_since_last_order"],
        now["days_since_first_order"],
    )
    bgnbd = fit_bgnbd(*history).expected_purchases(HELD_OUT_DAYS, *history)
    rate = said["model"].to_numpy()
    observed = said["label"].to_numpy() * HELD_OUT_DAYS
    return Prediction(np.round(observed), bgnbd, rate * bgnbd.sum() / rate.sum())


def _purchase_days() -> pd.DataFrame:
    orders = pd.read_parquet(DATA)
    orders = orders.assign(
        customer_key=orders["customer_id"].map("{:06d}".format), day=orders["date"].dt.normalize()
    )
    found = orders.groupby(["customer_key", "day"], as_index=False)[["amount", "n_cds"]].sum()
    found["gap"] = found.groupby("customer_key")["day"].diff().dt.days
    return found


def _rows(days: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Features of every customer, and purchase days per day from a date on.

    The window of the label ends with what was known at the cutoff, or with the 39 weeks.
    """
    past = days[days["day"] < as_of]
    rows = past.groupby("customer_key").agg(
        first=("day", "min"),
        last=("day", "max"),
        order_days_total=("day", "size"),
        revenue_total=("amount", "sum"),
        units_total=("n_cds", "sum"),
        last_order_value=("amount", "last"),
        order_gap_mean=("gap", "mean"),
        order_gap_deviation=("gap", "std"),
        order_gap_longest=("gap", "max"),
    )
    newest = as_of - pd.Timedelta(days=1)
    rows["days_since_last_order"] = (newest - rows.pop("last")).dt.days
    rows["days_since_first_order"] = (newest - rows.pop("first")).dt.days
    for window in (30, 60, 90):
        recent = past[past["day"] >= as_of - pd.Timedelta(days=window)]
        rows[f"order_days_{window}d"] = recent.groupby("customer_key").size()
    rows["average_order_value"] = rows["revenue_total"] / rows["order_days_total"]
    rows["units_per_order"] = rows["units_total"] / rows["order_days_total"]
    rows["overdue_ratio"] = rows["days_since_last_order"] / rows["order_gap_mean"]
    length = HELD_OUT_DAYS if as_of == CUTOFF else (CUTOFF - as_of).days
    to_come = days[(days["day"] >= as_of) & (days["day"] < as_of + pd.Timedelta(days=length))]
    rows["label"] = to_come.groupby("customer_key").size() / length
    fill = {name: 0.0 for name in rows if name == "label" or name.startswith("order_days_")}
    return rows.fillna(fill).astype(float).assign(as_of=as_of).reset_index()
