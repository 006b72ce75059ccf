"""Reads a segmentation of the first format: K-means centroids in scaled log RFM, as one JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ml.segment_assigners import PrototypeAssigner
from ml.segment_columns import SpaceColumn, SpaceSpec
from ml.segment_model import QUANTILES, AtFit, SegmentModel, colour_for
from ml.segment_space import SegmentSpace


def read_first_format(record: dict[str, Any]) -> SegmentModel:
    """Build the model that an earlier version of Shoal wrote; it assigns as it did then.

    What that version did not know is null: the silhouette apart, nothing of the fit is known.
    """
    roles = zip(record["columns"], ("recency", "frequency", "value"), strict=True)
    columns = [
        SpaceColumn(name, unit=1.0, fill=None if role == "recency" else "zero", role=role)
        for name, role in roles
    ]
    spec = SpaceSpec("rfm", tuple(columns), orders=record["columns"][1], scaling="standard")
    # A space keeps its columns in order of their names.
    order = [record["columns"].index(column.name) for column in spec.columns]
    mean, scale = (np.array(record[name], dtype=float)[order] for name in ("mean", "scale"))
    ones, zeros = np.ones(len(order)), np.zeros(len(order))
    space = SegmentSpace(spec, ones, zeros, mean, scale, mean, scale)
    centroids = np.array(record["centroids"], dtype=float)[:, order]
    k = len(centroids)
    selection = pd.DataFrame(record["selection"])
    chosen = selection.loc[selection["chosen"], "silhouette"]
    ids = tuple(range(1, k + 1))
    return SegmentModel(
        space=space,
        family="kmeans",
        assigner=PrototypeAssigner.of(centroids, np.arange(k)),
        ids=ids,
        names=tuple(record["names"]),
        colours=tuple(map(colour_for, ids)),
        centroids=centroids * scale + mean,
        spreads=np.full(centroids.shape, np.nan),
        at_fit=AtFit(0, (np.nan,) * k, float(chosen.iloc[0]), (np.nan,) * len(QUANTILES)),
        selection=selection,
        seed=int(record["seed"]),
        next_id=k + 1,
    )
