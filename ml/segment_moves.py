"""Customers followed from one assignment to the next: where they are now, who moved, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.matrix import feature_matrix
from ml.reasons import Phrase
from ml.segment_hysteresis import HYSTERESIS, NOBODY, Settled, settle
from ml.segment_model import APART, SegmentModel
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
        Their features at the time: `features_kept` of that segmentation.
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
        ``second_id`` (0 for those), ``feature_values`` (of `features_kept`).
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
    place = {number: i for i, number in enumerate(model.ids)}
    inside = np.array([place.get(int(number), NOBODY) for number in held.segment_id], dtype=int)
    settled, distances = _settle(model, features, inside, threshold)
    ids = _ids(model, settled.position)
    rows = np.flatnonzero((held.segment_id != NOBODY) & (held.segment_id != ids))
    before, known = _before(model, held, rows, {**earlier, version: model})
    unmoved, _ = _settle(model, before, inside[rows], threshold)
    stayed = known & (_ids(model, unmoved.position) == held.segment_id[rows])
    by_behaviour = stayed | np.array([held.version[int(row)] == version for row in rows], bool)
    reasons = [
        [UNKNOWN_BEFORE] if behaved else [_refitted(model, int(held.segment_id[row]))]
        for row, behaved in zip(rows, by_behaviour, strict=True)
    ]
    told = np.flatnonzero(by_behaviour & known)
    said = move_reasons(
        model,
        before.iloc[told],
        features.iloc[rows[told]],
        (inside[rows[told]], settled.position[rows[told]]),
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
            "feature_values": list(feature_matrix(features, features_kept(model))),
        },
        index=features.index,
    )
    return Followed(assigned, pd.DataFrame({"row": rows, "cause": causes, "why": reasons}))


def features_kept(model: SegmentModel) -> tuple[str, ...]:
    """Features that place a customer: those that are kept for the next move, in this order."""
    spec = model.space.spec
    needs = [name for column in spec.columns if column.weight > 0 for name in column.needs]
    return tuple(dict.fromkeys(needs + ([spec.orders] if spec.orders else [])))


def _before(
    model: SegmentModel, held: Held, rows: IntArray, versions: Mapping[str, SegmentModel]
) -> tuple[pd.DataFrame, BoolArray]:
    """Features of rows at their last assignment, as far as the model needs them; if known."""
    names = features_kept(model)
    before = np.full((len(rows), len(names)), np.nan)
    known = np.zeros(len(rows), dtype=bool)
    for i, row in enumerate(rows):
        source, values = versions.get(held.version[int(row)] or ""), held.values[int(row)]
        kept = () if source is None else features_kept(source)
        if values is not None and len(values) == len(kept) and set(names) <= set(kept):
            before[i] = [values[kept.index(name)] for name in names]
            known[i] = True
    return pd.DataFrame(before, columns=list(names)), known


def _refitted(model: SegmentModel, segment_id: int) -> str:
    if segment_id in model.ids or segment_id == APART:
        return "the segments were fitted again, and their border moved"
    return "the segments were fitted again, and the one left is retired"


def _settle(
    model: SegmentModel, features: pd.DataFrame, inside: IntArray, threshold: float
) -> tuple[Settled, Array]:
    """Settled positions and distances, shape (n, k)."""
    points = model.space.points(features)
    placed = ~np.isnan(points).any(axis=1)
    distances = np.full((len(points), model.k), np.nan)
    distances[placed] = np.sqrt(model.assigner.squares(points[placed]))
    return settle(distances, inside, threshold), distances


def _ids(model: SegmentModel, position: IntArray) -> IntArray:
    return np.array([*model.ids, APART], dtype=np.int64)[position]


def _named(model: SegmentModel, position: IntArray) -> npt.NDArray[np.object_]:
    return np.array([*model.names, model.apart_name], dtype=object)[position]
