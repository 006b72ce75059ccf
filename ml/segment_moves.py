"""Customers followed from one assignment to the next: where they are now, who moved, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.reasons import Phrase
from ml.segment_hysteresis import HYSTERESIS, NOBODY, Settled, settle
from ml.segment_model import WITHOUT_ORDERS, WITHOUT_ORDERS_NAME, SegmentModel
from ml.segment_reasons import move_reasons

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
BEHAVIOUR, RETRAINING = "behaviour", "retraining"
UNKNOWN_BEFORE = "the features of before are not on record"


@dataclass(frozen=True)
class Held:
    """Where customers were; all of length n.

    Attributes
    ----------
    segment_id : int array, shape (n,)
        -1 for a customer who has not been assigned yet.
    version : sequence of str or None
        Label of the segmentation that they were assigned by.
    values : sequence of (float array or None)
        Features of that segmentation at the time, in its order (`SegmentSpace.values`).
    """

    segment_id: IntArray
    version: Sequence[str | None]
    values: Sequence[Array | None]


@dataclass(frozen=True)
class Followed:
    """Where customers are.

    Attributes
    ----------
    assigned : DataFrame, n rows
        ``segment_id``, ``segment_name``, ``distance`` and ``margin`` (NaN for those held apart),
        ``second_id`` (0 for those), ``feature_values`` (None for those).
    moves : DataFrame, m rows
        ``row`` (position among the n), ``cause`` and ``why``.
    """

    assigned: pd.DataFrame
    moves: pd.DataFrame


def follow_customers(
    model: SegmentModel,
    version: str,
    features: pd.DataFrame,
    held: Held,
    earlier: Mapping[str, SegmentModel],
    catalogue: Mapping[str, Phrase],
    threshold: float = HYSTERESIS,
) -> Followed:
    """Assign customers, given where they were; see `ml.segment_hysteresis.settle`.

    A move after a change of the segmentation is of behaviour where the new one would have left
    the customer where they were, had their features not changed; else of retraining.

    Parameters
    ----------
    model, version : SegmentModel, str
        In force, and its label.
    features : DataFrame, n rows
    held : Held
    earlier : mapping of label to SegmentModel
        Segmentations that the customers were assigned by, as far as they are known.
    catalogue : mapping of feature to Phrase
    threshold : float
    """
    values = model.space.values(features)
    logged = model.space.logged(values)
    place = {number: i for i, number in enumerate(model.ids)}
    inside = np.array([place.get(int(number), NOBODY) for number in held.segment_id], dtype=int)
    settled, distances = _settle(model, logged, inside, threshold)
    ids = _ids(model, settled.position)
    rows = np.flatnonzero((held.segment_id != NOBODY) & (held.segment_id != ids))
    earlier = {**earlier, version: model}
    before, known = _before(model, held, rows, earlier)
    unmoved, _ = _settle(model, model.space.logged(before), inside[rows], threshold)
    stayed = known & (_ids(model, unmoved.position) == held.segment_id[rows])
    by_behaviour = stayed | np.array([held.version[row] == version for row in rows], dtype=bool)
    reasons = [
        [UNKNOWN_BEFORE] if behaved else [_refitted(model, int(held.segment_id[row]))]
        for row, behaved in zip(rows, by_behaviour, strict=True)
    ]
    told = np.flatnonzero(by_behaviour & known)
    said = move_reasons(
        before[told],
        values[rows[told]],
        model.space,
        model.centroids[inside[rows[told]]],
        model.centroids[settled.position[rows[told]]],
        catalogue,
    )
    for i, words in zip(told, said, strict=True):
        reasons[i] = words
    causes = np.where(by_behaviour, BEHAVIOUR, RETRAINING)
    assigned = pd.DataFrame(
        {
            "segment_id": ids,
            "segment_name": _named(model, settled.position),
            "distance": distances[np.arange(len(ids)), np.maximum(settled.position, 0)],
            "margin": settled.margin,
            "second_id": _ids(model, settled.second),
            "feature_values": [None if np.isnan(row).any() else row for row in values],
        },
        index=features.index,
    )
    return Followed(assigned, pd.DataFrame({"row": rows, "cause": causes, "why": reasons}))


def _before(
    model: SegmentModel, held: Held, rows: IntArray, versions: Mapping[str, SegmentModel]
) -> tuple[Array, BoolArray]:
    """Features of rows at their last assignment as the model's own, shape (m, d); if known, (m,).

    NaN rows: held apart then, or not known.
    """
    before = np.full((len(rows), len(model.space.columns)), np.nan)
    known = held.segment_id[rows] == WITHOUT_ORDERS
    for i, row in enumerate(rows):
        source, values = versions.get(held.version[row] or ""), held.values[row]
        if source is not None and values is not None and len(values) == len(source.space.columns):
            logged = source.space.translated(source.space.logged(values[None]), model.space)
            before[i], known[i] = model.space.unlogged(logged)[0], True
    return before, known


def _refitted(model: SegmentModel, segment_id: int) -> str:
    if segment_id in model.ids or segment_id == WITHOUT_ORDERS:
        return "the segments were fitted again, and their border moved"
    return "the segments were fitted again, and the one left is retired"


def _settle(
    model: SegmentModel, logged: Array, inside: IntArray, threshold: float
) -> tuple[Settled, Array]:
    """Settled positions and distances, shape (n, k)."""
    placed = ~np.isnan(logged).any(axis=1)
    distances = np.full((len(logged), len(model.ids)), np.nan)
    points = model.space.located(logged[placed])
    distances[placed] = np.sqrt(model.assigner.squares(points))
    return settle(distances, inside, threshold), distances


def _ids(model: SegmentModel, position: IntArray) -> IntArray:
    return np.array([*model.ids, WITHOUT_ORDERS], dtype=np.int64)[position]


def _named(model: SegmentModel, position: IntArray) -> npt.NDArray[np.object_]:
    return np.array([*model.names, WITHOUT_ORDERS_NAME], dtype=object)[position]
