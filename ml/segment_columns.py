"""What a feature space is made of: columns, and how each becomes a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.matrix import LARGEST, FeatureError, feature_matrix

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Scaling = Literal["robust", "standard"]
Fill = Literal["zero", "median"]
Transform = Literal["log", "share", "plain"]
WITHOUT_ORDERS_NAME = "browsers without orders"
PRIOR = 2.0
"""Observations that everybody's mean counts for, beside a customer's own."""


class NoSegments(ValueError):
    """There are too few customers, or too few distinct ones, to form segments."""


@dataclass(frozen=True)
class SpaceColumn:
    """One feature of a space, and how it becomes a number.

    Attributes
    ----------
    name : str
        Column of the frame.
    transform : {"log", "share", "plain"}
        ``sign(x) log(1 + abs(x) / unit)`` for amounts and counts, which are skewed;
        ``arcsin(sqrt(x))`` for shares of 0 to 1, whose noise it makes even; or nothing.
    fill : {"zero", "median"} or None
        What stands for a null. None: a customer with a null is held apart.
    unit : float, optional
        Unit of the log. None: the 5th percentile of the sizes above zero, so that pounds and
        pence give the same points.
    per : str, optional
        Divide by this column, as in price per line; null where it is not above zero.
    evidence : str, optional
        Column that counts what the value rests on, such as orders. The value is drawn towards the
        mean of all customers as if `PRIOR` observations more had it; a null is that mean.
    evidence_per : float
        Counts of the evidence that make one observation.
    role : str, optional
        What the column tells, for names and profiles: see `ml.segment_names.ROLES`.
    weight : float
        Multiplies the scaled column: how much it counts in distances. With 0 it only describes,
        and may be missing.
    """

    name: str
    transform: Transform = "log"
    fill: Fill | None = "zero"
    unit: float | None = None
    per: str | None = None
    evidence: str | None = None
    evidence_per: float = 1.0
    role: str | None = None
    weight: float = 1.0

    @property
    def label(self) -> str:
        """Name of the feature, its denominator included."""
        return self.name if self.per is None else f"{self.name} per {self.per}"

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of a frame that it reads."""
        return tuple(name for name in (self.name, self.per, self.evidence) if name)


@dataclass(frozen=True)
class SpaceSpec:
    """What a space is made of, before it has seen data; columns are kept in order of their names.

    Attributes
    ----------
    name : str
    columns : tuple of SpaceColumn
    orders : str, optional
        Column of orders or days with orders. Customers with a null, nothing above zero or less
        than ``least_orders`` are held apart (segment 0).
    least_orders : float
    apart_name : str
        Name of segment 0.
    scaling : {"robust", "standard"}
        Median and interquartile range, or mean and standard deviation.
    variance : float, optional
        Keep the principal components that hold this share of the variance; None: no PCA.
    """

    name: str
    columns: tuple[SpaceColumn, ...]
    orders: str | None = None
    least_orders: float = 0.0
    apart_name: str = WITHOUT_ORDERS_NAME
    scaling: Scaling = "robust"
    variance: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(sorted(self.columns, key=lambda c: c.label)))
        labels = [column.label for column in self.columns]
        if not any(column.weight > 0 for column in self.columns) or len(set(labels)) < len(labels):
            raise FeatureError(f"space {self.name}: columns must be there once each, not {labels}")
        if self.variance is not None and not 0 < self.variance <= 1:
            raise ValueError(f"space {self.name}: variance is a share, not {self.variance}")

    def column_of(self, role: str) -> str | None:
        """Name of the column that has a role, or None."""
        return next((c.name for c in self.columns if c.role == role), None)

    def read(
        self, frame: pd.DataFrame, columns: Sequence[SpaceColumn]
    ) -> tuple[Array, dict[int, Array], BoolArray]:
        """Read some of the columns.

        Returns
        -------
        values : float array, shape (n, len(columns)), column by column in memory
            With nulls as NaN.
        evidence : dict of float array, shape (n,)
            By position of the column: observations behind each value, where that counts.
        apart : bool array, shape (n,)
            Who is held apart.
        """
        needs = [name for column in columns for name in column.needs]
        names = dict.fromkeys([*needs, self.orders] if self.orders else needs)
        feature_matrix(frame.iloc[:0], list(names))
        apart = np.zeros(len(frame), dtype=bool)
        if self.orders:
            orders = _numbers(frame, self.orders)
            apart |= ~((orders > 0) & (orders >= self.least_orders))
        values = np.empty((len(frame), len(columns)), order="F")
        evidence = {}
        for i, column in enumerate(columns):
            values[:, i] = _numbers(frame, column.name)
            if column.per:
                below = _numbers(frame, column.per)
                values[:, i] /= np.where(below > 0, below, np.nan)
            if column.evidence:
                counts = np.nan_to_num(_numbers(frame, column.evidence))
                evidence[i] = np.maximum(counts, 0.0) / column.evidence_per
            if column.fill is None and column.weight > 0:
                apart |= np.isnan(values[:, i])
        return values, evidence, apart


def _numbers(frame: pd.DataFrame, name: str) -> Array:
    """A column as `ml.matrix.feature_matrix` reads it, without the copy row by row."""
    found = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    found = np.where(np.isfinite(found), found, np.nan)
    return np.clip(found, -LARGEST, LARGEST, out=found)


def plain_space(name: str, columns: Sequence[str], **options: Any) -> SpaceSpec:
    """Logged columns without roles, nulls as medians: any table of amounts and counts."""
    made = tuple(SpaceColumn(column, fill="median") for column in columns)
    return SpaceSpec(name, made, **options)
