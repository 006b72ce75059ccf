"""The shared core of every task: fit, calibrate, judge, refit.

1. Probe: fit on the older dates; choose rounds, penalty and the slope of the calibration on the
   validation date (see `ml.recipe`).
2. Judge: refit on every date whose label is known at the test cutoff; score the untouched test
   cutoff beside the baselines.
3. Produce: refit on every labelled date with the same rounds, penalty and slope.

A value has an interval from what came of the predictions of the validation and test dates (see
`ml.value_interval`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml import baselines, calibration, evaluation, intervals
from ml.bgnbd_baseline import bgnbd_scores
from ml.blend import BlendModel, Link, inverse_link
from ml.hurdle import Scorer
from ml.matrix import feature_matrix, feature_names
from ml.parameters import DEFAULTS, Learner, Parameters
from ml.plausibility import feature_power
from ml.recipe import Recipe, probe, refit
from ml.splits import TimeSplit, as_of_dates, split_by_time
from ml.task import Task
from ml.trained import TrainedModel, Verdict
from ml.value_interval import coverage_table, fit_value_interval

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judgement:
    """What a model that learnt only what was known at a test cutoff says of that cutoff.

    Attributes
    ----------
    split : TimeSplit
    features : tuple of str
    recipe : Recipe
    model : BlendModel or HurdleModel
        Fitted on every date whose label was known at the test cutoff.
    predictions : DataFrame
        ``customer_key``, ``as_of``, ``label``, ``model`` and one column per baseline.
    """

    split: TimeSplit
    features: tuple[str, ...]
    recipe: Recipe
    model: Scorer
    predictions: pd.DataFrame


def train(
    frame: pd.DataFrame,
    task: Task,
    *,
    horizon_days: int,
    features: Sequence[str] | None = None,
    parameters: Parameters = DEFAULTS,
    seed: int = 0,
    num_threads: int = 2,
    min_rows: int = 100,
) -> TrainedModel:
    """Train, judge and refit one model.

    Parameters
    ----------
    frame : DataFrame
        One row per (``customer_key``, ``as_of``) with numeric features and a ``label``.
    task : Task
        A value gets a hurdle model where enough buy and enough do not.
    horizon_days : int
        Length of the label window in days.
    features : sequence of str, optional
        Default: every column but the key, the date and the label.
    parameters : Parameters
        What is free in how the model is fitted.
    seed, num_threads, min_rows : int
        Seed of everything random; threads of LightGBM; fewest rows for each part of the split.

    Returns
    -------
    TrainedModel

    Raises
    ------
    NotEnoughHistory, FeatureError, ValueError
    """
    judgement = judge(
        frame,
        task,
        horizon_days=horizon_days,
        features=features,
        parameters=parameters,
        seed=seed,
        num_threads=num_threads,
        min_rows=min_rows,
    )
    binary, link = task.is_binary, task.link
    recipe, split, predictions = judgement.recipe, judgement.split, judgement.predictions
    ordered, names = _ordered(frame), judgement.features
    matrix = feature_matrix(ordered, names)
    label = ordered["label"].to_numpy(dtype=float)
    dates = as_of_dates(ordered)
    newest = split.rows(ordered, tuple(dates[-calibration.RECENT_DATES :]))
    learner = Learner(parameters, seed, num_threads)
    model = refit(matrix, label, newest, names, recipe, link, learner)
    scores = {name: predictions[name].to_numpy() for name in predictions.columns[3:]}
    tested = predictions["label"].to_numpy(dtype=float)
    metrics = evaluation.PROBABILITY_METRICS if binary else evaluation.VALUE_METRICS
    table = evaluation.metrics_table(tested, scores, metrics, seed=seed)
    spread = None
    if not binary:
        checked = label[split.rows(ordered, (split.validation,))]
        earlier = fit_value_interval(recipe.predicted, checked)
        covered = coverage_table(earlier, scores["model"], tested, seed=seed)
        table = pd.concat([table, covered], ignore_index=True)
        spread = fit_value_interval(
            np.r_[recipe.predicted, scores["model"]], np.r_[checked, tested]
        )
    return TrainedModel(
        kind=task.name,
        model=model,
        judged=judgement.model,
        horizon_days=horizon_days,
        seed=seed,
        parameters=parameters,
        rounds=recipe.rounds,
        fit_dates=tuple(str(date.date()) for date in split.fit),
        validation_date=str(split.validation.date()),
        test_date=str(split.test.date()),
        trained_on=tuple(str(date.date()) for date in dates),
        rows=len(ordered),
        metrics=table,
        test_predictions=predictions,
        verdicts=_verdicts(tested, scores, seed, binary=binary),
        feature_power=feature_power(
            matrix[split.rows(ordered, (split.test,))], tested, names, binary=binary
        ),
        spread=spread,
    )


def judge(
    frame: pd.DataFrame,
    task: Task,
    *,
    horizon_days: int,
    features: Sequence[str] | None = None,
    parameters: Parameters = DEFAULTS,
    seed: int = 0,
    num_threads: int = 2,
    min_rows: int = 100,
) -> Judgement:
    """Predict the newest date of a frame from what was known then, beside the baselines.

    The first two steps of `train`, which documents the parameters and errors; a backtest does
    no more at each of its origins.

    Returns
    -------
    Judgement
    """
    link = task.link
    split = split_by_time(frame, horizon_days, min_rows=min_rows, binary=task.is_binary)
    names = tuple(features) if features is not None else feature_names(frame)
    ordered = _ordered(frame)
    matrix = feature_matrix(ordered, names)
    label = ordered["label"].to_numpy(dtype=float)
    learner = Learner(parameters, seed, num_threads)
    recipe = probe(ordered, matrix, label, split, link, learner)
    known = split.rows(ordered, split.training)
    test = split.rows(ordered, (split.test,))
    newest = split.rows(ordered, split.training[-calibration.RECENT_DATES :])[known]
    judged = refit(matrix[known], label[known], newest, names, recipe, link, learner)
    predictions = _test_predictions(
        ordered, matrix, label, known, test, judged, task.baseline_column, num_threads
    ).assign(**bgnbd_scores(ordered, label, known, test, task, horizon_days))
    return Judgement(split, names, recipe, judged, predictions)


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(["as_of", "customer_key"], kind="stable").reset_index(drop=True)


def _test_predictions(
    frame: pd.DataFrame,
    matrix: Array,
    label: Array,
    known: Mask,
    test: Mask,
    judged: Scorer,
    baseline_column: str,
    num_threads: int,
) -> pd.DataFrame:
    """Score the test rows with the model and its baselines, learnt from the same rows."""
    table = frame.loc[test, ["customer_key", "as_of", "label"]].reset_index(drop=True)
    table["model"] = inverse_link(judged.raw(matrix[test], num_threads), judged.link)
    past, now = frame.loc[known], frame.loc[test]
    if isinstance(judged, BlendModel) and judged.link == "logit":
        table["logistic"] = inverse_link(judged.linear.raw(matrix[test]), "logit")
        recency = baselines.RecencyBaseline(baseline_column).fit(past, label[known])
        table["recency"] = recency.predict(now)
    else:
        spend = baselines.SpendBaseline(baseline_column).fit(past, label[known])
        table["recent_spend"] = spend.predict(now)
    return table


def _verdicts(
    label: Array, scores: Mapping[str, Array], seed: int, *, binary: bool
) -> tuple[Verdict, ...]:
    found = []
    for name in list(scores)[1:]:
        if binary:
            gap = intervals.paired_auc_difference(label, scores["model"], scores[name], seed=seed)
            found.append(Verdict(name, "roc_auc", gap))
            continue
        for metric in ("spearman", "gini"):
            function = evaluation.VALUE_METRICS[metric]
            gap = intervals.paired_difference(
                label, scores["model"], scores[name], function, seed=seed
            )
            found.append(Verdict(name, metric, gap))
        error = intervals.paired_difference(
            label,
            scores["model"],
            scores[name],
            lambda y, s: -evaluation.mean_absolute_error(y, s),
            seed=seed,
        )
        found.append(Verdict(name, "negative_mae", error))
    return tuple(found)
