"""Rolling-origin evaluation: a model judged at several past instants, as if each were today.

At each origin a model and its baselines learn only from rows whose label was known then (the gap
is the horizon: `ml.splits`), and predict the customers of that instant. The predictions of all
origins make one table; figures come per origin and pooled over origins (Tashman 2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ml import evaluation
from ml.blend import Link
from ml.classifier import judge
from ml.importance import Stability, importance_table, stability
from ml.intervals import clusters_of
from ml.parameters import Parameters
from ml.resampling import resample
from ml.splits import NotEnoughHistory, as_of_dates, split_by_time
from ml.task import Question

PROBABILITY_FIGURES = (
    *evaluation.PROBABILITY_METRICS,
    "calibration_slope",
    "aggregate_ratio",
)
VALUE_FIGURES = tuple(evaluation.VALUE_METRICS)
NOT_MODELS = ("origin", "customer_key", "as_of", "label")


@dataclass(frozen=True)
class Backtest:
    """What a rolling-origin evaluation found.

    Attributes
    ----------
    horizon_days : int
        Length of the label window.
    link : {"logit", "log"}
        Probability or value.
    predictions : DataFrame
        One row per origin and customer: ``origin``, ``customer_key``, ``as_of``, ``label``,
        ``model`` and one column per baseline.
    by_origin : DataFrame
        ``origin``, ``rows``, ``model``, ``metric``, ``value``, ``low``, ``high``.
    pooled : DataFrame
        ``model``, ``metric``, ``value``, ``low``, ``high`` over all origins; intervals by
        customer, who may stand at several origins.
    differences : DataFrame
        ``baseline``, ``metric``, ``difference``, ``low``, ``high``, ``verdict``: the model
        against each baseline, pooled and paired; see `ml.resampling.Resampled.differences`.
    importance : DataFrame
        ``origin``, ``feature``, ``importance`` of the model of each origin; see
        `ml.importance.importance_table`. Empty where only predictions were judged.
    """

    horizon_days: int
    link: Link
    predictions: pd.DataFrame
    by_origin: pd.DataFrame
    pooled: pd.DataFrame
    differences: pd.DataFrame
    importance: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def stability(self) -> Stability | None:
        """How alike the models of the origins are, where there are several."""
        if self.importance.empty or self.importance["origin"].nunique() < 2:
            return None
        return stability(
            [
                dict(zip(rows["feature"], rows["importance"], strict=True))
                for _, rows in self.importance.groupby("origin", sort=True)
            ]
        )

    @property
    def origins(self) -> list[pd.Timestamp]:
        """The instants at which the model was judged, oldest first."""
        return [pd.Timestamp(origin) for origin in sorted(self.predictions["origin"].unique())]

    @property
    def models(self) -> list[str]:
        """The model and its baselines."""
        return model_names(self.predictions)


def backtest(
    frame: pd.DataFrame,
    task: Question,
    *,
    horizon_days: int,
    features: Sequence[str] | None = None,
    parameters: Parameters | None = None,
    origins: int = 4,
    most_rows: int = 200_000,
    seed: int = 0,
    num_threads: int = 2,
    min_rows: int = 100,
    rounds: int = 200,
) -> Backtest:
    """Train and judge at several origins.

    Parameters
    ----------
    frame : DataFrame
        One row per (``customer_key``, ``as_of``) with numeric features and a ``label``.
    task, horizon_days, features, parameters, seed, num_threads, min_rows
        See `ml.classifier.train`.
    origins : int, default 4
        How many instants to judge at; the newest date of the frame is always one.
    most_rows : int, default 200,000
        Most rows, training and test, of an origin; above it some customers are drawn, the same
        ones at every origin as far as they fit.
    rounds : int, default 200
        Bootstrap samples of the intervals.

    Returns
    -------
    Backtest

    Raises
    ------
    NotEnoughHistory
        Fewer dates can be judged than `origins`; the message says how many can.
    FeatureError, ValueError
        See `ml.classifier.train`.
    """
    chosen = choose_origins(frame, horizon_days, origins, min_rows=min_rows, binary=task.is_binary)
    parts, importances = [], []
    for origin in chosen:
        known = frame[frame["as_of"] <= origin]
        judgement = judge(
            draw_customers(known, most_rows, seed),
            task,
            horizon_days=horizon_days,
            features=features,
            parameters=parameters,
            seed=seed,
            num_threads=num_threads,
            min_rows=min_rows,
        )
        part = judgement.predictions.copy()
        part.insert(0, "origin", origin)
        parts.append(part)
        tested = judgement.rows.frame[judgement.rows.test]
        moved = importance_table(judgement.model, tested, seed=seed, num_threads=num_threads)
        importances.append(moved[["feature", "importance"]].assign(origin=origin))
    judged = judge_predictions(
        pd.concat(parts, ignore_index=True), horizon_days, task.link, seed=seed, rounds=rounds
    )
    return replace(judged, importance=pd.concat(importances, ignore_index=True))


def judge_predictions(
    predictions: pd.DataFrame, horizon_days: int, link: Link, *, seed: int, rounds: int = 200
) -> Backtest:
    """Turn the predictions of several origins into figures; see `Backtest` for the columns."""
    metrics = PROBABILITY_FIGURES if link == "logit" else VALUE_FIGURES
    names = model_names(predictions)
    tables = []
    for origin, rows in predictions.groupby("origin", sort=True):
        scores = {name: rows[name].to_numpy() for name in names}
        table = resample(
            rows["label"],
            scores,
            metrics,
            rounds=rounds,
            seed=seed,
            clusters=clusters_of(rows["customer_key"]),
        ).table()
        table.insert(0, "rows", len(rows))
        table.insert(0, "origin", origin)
        tables.append(table)
    scores = {name: predictions[name].to_numpy() for name in names}
    pooled = resample(
        predictions["label"],
        scores,
        metrics,
        rounds=rounds,
        seed=seed,
        clusters=predictions["customer_key"],
    )
    return Backtest(
        horizon_days,
        link,
        predictions,
        pd.concat(tables, ignore_index=True),
        pooled.table(),
        pooled.differences(),
    )


def model_names(predictions: pd.DataFrame) -> list[str]:
    """The columns of a prediction table that are models: "model" first, then the baselines."""
    return [str(name) for name in predictions.columns if name not in NOT_MODELS]


def possible_origins(
    frame: pd.DataFrame, horizon_days: int, *, min_rows: int = 100, binary: bool = True
) -> list[pd.Timestamp]:
    """Return the dates with enough known labels before them to train on, oldest first."""
    found = []
    slim = frame[["as_of", "label"]]
    for date in as_of_dates(frame):
        try:
            split_by_time(
                slim[slim["as_of"] <= date], horizon_days, min_rows=min_rows, binary=binary
            )
        except NotEnoughHistory:
            continue
        found.append(date)
    return found


def choose_origins(
    frame: pd.DataFrame,
    horizon_days: int,
    origins: int = 4,
    *,
    min_rows: int = 100,
    binary: bool = True,
) -> list[pd.Timestamp]:
    """Choose origins as far apart as the history allows, but no more than one horizon.

    Origins that lie a horizon apart share no day of their label windows; the newest possible
    one is always chosen.

    Raises
    ------
    NotEnoughHistory
        Fewer dates can be judged than asked for.
    """
    possible = possible_origins(frame, horizon_days, min_rows=min_rows, binary=binary)
    if len(possible) < origins:
        dates = as_of_dates(frame)
        raise NotEnoughHistory(
            f"{len(possible)} of {len(dates)} as-of dates can be judged, not {origins}: each needs "
            f"two earlier dates whose {horizon_days}-day labels were known and {min_rows} rows. "
            f"Add as-of dates or shorten the horizon."
        )
    if origins == 1:
        return possible[-1:]
    widest = (len(possible) - 1) // (origins - 1)
    far = next(
        (
            step
            for step in range(1, widest + 1)
            if possible[-1] - possible[-1 - step] >= pd.Timedelta(days=horizon_days)
        ),
        widest,
    )
    return possible[::-1][::far][:origins][::-1]


def draw_customers(frame: pd.DataFrame, most_rows: int, seed: int) -> pd.DataFrame:
    """Keep at most `most_rows` rows by drawing customers, each with all rows or none.

    The draw goes by a seeded order of all keys, so that it depends on no order of rows, and of
    two caps the smaller one's customers are among the larger one's.
    """
    if len(frame) <= most_rows:
        return frame
    sizes = frame.groupby("customer_key", sort=True).size()
    shuffled = sizes.iloc[np.random.default_rng(seed).permutation(len(sizes))]
    kept = shuffled.index[shuffled.cumsum().to_numpy() <= most_rows]
    return frame[frame["customer_key"].isin(kept)]
