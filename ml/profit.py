"""Whom to contact: thresholds from a cost table, and the profit that they come to.

Contacting a customer costs `contact_cost`. One who would otherwise leave (buy nothing, and so on:
label 1) is saved with probability `save_rate`, and is then worth `value_kept`. So the expected
profit of a contact is ``p * save_rate * value_kept - contact_cost``, which is above zero where the
probability is above ``contact_cost / (save_rate * value_kept)`` (Elkan 2001). That needs
probabilities that are calibrated; the profit on labels shows whether they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.intervals import Array, bootstrap_weights, limits


@dataclass(frozen=True)
class CostTable:
    """What a contact costs and may bring, in one unit of money.

    Attributes
    ----------
    contact_cost : float
        Cost of one contact, at least 0.
    value_kept : float
        Value of one saved customer, above 0.
    save_rate : float
        Share of contacted customers of label 1 who are saved, above 0 to 1.
    """

    contact_cost: float
    value_kept: float
    save_rate: float

    def __post_init__(self) -> None:
        """Refuse costs that have no meaning."""
        if not (np.isfinite(self.contact_cost) and self.contact_cost >= 0):
            raise ValueError(f"contact_cost must be at least 0, not {self.contact_cost}")
        if not (np.isfinite(self.value_kept) and self.value_kept > 0):
            raise ValueError(f"value_kept must be above 0, not {self.value_kept}")
        if not 0 < self.save_rate <= 1:
            raise ValueError(f"save_rate must be above 0 and at most 1, not {self.save_rate}")

    @property
    def threshold(self) -> float:
        """Probability above which a contact pays; above 1 none does."""
        return self.contact_cost / (self.save_rate * self.value_kept)

    def profit(self, outcome: npt.ArrayLike) -> Array:
        """Profit of contacting customers with these probabilities or labels, shape kept."""
        gain = self.save_rate * self.value_kept * np.asarray(outcome, dtype=float)
        return np.asarray(gain - self.contact_cost)


@dataclass(frozen=True)
class Decision:
    """Contacting everyone above the threshold, on customers whose outcome is known.

    Attributes
    ----------
    threshold : float
        Probability above which a contact is expected to pay.
    contacted : int
        Customers above it.
    share : float
        Of all customers.
    expected, realised : float
        Profit by the probabilities, and by the labels.
    low, high : float
        95 % interval of the realised profit, drawn by customer.
    everyone : float
        Realised profit of contacting all; contacting nobody brings 0.
    best : float
        Highest realised profit of any share, known only afterwards.
    """

    threshold: float
    contacted: int
    share: float
    expected: float
    realised: float
    low: float
    high: float
    everyone: float
    best: float


def profit_curve(
    label: npt.ArrayLike, probability: npt.ArrayLike, costs: CostTable, points: int = 200
) -> pd.DataFrame:
    """Profit over the share of customers contacted, highest probability first.

    Parameters
    ----------
    label, probability : array-like, shape (n,)
        What happened (0 or 1), and calibrated probabilities of 1.
    costs : CostTable
    points : int, default 200
        Rows to return at most, beside that of nobody.

    Returns
    -------
    curve : DataFrame
        ``contacted`` (customers), ``share``, ``probability`` (of the last one contacted; 1 for
        nobody), ``expected`` and ``realised`` profit in the unit of the costs.
    """
    y, p = _checked(label, probability)
    order = np.argsort(-p, kind="stable")
    contacted = np.unique(np.linspace(0, len(p), min(points, len(p)) + 1).round().astype(int))
    sums = [np.r_[0.0, np.cumsum(costs.profit(x[order]))][contacted] for x in (p, y)]
    return pd.DataFrame(
        {
            "contacted": contacted,
            "share": contacted / len(p),
            "probability": np.r_[1.0, p[order]][contacted],
            "expected": sums[0],
            "realised": sums[1],
        }
    )


def decide(
    label: npt.ArrayLike,
    probability: npt.ArrayLike,
    costs: CostTable,
    *,
    clusters: npt.ArrayLike | None = None,
    rounds: int = 200,
    seed: int = 0,
) -> Decision:
    """Contact everyone whose expected profit is above zero, and see what it brought.

    Parameters
    ----------
    label, probability : array-like, shape (n,)
        What happened (0 or 1), and calibrated probabilities of 1.
    costs : CostTable
    clusters : array-like, shape (n,), optional
        Customer of each row, when a customer has several.
    rounds, seed : int
        Bootstrap samples of the interval and their seed.

    Returns
    -------
    Decision
    """
    y, p = _checked(label, probability)
    chosen = p > costs.threshold
    profit = costs.profit(y)
    realised = np.where(chosen, profit, 0.0)
    drawn = [weights @ realised for weights in bootstrap_weights(len(y), rounds, seed, clusters)]
    low, high = limits(np.concatenate(drawn))
    order = np.argsort(-p, kind="stable")
    return Decision(
        threshold=costs.threshold,
        contacted=int(chosen.sum()),
        share=float(chosen.mean()),
        expected=float(costs.profit(p[chosen]).sum()),
        realised=float(realised.sum()),
        low=low,
        high=high,
        everyone=float(profit.sum()),
        best=float(max(0.0, np.cumsum(profit[order]).max())),
    )


def _checked(label: npt.ArrayLike, probability: npt.ArrayLike) -> tuple[Array, Array]:
    y, p = np.asarray(label, dtype=float), np.asarray(probability, dtype=float)
    if y.shape != p.shape or y.ndim != 1 or not len(y):
        raise ValueError(f"labels {y.shape} and probabilities {p.shape} must be equal vectors")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("labels must be 0 or 1")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("probabilities must be from 0 to 1")
    return y, p
