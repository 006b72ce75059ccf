"""An adapter: public tables of single rows as training frames of the estimators.

A table in time order is cut into ten dates as it stands, one without time is shuffled first. The
last three dates, 30 % of the rows, are predicted each by a model that learnt from all dates
before; the one just before it chooses the rounds. A row is its own customer, and its label is
known the day after. Columns of words become one column per word (the estimators take numbers
only); yes and no become 1 and 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ml.backtest import Backtest, backtest
from ml.task import Task

DATA = Path(__file__).parents[3] / "shared/data/tabular"
DATES, ORIGINS = 10, 3
FIRST_DATE = pd.Timestamp("2020-01-01")


@dataclass(frozen=True)
class TabularSet:
    """A table, what it asks, and how it is split.

    Attributes
    ----------
    name : str
        File, without its ending.
    label : str
        Column of yes and no.
    baseline : str
        Feature that the one-feature baseline learns from.
    in_time_order : bool
        The rows stand in the order in which they happened. Otherwise they are shuffled.
    without : tuple of str
        Columns left out.
    clean : callable
        Makes numbers of columns that the file has as text.
    """

    name: str
    label: str
    baseline: str
    in_time_order: bool
    without: tuple[str, ...] = ()
    clean: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table

    def judged(self, seed: int = 0) -> Backtest:
        """Predict the last dates, each from those before."""
        task = Task(
            name=self.name,
            outcome="purchase",
            horizon="purchase",
            population="buyers",
            baseline_columns=(self.baseline,),
            score_column="probability",
            description=f"Probability of {self.label}.",
            title=self.label,
            meaning=f"The probability of {self.label}.",
        )
        return backtest(
            self.frame(seed),
            task,
            horizon_days=1,
            origins=ORIGINS,
            seed=seed,
            num_threads=1,
        )

    def frame(self, seed: int = 0) -> pd.DataFrame:
        """The table as a training frame: one row per row of the file."""
        table = self.clean(pd.read_parquet(DATA / f"{self.name}.parquet"))
        if not self.in_time_order:
            table = table.sample(frac=1, random_state=seed)
        label = table[self.label].isin(["Yes", "yes", True]).astype(int)
        names = table.drop(columns=[self.label, *self.without])
        features = pd.get_dummies(names.apply(_as_numbers), dtype=float)
        return features.astype(float).assign(
            customer_key=[f"{number:06d}" for number in range(len(table))],
            as_of=FIRST_DATE
            + pd.to_timedelta(np.arange(len(table)) * DATES // len(table), unit="D"),
            label=label.to_numpy(),
        )


def _as_numbers(column: pd.Series) -> pd.Series:
    """Yes and no as 1 and 0; other columns as they are."""
    known = set(column.unique())
    if known <= {"Yes", "No"} or known <= {"yes", "no"}:
        return column.str.lower().eq("yes").astype(float)
    return column


def _months_in_order(table: pd.DataFrame) -> pd.DataFrame:
    """All sessions are of one year; within a month the file keeps no order."""
    months = ["Feb", "Mar", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return table.iloc[np.argsort(table["Month"].map(months.index), kind="stable")]


def _charges(table: pd.DataFrame) -> pd.DataFrame:
    """A customer of the first month has no total yet."""
    return table.assign(TotalCharges=pd.to_numeric(table["TotalCharges"], errors="coerce"))


TELCO = TabularSet("telco", "Churn", "tenure", False, ("customerID",), _charges)
# a month of the test is never one of training: as a feature it would mean nothing
SHOPPERS = TabularSet(
    "online_shoppers", "Revenue", "ProductRelated", True, ("Month",), _months_in_order
)
SHOPPERS_EARLY = TabularSet(
    "online_shoppers",
    "Revenue",
    "ProductRelated",
    True,
    ("Month", "PageValues"),
    _months_in_order,
)
BANK = TabularSet("bank_marketing", "y", "euribor3m", True, ("duration",))
SHOPPERS_SHUFFLED = TabularSet("online_shoppers", "Revenue", "ProductRelated", False)
BANK_SHUFFLED = TabularSet("bank_marketing", "y", "euribor3m", False, ("duration",))
