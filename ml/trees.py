"""Gradient-boosted trees (LightGBM), reproducible to the byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ml.parameters import Learner

Array = npt.NDArray[np.float64]
MOST_ROUNDS = 200
"""Enough on every data set measured, and few enough to explain 10,000 rows a second."""
MONOTONE_METHOD = "basic"


def settings(rows: int, objective: str, learner: Learner) -> dict[str, Any]:
    """LightGBM's own parameters for a number of training rows."""
    chosen = learner.parameters
    found: dict[str, Any] = {
        "objective": objective,
        "num_leaves": chosen.num_leaves,
        "learning_rate": chosen.learning_rate,
        "feature_fraction": chosen.feature_fraction,
        "bagging_fraction": chosen.bagging_fraction,
        "bagging_freq": 1,
        "seed": learner.seed,
        "num_threads": learner.num_threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "min_data_in_leaf": chosen.min_data_in_leaf(rows),
        "lambda_l2": chosen.lambda_l2(rows),
    }
    if learner.signs:
        found["monotone_constraints"] = list(learner.signs)
        found["monotone_constraints_method"] = MONOTONE_METHOD
    if objective == "tweedie":
        found["tweedie_variance_power"] = chosen.tweedie_power
    return found


def find_rounds(
    fit: tuple[Array, Array],
    validation: tuple[Array, Array],
    objective: str,
    score: Array,
    learner: Learner,
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
    learner : Learner

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
        settings(len(fit[1]), objective, learner),
        train,
        MOST_ROUNDS,
        valid_sets=[lgb.Dataset(validation[0], validation[1], reference=train)],
        callbacks=[lgb.early_stopping(30, verbose=False)],
    )
    rounds = max(booster.best_iteration, 10)
    raw = booster.predict(
        score, raw_score=True, num_iteration=rounds, num_threads=learner.num_threads
    )
    return rounds, np.asarray(raw, dtype=float)


def fit_trees(matrix: Array, label: Array, objective: str, rounds: int, learner: Learner) -> str:
    """Train for a fixed number of rounds and return LightGBM's own text format."""
    import lightgbm as lgb

    booster = lgb.train(
        settings(len(label), objective, learner), lgb.Dataset(matrix, label), rounds
    )
    return str(booster.model_to_string())
