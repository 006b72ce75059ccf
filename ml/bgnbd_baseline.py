"""BG/NBD and Gamma-Gamma as baselines: what purchase dates and amounts alone foretell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.bgnbd import BGNBD, NotEnoughRepeatBuyers, fit_bgnbd
from ml.gamma_gamma import GammaGamma, fit_gamma_gamma
from ml.task import Task

Array = npt.NDArray[np.float64]
PURCHASES = ("days_since_first_order", "days_since_last_order", "order_days_total")
SPEND = "revenue_total"
DAY_SECONDS = 86_400
MOST_CUSTOMERS = 20_000
"""Customers that the parameters are learnt from; more only cost time."""


def bgnbd_scores(
    frame: pd.DataFrame,
    label: Array,
    known: npt.NDArray[np.bool_],
    test: npt.NDArray[np.bool_],
    task: Task,
    horizon_days: int,
) -> dict[str, Array]:
    """Score the test rows by models fitted on what was known at the test cutoff.

    The unit of a purchase is a day with an order. The models see every customer of the frame as
    of the test cutoff, those who have dropped out of the population included: who is not there
    any more has bought nothing since. Customers who were gone before the first date of the frame
    are missing, which overrates loyalty a little where the history is long.

    Parameters
    ----------
    frame : DataFrame, n rows
        ``customer_key``, ``as_of`` and features; no date is later than that of the test rows.
    label : float array, shape (n,)
        Labels; read of the known rows only.
    known, test : bool array, shape (n,)
        Rows whose label is known at the test cutoff, and rows to score.
    task : Task
        Whether somebody buys gets ``bgnbd``, what they spend gets ``bgnbd_spend``.
    horizon_days : int

    Returns
    -------
    scores : dict of str to float array, shape (rows to score,)
        Empty for activity, where a column is missing, and where too few customers bought
        again. Rows of customers without an order get the mean label of such rows in the past.
    """
    is_spend = task.outcome == "spend"
    needed = (*PURCHASES, SPEND) if is_spend else PURCHASES
    if task.outcome == "no activity" or not set(needed) <= set(frame.columns):
        return {}
    frame = frame[["customer_key", "as_of", *needed]]
    cutoff = frame.loc[test, "as_of"].max()
    newest = frame.sort_values("as_of", kind="stable").drop_duplicates("customer_key", keep="last")
    try:
        purchases, spend = _fit(_statistics(newest, cutoff), with_spend=is_spend)
    except NotEnoughRepeatBuyers:
        return {}
    never = frame["days_since_last_order"].isna().to_numpy()
    scores = np.full(len(frame), label[known & never].mean() if (known & never).any() else 0.0)
    bought = test & ~never
    now = _statistics(frame[bought], cutoff)
    counts = (now["frequency"], now["recency"], now["age"])
    if spend is None:
        buys = purchases.probability_of_purchase(horizon_days, *counts)
        scores[bought] = 1 - buys if task.outcome == "no purchase" else buys
        return {"bgnbd": scores[test]}
    expected = purchases.expected_purchases(horizon_days, *counts)
    scores[bought] = expected * _expected_spend(spend, now)
    return {"bgnbd_spend": scores[test]}


def _statistics(rows: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Sufficient statistics of the buyers among some rows, in days as of the cutoff.

    Recency counts whole days, from the day of the first order to that of the last.
    """
    buyers = rows[rows["days_since_last_order"].notna()]
    first, last, days = (buyers[name].astype(float) for name in PURCHASES)
    spend = buyers[SPEND].astype(float) if SPEND in buyers else np.nan
    return pd.DataFrame(
        {
            "frequency": days - 1,
            "recency": np.floor(first - last + 1e-6),
            "age": first + (cutoff - buyers["as_of"]).dt.total_seconds() / DAY_SECONDS,
            "order_days": days,
            "mean_spend": spend / days,
        }
    )


def _fit(customers: pd.DataFrame, *, with_spend: bool) -> tuple[BGNBD, GammaGamma | None]:
    some = customers.iloc[:: max(1, -(-len(customers) // MOST_CUSTOMERS))]
    purchases = fit_bgnbd(some["frequency"], some["recency"], some["age"])
    if not with_spend:
        return purchases, None
    paying = some[some["mean_spend"] > 0]
    return purchases, fit_gamma_gamma(paying["order_days"], paying["mean_spend"])


def _expected_spend(model: GammaGamma, customers: pd.DataFrame) -> Array:
    """Spend per order day; the mean of all customers for those whose orders cost nothing."""
    spend = np.full(len(customers), model.population_mean)
    paying = (customers["mean_spend"] > 0).to_numpy()
    some = customers[paying]
    spend[paying] = model.expected_spend(some["order_days"], some["mean_spend"])
    return spend
