"""What hysteresis costs and saves: flicker against delay, day by day over past dates.

    python -m tests.benchmarks.segment_borders                        (simulated market)
    python -m tests.benchmarks.segment_borders online_retail.parquet  (UCI Online Retail)

Segments by recency, order days and revenue are found once, at the first day, and customers are
followed every day after it, with each threshold of `ml.segment_hysteresis.settle`.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_hysteresis import settle
from ml.segments import Protocol, SegmentModel, fit_segments
from simulation import MarketConfig, simulate

IntArray = npt.NDArray[np.int64]
THRESHOLDS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
WINDOW_DAYS = 60
DAYS = 240
ONLINE_RETAIL = """
    select CustomerID::varchar as customer_key, InvoiceDate::date as day,
        sum(Quantity * UnitPrice) as revenue
    from read_parquet(?)
    where CustomerID is not null and Quantity > 0 and UnitPrice > 0
    group by all
"""
SIMULATED = """
    select orders.customer_ref as customer_key, ordered_at::date as day,
        sum(quantity * unit_price - discount) as revenue
    from read_parquet(? || '/orders/*/*.parquet') as orders
    inner join read_parquet(? || '/order_lines/*/*.parquet') as lines using (order_ref)
    where status = 'completed' and orders.customer_ref is not null
    group by all
"""


def order_days(path: str | None) -> pd.DataFrame:
    """One row per customer and day with an order: ``customer_key``, ``day``, ``revenue``."""
    connection = duckdb.connect(config={"threads": 1})
    if path is not None:
        return connection.execute(ONLINE_RETAIL, [path]).df()
    with tempfile.TemporaryDirectory() as name:
        landing = Path(name) / "landing"
        config = MarketConfig(customers=3_000, events=150_000, seed=11, end=date(2026, 9, 30))
        simulate(config, landing, Path(name) / "truth", datetime(2026, 10, 1))
        return connection.execute(SIMULATED, [str(landing), str(landing)]).df()


class History:
    """Recency, order days and revenue of every customer, as of each of the last days."""

    def __init__(self, rows: pd.DataFrame, days: int = DAYS) -> None:
        codes, keys = pd.factorize(rows["customer_key"])
        end = rows["day"].max()
        place = days - 1 - (end - rows["day"]).dt.days.to_numpy()
        shape = (len(keys), days)
        orders, revenue, last = np.zeros(shape), np.zeros(shape), np.full(shape, -np.inf)
        first = np.maximum(place + 1, 0)  # an order is seen from the next day on
        seen = first < days
        np.add.at(orders, (codes[seen], first[seen]), 1)
        np.add.at(revenue, (codes[seen], first[seen]), rows["revenue"].to_numpy()[seen])
        np.maximum.at(last, (codes[seen], first[seen]), place[seen])
        self.orders, self.revenue = orders.cumsum(axis=1), revenue.cumsum(axis=1)
        self.recency = np.arange(days) - np.maximum.accumulate(last, axis=1)
        self.keys, self.days = np.asarray(keys), days

    def as_of(self, day: int) -> pd.DataFrame:
        """Features at a day, one row per customer; those without an order have a null recency."""
        return pd.DataFrame(
            {
                "days_since_last_order": np.where(
                    self.orders[:, day] > 0, self.recency[:, day], np.nan
                ),
                "customer_key": self.keys,
                "order_days_total": self.orders[:, day],
                "revenue_total": self.revenue[:, day],
            }
        )


def distances(model: SegmentModel, customers: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Distances of customers to segments, shape (n, k); NaN rows for those held apart."""
    points = model.space.points(customers)
    placed = ~np.isnan(points).any(axis=1)
    found = np.full((len(points), model.k), np.nan)
    found[placed] = np.sqrt(model.assigner.squares(points[placed]))
    return found


def followed(history: History, model: SegmentModel, threshold: float) -> IntArray:
    """Position of each customer's segment on every day, shape (n, days); -1 without orders."""
    held = np.full(len(history.orders), -1, dtype=np.int64)
    found = np.empty((len(held), history.days), dtype=np.int64)
    for day in range(history.days):
        held = settle(distances(model, history.as_of(day)), held, threshold).position
        found[:, day] = held
    return found


def returns(path: IntArray, within: int) -> tuple[int, int]:
    """Customers with a move, and of them who were back where they left within so many days."""
    movers = flickering = 0
    for row in path:
        at = np.flatnonzero((row[1:] != row[:-1]) & (row[:-1] >= 0)) + 1
        movers += len(at) > 0
        flickering += any(
            later - early <= within and row[later] == row[early - 1]
            for early, later in itertools.pairwise(at)
        )
    return movers, flickering


def delays(nearest: IntArray, path: IntArray) -> tuple[npt.NDArray[np.float64], int]:
    """Days until customers who moved for good have moved, and how many had not in the window."""
    found, missed = [], 0
    for near, held in zip(nearest, path, strict=True):
        for at in np.flatnonzero((near[1:] != near[:-1]) & (near[:-1] >= 0)) + 1:
            after = slice(at, at + WINDOW_DAYS)
            if len(near[after]) < WINDOW_DAYS or (near[after] != near[at]).any():
                continue
            if held[at - 1] == near[at]:
                continue
            reached = np.flatnonzero(held[after] == near[at])
            if len(reached):
                found.append(float(reached[0]))
            else:
                missed += 1
    return np.array(found), missed


def main(path: str | None) -> None:
    """Print a row per threshold."""
    history = History(order_days(path))
    model = fit_segments(history.as_of(0), protocol=Protocol(bootstraps=5))
    print(f"{model.family}, {model.k} segments: {', '.join(model.names)}")
    nearest = followed(history, model, 0.0)
    placed = nearest >= 0
    for threshold in THRESHOLDS:
        held = followed(history, model, threshold)
        moves = ((held[:, 1:] != held[:, :-1]) & placed[:, :-1]).sum()
        movers, back = returns(held, WINDOW_DAYS)
        _, quickly = returns(held, 14)
        waited, missed = delays(nearest, held)
        print(
            f"{threshold:.2f}: {moves / placed.sum() * 365:.2f} moves a customer and year; of "
            f"movers {back / movers:.1%} came back within {WINDOW_DAYS} days, "
            f"{quickly / movers:.1%} within 14; true moves {len(waited) + missed}: delay median "
            f"{np.median(waited):.0f}, mean {waited.mean():.1f}, p90 {np.quantile(waited, 0.9):.0f}"
            f" days, {missed / (len(waited) + missed):.1%} later than {WINDOW_DAYS}; "
            f"{(held != nearest)[placed].mean():.1%} of days not in the nearest"
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
