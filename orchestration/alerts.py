"""From a batch to alerts: read what it touched, ask `ml`, record incidents, tell people."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from orchestration.alert_delivery import deliver
from orchestration.alert_metrics import MetricState, watch_metrics
from orchestration.alert_reads import Least, Touched, read_days, read_touched
from orchestration.alert_records import Recorded, record
from orchestration.clock import Clock, read_clock
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.listening.issues import found_complaints
from orchestration.settings import Settings

if TYPE_CHECKING:
    from ml.anomalies import Finding
    from ml.habit_forest import HabitForest

HABIT_MODEL_AGE = timedelta(days=7)
LEAST_DAYS_LEARNT = 500


@dataclass(frozen=True)
class AlertRun:
    """What a run of the alerts did."""

    events: int
    recorded: Recorded
    delivered: int


@dataclass(frozen=True)
class HabitModel:
    """What is usual among all customers; ``forest`` is None while there are too few days."""

    as_of: datetime
    usual_amount: float | None
    forest: "HabitForest | None"


def run_alerts(lake: Lake, values: Settings, now: datetime, log: Callable[[str], None]) -> AlertRun:
    """Judge what the run's batches touched and all metrics up to now; record, then tell."""
    events, recorded = record_alerts(lake, values, now)
    delivered = deliver(lake, values, now, recorded.historic, log)
    return AlertRun(events, recorded, delivered)


def record_alerts(lake: Lake, values: Settings, now: datetime) -> tuple[int, Recorded]:
    """Judge and record without telling anybody; gives the number of events looked at, too.

    Detectors' memories and incidents are written in one transaction: a run that is done again
    finds the same incidents and opens none twice.
    """
    with lake.reader(latest=True) as connection:
        clock = read_clock(connection)
        model = read_habit_model(connection, clock.as_of)
        fitted = model is None
        if model is None:
            model = fit_habit_model(connection, clock.as_of, values.seed)
        touched, findings = judge_customers(connection, clock, values, model)
        states, of_metrics = watch_metrics(connection, clock.as_of)
        of_texts = found_complaints(connection, clock)
    with lake.writer("record alerts") as connection, transaction(connection):
        recorded = record(
            connection,
            [*findings, *of_metrics, *of_texts],
            batch_id=clock.last_batch_id,
            as_of=clock.as_of,
            now=now,
            cool_down=timedelta(hours=values.alert_cool_down_hours),
            fresh=timedelta(hours=values.alert_fresh_hours),
        )
        write_states(connection, states, now)
        if fitted:
            write_habit_model(connection, model, now)
    return touched.events, recorded


def judge_customers(
    connection: duckdb.DuckDBPyConnection, clock: Clock, values: Settings, model: HabitModel
) -> tuple[Touched, list["Finding"]]:
    """What the rules find of the visitors that the run's batches touched."""
    from ml.anomalies import customer_findings
    from ml.anomalies_attacks import (
        CARDS,
        SCRAPING,
        TAKEOVER,
        account_takeovers,
        card_tests,
        scraping,
    )
    from ml.anomalies_habit import habit_findings
    from ml.anomalies_travel import impossible_travel

    oldest = clock.as_of - timedelta(days=values.alert_history_days)
    views = min(SCRAPING.views_in_ten_minutes, SCRAPING.views_in_a_day)
    touched = read_touched(connection, clock, oldest, Least(TAKEOVER.failures, CARDS.failed, views))
    if touched.first_at is None:
        return touched, []
    usual = model.usual_amount if model.usual_amount is not None else float("inf")
    findings = []
    if not touched.suspicious.empty:
        findings = customer_findings(
            touched.suspicious,
            [
                lambda seen: account_takeovers(seen, touched.devices),
                lambda seen: card_tests(seen, usual),
                scraping,
                impossible_travel,
            ],
        )
    if model.forest is not None:
        days = read_days(connection, clock.as_of, touched.customers)
        newest = days.groupby("customer_key")["activity_date"].transform("max")
        is_newest = days["activity_date"] == newest
        today = days[is_newest & (days["last_at"] >= touched.first_at)]
        findings += habit_findings(today, days[~is_newest], model.forest, usual)
    return touched, findings


def read_habit_model(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> HabitModel | None:
    """The model in force, or None when it is missing, too old, or of a later instant."""
    from ml.habit_forest import HabitForest

    row = connection.execute("select as_of, usual_amount, forest from ops.habit_models").fetchone()
    if row is None or not row[0] <= as_of <= row[0] + HABIT_MODEL_AGE:
        return None
    return HabitModel(row[0], row[1], HabitForest.from_bytes(row[2]) if row[2] else None)


def fit_habit_model(
    connection: duckdb.DuckDBPyConnection, as_of: datetime, seed: int
) -> HabitModel:
    """Learn from a sample of customers what deviations from one's own habit are usual."""
    from ml.anomalies_habit import past_deviations
    from ml.habit_forest import fit_forest

    row = connection.execute(
        "select median(net_amount) from marts.orders where status = 'completed' and ordered_at < ?",
        [as_of],
    ).fetchone()
    usual = None if row is None else row[0]
    days = read_days(connection, as_of, None)
    rows = past_deviations(days, usual or 0.0)
    forest = fit_forest(rows, seed) if len(rows) >= LEAST_DAYS_LEARNT else None
    return HabitModel(as_of, usual, forest)


def write_habit_model(
    connection: duckdb.DuckDBPyConnection, model: HabitModel, now: datetime
) -> None:
    """Put a model in force in place of the one before."""
    connection.execute("delete from ops.habit_models")
    forest = None if model.forest is None else model.forest.to_bytes()
    connection.execute(
        "insert into ops.habit_models values (?, ?, ?, ?)",
        [model.as_of, model.usual_amount, forest, now],
    )


def write_states(
    connection: duckdb.DuckDBPyConnection, states: list[MetricState], now: datetime
) -> None:
    """Keep what the detectors that moved on remember."""
    if not states:
        return
    import pyarrow as pa

    rows = pa.table(
        {
            "metric": [state.metric for state in states],
            "grain": [state.grain for state in states],
            "settled_until": [state.settled_until for state in states],
            "unit": [state.unit for state in states],
            "memory": [list(state.memory) for state in states],
            "updated_at": [now] * len(states),
        }
    )
    connection.register("fresh_rows", rows)
    connection.execute(
        "delete from ops.metric_states "
        "where (metric, grain) in (select (metric, grain) from fresh_rows)"
    )
    connection.execute("insert into ops.metric_states by name select * from fresh_rows")
    connection.unregister("fresh_rows")
