"""A customer against their own habit: a day unlike all their days, and unlike anybody's.

What a customer did on a day is compared with their own days before it, by median and quartiles, so
that an odd day in the past changes little. An isolation forest has learnt which deviations, all
together, are usual among all customers, so that what everybody does now and then is not told.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.anomalies import Finding

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
    rare_share : share of the days learnt from that the forest finds as odd or odder.
    trees, tree_rows : size of the forest.
    """

    days: int = 8
    sigmas: float = 15.0
    rare_share: float = 0.05
    trees: int = 100
    tree_rows: int = 256


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


@dataclass(frozen=True)
class HabitForest:
    """An isolation forest as arrays, shape (trees, nodes) each; judged without scikit-learn.

    Attributes
    ----------
    feature : column that a node asks for, -1 for a leaf.
    threshold : a row whose value is at most this goes left.
    left, right : numbers of the nodes below.
    length : how deep a leaf lies, with what its rows would have added.
    usual_length : what `length` is divided by (Liu, Ting and Zhou 2008, c of the rows per tree).
    limit : score from which on a day is rare.
    """

    feature: npt.NDArray[np.int64]
    threshold: Array
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    length: Array
    usual_length: float
    limit: float

    def score(self, rows: Array) -> Array:
        """Oddness of rows of deviations, shape (rows,): 0 to 1, half for the ordinary."""
        values = compressed(rows)
        tree = np.arange(len(self.feature))[None, :]
        node = np.zeros((len(values), len(self.feature)), dtype=np.int64)
        row = np.arange(len(values))[:, None]
        while True:
            asks = self.feature[tree, node]
            if (asks < 0).all():
                break
            goes_left = values[row, asks.clip(0)] <= self.threshold[tree, node]
            below = np.where(goes_left, self.left[tree, node], self.right[tree, node])
            node = np.where(asks < 0, node, below)
        mean_length = self.length[tree, node].mean(axis=1)
        score: Array = 2.0 ** (-mean_length / self.usual_length)
        return score

    def to_bytes(self) -> bytes:
        """The forest as a NumPy archive of plain arrays."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **vars(self))
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> HabitForest:
        """What `to_bytes` wrote; nothing in it is executed."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            parts = {name: arrays[name] for name in arrays.files}
        usual, limit = float(parts.pop("usual_length")), float(parts.pop("limit"))
        return cls(**parts, usual_length=usual, limit=limit)


def compressed(rows: Array) -> Array:
    """Deviations on a scale on which thousands are not far from hundreds, in single precision."""
    values: Array = np.arcsinh(np.asarray(rows, dtype=np.float64)).astype(np.float32)
    return values


def fit_forest(rows: Array, seed: int, settings: HabitSettings = HABIT) -> HabitForest:
    """Learn what deviations are usual.

    Parameters
    ----------
    rows : array of float, shape (days, len(RATES))
        Deviations of a sample of customers and days, as `deviations` gives them.
    """
    from sklearn.ensemble import IsolationForest

    model = IsolationForest(
        n_estimators=settings.trees,
        max_samples=min(settings.tree_rows, len(rows)),
        random_state=seed,
        n_jobs=1,
    ).fit(compressed(rows))
    trees = [estimator.tree_ for estimator in model.estimators_]
    nodes = max(tree.node_count for tree in trees)

    def padded(parts: Iterable[Array], fill: float) -> Array:
        return np.stack([np.pad(p, (0, nodes - len(p)), constant_values=fill) for p in parts])

    forest = HabitForest(
        feature=padded((tree.feature for tree in trees), -1).clip(-1).astype(np.int64),
        threshold=padded((tree.threshold for tree in trees), 0.0),
        left=padded((tree.children_left for tree in trees), -1).astype(np.int64),
        right=padded((tree.children_right for tree in trees), -1).astype(np.int64),
        length=padded((_lengths(tree) for tree in trees), 0.0),
        usual_length=float(usual_length(np.array([model.max_samples_]))[0]),
        limit=1.0,
    )
    limit = float(np.quantile(forest.score(rows), 1 - settings.rare_share))
    return HabitForest(**{**vars(forest), "limit": limit})


def _lengths(tree: Any) -> Array:
    """Depth of every node, and what the rows of a leaf would have added to it."""
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # a node comes before those below it
        for below in (tree.children_left[node], tree.children_right[node]):
            if below >= 0:
                depth[below] = depth[node] + 1
    lengths: Array = depth + usual_length(tree.n_node_samples)
    return lengths


def usual_length(rows: npt.ArrayLike) -> Array:
    """Mean length of an unsuccessful search in a binary tree of so many rows (Liu et al., 1)."""
    n = np.asarray(rows, dtype=np.float64)
    more = np.maximum(n, 3)
    lengths: Array = np.where(
        n <= 1,
        0.0,
        np.where(n == 2, 1.0, 2 * (np.log(more - 1) + np.euler_gamma) - 2 * (more - 1) / more),
    )
    return lengths


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
