"""A trained segmentation: centroids, names, and the segment of any customer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.matrix import feature_matrix

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
WITHOUT_ORDERS = 0
WITHOUT_ORDERS_NAME = "browsers without orders"


@dataclass(frozen=True)
class SegmentModel:
    """Centroids of segments in scaled log RFM space.

    Segments are numbered from 1 by falling mean money; 0 is the customers without any order,
    who are held outside K-means.

    Attributes
    ----------
    columns : tuple of str, length 3
        Recency (days), frequency (orders or order days), monetary (spend).
    mean, scale : float array, shape (3,)
        Of the logged columns.
    centroids : float array, shape (k, 3)
        Row i belongs to segment i + 1.
    names : tuple of str, length k
    selection : DataFrame
        One row per k tried: ``k``, ``silhouette``, ``smallest_share``, ``eligible``, ``chosen``.
    seed : int
    """

    columns: tuple[str, str, str]
    mean: Array
    scale: Array
    centroids: Array
    names: tuple[str, ...]
    selection: pd.DataFrame
    seed: int

    @property
    def k(self) -> int:
        """Number of segments of customers with orders."""
        return len(self.centroids)

    def transform(self, frame: pd.DataFrame) -> Array:
        """Scaled logs of the RFM columns, shape (n, 3); NaN rows for customers without orders."""
        return np.asarray((logged_rfm(frame, self.columns) - self.mean) / self.scale)

    def assign(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Assign each row to its nearest centroid.

        Parameters
        ----------
        frame : DataFrame, n rows

        Returns
        -------
        assigned : DataFrame, n rows, index of `frame`
            ``segment_id`` (0 to k), ``segment_name``, ``distance`` (standard deviations of the
            logged columns; NaN for segment 0).
        """
        points = self.transform(frame)
        with_orders = ~np.isnan(points).any(axis=1)
        ids = np.full(len(points), WITHOUT_ORDERS, dtype=np.int64)
        distance = np.full(len(points), np.nan)
        nearest, distance[with_orders] = _nearest(points[with_orders], self.centroids)
        ids[with_orders] = nearest + 1
        names = np.array([WITHOUT_ORDERS_NAME, *self.names], dtype=object)
        return pd.DataFrame(
            {"segment_id": ids, "segment_name": names[ids], "distance": distance},
            index=frame.index,
        )

    def name_of(self, segment_id: int) -> str:
        """Return the name of a segment, 0 included."""
        return (WITHOUT_ORDERS_NAME, *self.names)[segment_id]

    def profile(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Size and means of each segment over a frame: one row per segment that has members.

        Returns
        -------
        table : DataFrame
            ``segment_id``, ``segment_name``, ``customers``, ``share`` (of customers), and
            ``mean_recency`` (days), ``mean_frequency``, ``mean_monetary``, ``monetary_share``.
        """
        rows = self.assign(frame)[["segment_id", "segment_name"]].copy()
        matrix = feature_matrix(frame, self.columns)
        for i, name in enumerate(("recency", "frequency", "monetary")):
            rows[name] = matrix[:, i]
        table = rows.groupby(["segment_id", "segment_name"], as_index=False).agg(
            customers=("segment_id", "size"),
            mean_recency=("recency", "mean"),
            mean_frequency=("frequency", "mean"),
            mean_monetary=("monetary", "mean"),
            total=("monetary", "sum"),
        )
        table.insert(3, "share", table["customers"] / max(len(rows), 1))
        total = float(table["total"].sum())
        table["monetary_share"] = table.pop("total") / (total if total else np.nan)
        return table

    def renumbered(self, order: Sequence[int], names: Sequence[str] | None = None) -> SegmentModel:
        """Return the same segments in another order, as when matched to an older model.

        Parameters
        ----------
        order : sequence of int, length k
            Present ids, in the order of the new ids 1 to k.
        names : sequence of str, optional
            Names by new id; default: the names move along.
        """
        if sorted(order) != list(range(1, self.k + 1)):
            raise ValueError(f"order must hold each of 1 to {self.k} once, not {list(order)}")
        index = [i - 1 for i in order]
        kept = tuple(names) if names is not None else tuple(self.names[i] for i in index)
        return replace(self, centroids=self.centroids[index], names=kept)

    def to_json(self) -> str:
        """Return everything as one JSON text."""
        record: dict[str, Any] = {
            "format": 1,
            "columns": list(self.columns),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "centroids": self.centroids.tolist(),
            "names": list(self.names),
            "selection": {c: self.selection[c].tolist() for c in self.selection.columns},
            "seed": self.seed,
        }
        return json.dumps(record, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> SegmentModel:
        """Rebuild what `to_json` returned."""
        record = json.loads(text)
        recency, frequency, monetary = record["columns"]
        return cls(
            columns=(recency, frequency, monetary),
            mean=np.array(record["mean"]),
            scale=np.array(record["scale"]),
            centroids=np.array(record["centroids"]),
            names=tuple(record["names"]),
            selection=pd.DataFrame(record["selection"]),
            seed=int(record["seed"]),
        )


def logged_rfm(frame: pd.DataFrame, columns: tuple[str, str, str]) -> Array:
    """Log1p of the RFM columns, shape (n, 3); NaN rows where there is no order."""
    matrix = feature_matrix(frame, columns)
    without = np.isnan(matrix[:, 0]) | ~(matrix[:, 1] > 0)
    logged = np.log1p(np.maximum(np.nan_to_num(matrix, nan=0.0), 0.0))
    logged[without] = np.nan
    return logged


def _nearest(points: Array, centroids: Array) -> tuple[IntArray, Array]:
    """Index of and distance to the nearest centroid: two arrays of shape (n,)."""
    squares = np.column_stack([((points - c) ** 2).sum(axis=1) for c in centroids])
    nearest = squares.argmin(axis=1).astype(np.int64)
    return nearest, np.sqrt(squares[np.arange(len(points)), nearest])
