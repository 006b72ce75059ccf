"""What a model looks at, how sure that is, and whether it still looks at the same a while later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.evaluation import spearman
from ml.hurdle import Scorer
from ml.intervals import bootstrap_weights, limits

Array = npt.NDArray[np.float64]
TOP = 10
MOST_ROWS = 10_000


def importance_table(
    model: Scorer, frame: pd.DataFrame, *, seed: int, rounds: int = 200, num_threads: int = 2
) -> pd.DataFrame:
    """Share of each feature in what moves the scores, with its interval over customers.

    The share is the mean absolute contribution (Lundberg et al. 2020) over that of all features,
    on the scale of the log-odds, of a value the log.

    Parameters
    ----------
    model : BlendModel or HurdleModel
    frame : DataFrame, n rows
        Holds every feature, one row per customer; above `MOST_ROWS` rows some are drawn.
    seed, rounds : int
        Seed and number of the bootstrap samples.
    num_threads : int
        Threads of LightGBM.

    Returns
    -------
    table : DataFrame
        One row per feature, largest first: ``feature``, ``importance``, ``low``, ``high``.
    """
    drawn = frame if len(frame) <= MOST_ROWS else frame.sample(MOST_ROWS, random_state=seed)
    sizes = np.abs(model.contributions(drawn, num_threads))
    samples = np.concatenate(
        [_shares(weights @ sizes) for weights in bootstrap_weights(len(sizes), rounds, seed)]
    )
    intervals = [limits(column) for column in samples.T]
    table = pd.DataFrame(
        {
            "feature": model.features,
            "importance": _shares(sizes.sum(axis=0)[None])[0],
            "low": [low for low, _ in intervals],
            "high": [high for _, high in intervals],
        }
    )
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


@dataclass(frozen=True)
class Stability:
    """How alike the importances of models of several times are.

    Attributes
    ----------
    rank_correlation : float
        Spearman's, mean over pairs of models.
    top_overlap : float
        Share of the most important `TOP` features that two models have in common, mean over pairs.
    models : int
    """

    rank_correlation: float
    top_overlap: float
    models: int

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"the importances of {self.models} models of different times have a rank correlation "
            f"of {self.rank_correlation:.2f}, and {self.top_overlap:.0%} of their {TOP} most "
            "important features in common"
        )


def stability(importances: Sequence[Mapping[str, float]]) -> Stability:
    """Compare the importances of at least two models of the same features, pair by pair.

    Raises
    ------
    ValueError
        Fewer than two models, or models of other features.
    """
    if len(importances) < 2 or len({frozenset(one) for one in importances}) > 1:
        raise ValueError("stability needs two or more models of the same features")
    names = list(importances[0])
    arrays = [np.array([one[name] for name in names]) for one in importances]
    top = min(TOP, len(names))
    pairs = list(combinations(arrays, 2))
    shared = [len(_top(a, top) & _top(b, top)) / top for a, b in pairs]
    return Stability(
        float(np.mean([spearman(a, b) for a, b in pairs])), float(np.mean(shared)), len(arrays)
    )


def _shares(sizes: Array) -> Array:
    return np.asarray(sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1e-300))


def _top(importance: Array, count: int) -> set[int]:
    return set(np.argsort(-importance, kind="stable")[:count].tolist())
