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

from ml import baselines, evaluation, intervals, linear
from ml.bgnbd_baseline import bgnbd_scores
from ml.blend import inverse_link
from ml.event_task import EventTask
from ml.hurdle import Scorer
from ml.labelled_rows import LabelledRows, take
from ml.parameters import Learner, Parameters, default_parameters
from ml.plausibility import feature_power
from ml.recipe import Recipe, learn, learn_known
from ml.task import Question, Task
from ml.trained import TrainedModel, Verdict
from ml.value_interval import coverage_table, fit_value_interval

Array = npt.NDArray[np.float64]
Baseline = baselines.RecencyBaseline | baselines.SpendBaseline


@dataclass(frozen=True)
class Judgement:
    """What a model that learnt only what was known at a test cutoff says of that cutoff.

    Attributes
    ----------
    rows : LabelledRows
    recipe : Recipe
    model : BlendModel or HurdleModel
        Fitted on every date whose label was known at the test cutoff.
    predictions : DataFrame
        ``customer_key``, ``as_of``, ``label``, ``model`` and one column per baseline.
    """

    rows: LabelledRows
    recipe: Recipe
    model: Scorer
    predictions: pd.DataFrame


def train(
    frame: pd.DataFrame,
    task: Question,
    *,
    horizon_days: int,
    features: Sequence[str] | None = None,
    parameters: Parameters | None = None,
    seed: int = 0,
    num_threads: int = 2,
    min_rows: int = 100,
) -> TrainedModel:
    """Train, judge and refit one model.

    Parameters
    ----------
    frame : DataFrame
        One row per (``customer_key``, ``as_of``), or per event of an `EventTask`, with numeric
        features and a ``label``.
    task : Question
        A value gets a hurdle model where enough buy and enough do not.
    horizon_days : int
        Length of the label window in days.
    features : sequence of str, optional
        Default: every column but the key, the date and the label.
    parameters : Parameters, optional
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
    parameters = parameters or default_parameters(task)
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
    binary = task.is_binary
    recipe, rows, predictions = judgement.recipe, judgement.rows, judgement.predictions
    learner = Learner.of(parameters, rows.features, task.directions, seed, num_threads)
    model = learn(rows, rows.dates, recipe, task.link, learner)
    scores = {name: predictions[name].to_numpy() for name in predictions.columns[3:]}
    tested = predictions["label"].to_numpy(dtype=float)
    metrics = evaluation.PROBABILITY_METRICS if binary else evaluation.VALUE_METRICS
    customers = intervals.clusters_of(predictions["customer_key"])
    table = evaluation.metrics_table(tested, scores, metrics, seed=seed, clusters=customers)
    spread = None
    if not binary:
        checked = rows.label[rows.at(rows.split.validation)]
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
        fit_dates=tuple(str(date.date()) for date in rows.split.fit),
        validation_date=str(rows.split.validation.date()),
        calibration_date=str(rows.split.calibration.date()) if rows.split.calibration else "",
        test_date=str(rows.split.test.date()),
        trained_on=tuple(str(date.date()) for date in rows.dates),
        rows=len(rows.label),
        metrics=table,
        test_predictions=predictions,
        verdicts=_verdicts(tested, scores, seed, customers, binary=binary),
        feature_power=feature_power(rows.matrix[rows.test], tested, rows.features, binary=binary),
        spread=spread,
    )


def judge(
    frame: pd.DataFrame,
    task: Question,
    *,
    horizon_days: int,
    features: Sequence[str] | None = None,
    parameters: Parameters | None = None,
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
    rows = LabelledRows.of(frame, task, horizon_days, features, min_rows=min_rows)
    parameters = parameters or default_parameters(task)
    learner = Learner.of(parameters, rows.features, task.directions, seed, num_threads)
    recipe, judged = learn_known(rows, task.link, learner)
    predictions = _test_predictions(rows, recipe, judged, task, num_threads)
    if isinstance(task, Task):
        found = bgnbd_scores(rows.frame, rows.label, rows.known, rows.test, task, horizon_days)
        predictions = predictions.assign(**found)
    return Judgement(rows, recipe, judged, predictions)


def _test_predictions(
    rows: LabelledRows, recipe: Recipe, judged: Scorer, task: Question, num_threads: int
) -> pd.DataFrame:
    """Score the test rows with the model and its baselines, learnt from the same rows."""
    known, test, label = rows.known, rows.test, rows.label
    tested = take(rows.matrix, test)
    table = rows.frame.loc[test, ["customer_key", "as_of", "label"]].reset_index(drop=True)
    table["model"] = inverse_link(judged.raw(tested, num_threads), judged.link)
    past, now = (rows.frame.loc[part] for part in (known, test))
    if task.is_binary:
        logistic = linear.fit_logistic(take(rows.matrix, known), label[known], recipe.penalty)
        table["logistic"] = inverse_link(logistic.raw(tested), "logit")
    for name, baseline in _simple_baselines(task):
        table[name] = baseline.fit(past, label[known]).predict(now)
    return table


def _simple_baselines(task: Question) -> list[tuple[str, Baseline]]:
    """What one feature alone foretells, by name, the simplest first."""
    if isinstance(task, EventTask):
        return [(name, baselines.RecencyBaseline(of)) for name, of in task.baselines.items()]
    assert isinstance(task, Task)
    if task.is_binary:
        return [(task.simplest, baselines.RecencyBaseline(*task.baseline_columns))]
    return [(task.simplest, baselines.SpendBaseline(*task.baseline_columns))]


def _verdicts(
    label: Array,
    scores: Mapping[str, Array],
    seed: int,
    customers: intervals.Keys | None,
    *,
    binary: bool,
) -> tuple[Verdict, ...]:
    found = []
    for name in list(scores)[1:]:
        if binary:
            gap = intervals.paired_auc_difference(
                label, scores["model"], scores[name], seed=seed, clusters=customers
            )
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
