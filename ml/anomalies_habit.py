"""A customer against their own habit: a day unlike all their days, and unlike anybody's.

What a customer did on a day is compared with their own days before it, by median and quartiles, so
that an odd day in the past changes little. An isolation forest has learnt which deviations, all
together, are usual among all customers, so that what everybody does now and then is not told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.anomalies import Finding
from ml.habit_forest import HabitForest

Array = npt.NDArray[np.float64]

RATES = (
    "events",
    "product_views",
    "searches",
    "carts_added",
    "logins",
    "logins_failed",
    "orders",
    "revenue",
    "support_contacts",
    "messages_opened",
)
"""What is counted, or summed, per customer and day."""
_QUARTILE_TO_SIGMA = 1.349


@dataclass(frozen=True)
class HabitSettings:
    """When a day is told.

    Attributes
    ----------
    days : active days that a customer must have before, to have a habit.
    sigmas : robust deviations above the median of the own days from which on it is told.
    """

    days: int = 8
    sigmas: float = 15.0


HABIT = HabitSettings()


def deviations(
    today: pd.DataFrame, before: pd.DataFrame, usual_amount: float, days: int = HABIT.days
) -> pd.DataFrame:
    """How far a day lies from a customer's own days, in robust standard deviations.

    Parameters
    ----------
    today : DataFrame
        One row per customer: ``customer_key`` and `RATES`.
    before : DataFrame
        The same per customer and earlier active day; what is not of a customer of ``today`` is
        not looked at.
    usual_amount : float
        What an order usually comes to (the median).
    days : int
        Customers with fewer earlier days are left out.

    Returns
    -------
    DataFrame, index ``customer_key``, columns `RATES`
        Value less median over the spread: quartile distance over 1.349, but never less than what
        chance makes of a rate like that: the root of the mean, at least of one happening; for
        revenue the most of any own day, at least one usual order.
    """
    rates = list(RATES)
    grouped = before[before["customer_key"].isin(today["customer_key"])].groupby("customer_key")
    counts = grouped.size()
    known = counts.index[counts >= days]
    values = today.set_index("customer_key")[rates].astype(float)
    values = values[values.index.isin(known)].fillna(0.0)
    low, middle, high = (
        grouped[rates].quantile(share).loc[values.index] for share in (0.25, 0.5, 0.75)
    )
    chance = grouped[rates].mean().loc[values.index].clip(lower=1.0) ** 0.5
    most = grouped["revenue"].max().loc[values.index].fillna(0.0)
    chance["revenue"] = most.clip(lower=max(usual_amount, 1.0))
    spread = ((high - low) / _QUARTILE_TO_SIGMA).clip(lower=chance)
    return (values - middle) / spread


def past_deviations(days: pd.DataFrame, usual_amount: float, newest: int = 10) -> Array:
    """Deviations of each customer's newest days from those before them, to learn from.

    Parameters
    ----------
    days : DataFrame
        ``customer_key``, ``activity_date`` and `RATES`, one row per customer and active day.
    newest : int
        Days per customer that are compared.

    Returns
    -------
    array of float, shape (rows, len(RATES))
    """
    ordered = days.sort_values(["customer_key", "activity_date"])
    age = ordered.groupby("customer_key").cumcount(ascending=False)
    parts = [
        deviations(ordered[age == back], ordered[age > back], usual_amount)
        for back in range(newest)
    ]
    rows: Array = np.vstack([part.to_numpy(dtype=np.float64) for part in parts])
    return rows


def habit_findings(
    today: pd.DataFrame,
    before: pd.DataFrame,
    forest: HabitForest,
    usual_amount: float,
    settings: HabitSettings = HABIT,
) -> list[Finding]:
    """Customers whose day is far above their own days, and odd by what all customers do.

    Parameters
    ----------
    today : DataFrame
        One row per customer: ``customer_key``, ``first_at``, ``last_at`` of the day, `RATES`.
    before : DataFrame
        ``customer_key`` and `RATES` per earlier active day of those customers.
    """
    found = deviations(today, before, usual_amount, settings.days)
    if found.empty:
        return []
    rows = found.to_numpy(dtype=np.float64)
    told = (rows.max(axis=1) >= settings.sigmas) & (forest.score(rows) >= forest.limit)
    days = today.set_index("customer_key").loc[found.index[told]]
    findings = []
    for number, row in enumerate(rows[told]):
        rate, sigmas = RATES[int(row.argmax())], float(row.max())
        value = float(days[rate].iloc[number])
        name = rate.replace("_", " ")
        findings.append(
            Finding(
                kind="unusual_behaviour",
                subject=str(days.index[number]),
                severity="medium",
                score=sigmas / settings.sigmas,
                unusual=f"{sigmas:.0f} robust standard deviations above the own days; "
                f"from {settings.sigmas:.0f} on it is told",
                since=days["first_at"].iloc[number],
                detected_at=days["last_at"].iloc[number],
                last_seen_at=days["last_at"].iloc[number],
                message=f"{value:,.0f} {name} in a day, unlike the customer's other days",
            )
        )
    return findings
