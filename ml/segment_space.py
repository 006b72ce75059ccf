"""The scaled feature space that segments are found and compared in.

Columns are logged where they are skewed, filled where they are null, centred and scaled; a
principal component analysis may follow. Everything is learnt from one frame and is plain numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.matrix import FeatureError, feature_matrix

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Scaling = Literal["robust", "standard"]
Fill = Literal["zero", "median"]
IQR_OF_NORMAL = 1.349
LEAST_IQR = 0.2
"""An interquartile range below this share of the standard deviation says nothing of the spread."""
LEAST_SPREAD = 1e-9
FARTHEST = 5.0
"""Scaled values are cut here: one impossible customer must not claim a group for itself."""


class NoSegments(ValueError):
    """There are too few customers, or too few distinct ones, to form segments."""


@dataclass(frozen=True, order=True)
class SpaceColumn:
    """One feature of a space, and how it becomes a number.

    Attributes
    ----------
    name : str
        Column of the frame.
    log : bool
        Take ``sign(x) log(1 + abs(x) / unit)``: for amounts and counts, which are skewed.
    fill : {"zero", "median"} or None
        What stands for a null. None: a customer with a null is held apart.
    unit : float, optional
        Unit of the log. None: the 1st percentile of the positive values, so that pounds or pence
        give the same points.
    per : str, optional
        Divide by this column plus one, as in visits per order.
    role : str, optional
        What the column tells, for names and profiles: see `ml.segment_names.ROLES`.
    weight : float
        Multiplies the scaled column: how much it counts in distances.
    """

    name: str
    log: bool = True
    fill: Fill | None = "zero"
    unit: float | None = None
    per: str | None = None
    role: str | None = None
    weight: float = 1.0

    @property
    def label(self) -> str:
        """Name of the feature, its denominator included."""
        return self.name if self.per is None else f"{self.name} per {self.per}"


@dataclass(frozen=True)
class SpaceSpec:
    """What a space is made of, before it has seen data; columns are kept in order of their names.

    Attributes
    ----------
    name : str
    columns : tuple of SpaceColumn
    buyers : str, optional
        Customers with a null or nothing above zero here are held apart (segment 0).
    scaling : {"robust", "standard"}
        Median and interquartile range, or mean and standard deviation.
    variance : float, optional
        Keep the principal components that hold this share of the variance; None: no PCA.
    """

    name: str
    columns: tuple[SpaceColumn, ...]
    buyers: str | None = None
    scaling: Scaling = "robust"
    variance: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(sorted(self.columns, key=lambda c: c.label)))
        labels = [column.label for column in self.columns]
        if not labels or len(set(labels)) != len(labels):
            raise FeatureError(f"space {self.name}: columns must be there once each, not {labels}")
        if self.variance is not None and not 0 < self.variance <= 1:
            raise ValueError(f"space {self.name}: variance is a share, not {self.variance}")

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of a frame that this space reads."""
        names = [c.name for c in self.columns] + [c.per for c in self.columns if c.per]
        return tuple(dict.fromkeys(names + ([self.buyers] if self.buyers else [])))

    def role(self, role: str) -> str | None:
        """Name of the column that has a role, or None."""
        return next((c.name for c in self.columns if c.role == role), None)


