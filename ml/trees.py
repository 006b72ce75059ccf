"""Gradient-boosted trees (LightGBM) with settings for small, noisy customer data."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
MOST_ROUNDS = 200
"""Enough on every data set measured, and few enough to explain 10,000 rows a second."""


def parameters(rows: int, objective: str, seed: int, num_threads: int) -> dict[str, Any]:
    """LightGBM parameters for a number of training rows.

    Small trees, large leaves and strong shrinkage of leaves. On rolling origins, 7 leaves with
    half the rows and 30 % of the features per tree against 15 leaves with lighter regularisation:
    +.013 and +.009 AUC on Online Retail, +.003 and no gain on Complete Journey.
    """
    size = {
        "min_data_in_leaf": int(np.clip(rows // 100, 10, 200)),
        "lambda_l2": float(np.clip(rows / 400, 1.0, 50.0)),
    }
    chosen: dict[str, Any] = {
        "objective": objective,
        "num_leaves": 7,
        "learning_rate": 0.08,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "seed": seed,
        "num_threads": num_threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        **size,
    }
    if objective == "tweedie":
        chosen["tweedie_variance_power"] = 1.3
    return chosen


def find_rounds(
    fit: tuple[Array, Array],
    validation: tuple[Array, Array],
    objective: str,
    score: Array,
    *,
    seed: int,
    num_threads: int,
) -> tuple[int, Array]:
    """Choose the number of rounds by early stopping.

    Parameters
    ----------
    fit, validation : tuple of float arrays
        Matrix of shape (n, k) and label of shape (n,).
    objective : str
        "binary" or "tweedie".
    score : float array, shape (m, k)
        Rows to score.

    Returns
    -------
    rounds : int
        Between 10 and `MOST_ROUNDS`.
    raw : float array, shape (m,)
        The stopped model's raw scores of the rows to score.
    """
    import lightgbm as lgb

    train = lgb.Dataset(fit[0], fit[1])
    booster = lgb.train(
        parameters(len(fit[1]), objective, seed, num_threads),
        train,
        MOST_ROUNDS,
        valid_sets=[lgb.Dataset(validation[0], validation[1], reference=train)],
        callbacks=[lgb.early_stopping(30, verbose=False)],
    )
    rounds = max(booster.best_iteration, 10)
    raw = booster.predict(score, raw_score=True, num_iteration=rounds, num_threads=num_threads)
    return rounds, np.asarray(raw, dtype=float)


def fit_trees(
    matrix: Array, label: Array, objective: str, rounds: int, *, seed: int, num_threads: int
) -> str:
    """Train for a fixed number of rounds and return LightGBM's own text format."""
    import lightgbm as lgb

    booster = lgb.train(
        parameters(len(label), objective, seed, num_threads), lgb.Dataset(matrix, label), rounds
    )
    return str(booster.model_to_string())
