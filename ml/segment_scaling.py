"""The steps from a column of values to scaled numbers: see `ml.segment_space`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ml.segment_columns import PRIOR, Scaling, SpaceColumn

Array = npt.NDArray[np.float64]
IQR_OF_NORMAL = 1.349
LEAST_IQR = 0.2
"""An interquartile range below this share of the standard deviation says nothing of the spread."""
LEAST_SPREAD = 1e-9
UNIT_QUANTILE = 0.05
"""Of the sizes above zero: below it a log is nearly linear. With less, small change moves people;
on Online Retail and Complete Journey groups are the most stable and useful about here."""


def fill_value(column: SpaceColumn, known: Array) -> float:
    """What stands for a null: without evidence for a share, everybody's mean."""
    if not len(known):
        return 0.0
    if column.evidence:
        return float(np.sort(known).mean())
    return float(np.median(known)) if column.fill == "median" else 0.0


def log_unit(column: SpaceColumn, known: Array) -> float:
    """Unit of a column's log, as declared or learnt; see `UNIT_QUANTILE`."""
    if column.transform != "log":
        return 1.0
    if column.unit is not None:
        return column.unit
    sizes = np.abs(known[known != 0])
    return float(_quantiles(sizes, UNIT_QUANTILE)) if len(sizes) else 1.0


def filled(values: Array, evidence: dict[int, Array], fills: Array) -> Array:
    """Fill nulls, and draw values with little evidence towards the fill; in place."""
    for i, fill in enumerate(fills):
        null = np.isnan(values[:, i])
        values[null, i] = fill
        if i in evidence:
            share = evidence[i] / (evidence[i] + PRIOR)
            values[:, i] = share * values[:, i] + (1 - share) * fill
    return values


def transformed(values: Array, columns: Sequence[SpaceColumn], units: Array) -> Array:
    """Take the logs and the arcsines, shape (n, d)."""
    found = values.copy()
    for i, column in enumerate(columns):
        if column.transform == "log":
            sizes = np.abs(found[:, i])
            sizes /= units[i]
            np.copysign(np.log1p(sizes, out=sizes), found[:, i], out=found[:, i])
        elif column.transform == "share":
            found[:, i] = np.arcsin(np.sqrt(np.clip(values[:, i], 0.0, 1.0)))
    return found


def centre_and_scale(
    logged: Array, mean: Array, deviation: Array, scaling: Scaling
) -> tuple[Array, Array]:
    """Median and interquartile range in standard deviations of a normal; see `LEAST_IQR`."""
    deviation = np.where(deviation > LEAST_SPREAD, deviation, 1.0)
    if scaling == "standard":
        return mean, deviation
    low, middle, high = _quantiles(logged, (0.25, 0.5, 0.75))
    spread = (high - low) / IQR_OF_NORMAL
    return middle, np.where(spread > LEAST_IQR * deviation, spread, deviation)


def _quantiles(values: Array, shares: float | tuple[float, ...]) -> Array:
    """Quantiles of each column; the same where every row is there twice."""
    return np.asarray(np.quantile(values, shares, axis=0, method="averaged_inverted_cdf"))


def principal_axes(scaled: Array, variance: float) -> Array:
    """Axes that hold a share of the variance, shape (q, d); each points where it is largest."""
    values, vectors = np.linalg.eigh(np.cov(scaled, rowvar=False).reshape(scaled.shape[1], -1))
    shares = np.cumsum(values[::-1]) / values.sum()
    axes = vectors[:, ::-1].T[: int(np.searchsorted(shares, variance - 1e-12)) + 1]
    largest = np.abs(axes).argmax(axis=1)
    return np.asarray(axes * np.sign(axes[np.arange(len(axes)), largest])[:, None])