@dataclass(frozen=True)
class SegmentSpace:
    """A space that has learnt its units, fills, centres and scales.

    Attributes
    ----------
    spec : SpaceSpec
        With the columns that were kept, d of them.
    units, fills : float array, shape (d,)
        Of the log (1 where there is none), and for nulls, in the column's own unit.
    centre, scale : float array, shape (d,)
        Of the logged columns; the weight is part of the scale.
    mean, deviation : float array, shape (d,)
        Mean and standard deviation of the logged columns among the customers it was fitted on.
    components : float array, shape (q, d), optional
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

    @property
    def dimensions(self) -> int:
        """Number of coordinates of a point."""
        return len(self.scale) if self.components is None else len(self.components)

    @property
    def _weights(self) -> Array:
        return np.array([column.weight for column in self.spec.columns])

    def values(self, frame: pd.DataFrame) -> Array:
        """Columns as they are but filled, shape (n, d); NaN rows for customers held apart."""
        values, apart = _raw(frame, self.spec)
        values = np.where(np.isnan(values), self.fills, values)
        values[apart] = np.nan
        return values

    def logged(self, values: Array) -> Array:
        """Filled columns, shape (m, d), with the logs taken."""
        return _logged(values, self.spec, self.units)

    def unlogged(self, logged: Array) -> Array:
        """Undo `logged`: columns in their own units, shape (m, d)."""
        logs = np.array([column.log for column in self.spec.columns])
        raised = np.sign(logged) * np.expm1(np.abs(np.where(logs, logged, 0.0))) * self.units
        return np.where(logs, raised, logged)

    def located(self, logged: Array) -> Array:
        """Points of logged columns: shape (m, d) to (m, dimensions); see `FARTHEST`."""
        reach = FARTHEST * self._weights
        scaled = np.clip((logged - self.centre) / self.scale, -reach, reach)
        return scaled if self.components is None else scaled @ self.components.T

    def points(self, frame: pd.DataFrame) -> Array:
        """Points of customers, shape (n, dimensions); NaN rows for those held apart."""
        return self.located(self.logged(self.values(frame)))

    def translated(self, logged: Array, other: SegmentSpace) -> Array:
        """Logged columns of this space as those of another: shape (m, d) to (m, d of other).

        A feature that this space does not have lies at the other space's centre.
        """
        values = self.unlogged(logged)
        found = np.empty((len(logged), len(other.columns)))
        known = {label: i for i, label in enumerate(self.columns)}
        shared = [known.get(label) for label in other.columns]
        for j, i in enumerate(shared):
            found[:, j] = np.nan if i is None else values[:, i]
        return np.where(np.isnan(found), other.centre, other.logged(found))

    def to_record(self) -> dict[str, Any]:
        """Return plain lists and words for JSON."""
        spec = {**asdict(self.spec), "columns": [asdict(c) for c in self.spec.columns]}
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        axes = None if self.components is None else self.components.tolist()
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
        A column without any value, or with one value only, is left out with a notice.

    Raises
    ------
    NoSegments
        Nobody is left, or no column that differs between customers.
    FeatureError
        The frame lacks a column.
    """
    values, apart = _raw(frame, spec)
    values = values[~apart]
    if not len(values):
        raise NoSegments(f"none of {len(frame)} customers can be placed in the space {spec.name}")
    kept, notices = [], []
    for i, column in enumerate(spec.columns):
        known = values[~np.isnan(values[:, i]), i]
        if not len(known):
            notices.append(f"{column.label}: left out, no customer has a value")
        elif np.ptp(known) == 0 and (len(known) == len(values) or _fill(column, known) == known[0]):
            notices.append(f"{column.label}: left out, {known[0]:g} for every customer")
        else:
            kept.append(i)
    if not kept:
        raise NoSegments(
            f"all {len(values)} customers are alike in the space {spec.name}: {'; '.join(notices)}"
        )
    values = values[:, kept]
    spec = SpaceSpec(
        spec.name,
        tuple(spec.columns[i] for i in kept),
        spec.buyers,
        spec.scaling,
        spec.variance,
    )
    known = [values[~np.isnan(values[:, i]), i] for i in range(len(kept))]
    fills = np.array([_fill(c, v) for c, v in zip(spec.columns, known, strict=True)])
    units = np.array([_unit(c, v) for c, v in zip(spec.columns, known, strict=True)])
    logged = _logged(np.where(np.isnan(values), fills, values), spec, units)
    # Sums depend on the order of rows in their last digit.
    logged = np.sort(logged, axis=0)
    mean, deviation = logged.mean(axis=0), logged.std(axis=0)
    centre, scale = _centre_and_scale(logged, spec.scaling)
    scale /= [column.weight for column in spec.columns]
    space = SegmentSpace(spec, units, fills, centre, scale, mean, deviation, None, tuple(notices))
    if spec.variance is None:
        return space
    rows = _logged(np.where(np.isnan(values), fills, values), spec, units)
    axes = _principal_axes(space.located(rows[np.lexsort(rows.T[::-1])]), spec.variance)
    return SegmentSpace(spec, units, fills, centre, scale, mean, deviation, axes, tuple(notices))


