"""Judging every task at several past instants, between the lake and ``ml.backtest``."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from ml.backtest import Backtest, backtest
from ml.event_task import EventTask
from ml.groups import judge_groups, merge_small, tenure_band
from ml.matrix import feature_names
from ml.profit import CostTable
from ml.splits import NotEnoughHistory
from ml.task import Question, Task
from ml.tasks import EVENT_TASKS, TASKS
from orchestration.champions import load_segments
from orchestration.lake import Lake
from orchestration.references import (
    REPEAT_PURCHASES,
    Beside,
    beside,
    beside_repeat_purchases,
    references_for,
)
from orchestration.registry import Registry
from orchestration.settings import Settings
from orchestration.training_dates import read_skipped_tasks
from orchestration.training_frame import read_training_frame

GROUPS = ("segment", "country", "tenure", "channel")

_CHANNELS = """
with origins as (
    select distinct customer_key, origin
    from backtest_rows
),
earlier as (
    select
        origins.customer_key,
        origins.origin,
        arg_max(orders.channel, orders.ordered_at) as channel
    from origins
    inner join marts.orders as orders
        on
            origins.customer_key = orders.customer_key
            and orders.ordered_at < origins.origin
            and orders.status = 'completed'
    group by 1, 2
)
select
    origins.customer_key,
    origins.origin,
    customers.country,
    earlier.channel
from origins
left join earlier
    on origins.customer_key = earlier.customer_key and origins.origin = earlier.origin
left join marts.customers as customers on origins.customer_key = customers.customer_key
"""
_VALUE_KEPT = "select avg(label) from marts.customer_labels where task = 'value' and label > 0"


@dataclass(frozen=True)
class TaskEvaluation:
    """What was found of one task; ``reason`` says why there is nothing."""

    task: Question
    found: Backtest | None
    groups: pd.DataFrame | None
    reason: str = ""


@dataclass(frozen=True)
class Evaluation:
    """Every task, with the state of the lake, the costs of decisions, and what others reach."""

    as_of: Any
    snapshot: int
    costs: CostTable | None
    tasks: tuple[TaskEvaluation, ...]
    references: tuple[Beside, ...] = ()


def evaluate(lake: Lake, values: Settings, log: logging.Logger) -> Evaluation:
    """Judge every task at past instants of what is in the lake.

    Raises
    ------
    RuntimeError
        There are no labels to learn from yet.
    """
    with lake.reader(latest=True) as connection:
        row = connection.execute(
            "select as_of from ops.clock where exists (select 1 from marts.customer_labels)"
        ).fetchone()
        if row is None:
            raise RuntimeError(
                "no row in marts.customer_labels: run main_job on data first (make demo)"
            )
        costs = cost_table(connection, values)
        skipped = read_skipped_tasks(connection)
    tasks = []
    snapshot = 0
    for name, task in TASKS.items():
        if name in skipped:
            tasks.append(TaskEvaluation(task, None, None, skipped[name].reason))
            continue
        frame, horizon_days, snapshot = read_training_frame(lake, task.name)
        log.info(f"{task.name}: {len(frame):,} labelled rows")
        tasks.append(_evaluate_task(task, frame, horizon_days, lake, values))
    tasks += [_evaluate_events(task, lake, values, log) for task in EVENT_TASKS.values()]
    return Evaluation(row[0], snapshot, costs, tuple(tasks), _references(tasks, lake, values))


def _references(
    tasks: Sequence[TaskEvaluation], lake: Lake, values: Settings
) -> tuple[Beside, ...]:
    judged = [(each.task, each.found, each.reason) for each in tasks]
    with lake.reader(latest=True) as connection:
        return tuple(
            beside_repeat_purchases(reference, connection, seed=values.seed, threads=values.threads)
            if reference.outcome == REPEAT_PURCHASES
            else beside(reference, judged)
            for reference in references_for(connection)
        )


def cost_table(connection: duckdb.DuckDBPyConnection, values: Settings) -> CostTable | None:
    """The cost table of the settings; without a value kept, what a buyer spends in the horizon.

    None where neither is known.
    """
    kept = values.value_kept
    if kept is None:
        row = connection.execute(_VALUE_KEPT).fetchone()
        if row is None or row[0] is None:
            return None
        kept = float(row[0])
    return CostTable(values.contact_cost, kept, values.save_rate)


def _evaluate_task(
    task: Task, frame: pd.DataFrame, horizon_days: int | None, lake: Lake, values: Settings
) -> TaskEvaluation:
    try:
        if horizon_days is None:
            raise NotEnoughHistory("there is no labelled customer yet")
        found = _backtest(frame, task, horizon_days, values)
    except NotEnoughHistory as problem:
        return TaskEvaluation(task, None, None, str(problem))
    rows = with_groups(found.predictions, frame, lake, Registry(values))
    groups = judge_groups(rows, GROUPS, task.link, seed=values.seed)
    return TaskEvaluation(task, found, groups)


def _evaluate_events(
    task: EventTask, lake: Lake, values: Settings, log: logging.Logger
) -> TaskEvaluation:
    try:
        frame, horizon_days, _ = read_training_frame(lake, task.name)
        assert horizon_days is not None
        log.info(f"{task.name}: {len(frame):,} labelled rows")
        found = _backtest(frame, task, horizon_days, values)
    except NotEnoughHistory as problem:
        return TaskEvaluation(task, None, None, str(problem))
    rows = with_event_groups(found.predictions, frame, task)
    dimensions = [str(name) for name in rows if name not in found.predictions]
    return TaskEvaluation(task, found, judge_groups(rows, dimensions, "logit", seed=values.seed))


def _backtest(frame: pd.DataFrame, task: Question, horizon_days: int, values: Settings) -> Backtest:
    return backtest(
        frame,
        task,
        horizon_days=horizon_days,
        features=feature_names(frame),
        origins=values.evaluation_origins,
        most_rows=values.evaluation_rows,
        seed=values.seed,
        num_threads=values.threads,
    )


def with_event_groups(
    predictions: pd.DataFrame, frame: pd.DataFrame, task: EventTask
) -> pd.DataFrame:
    """Join the groups of each event; those of one customer and date are in one order in both."""
    keys = ["as_of", "customer_key"]
    groups = task.groups(frame).assign(
        **{name: frame[name] for name in keys}, place=frame.groupby(keys).cumcount()
    )
    placed = predictions.assign(place=predictions.groupby(keys).cumcount())
    return placed.merge(groups, on=[*keys, "place"], how="left").drop(columns="place")


def with_groups(
    predictions: pd.DataFrame, frame: pd.DataFrame, lake: Lake, registry: Registry
) -> pd.DataFrame:
    """Join segment, country, tenure band and channel of each customer to the predictions.

    Segment and tenure are those of the origin, the channel is that of the last order before it,
    the country is the one known now.
    """
    rows = predictions[["origin", "customer_key", "as_of", "label", "model"]]
    joined = rows.merge(frame.drop(columns="label"), on=["customer_key", "as_of"], how="left")
    rows = rows.assign(tenure=tenure_band(joined["days_since_first_order"]).to_numpy())
    segments = load_segments(registry)
    rows["segment"] = (
        None if segments is None else segments[1].assign(joined)["segment_name"].to_numpy()
    )
    with lake.reader(latest=True) as connection:
        connection.register("backtest_rows", rows[["customer_key", "origin"]])
        known = connection.execute(_CHANNELS).df()
    rows = rows.merge(known, on=["customer_key", "origin"], how="left")
    for name in ("country", "channel"):
        rows[name] = merge_small(rows[name])
    return rows
