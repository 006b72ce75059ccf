"""The bare script: what a strong user would write in one file, to race the main job.

It reads the same landing files and gives the same deliverables with DuckDB in memory, LightGBM
and scikit-learn. In it:

- all eight entities read from Parquet and deduplicated by key, customers and browsers hashed
  with a secret;
- browsers linked to who logged in on them first, sessions, orders, customer days with running
  totals, customers with profile and consents, daily KPIs;
- every feature of the project, now and at the same past instants, and the labels of every task;
- every model by the very functions of ``ml``, with the same fits, rounds, calibration, baselines
  and intervals, so that the ratio tells what the platform costs and not what the maths costs;
- segments, scores and top reasons of everyone, written to Parquet beside the tables that people
  query.

Not in it: Dagster, dbt, the lake and its snapshots, type and range checks of each row,
quarantine, ledger, contracts and tests, incremental runs, registry, pictures, Evidently reports,
worded reasons (a feature is named as it is), score history.

Usage: ``python -m tests.benchmarks.bare_script <landing> <output folder> <threads>``; prints JSON.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tests.benchmarks import bare_features, bare_sql

SEED, DATES, STEP_DAYS = 7, 13, 14
SECRET = "any secret does"  # pragma: allowlist secret
TABLES = {
    "customers": "customer_list", "sessions": "sessions", "orders": "newest_orders",
    "customer_days": "customer_days", "features": "customer_features",
    "feature_history": "feature_history", "labels": "labels",
}  # fmt: skip
timings: dict[str, float] = {}


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Note how long a part took."""
    started = time.perf_counter()
    yield
    timings[name] = time.perf_counter() - started


def read(db: duckdb.DuckDBPyConnection, landing: Path) -> None:
    """Read and deduplicate every entity."""
    for name in bare_sql.KEYS:
        parameters = {"files": f"{landing}/{name}/*/*.parquet"}
        if name in bare_sql.HASHED:
            parameters["secret"] = SECRET
        db.execute(bare_sql.read_entity(name), parameters)


def build_tables(db: duckdb.DuckDBPyConnection) -> datetime:
    """Build everything that people query but scores; returns the instant of the newest row."""
    for statement in (
        bare_sql.IDENTITY, bare_sql.SESSIONS, bare_features.ORDERS, bare_sql.customer_days(),
        bare_features.CUSTOMERS, bare_features.KPIS,
    ):  # fmt: skip
        db.execute(statement)
    row = db.execute(
        "select max(newest) from (select max(occurred_at) as newest from events union all"
        " select max(ordered_at) from orders union all select max(sent_at) from messages union all"
        " select max(posted_at) from feedback)"
    ).fetchone()
    assert row is not None
    spine = f"select customer_key, timestamp '{row[0]}' as as_of from customer_list"
    db.execute(bare_features.features("customer_features", spine))
    now: datetime = row[0]
    return now


