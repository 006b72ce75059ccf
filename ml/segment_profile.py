"""What sets each segment apart, and how large and valuable it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.matrix import feature_matrix
from ml.segment_space import SegmentSpace

if TYPE_CHECKING:
    from ml.segment_model import SegmentModel

Array = npt.NDArray[np.float64]
MEANS = (("recency", "recency"), ("frequency", "frequency"), ("value", "monetary"))


class Effects(NamedTuple):
    """How far segments lie from all customers: arrays in the order of the features.

    ``values`` has shape (k, d), in standard deviations of the customers' (logged) values; ``roles``
    and ``labels`` say what each feature is.
    """

    values: Array
    roles: tuple[str | None, ...]
    labels: tuple[str, ...]


def effects(space: SegmentSpace, centroids: Array) -> Effects:
    """Distances of centroids, shape (k, d) and logged, from the mean customer."""
    spread = np.where(space.deviation > 0, space.deviation, 1.0)
    roles = tuple(column.role for column in space.spec.columns)
    return Effects((centroids - space.mean) / spread, roles, space.columns)


def traits(model: SegmentModel) -> pd.DataFrame:
    """What sets each segment apart, as of the fit: one row per segment and feature.

    Returns
    -------
    table : DataFrame
        ``segment_id``, ``segment_name``, ``feature``, ``role``, ``typical`` and ``typical_of_all``
        (in the feature's own unit; geometric means where it is logged), ``effect`` (standard
        deviations of all customers between the two), strongest first within a segment.
    """
    space = model.space
    found = effects(space, model.centroids)
    typical = space.unlogged(model.centroids)
    of_all = space.unlogged(space.mean[None])[0]
    rows = [
        {
            "segment_id": model.ids[i],
            "segment_name": model.names[i],
            "feature": found.labels[j],
            "role": found.roles[j],
            "typical": typical[i, j],
            "typical_of_all": of_all[j],
            "effect": found.values[i, j],
        }
        for i in range(model.k)
        for j in np.argsort(-np.abs(found.values[i]), kind="stable")
    ]
    return pd.DataFrame(rows)


def profile(model: SegmentModel, frame: pd.DataFrame) -> pd.DataFrame:
    """Size and means of each segment over a frame: one row per segment that has members.

    Parameters
    ----------
    model : SegmentModel
    frame : DataFrame, n rows

    Returns
    -------
    table : DataFrame
        ``segment_id``, ``segment_name``, ``customers``, ``share`` (of customers), ``mean_recency``
        (days), ``mean_frequency``, ``mean_monetary`` and ``monetary_share`` where the space has
        columns of these roles, and the mean of every other feature under its own name; null where
        no member has a value.
    """
    rows = model.assign(frame)[["segment_id", "segment_name"]].copy()
    spec = model.space.spec
    roles = {spec.column_of(role): f"mean_{name}" for role, name in MEANS}
    names = [name for column in spec.columns for name in column.needs if name in frame.columns]
    matrix = feature_matrix(frame, list(dict.fromkeys(names)))
    for i, name in enumerate(dict.fromkeys(names)):
        rows[roles.get(name, name)] = matrix[:, i]
    grouped = rows.groupby(["segment_id", "segment_name"])
    table = grouped.mean()
    table.insert(0, "customers", grouped.size())
    table.insert(1, "share", table["customers"] / max(len(rows), 1))
    if "mean_monetary" in table:
        sums = grouped["mean_monetary"].sum()
        total = float(sums.sum())
        place = list(table.columns).index("mean_monetary") + 1
        table.insert(place, "monetary_share", sums / (total if total else np.nan))
    return table.reset_index()
