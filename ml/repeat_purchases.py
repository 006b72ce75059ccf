"""Repeat purchases by the protocol of the papers: known until a cutoff, counted long after it.

No label as long as the time after the cutoff is known at it, so the estimator of values learns
rates: at each of some earlier dates, the purchase days from that date to the cutoff, per day. How
much the whole cohort will still buy is left to BG/NBD (Fader, Hardie, Lee 2005), whose sum sets
the level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.bgnbd import fit_bgnbd
from ml.classifier import judge
from ml.intervals import Array
from ml.resampling import Resampled, resample
from ml.splits import NotEnoughHistory
from ml.task import Task

STEP_DAYS, LEAST_WINDOW_DAYS = 14, 28
DATES = 12
WINDOWS_DAYS = (30, 60, 90)
FIGURES = ("mae", "rmse", "correlation", "aggregate_ratio")
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
class RepeatPurchases:
    """Purchase days after the cutoff, by customer: what came, and what each model said.

    Attributes
    ----------
    observed, bgnbd, model : float array, shape (n,)
    """

    observed: Array
    bgnbd: Array
    model: Array

    def figures(self, *, rounds: int = 200, seed: int = 0) -> Resampled:
        """MAE, RMSE, correlation and predicted over observed, of ``model`` and ``bgnbd``."""
        scores = {"model": self.model, "bgnbd": self.bgnbd}
        return resample(self.observed, scores, FIGURES, rounds=rounds, seed=seed)


def predict_repeat_purchases(
    days: pd.DataFrame,
    cutoff: pd.Timestamp,
    held_out_days: int,
    *,
    seed: int = 0,
    num_threads: int = 1,
) -> RepeatPurchases:
    """Learn from what was known at the cutoff, and predict everyone who had bought by then.

    Parameters
    ----------
    days : DataFrame
        One row per customer and day with a purchase: ``customer_key``, ``day``, ``amount``,
        ``units``; also of the time after the cutoff.
    cutoff : Timestamp
        The first day that is not known.
    held_out_days : int
        Days from the cutoff on that are predicted.
    seed, num_threads : int

    Raises
    ------
    NotEnoughHistory
        The purchases end before the held-out time does, or begin too late to learn from.
    """
    if days["day"].max() < cutoff + pd.Timedelta(days=held_out_days - STEP_DAYS):
        raise NotEnoughHistory(
            f"purchases end on {days['day'].max():%Y-%m-%d}, before the {held_out_days} days from "
            f"{cutoff:%Y-%m-%d} on are over"
        )
    days = days.sort_values(["customer_key", "day"], ignore_index=True)
    days["gap"] = days.groupby("customer_key")["day"].diff().dt.days
    newest = cutoff - pd.Timedelta(days=LEAST_WINDOW_DAYS)
    dates = pd.date_range(end=newest, periods=DATES, freq=f"{STEP_DAYS}D")
    rows = [_rows(days, date, cutoff, held_out_days) for date in (*dates, cutoff)]
    frame = pd.concat([part for part in rows if len(part)], ignore_index=True)
    said = judge(
        frame.drop(columns="days_since_first_order"),
        PURCHASE_DAYS,
        horizon_days=LEAST_WINDOW_DAYS,
        seed=seed,
        num_threads=num_threads,
    ).predictions
    now = frame[frame["as_of"] == cutoff].set_index("customer_key").loc[said["customer_key"]]
    history = (
        now["order_days_total"] - 1,
        now["days_since_first_order"] - now["days_since_last_order"],
        now["days_since_first_order"],
    )
    bgnbd = fit_bgnbd(*history).expected_purchases(held_out_days, *history)
    rate = said["model"].to_numpy()
    observed = np.round(said["label"].to_numpy() * held_out_days)
    return RepeatPurchases(observed, bgnbd, rate * bgnbd.sum() / rate.sum())


def _rows(
    days: pd.DataFrame, as_of: pd.Timestamp, cutoff: pd.Timestamp, held_out_days: int
) -> pd.DataFrame:
    """Features of every customer, and purchase days per day from a date on.

    The window of the label ends with what was known at the cutoff, or with the held-out time.
    """
    past = days[days["day"] < as_of]
    rows = past.groupby("customer_key").agg(
        first=("day", "min"),
        last=("day", "max"),
        order_days_total=("day", "size"),
        revenue_total=("amount", "sum"),
        units_total=("units", "sum"),
        last_order_value=("amount", "last"),
        order_gap_mean=("gap", "mean"),
        order_gap_deviation=("gap", "std"),
        order_gap_longest=("gap", "max"),
    )
    newest = as_of - pd.Timedelta(days=1)
    rows["days_since_last_order"] = (newest - rows.pop("last")).dt.days
    rows["days_since_first_order"] = (newest - rows.pop("first")).dt.days
    for window in WINDOWS_DAYS:
        recent = past[past["day"] >= as_of - pd.Timedelta(days=window)]
        rows[f"order_days_{window}d"] = recent.groupby("customer_key").size()
    rows["average_order_value"] = rows["revenue_total"] / rows["order_days_total"]
    rows["units_per_order"] = rows["units_total"] / rows["order_days_total"]
    rows["overdue_ratio"] = rows["days_since_last_order"] / rows["order_gap_mean"]
    length = held_out_days if as_of == cutoff else (cutoff - as_of).days
    to_come = days[(days["day"] >= as_of) & (days["day"] < as_of + pd.Timedelta(days=length))]
    rows["label"] = to_come.groupby("customer_key").size() / length
    counts = ["label", *(f"order_days_{window}d" for window in WINDOWS_DAYS)]
    return rows.fillna(dict.fromkeys(counts, 0.0)).astype(float).assign(as_of=as_of).reset_index()