def plain_space(name: str, columns: Sequence[str], **options: Any) -> SpaceSpec:
    """Logged columns without roles, nulls as medians: any table of amounts and counts."""
    made = tuple(SpaceColumn(column, fill="median") for column in columns)
    return SpaceSpec(name, made, **options)


def _raw(frame: pd.DataFrame, spec: SpaceSpec) -> tuple[Array, BoolArray]:
    """Unfilled values, shape (n, d), and who is held apart, shape (n,)."""
    needs = spec.needs
    matrix = feature_matrix(frame, needs)
    place = {name: i for i, name in enumerate(needs)}
    apart = np.zeros(len(matrix), dtype=bool)
    if spec.buyers:
        apart |= ~(matrix[:, place[spec.buyers]] > 0)
    if needs == tuple(column.label for column in spec.columns):
        values = matrix
    else:
        values = np.empty((len(matrix), len(spec.columns)))
        for i, column in enumerate(spec.columns):
            values[:, i] = matrix[:, place[column.name]]
            if column.per:
                values[:, i] /= 1 + np.nan_to_num(matrix[:, place[column.per]])
    for i, column in enumerate(spec.columns):
        if column.fill is None:
            apart |= np.isnan(values[:, i])
    return values, apart


def _fill(column: SpaceColumn, known: Array) -> float:
    return float(np.median(known)) if column.fill == "median" else 0.0


def _unit(column: SpaceColumn, known: Array) -> float:
    if not column.log:
        return 1.0
    if column.unit is not None:
        return column.unit
    sizes = np.abs(known[known != 0])
    return float(np.quantile(sizes, 0.01)) if len(sizes) else 1.0


def _logged(values: Array, spec: SpaceSpec, units: Array) -> Array:
    if all(column.log for column in spec.columns):
        return np.asarray(np.sign(values) * np.log1p(np.abs(values) / units))
    found = values.copy()
    for i, column in enumerate(spec.columns):
        if column.log:
            found[:, i] = np.sign(values[:, i]) * np.log1p(np.abs(values[:, i]) / units[i])
    return found


def _centre_and_scale(logged: Array, scaling: Scaling) -> tuple[Array, Array]:
    """Median and interquartile range in standard deviations of a normal; see `LEAST_IQR`."""
    deviation = logged.std(axis=0)
    deviation = np.where(deviation > LEAST_SPREAD, deviation, 1.0)
    if scaling == "standard":
        return logged.mean(axis=0), deviation
    low, middle, high = np.quantile(logged, (0.25, 0.5, 0.75), axis=0)
    spread = (high - low) / IQR_OF_NORMAL
    return middle, np.where(spread > LEAST_IQR * deviation, spread, deviation)


def _principal_axes(scaled: Array, variance: float) -> Array:
    """Axes that hold a share of the variance, shape (q, d); each points where it is largest."""
    values, vectors = np.linalg.eigh(np.cov(scaled, rowvar=False).reshape(scaled.shape[1], -1))
    shares = np.cumsum(values[::-1]) / values.sum()
    axes = vectors[:, ::-1].T[: int(np.searchsorted(shares, variance - 1e-12)) + 1]
    largest = np.abs(axes).argmax(axis=1)
    return np.asarray(axes * np.sign(axes[np.arange(len(axes)), largest])[:, None])
