"""Why a customer moved from one segment to another: the features that moved most, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.reasons import Phrase
from ml.segment_columns import SpaceColumn
from ml.segment_model import SegmentModel

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
MOST_DECIMALS = 4
FIRST_ORDER = "first order"
NO_ORDER = "no order is left"


def move_reasons(
    model: SegmentModel,
    before: pd.DataFrame,
    after: pd.DataFrame,
    moves: tuple[IntArray, IntArray],
    catalogue: Mapping[str, Phrase],
    count: int = 3,
) -> list[list[str]]:
    """Say which features took customers from one segment to another, strongest first.

    A feature counts by what its change did to the lead of the new segment over the old one, the
    difference of the squared distances to their centroids; features that changed the other way
    are not named.

    Parameters
    ----------
    model : SegmentModel
    before, after : DataFrame, n rows
        Features at the two assignments.
    moves : (int array, int array), shape (n,)
        Positions of the segments left and entered; negative for held apart.
    catalogue : mapping of feature to Phrase
    count : int
        Most reasons per customer.

    Returns
    -------
    reasons : list of n lists of str
        Such as "days since the last order 12 → 48". Where nothing moved towards the new segment,
        the feature that moved most; of customers who were or are held apart, their orders.
    """
    space = replace(model.space, components=None)
    columns = [space.spec.columns[i] for i in space.counting]
    values = [space.spec.read(frame, columns)[0] for frame in (before, after)]
    effects = _effects(
        space.points(after) - space.points(before), space.located(model.centroids), *moves
    )
    order = np.argsort(-effects, axis=1, kind="stable")
    reasons = []
    for row, (left, entered) in enumerate(zip(*moves, strict=True)):
        if left < 0 or entered < 0:
            reasons.append([_orders(model, before, after, row, catalogue)])
            continue
        named = [i for i in order[row, :count] if effects[row, i] > 0] or [order[row, 0]]
        reasons.append(
            [_change(columns[i], values[0][row, i], values[1][row, i], catalogue) for i in named]
        )
    return reasons


def _effects(moved: Array, centroids: Array, left: IntArray, entered: IntArray) -> Array:
    """What each feature did to the lead of the new segment, shape (n, columns).

    In a row where nothing spoke for it: below 0, least so for the feature that moved most.
    """
    effects = np.nan_to_num(2 * moved * (centroids[entered] - centroids[left]))
    still = ~(effects > 0).any(axis=1)
    effects[still] = -1 / (1 + np.abs(np.nan_to_num(moved[still])))
    return effects


def _orders(
    model: SegmentModel,
    before: pd.DataFrame,
    after: pd.DataFrame,
    row: int,
    catalogue: Mapping[str, Phrase],
) -> str:
    """Why somebody is no longer, or now, held apart."""
    name = model.space.spec.orders
    if name is None:
        return "a feature that the segments need is there now, or no more"
    was, now = (float(frame[name].iloc[row]) for frame in (before, after))
    if not was > 0:
        return FIRST_ORDER
    if not now > 0:
        return NO_ORDER
    return _change(SpaceColumn(name), was, now, catalogue)


def _change(
    column: SpaceColumn, before: float, after: float, catalogue: Mapping[str, Phrase]
) -> str:
    phrase = _phrase(column.name, catalogue)
    label = phrase.label
    if column.per:
        label += f" per {_phrase(column.per, catalogue).label}"
    decimals = phrase.decimals
    texts = _number(before, decimals), _number(after, decimals)
    while texts[0] == texts[1] and before != after and decimals < MOST_DECIMALS:
        decimals += 1
        texts = _number(before, decimals), _number(after, decimals)
    return f"{label} {texts[0]} → {texts[1]}"


def _number(value: float, decimals: int) -> str:
    return "unknown" if np.isnan(value) else f"{value:,.{decimals}f}"


def _phrase(name: str, catalogue: Mapping[str, Phrase]) -> Phrase:
    return catalogue.get(name, Phrase(label=name.replace("_", " ")))
