"""A bounded search for parameters, on past instants before the test cutoff.

Trials are judged at inner origins: as-of dates whose labels were known at the test cutoff, each
with a model that learnt only what was known at it. The older inner origins choose; the newest one,
which no trial has seen, confirms. What was found is adopted only if it beats the defaults by a
paired interval on both: the best of many trials looks better than it is on the dates that chose
it, and one date alone has moods (on Online Retail's purchases a gain of .0022 at the confirming
date, .0003 to .0041, was a loss of .0031 at the test cutoff; its gain where it was chosen was
within the interval).

Trials are proposed by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), the
defaults being the first. With a budget in trials alone a search is deterministic; a budget in
seconds is not, so a search is apart from training and leaves a record.

Classes are neither weighted nor resampled: the loss is proper, and weights would only move the
probabilities away from what happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml import intervals
from ml.backtest import choose_origins, draw_customers
from ml.blend import Link, inverse_link
from ml.intervals import Difference, bootstrap_weights
from ml.labelled_rows import LabelledRows
from ml.parameters import Learner, Parameters, default_parameters
from ml.recipe import learn_known
from ml.search_result import Budget, SearchResult
from ml.splits import NotEnoughHistory, as_of_dates
from ml.task import Task

if TYPE_CHECKING:
    from optuna import Trial

Array = npt.NDArray[np.float64]
Log = Callable[[str], None]
DEVIANCE_POWER = 1.5
BOOTSTRAP_ROUNDS = 1000
NO_GAIN = Difference(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Range:
    """Where one parameter is looked for."""

    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False

    def suggest(self, trial: Trial, name: str) -> float:
        """Ask a trial for a value."""
        if self.is_whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.is_log)
        return trial.suggest_float(name, self.low, self.high, log=self.is_log)


SPACE: Mapping[str, Range] = {
    "learning_rate": Range(0.02, 0.2, is_log=True),
    "num_leaves": Range(3, 31, is_log=True, is_whole=True),
    "leaf_share": Range(0.002, 0.05, is_log=True),
    "l2_per_row": Range(0.0002, 0.02, is_log=True),
    "feature_fraction": Range(0.15, 0.9),
    "bagging_fraction": Range(0.3, 1.0),
    "tree_share": Range(0.25, 1.0),
}
VALUE_SPACE: Mapping[str, Range] = {**SPACE, "tweedie_power": Range(1.1, 1.7)}


def search(
    frame: pd.DataFrame,
    task: Task,
    *,
    horizon_days: int,
    budget: Budget,
    features: Sequence[str] | None = None,
    origins: int = 3,
    most_rows: int = 100_000,
    seed: int = 0,
    num_threads: int = 2,
    min_rows: int = 100,
    log: Log = lambda words: None,
) -> SearchResult:
    """Search parameters on what was known at the newest date of a frame.

    Parameters
    ----------
    frame : DataFrame
        One row per (``customer_key``, ``as_of``) with numeric features and a ``label``.
    task : Task
    horizon_days : int
        Length of the label window in days.
    budget : Budget
    features : sequence of str, optional
        Default: every column but the key, the date and the label.
    origins : int, default 3
        Inner origins, the newest of which confirms; at least 2. Where the history gives fewer,
        two do.
    most_rows : int, default 100,000
        Customers are drawn down to this many rows.
    seed, num_threads, min_rows : int
        See `ml.classifier.train`.
    log : callable
        Told about every trial.

    Returns
    -------
    SearchResult

    Raises
    ------
    NotEnoughHistory
        Fewer than two origins before the test cutoff can be judged.
    FeatureError, ValueError
        See `ml.classifier.train`.
    """
    defaults = default_parameters(task)
    known, cutoff = known_before_test(frame, horizon_days)
    inner = _inner_origins(known, horizon_days, origins, min_rows, task)
    drawn = draw_customers(known, most_rows, seed)
    rows = [
        LabelledRows.of(
            drawn[drawn["as_of"] <= origin], task, horizon_days, features, min_rows=min_rows
        )
        for origin in inner
    ]

    def losses(parameters: Parameters, at: LabelledRows) -> Array:
        learner = Learner.of(parameters, at.features, task.directions, seed, num_threads)
        _, model = learn_known(at, task.link, learner)
        test = at.test
        predicted = inverse_link(model.raw(at.matrix[test], num_threads), task.link)
        return row_losses(at.label[test], predicted, task.link)

    def loss(parameters: Parameters) -> float:
        return float(np.mean([losses(parameters, at).mean() for at in rows[:-1]]))

    def gain(parameters: Parameters, origins: Sequence[LabelledRows]) -> Difference:
        less = np.concatenate([losses(defaults, at) - losses(parameters, at) for at in origins])
        keys = np.concatenate([at.frame.loc[at.test, "customer_key"] for at in origins])
        return mean_interval(less, keys, seed)

    trials, found = _study(loss, defaults, task.link, budget, seed, log)
    is_new = found != defaults
    dates = [str(origin.date()) for origin in inner]
    return SearchResult(
        kind=task.name,
        horizon_days=horizon_days,
        seed=seed,
        choosing=tuple(dates[:-1]),
        confirming=dates[-1],
        cutoff=str(cutoff.date()),
        budget=budget,
        trials=trials,
        found=found,
        choosing_gain=gain(found, rows[:-1]) if is_new else NO_GAIN,
        gain=gain(found, rows[-1:]) if is_new else NO_GAIN,
    )


def mean_interval(values: Array, clusters: npt.ArrayLike, seed: int) -> Difference:
    """Mean of some values with its 95 % interval, rows of one cluster drawn together."""
    samples = np.concatenate(
        [
            weights @ values / weights.sum(axis=1)
            for weights in bootstrap_weights(len(values), BOOTSTRAP_ROUNDS, seed, clusters)
        ]
    )
    return Difference(float(values.mean()), *intervals.limits(samples))


def known_before_test(frame: pd.DataFrame, horizon_days: int) -> tuple[pd.DataFrame, pd.Timestamp]:
    """Return the rows whose label was known at the newest date of a frame, and that date."""
    dates = as_of_dates(frame)
    if not dates:
        raise NotEnoughHistory("the training frame has no rows: nothing to search on")
    known = frame["as_of"] + pd.Timedelta(days=horizon_days) <= dates[-1]
    return frame[known], dates[-1]


def row_losses(label: Array, predicted: Array, link: Link) -> Array:
    """Loss of each prediction: log loss, of a value the Tweedie deviance up to a constant.

    Parameters
    ----------
    label, predicted : float array, shape (n,)
    link : {"logit", "log"}

    Returns
    -------
    losses : float array, shape (n,)
        Of a value on the scale of the mean label, so that the unit of money changes nothing.
    """
    if link == "logit":
        p = np.clip(predicted, 1e-15, 1 - 1e-15)
        return np.asarray(-label * np.log(p) - (1 - label) * np.log1p(-p))
    unit = float(label.mean())
    mean, value = np.maximum(predicted / unit, 1e-9), label / unit
    power = DEVIANCE_POWER
    return np.asarray(mean ** (2 - power) / (2 - power) - value * mean ** (1 - power) / (1 - power))


def _inner_origins(
    known: pd.DataFrame, horizon_days: int, origins: int, min_rows: int, task: Task
) -> list[pd.Timestamp]:
    if origins < 2:
        raise ValueError(f"a search needs at least 2 inner origins, not {origins}")
    for count in range(origins, 1, -1):
        try:
            return choose_origins(
                known, horizon_days, count, min_rows=min_rows, binary=task.is_binary
            )
        except NotEnoughHistory as problem:
            reason = problem
    raise NotEnoughHistory(
        f"no search for {task.name}: two origins are needed before the test cutoff, one to choose "
        f"and one to confirm; {reason} (SHOAL_AS_OF_COUNT adds dates)"
    )


def _study(
    loss: Callable[[Parameters], float],
    defaults: Parameters,
    link: Link,
    budget: Budget,
    seed: int,
    log: Log,
) -> tuple[pd.DataFrame, Parameters]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = SPACE if link == "logit" else VALUE_SPACE

    def objective(trial: Trial) -> float:
        drawn: dict[str, Any] = {name: scope.suggest(trial, name) for name, scope in space.items()}
        found = loss(replace(defaults, **drawn))
        log(f"trial {trial.number}: loss {found:.5f}")
        return found

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({name: getattr(defaults, name) for name in space})
    study.optimize(objective, n_trials=budget.trials, timeout=budget.seconds)
    records: list[dict[str, Any]] = [
        {"trial": trial.number, "loss": trial.value, **trial.params} for trial in study.trials
    ]
    return pd.DataFrame(records), replace(defaults, **study.best_params)
