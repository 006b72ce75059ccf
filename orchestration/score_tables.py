"""Writing scores: only for customers whose features or models are newer."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd

from ml.labelled_rows import take
from ml.matrix import feature_matrix
from ml.reasons import Phrase
from ml.task import Task
from ml.tasks import TASKS
from orchestration.champions import Champion, answering, require_features
from orchestration.customer_rows import append, replace_customers, stale_features, to_arrow
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.threads import map_in_threads

SEGMENT_COLUMNS = "segments.segment_id, segments.segment_name"
ENDS = ("expected_value_low", "expected_value_high")


def write_scores(
    lake: Lake,
    champions: Mapping[str, Champion],
    phrases: Mapping[str, Phrase],
    now: datetime,
    threads: int,
) -> int:
    """Score every customer whose features, segment or models changed; returns how many.

    Raises
    ------
    FeaturesGone
        A champion needs features that are no longer there; nothing is written then.
    """
    require_features(lake, champions)
    versions = model_versions(champions)

    def scored(features: pd.DataFrame) -> pd.DataFrame:  # a part on each thread
        return score_features(features, champions, phrases, versions, now, 1)

    stale = stale_features(lake, "customer_scores", "model_versions", versions, SEGMENT_COLUMNS)
    rows = to_arrow(list(map_in_threads(scored, stale, threads)))
    with lake.writer("write scores") as connection, transaction(connection):
        replace_customers(connection, "customer_scores", rows)
        append(connection, "score_history", rows)
    return 0 if rows is None else rows.num_rows


def model_versions(champions: Mapping[str, Champion]) -> str:
    """Which versions score, such as ``churn:3 purchase:2``."""
    return " ".join(champion.version.label for champion in champions.values()) or "none"


def score_features(
    features: pd.DataFrame,
    champions: Mapping[str, Champion],
    phrases: Mapping[str, Phrase],
    versions: str,
    now: datetime,
    threads: int,
) -> pd.DataFrame:
    """Scores of a batch of customers; each row needs nothing of the others.

    A model speaks only of the population it learnt from: churn and value of customers who bought
    within twice the churn horizon, the purchase tasks also of those who were otherwise active in
    it, inactivity of whoever was active within twice its own. For everyone else the score is null
    and the reason says so. A task that asks the same as another has the other's score
    (`Task.same_as`).

    About one customer in ten of a like expected value spends more than ``expected_value_high``,
    and at most one in ten less than ``expected_value_low``. The expected value is a mean: where
    few customers spend much and most nothing it can lie above the high end. Both are null where
    the value model has no interval yet.
    """
    predictions = predict_features(features, champions, threads)
    scores = pd.DataFrame(
        {
            "customer_key": features["customer_key"],
            "as_of": features["as_of"],
            **predictions,
            "segment_id": features["segment_id"],
            "segment_name": features["segment_name"],
        },
        index=features.index,
    )
    scores["top_reasons"] = explain_features(features, predictions, champions, phrases, threads)
    scores["model_versions"] = versions
    scores["scored_at"] = now
    scores["batch_id"] = features["batch_id"]
    return scores


def predict_features(
    features: pd.DataFrame, champions: Mapping[str, Champion], threads: int
) -> pd.DataFrame:
    """The score of every task and the ends of the expected value, on the index of ``features``.

    All tasks read one matrix of the features that any of them needs.
    """
    found = {task.score_column: np.full(len(features), np.nan) for task in TASKS.values()}
    ends = {name: np.full(len(features), np.nan) for name in ENDS}
    names = tuple(dict.fromkeys(name for c in champions.values() for name in c.model.features))
    matrix = feature_matrix(features, names) if names else np.empty((len(features), 0))
    for name, task in TASKS.items():
        if answering(task, champions) is not None:
            found[task.score_column] = found[TASKS[task.same_as].score_column].copy()
            continue
        if name not in champions:
            continue
        model = champions[name].model
        members = population(features, task, champions).to_numpy()
        rows = take(matrix, members)
        if model.features != names:
            rows = rows[:, [names.index(feature) for feature in model.features]]
        predicted = model.score(rows, threads)
        found[task.score_column][members] = predicted
        if model.spread is not None:
            for values, end in zip(ends.values(), model.spread.ends(predicted), strict=True):
                values[members] = end
    return pd.DataFrame({**found, **ends}, index=features.index)


def explain_features(
    features: pd.DataFrame,
    predictions: pd.DataFrame,
    champions: Mapping[str, Champion],
    phrases: Mapping[str, Phrase],
    threads: int,
) -> list[list[str]]:
    """The reasons of the first task, in the order of `ml.tasks.TASKS`, that scored a customer."""
    reasons = [_unscored_reason(champions)] * len(features)
    explained = np.zeros(len(features), dtype=bool)
    for name, task in TASKS.items():
        new = predictions[task.score_column].notna().to_numpy() & ~explained
        if name not in champions or not new.any():
            continue
        found = champions[name].reasons(features[new], phrases, threads)
        for row, sentences in zip(np.flatnonzero(new), found, strict=True):
            reasons[row] = sentences
        explained |= new
    return reasons


def population(features: pd.DataFrame, task: Task, champions: Mapping[str, Champion]) -> pd.Series:
    """Who a task's model may speak of: boolean, index of ``features``."""
    days = _population_days(task, champions)
    return (features[list(task.active_by)] < days).any(axis=1)


def _population_days(task: Task, champions: Mapping[str, Champion]) -> int:
    reference = champions.get(task.population_horizon, champions[task.name])
    return 2 * reference.model.horizon_days


def _unscored_reason(champions: Mapping[str, Champion]) -> list[str]:
    if not champions:
        return ["not scored: no model has been trained yet"]
    days = max(_population_days(TASKS[name], champions) for name in champions)
    return [f"not scored: not active in the last {days} days"]
