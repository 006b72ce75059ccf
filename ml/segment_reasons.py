"""Why a customer moved from one segment to another: the features that moved most, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ml.reasons import Phrase
from ml.segment_space import SegmentSpace, SpaceColumn

Array = npt.NDArray[np.float64]
MOST_DECIMALS = 4
FIRST_ORDER = "first order"
NO_ORDER = "no order is left"


def move_reasons(
    before: Array,
    after: Array,
    space: SegmentSpace,
    old_centroids: Array,
    new_centroids: Array,
    catalogue: Mapping[str, Phrase],
    count: int = 3,
) -> list[list[str]]:
    """Say which features took customers from one segment to another, strongest first.

    A feature counts by what its change did to the lead of the new segment over the old one, the
    difference of the two squared distances; features that changed the other way are not named.

    Parameters
    ----------
    before, after : float array, shape (n, d)
        Values of the space's features (`SegmentSpace.values`) at the two assignments; NaN rows
        where the customer was or is held apart.
    space : SegmentSpace
    old_centroids, new_centroids : float array, shape (n, d)
        Logged centroids of the segment that each customer leaves and enters.
    catalogue : mapping of feature to Phrase
    count : int
        Most reasons per customer.

    Returns
    -------
    reasons : list of n lists of str
        Such as "days since the last order 12 → 48". Where nothing moved towards the new segment,
        the feature that moved most.
    """
    was, is_ = np.isnan(before).any(axis=1), np.isnan(after).any(axis=1)
    effects = _effects(before, after, space, old_centroids, new_centroids)
    order = np.argsort(-effects, axis=1, kind="stable")
    reasons = []
    for row in range(len(before)):
        if is_[row] or was[row]:
            reasons.append([NO_ORDER if is_[row] else FIRST_ORDER])
            continue
        named = [i for i in order[row, :count] if effects[row, i] > 0] or [order[row, 0]]
        reasons.append(
            [
                _change(space.spec.columns[i], before[row, i], after[row, i], catalogue)
                for i in named
            ]
        )
    return reasons


def _effects(
    before: Array, after: Array, space: SegmentSpace, old_centroids: Array, new_centroids: Array
) -> Array:
    """What each feature did to the lead of the new segment, shape (n, d); 0 where it is unknown."""
    moved = (space.logged(after) - space.logged(before)) / space.scale
    apart = (new_centroids - old_centroids) / space.scale
    effects = np.nan_to_num(2 * moved * apart)
    still = ~(effects > 0).any(axis=1)
    effects[still] = -1 / (1 + np.abs(np.nan_to_num(moved[still])))
    return effects


def _change(
    column: SpaceColumn, before: float, after: float, catalogue: Mapping[str, Phrase]
) -> str:
    phrase = _phrase(column.name, catalogue)
    label = phrase.label
    if column.per:
        label += f" per {_phrase(column.per, catalogue).label}"
    decimals = phrase.decimals + (1 if column.per else 0)
    texts = (f"{before:,.{decimals}f}", f"{after:,.{decimals}f}")
    while texts[0] == texts[1] and before != after and decimals < MOST_DECIMALS:
        decimals += 1
        texts = (f"{before:,.{decimals}f}", f"{after:,.{decimals}f}")
    return f"{label} {texts[0]} → {texts[1]}"


def _phrase(name: str, catalogue: Mapping[str, Phrase]) -> Phrase:
    return catalogue.get(name, Phrase(label=name.replace("_", " ")))
