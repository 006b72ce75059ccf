"""The shared core of every task: fit, calibrate, judge, refit.

1. Probe: fit on the older dates; choose rounds, penalty and the slope of the calibration on the
   validation date (`TimeSplit.probe_fit` keeps the two apart).
2. Judge: refit on every date whose label is known at the test cutoff; score the untouched test
   cutoff beside the baselines.
3. Produce: refit on every labelled date with the same rounds, penalty and slope.

Each refit sets its level on the newest dates that it was fitted on (see `ml.calibration`). A value
is two such models, of the purchase and of the amount (see `ml.hurdle`), and has an interval from
what came of the predictions of the validation and test dates (see `ml.value_interval`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml import baselines, calibration, evaluation, intervals, linear, trees
from ml.bgnbd_baseline import bgnbd_scores
from ml.blend import BlendModel, Link, blend, inverse_link
from ml.event_task import EventTask
from ml.hurdle import HurdleModel, Scorer
from ml.matrix import feature_matrix, feature_names
from ml.plausibility import feature_power
from ml.splits import TimeSplit, as_of_dates, split_by_time
from ml.task import Question, Task
from ml.trained import TrainedModel, Verdict
from ml.value_interval import coverage_table, fit_value_interval

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Baseline = baselines.RecencyBaseline | baselines.SpendBaseline
TREE_SHARE = 0.75
"""Weight of the trees against the linear model. On 17 rolling origins a fixed share was as good
as, or better than, one chosen on the validation date."""
FEWEST_PER_SIDE = 50
"""Buyers, and customers who do not buy, that a value model in two steps needs to fit and check."""
ROUNDS_WITHOUT_PURGE = 80
"""Rounds where the history is too short to keep validation labels out of the fit dates."""


@dataclass(frozen=True)
class Recipe:
    """What the probe found: everything needed to refit.

    `predicted` is what it said, in the unit of the label, of the validation rows. A value model
    in two steps has a recipe for the purchase and in it one for the `amount`.
    """

    rounds: int
    penalty: float
    slope: float
    level: float
    predicted: Array
    amount: Recipe | None = None


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
    task: Question,
    *,
    horizon_days: int,
    features: Sequence[str] | None = None,
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
    model = _refit(matrix, label, newest, names, recipe, link, seed, num_threads)
    scores = {name: predictions[name].to_numpy() for name in predictions.columns[3:]}
    tested = predictions["label"].to_numpy(dtype=float)
    metrics = evaluation.PROBABILITY_METRICS if binary else evaluation.VALUE_METRICS
    customers = intervals.clusters_of(predictions["customer_key"])
    table = evaluation.metrics_table(tested, scores, metrics, seed=seed, clusters=customers)
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
        rounds=recipe.rounds,
        fit_dates=tuple(str(date.date()) for date in split.fit),
        validation_date=str(split.validation.date()),
        test_date=str(split.test.date()),
        trained_on=tuple(str(date.date()) for date in dates),
        rows=len(ordered),
        metrics=table,
        test_predictions=predictions,
        verdicts=_verdicts(tested, scores, seed, customers, binary=binary),
        feature_power=feature_power(
            matrix[split.rows(ordered, (split.test,))], tested, names, binary=binary
        ),
        spread=spread,
    )


def judge(
    frame: pd.DataFrame,
    task: Question,
    *,
    horizon_days: int,
    features: Sequence[str] | None = None,
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
    recipe = _probe(ordered, matrix, label, split, link, seed, num_threads)
    known = split.rows(ordered, split.training)
    test = split.rows(ordered, (split.test,))
    newest = split.rows(ordered, split.training[-calibration.RECENT_DATES :])[known]
    judged = _refit(matrix[known], label[known], newest, names, recipe, link, seed, num_threads)
    predictions = _test_predictions(ordered, matrix, label, known, test, judged, task, num_threads)
    if isinstance(task, Task):
        found = bgnbd_scores(ordered, label, known, test, task, horizon_days)
        predictions = predictions.assign(**found)
    return Judgement(split, names, recipe, judged, predictions)


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(["as_of", "customer_key"], kind="stable").reset_index(drop=True)


def _probe(
    frame: pd.DataFrame,
    matrix: Array,
    label: Array,
    split: TimeSplit,
    link: Link,
    seed: int,
    num_threads: int,
) -> Recipe:
    fit_rows = split.rows(frame, split.probe_fit)
    if len(np.unique(label[fit_rows] > 0)) < 2:
        fit_rows = split.rows(frame, split.fit)
    check = split.rows(frame, (split.validation,))

    def part(label: Array, link: Link, members: Mask) -> Recipe:
        found = _probe_part(
            matrix, label, fit_rows & members, check, members, link, seed, num_threads
        )
        if split.is_purged:
            return found
        return replace(found, rounds=min(found.rounds, ROUNDS_WITHOUT_PURGE))

    everyone = np.ones(len(label), dtype=bool)
    bought = label > 0
    if link == "logit" or not _has_two_sides(bought, fit_rows, check):
        return part(label, link, everyone)
    buys, amount = part(bought.astype(float), "logit", everyone), part(label, "log", bought)
    return replace(buys, predicted=buys.predicted * amount.predicted, amount=amount)


def _probe_part(
    matrix: Array,
    label: Array,
    fit_rows: Mask,
    check: Mask,
    members: Mask,
    link: Link,
    seed: int,
    num_threads: int,
) -> Recipe:
    """Learn from the fit rows, check on the members among the check rows, predict all of them."""
    scale = _unit(label[fit_rows], link)
    fit = (matrix[fit_rows], label[fit_rows] / scale)
    validation = (matrix[check & members], label[check & members] / scale)
    choose = baselines.choose_logistic if link == "logit" else baselines.choose_tweedie
    penalty, straight = choose(fit, validation)
    objective = "binary" if link == "logit" else "tweedie"
    rounds, raw = trees.find_rounds(
        fit, validation, objective, matrix[check], seed=seed, num_threads=num_threads
    )
    mixed = blend(raw, straight.raw(matrix[check]), TREE_SHARE)
    checked = mixed[members[check]]
    if link == "logit":
        slope = calibration.platt_slope(checked, validation[1])
        return Recipe(rounds, penalty, slope, 0.0, inverse_link(slope * mixed, link))
    level = calibration.level_log(inverse_link(checked, link), validation[1])
    return Recipe(rounds, penalty, 1.0, level, inverse_link(mixed + level, link) * scale)


def _has_two_sides(bought: Mask, fit_rows: Mask, check: Mask) -> bool:
    counts = [int((bought[rows] == side).sum()) for rows in (fit_rows, check) for side in (0, 1)]
    return min(counts) >= FEWEST_PER_SIDE


def _refit(
    matrix: Array,
    label: Array,
    newest: Mask,
    names: tuple[str, ...],
    recipe: Recipe,
    link: Link,
    seed: int,
    num_threads: int,
) -> Scorer:
    rest = (seed, num_threads)
    if recipe.amount is None:
        return _refit_part(matrix, label, newest, names, recipe, link, *rest)
    bought = label > 0
    rows = (matrix[bought], label[bought], newest[bought])
    return HurdleModel(
        _refit_part(matrix, bought.astype(float), newest, names, recipe, "logit", *rest),
        _refit_part(*rows, names, recipe.amount, "log", *rest),
    )


def _refit_part(
    matrix: Array,
    label: Array,
    newest: Mask,
    names: tuple[str, ...],
    recipe: Recipe,
    link: Link,
    seed: int,
    num_threads: int,
) -> BlendModel:
    scale = _unit(label, link)
    objective = "binary" if link == "logit" else "tweedie"
    fit_linear = linear.fit_logistic if link == "logit" else linear.fit_tweedie
    model = BlendModel(
        features=names,
        trees=trees.fit_trees(
            matrix, label / scale, objective, recipe.rounds, seed=seed, num_threads=num_threads
        ),
        linear=fit_linear(matrix, label / scale, recipe.penalty),
        tree_share=TREE_SHARE,
        link=link,
        slope=recipe.slope,
        intercept=recipe.level + float(np.log(scale)),
    )
    if link == "log":
        return model
    level = calibration.level_logit(model.raw(matrix[newest], num_threads), label[newest])
    return model.calibrated(recipe.slope, level)


def _test_predictions(
    frame: pd.DataFrame,
    matrix: Array,
    label: Array,
    known: Mask,
    test: Mask,
    judged: Scorer,
    task: Question,
    num_threads: int,
) -> pd.DataFrame:
    """Score the test rows with the model and its baselines, learnt from the same rows."""
    table = frame.loc[test, ["customer_key", "as_of", "label"]].reset_index(drop=True)
    table["model"] = inverse_link(judged.raw(matrix[test], num_threads), judged.link)
    past, now = frame.loc[known], frame.loc[test]
    if isinstance(judged, BlendModel) and judged.link == "logit":
        table["logistic"] = inverse_link(judged.linear.raw(matrix[test]), "logit")
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


def _unit(label: Array, link: Link) -> float:
    """Return the mean value, so that the unit of money changes nothing; 1 for labels."""
    return float(label.mean()) if link == "log" else 1.0
