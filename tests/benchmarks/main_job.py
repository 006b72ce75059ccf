"""The main job, as ``shoal demo`` runs it on a simulated market, stage by stage."""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from ml.tasks import QUESTIONS, TASKS
from orchestration.lake import Lake
from orchestration.model_asset import model_name
from tests.benchmarks.figures import Figure
from tests.benchmarks.home import BenchHome, Usage, python, script

STAGES: Mapping[str, tuple[str, ...]] = {
    "ingestion": ("landed_batch", "ops__clock"),
    "texts": ("masked_texts", "sentiment_model", "marts__topics", "ops__text_readings"),
    "dbt_tables": ("dbt_tables",),
    "training_tables": ("ops__as_of_dates", "dbt_training_tables"),
    **{name: (model_name(name),) for name in QUESTIONS},
    "segments": ("segment_model", "customer_segments"),
    "scores": ("customer_scores",),
    "further_scores": ("marts__response_scores", "marts__session_intent", "marts__category_scores"),
    "publication": ("ops__batches",),
    "reports": ("feature_drift_report", "data_quality_report", "journey_report"),
    "matches": ("intermediate__identity_matches",),
    "journeys": ("dbt_journey_tables", "marts__attribution_models"),
}
CHECKS = "checks"
PARSE = (
    "from orchestration.settings import settings; settings().export(); "
    "from orchestration.setup_home import parse_dbt; parse_dbt()"
)
ROWS_OF_TASK = ",\n        ".join(
    f"(select count(*) from marts.customer_labels where task = '{task}') as {task}"
    for task in TASKS
)
COUNTS = f"""
    select
        (select sum(received) from ops.landed_files) as received,
        (select count(*) from ops.masked_texts) as texts,
        (select count(*) from marts.customers) as customers,
        (select count(*) from marts.sessions) as sessions,
        (select count(*) from marts.orders) as orders,
        (select count(*) from intermediate.int_customer_days) as customer_days,
        (select count(*) from marts.customer_features) as features,
        (select count(*) from marts.customer_feature_history) as feature_history,
        (select count(*) from marts.customer_labels) as labels,
        {ROWS_OF_TASK},
        (select count(*) from marts.customer_scores) as scores
"""
ROWS_OF_STAGE = {
    "ingestion": "received",
    "texts": "texts",
    "dbt_tables": "received",
    "training_tables": "feature_history",
    **{task: task for task in TASKS},
    "segments": "features",
    "scores": "scores",
    "reports": "features",
}


@dataclass(frozen=True)
class MainJob:
    """One run of the main job: the whole process, its stages in seconds, rows by table."""

    usage: Usage
    stages: Mapping[str, float]
    rows: Mapping[str, int]


def simulate_market(bench: BenchHome, customers: int, events: int) -> Usage:
    """Write the market that every contestant reads."""
    arguments = ["-m", "simulation", "--out", str(bench.market), "--truth", f"{bench.root}/truth"]
    sizes = ["--customers", str(customers), "--events", str(events)]
    usage = bench.run("simulation", python(*arguments, *sizes))
    shutil.rmtree(bench.root / "truth")
    return usage


def prepare(bench: BenchHome) -> Usage:
    """Make a fresh deployment as ``make setup`` leaves it, with the market in its landing."""
    shutil.rmtree(bench.deployment, ignore_errors=True)
    usage = bench.run("setup", script("shoal", "setup"))
    if not (bench.root / "dbt_target").exists():
        bench.run("dbt_parse", python("-c", PARSE))
    for file in sorted(bench.market.rglob("*.parquet")):
        link = bench.deployment / "landing" / file.relative_to(bench.market)
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, link)
    return usage


def run(bench: BenchHome, name: str) -> MainJob:
    """Run ``shoal demo`` on what waits in landing, and read how long each stage took."""
    usage = bench.run(name, script("shoal", "demo"))
    with dg.DagsterInstance.from_config(str(bench.dagster)) as instance:
        (record,) = instance.get_run_records(limit=1)
        steps = step_seconds(instance, record.dagster_run.run_id)
    return MainJob(usage, stage_seconds(steps), table_rows(bench))


def step_seconds(instance: dg.DagsterInstance, run_id: str) -> dict[str, float]:
    """Seconds of every step of a run, from its own events."""
    return {
        step.step_key: step.end_time - step.start_time
        for step in instance.get_run_step_stats(run_id)
        if step.start_time is not None and step.end_time is not None
    }


def stage_seconds(steps: Mapping[str, float]) -> dict[str, float]:
    """Sum steps into stages; a step of no stage is a check."""
    stage_of = {step: stage for stage, steps in STAGES.items() for step in steps}
    stages = dict.fromkeys((*STAGES, CHECKS), 0.0)
    for step, seconds in steps.items():
        # Dagster numbers the parts of an asset that it runs in several steps
        stages[stage_of.get(re.sub(r"_[0-9]+$", "", step), CHECKS)] += seconds
    return stages


def table_rows(bench: BenchHome) -> dict[str, int]:
    """Rows of the tables that the contestants have in common."""
    with Lake.from_settings(bench.values()).reader() as connection:
        found = connection.execute(COUNTS)
        names = [column[0] for column in found.description]
        row = found.fetchone()
    assert row is not None
    return {name: int(count or 0) for name, count in zip(names, row, strict=True)}


def stage_figures(job: MainJob) -> list[Figure]:
    """Seconds and rows per second of every stage of one run."""
    figures = []
    for stage, seconds in job.stages.items():
        figures.append(Figure(f"main_job.{stage}", seconds, "s"))
        if stage in ROWS_OF_STAGE and seconds > 0:
            rate = job.rows[ROWS_OF_STAGE[stage]] / seconds
            figures.append(Figure(f"main_job.{stage}.rate", rate, "rows/s"))
    outside = job.usage.seconds - sum(job.stages.values())
    figures.append(Figure("main_job.start_and_end_of_process", outside, "s"))
    return figures
