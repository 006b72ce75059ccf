"""The scaled feature space that segments are found and compared in.

Null values are filled, shares with little evidence drawn towards the mean, skewed columns logged,
then all are centred and scaled; a principal component analysis may follow. Everything is learnt
from one frame and is plain numbers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_columns import NoSegments, SpaceColumn, SpaceSpec
from ml.segment_scaling import (
    centre_and_scale,
    fill_value,
    filled,
    log_unit,
    principal_axes,
    transformed,
)

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FARTHEST = 5.0
"""Scaled values are cut here: one impossible customer must not claim a group for itself."""


@dataclass(frozen=True)
class SegmentSpace:
    """A space that has learnt its units, fills, centres and scales.

    Logged columns are those with their transform, neither centred nor scaled; points are what
    distances are measured between.

    Attributes
    ----------
    spec : SpaceSpec
        With the columns that were kept, d of them.
    units, fills : float array, shape (d,)
        Of the log (1 where there is none); for nulls, in the column's own unit.
    centre, scale : float array, shape (d,)
        Of the logged columns.
    mean, deviation : float array, shape (d,)
        Mean and standard deviation of the logged columns among the customers it was fitted on.
    components : float array, shape (q, columns that count), optional
        Principal axes of the scaled columns.
    notices : tuple of str
        Columns that were left out, and why.
    """

    spec: SpaceSpec
    units: Array
    fills: Array
    centre: Array
    scale: Array
    mean: Array
    deviation: Array
    components: Array | None = None
    notices: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Labels of the features, in the order of every array."""
        return tuple(column.label for column in self.spec.columns)

    @cached_property
    def counting(self) -> IntArray:
        """Positions of the features that count in distances; the others only describe."""
        return np.flatnonzero([column.weight > 0 for column in self.spec.columns])

    @property
    def dimensions(self) -> int:
        """Number of coordinates of a point."""
        return len(self.counting) if self.components is None else len(self.components)

    def points(self, frame: pd.DataFrame) -> Array:
        """Points of customers, shape (n, dimensions); NaN rows for those held apart."""
        which = self.counting
        return self._placed(self._logged(self._values(frame, which), which))

    def logged(self, frame: pd.DataFrame) -> Array:
        """Logged columns of customers, shape (n, d); NaN rows for those held apart."""
        which = np.arange(len(self.columns))
        return self._logged(self._values(frame, which), which)

    def located(self, logged: Array) -> Array:
        """Points of logged columns: shape (m, d) to (m, dimensions)."""
        return self._placed(logged[:, self.counting])

    def unlogged(self, logged: Array) -> Array:
        """Logged columns in their own units again, shape (m, d)."""
        found = logged.copy()
        for i, column in enumerate(self.spec.columns):
            if column.transform == "log":
                sizes = np.expm1(np.abs(logged[:, i])) * self.units[i]
                found[:, i] = np.sign(logged[:, i]) * sizes
            elif column.transform == "share":
                found[:, i] = np.sin(logged[:, i]) ** 2
        return found

    def translated(self, logged: Array, other: SegmentSpace) -> Array:
        """Logged columns of this space as those of another: shape (m, d) to (m, d of other).

        A feature that this space does not have lies at the other space's centre.
        """
        values = self.unlogged(logged)
        place = {label: i for i, label in enumerate(self.columns)}
        shared = np.array([place.get(label, -1) for label in other.columns])
        found = np.where(shared >= 0, values[:, shared], 0.0)
        found = other._logged(found, np.arange(len(shared)))
        return np.where(shared >= 0, found, other.centre)

    def to_record(self) -> dict[str, Any]:
        """Return plain lists and words for JSON."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        axes = None if self.components is None else self.components.tolist()
        spec = {**asdict(self.spec), "columns": [asdict(c) for c in self.spec.columns]}
        return {"spec": spec, **arrays, "components": axes, "notices": list(self.notices)}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> SegmentSpace:
        """Rebuild what `to_record` returned."""
        columns = tuple(SpaceColumn(**column) for column in record["spec"]["columns"])
        axes = record["components"]
        return cls(
            spec=SpaceSpec(**{**record["spec"], "columns": columns}),
            components=None if axes is None else np.array(axes, dtype=float),
            notices=tuple(record["notices"]),
            **{name: np.array(record[name], dtype=float) for name in _ARRAYS},
        )

    def _values(self, frame: pd.DataFrame, which: IntArray) -> Array:
        """Filled values of some columns, in their own units; NaN rows for who is held apart."""
        values, evidence, apart = self.spec.read(frame, [self.spec.columns[i] for i in which])
        values = filled(values, evidence, self.fills[which])
        values[apart] = np.nan
        return values

    def _logged(self, values: Array, which: IntArray) -> Array:
        return transformed(values, [self.spec.columns[i] for i in which], self.units[which])

    def _placed(self, counting: Array) -> Array:
        """Points of the logged columns that count."""
        which = self.counting
        scaled = counting - self.centre[which]
        scaled /= self.scale[which]
        np.clip(scaled, -FARTHEST, FARTHEST, out=scaled)
        weights = np.array([self.spec.columns[i].weight for i in which])
        if (weights != 1).any():
            scaled *= weights
        return scaled if self.components is None else scaled @ self.components.T


_ARRAYS = ("units", "fills", "centre", "scale", "mean", "deviation")


def fit_space(frame: pd.DataFrame, spec: SpaceSpec) -> SegmentSpace:
    """Learn a space from customers.

    Parameters
    ----------
    frame : DataFrame, n rows
        With the columns that the spec needs. The order of rows and columns does not matter.
    spec : SpaceSpec

    Returns
    -------
    SegmentSpace
        A column without any value, or with one value only, is left out with a notice, as is one
        that only describes and is not there.

    Raises
    ------
    NoSegments
        Nobody is left, or no column that differs between customers.
    FeatureError
        The frame lacks a column.
    """
    spec, notices = _there(spec, frame)
    values, evidence, apart = spec.read(frame, spec.columns)
    values, evidence = values[~apart], {i: counts[~apart] for i, counts in evidence.items()}
    if not len(values):
        raise NoSegments(f"none of {len(frame)} customers can be placed in the space {spec.name}")
    known = [column[~np.isnan(column)] for column in values.T]
    fills = np.array([fill_value(c, v) for c, v in zip(spec.columns, known, strict=True)])
    units = np.array([log_unit(c, v) for c, v in zip(spec.columns, known, strict=True)])
    values = filled(values, evidence, fills)
    kept = []
    for i, column in enumerate(spec.columns):
        if not len(known[i]):
            notices.append(f"{column.label}: left out, no customer has a value")
        elif np.ptp(values[:, i]) == 0:
            notices.append(f"{column.label}: left out, {values[0, i]:g} for every customer")
        else:
            kept.append(i)
    if not any(spec.columns[i].weight > 0 for i in kept):
        raise NoSegments(
            f"all {len(values)} customers are alike in the space {spec.name}: {'; '.join(notices)}"
        )
    spec = replace(spec, columns=tuple(spec.columns[i] for i in kept))
    values, fills, units = values[:, kept], fills[kept], units[kept]
    logged = transformed(values, spec.columns, units)
    # Sums depend on the order of rows in their last digit.
    ordered = np.sort(logged, axis=0)
    mean, deviation = ordered.mean(axis=0), ordered.std(axis=0)
    centre, scale = centre_and_scale(ordered, mean, deviation, spec.scaling)
    space = SegmentSpace(spec, units, fills, centre, scale, mean, deviation, notices=tuple(notices))
    if spec.variance is None:
        return space
    points = space.located(logged)
    axes = principal_axes(points[np.lexsort(points.T[::-1])], spec.variance)
    return replace(space, components=axes)


def _there(spec: SpaceSpec, frame: pd.DataFrame) -> tuple[SpaceSpec, list[str]]:
    """Leave out columns that only describe and are not in the frame."""
    lost = [c for c in spec.columns if c.weight == 0 and not set(c.needs) <= set(frame.columns)]
    notices = [f"{column.label}: left out, not in the table" for column in lost]
    return replace(spec, columns=tuple(c for c in spec.columns if c not in lost)), notices