def build_history(db: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Build features at past instants, and what came after them."""
    from ml.horizons import churn_horizon, purchase_horizon
    from orchestration.horizons import Horizons
    from orchestration.training_dates import plan_dates

    gaps = db.execute(
        "select days_since_previous_order from customer_days where days_since_previous_order > 0"
    ).fetchnumpy()["days_since_previous_order"]
    idle = db.execute(
        "select activity_date - lag(activity_date) over (partition by customer_key"
        " order by activity_date) as gap from customer_days where events > 0 or orders > 0"
        " qualify gap is not null"
    ).fetchnumpy()["gap"]
    span = db.execute(
        "select min(last_order_at), max(last_order_at), min(last_at), max(last_at)"
        " filter (events > 0 or orders > 0) from customer_days"
    ).fetchone()
    assert span is not None
    first_order, last_order, first, last = span
    churn = churn_horizon(gaps, (last_order - first_order).total_seconds() / 86_400)
    days = {
        "churn": churn,
        "purchase": purchase_horizon(gaps, churn),
        "inactivity": churn_horizon(idle, (last - first).total_seconds() / 86_400),
    }
    horizons = Horizons(days, {"churn": first_order, "inactivity": first})
    columns = (
        "task varchar, as_of timestamp, horizon_days integer, population_days integer,"
        " outcome varchar, population varchar"
    )
    db.execute(f"create table as_of_dates ({columns})")
    db.executemany(
        "insert into as_of_dates values (?, ?, ?, ?, ?, ?)",
        plan_dates(horizons, now, STEP_DAYS, DATES),
    )
    db.execute(bare_features.features("feature_history", bare_features.SPINE_OF_HISTORY))
    db.execute(bare_features.LABELS)


def training_frame(db: duckdb.DuckDBPyConnection, task: str) -> tuple[pd.DataFrame, int]:
    """Features and label of one task, and its horizon in days."""
    frame = db.execute(
        "select f.*, label, horizon_days from labels join feature_history as f"
        " using (customer_key, as_of) where task = ? order by as_of, customer_key",
        [task],
    ).df()
    return frame, int(frame.pop("horizon_days").iloc[0])


def train_and_score(db: duckdb.DuckDBPyConnection, scores: pd.DataFrame, threads: int) -> None:
    """Train every model and add predictions and reasons to ``scores``, which has features."""
    from ml.classifier import train
    from ml.reasons import explain, typical_values
    from ml.tasks import TASKS

    reasons = [["not scored"]] * len(scores)
    explained = np.zeros(len(scores), dtype=bool)
    planned = db.execute("select distinct task, population_days from as_of_dates").fetchall()
    recent_days = dict(planned)
    for name, task in TASKS.items():
        if name not in recent_days:  # purchase looks as far
            scores[task.score_column] = scores[TASKS[task.same_as].score_column]
            continue
        with timed(name):
            frame, days = training_frame(db, name)
            trained = train(frame, task, horizon_days=days, seed=SEED, num_threads=threads)
        with timed(f"{name}_scores"):
            members = (scores[list(task.active_by)] < recent_days[name]).any(axis=1)
            scores.loc[members, task.score_column] = trained.predict(scores[members], threads)
            new = members.to_numpy() & ~explained
            if new.any():
                typical = typical_values(
                    frame[frame["as_of"] == frame["as_of"].max()], trained.features
                )
                words = explain(trained.model, scores[new], {}, typical, num_threads=threads)
                for row, sentences in zip(
                    np.flatnonzero(new), words.to_numpy().tolist(), strict=True
                ):
                    reasons[row] = sentences
            explained |= new
    scores["top_reasons"] = reasons


def main(landing: Path, out: Path, threads: int) -> None:
    """Run all of it and print seconds by part and rows by table."""
    from ml.segments import fit_segments
    from ml.tasks import TASKS

    out.mkdir(parents=True, exist_ok=True)
    db = duckdb.connect(config={"threads": threads})
    with timed("read"):
        read(db, landing)
    with timed("tables"):
        now = build_tables(db)
    with timed("history"):
        build_history(db, now)
    scores = db.execute("from customer_features order by customer_key").df()
    train_and_score(db, scores, threads)
    with timed("segments"):
        model = fit_segments(scores, seed=SEED)
        scores = scores.join(model.assign(scores))
    with timed("write"):
        predicted = [task.score_column for task in TASKS.values()]
        kept = ["customer_key", "as_of", *predicted, "segment_id", "segment_name"]
        scores[[*kept, "top_reasons"]].to_parquet(out / "customer_scores.parquet")
        for table in (*TABLES.values(), "kpi_daily"):
            db.execute(f"copy {table} to '{out / table}.parquet' (compression zstd)")
    rows = {name: len(db.table(table)) for name, table in TABLES.items()}
    print(json.dumps({"seconds": timings, "rows": {**rows, "scores": len(scores)}}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
