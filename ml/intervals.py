"""Bootstrap intervals over customers, alone and paired, with a vectorised rank AUC."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Keys = npt.NDArray[np.object_]
CELLS = 2_000_000


@dataclass(frozen=True)
class Difference:
    """A metric of a model minus that of another on the same customers, with its interval."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Return "better", "worse" or "no different": where the interval lies about zero."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "no different"


def bootstrap_rows(n: int, rounds: int, seed: int) -> IntArray:
    """Draw `rounds` samples of n rows with replacement: int array, shape (rounds, n)."""
    return np.random.default_rng(seed).integers(0, n, size=(rounds, n), dtype=np.int64)


def rank_auc(label: Array, score: Array) -> float:
    """AUC by mean ranks (Mann-Whitney); NaN when one class is absent.

    Probabilities as labels give the AUC to expect if they are right.
    """
    ones = np.ones((1, len(label)))
    return float(weighted_auc(label, score, ones)[0])


def bootstrap_auc(label: Array, score: Array, rounds: int = 1000, seed: int = 0) -> Array:
    """AUC of bootstrap samples of rows: float array, shape (rounds,).

    A sample is a vector of row weights, so all share one sort (Newson 2006).
    """
    return _bootstrap_aucs(label, (score,), rounds, seed)[0]


def paired_auc_difference(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    other: npt.ArrayLike,
    *,
    rounds: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    clusters: npt.ArrayLike | None = None,
) -> Difference:
    """AUC of `score` minus AUC of `other`, resampling the same customers for both.

    Parameters
    ----------
    label, score, other : array-like, shape (n,)
        Labels 0/1 and the two models' scores.
    rounds, seed : int
        Number of bootstrap samples and their seed.
    level : float
        Coverage of the interval.
    clusters : array-like, shape (n,), optional
        Customer of each row, when a customer has several: they are drawn together.

    Returns
    -------
    Difference
    """
    y, a, b = (np.asarray(x, dtype=float) for x in (label, score, other))
    ours, theirs = _bootstrap_aucs(y, (a, b), rounds, seed, clusters)
    gaps = ours - theirs
    low, high = limits(gaps, level)
    return Difference(rank_auc(y, a) - rank_auc(y, b), low, high)


def paired_difference(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    other: npt.ArrayLike,
    metric: Callable[[Array, Array], float],
    *,
    rounds: int = 300,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Any metric of `score` minus that of `other` on the same bootstrap customers."""
    y, a, b = (np.asarray(x, dtype=float) for x in (label, score, other))
    rows = bootstrap_rows(len(y), rounds, seed)
    gaps = np.array([metric(y[i], a[i]) - metric(y[i], b[i]) for i in rows])
    low, high = limits(gaps, level)
    return Difference(metric(y, a) - metric(y, b), low, high)


def _bootstrap_aucs(
    label: Array,
    scores: Sequence[Array],
    rounds: int,
    seed: int,
    clusters: npt.ArrayLike | None = None,
) -> list[Array]:
    """AUCs of several scores on the same samples."""
    parts = [
        [weighted_auc(label, score, weights) for score in scores]
        for weights in bootstrap_weights(len(label), rounds, seed, clusters)
    ]
    return [np.concatenate(series) for series in zip(*parts, strict=True)]


def bootstrap_weights(
    n: int, rounds: int, seed: int, clusters: npt.ArrayLike | None = None
) -> Iterator[Array]:
    """Draw bootstrap samples as row weights, some at a time to bound memory.

    Parameters
    ----------
    n, rounds, seed : int
        Rows, samples, and the seed of the draw.
    clusters : array-like, shape (n,), optional
        Rows of one cluster are drawn together: with several rows a customer, rows say less
        than their number, and intervals over rows would be too narrow (Field and Welsh 2007).

    Yields
    ------
    weights : float array, shape (b, n)
        How often each row is in each of b samples; `rounds` samples in all.
    """
    index = None
    units = n
    if clusters is not None:
        names, index = np.unique(np.asarray(clusters), return_inverse=True)
        units = len(names)
    step = max(1, CELLS // max(n, 1))
    rng = np.random.default_rng(seed)
    for start in range(0, rounds, step):
        size = min(step, rounds - start)
        drawn = rng.integers(0, units, size=(size, units), dtype=np.int64)
        flat = drawn + units * np.arange(size, dtype=np.int64)[:, None]
        counts = np.bincount(flat.ravel(), minlength=size * units).reshape(size, units)
        weights = counts.astype(float)
        yield weights if index is None else weights[:, index]


def weighted_auc(label: Array, score: Array, weights: Array) -> Array:
    """AUC by mean ranks under each row of weights: shape (b, n) to (b,); ties count half."""
    order = np.argsort(score, kind="stable")
    y, s = label[order], score[order]
    starts = np.r_[0, np.flatnonzero(np.diff(s)) + 1]
    weighted = weights[:, order]
    positive = np.add.reduceat(weighted * y, starts, axis=1)
    negative = np.add.reduceat(weighted * (1 - y), starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((positive * below).sum(axis=1) / pairs, dtype=float)


def clusters_of(keys: pd.Series) -> Keys | None:
    """Customer of each row, to draw by; None where each has one row, so that a row is a unit."""
    return keys.to_numpy(dtype=object) if keys.duplicated().any() else None


def limits(values: Array, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap figures, shape (rounds,); NaN ones are left out."""
    usable = values[np.isfinite(values)]
    if not len(usable):
        return float("nan"), float("nan")
    low, high = np.quantile(usable, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
