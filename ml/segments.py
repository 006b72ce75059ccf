"""Segments of customers: several families of clusterings judged alike, one chosen and named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_assigners import PrototypeAssigner, assign
from ml.segment_centres import continued
from ml.segment_choice import Protocol
from ml.segment_columns import NoSegments, SpaceColumn, SpaceSpec, plain_space
from ml.segment_model import QUANTILES, AtFit, SegmentModel, colour_for
from ml.segment_names import name_segments
from ml.segment_profile import effects
from ml.segment_quality import distance_matrix, silhouettes
from ml.segment_sample import canonical_order, even_rows
from ml.segment_selection import Outcomes, select
from ml.segment_space import SegmentSpace, fit_space
from ml.segment_spaces import HABITS, RFM, SPACES, rfm_space
from ml.segment_stability import compare_months

__all__ = [
    "HABITS",
    "RFM",
    "SPACES",
    "NoSegments",
    "Protocol",
    "SegmentModel",
    "SpaceColumn",
    "SpaceSpec",
    "fit_segments",
    "plain_space",
    "rfm_space",
]

Array = npt.NDArray[np.float64]
SPEND, CHURNED = "next_spend", "churned"


def fit_segments(
    frame: pd.DataFrame,
    spec: SpaceSpec = RFM,
    protocol: Protocol | None = None,
    *,
    earlier: pd.DataFrame | None = None,
    outcomes: pd.DataFrame | None = None,
    incumbent: SegmentModel | None = None,
    seed: int = 0,
) -> SegmentModel:
    """Find segments: fit every family on an even sample of customers, choose, place everyone.

    Parameters
    ----------
    frame : DataFrame, n rows
        One row per customer, in any order of rows and columns.
    spec : SpaceSpec
        What customers are compared by.
    protocol : Protocol, optional
        What is tried and how it is chosen: see `ml.segment_selection`.
    earlier : DataFrame, optional
        Features of the customers of a month before. Adds the stability over months.
    outcomes : DataFrame, optional
        Features at a past date, with ``next_spend`` (spend in the period that followed), or
        ``churned`` (1 where nothing was bought in it), or both. Adds the usefulness.
    incumbent : SegmentModel, optional
        The segmentation in force. Its family and number of groups stay unless others are clearly
        better, and K-means goes on from its centres. Ids and names are those of a new model all
        the same.
    seed : int

    Returns
    -------
    SegmentModel
        Ids from 1 by falling value (by falling size where the space has no column of value).

    Raises
    ------
    NoSegments
        Too few distinct customers, or no candidate is eligible.
    """
    from threadpoolctl import threadpool_limits

    protocol = protocol or Protocol()
    if incumbent is not None:
        protocol = replace(protocol, incumbent=(incumbent.family, incumbent.k))
    # Sums over several threads come in any order: one thread gives the same bytes every time.
    with threadpool_limits(1):
        space = fit_space(frame, spec)
        logged = space.logged(frame)
        logged = _sorted_by_value(space, logged[~np.isnan(logged).any(axis=1)])
        points = space.located(logged)
        family, fitted, table = select(
            points,
            protocol,
            outcomes=None if outcomes is None else _outcomes(space, outcomes),
            months=None if earlier is None else compare_months(frame, earlier, space, seed=seed),
            seed=seed,
        )
        assigner = fitted.assigner
        k = assigner.groups
        if incumbent is not None and isinstance(assigner, PrototypeAssigner):
            same = (incumbent.family, incumbent.k) == (family.name, k)
            if same and family.name == "kmeans":
                assigner = continued(points, incumbent.centroids_in(space), assigner)
        found = assign(assigner, points)
        sizes = np.bincount(found.group, minlength=k)
        members = [logged[found.group == group] for group in range(k)]
        centroids = np.array([rows.mean(axis=0) for rows in members])
        spreads = np.array([rows.std(axis=0) for rows in members])
        sample = even_rows(len(points), 4_000, seed)
        silhouette = silhouettes(distance_matrix(points[sample]), found.group[sample]).mean()
    order = _by_value(space, centroids, sizes)
    at_fit = AtFit(
        customers=len(points),
        shares=tuple((sizes[order] / len(points)).tolist()),
        silhouette=float(silhouette),
        distances=tuple(np.quantile(found.distance, QUANTILES).tolist()),
    )
    ids = tuple(range(1, k + 1))
    return SegmentModel(
        space=space,
        family=family.name,
        assigner=assigner.reordered(order),
        ids=ids,
        names=name_segments(effects(space, centroids[order])),
        colours=tuple(map(colour_for, ids)),
        centroids=centroids[order],
        spreads=spreads[order],
        at_fit=at_fit,
        selection=table,
        seed=seed,
        next_id=k + 1,
    )


def _sorted_by_value(space: SegmentSpace, logged: Array) -> Array:
    """Rows in an order of their own, by value first, so that even samples have all sizes."""
    value = _value_column(space)
    return logged[canonical_order(logged, None if value is None else logged[:, value])]


def _value_column(space: SegmentSpace) -> int | None:
    roles = [column.role for column in space.spec.columns]
    return roles.index("value") if "value" in roles else None


def _by_value(space: SegmentSpace, centroids: Array, sizes: npt.NDArray[np.int64]) -> list[int]:
    value = _value_column(space)
    key = -sizes if value is None else -centroids[:, value]
    return [int(i) for i in np.argsort(key, kind="stable")]


def _outcomes(space: SegmentSpace, outcomes: pd.DataFrame, rows: int = 4_000) -> Outcomes | None:
    """Past customers that can be placed, sampled and shuffled by their own values."""
    known = [name for name in (SPEND, CHURNED) if name in outcomes.columns]
    if not known:
        raise ValueError(f"outcomes: neither {SPEND} nor {CHURNED} among {list(outcomes.columns)}")
    points = space.points(outcomes)
    results = outcomes[known].to_numpy(dtype=float)
    usable = ~np.isnan(points).any(axis=1) & ~np.isnan(results).any(axis=1)
    points, results = points[usable], results[usable]
    if not len(points):
        return None
    order = canonical_order(np.column_stack([points, results]))
    order = order[even_rows(len(order), rows)]
    points, results = points[order], results[order]
    columns = {name: results[:, i] for i, name in enumerate(known)}
    return Outcomes(points, columns.get(SPEND), columns.get(CHURNED))
