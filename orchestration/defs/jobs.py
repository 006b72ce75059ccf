"""Jobs and schedules: what runs together, and when."""

import dagster as dg

from orchestration.partitions import arrival_hours

RAW = dg.AssetSelection.key_prefixes(["raw"])
BATCH_SCORES = dg.AssetSelection.assets(
    ["marts", "customer_segments"],
    ["marts", "customer_scores"],
    ["marts", "score_history"],
    ["ops", "batches"],
)
LEDGER = dg.AssetSelection.assets(["ops", "landed_files"], ["ops", "rejected_rows"])
CLOCK = dg.AssetSelection.assets(["ops", "clock"])
VIEWS = dg.AssetSelection.tag("shoal/materialized", "view")
TRAINING_TABLES = dg.AssetSelection.assets(
    ["ops", "as_of_dates"], ["marts", "customer_feature_history"], ["marts", "customer_labels"]
)
MODELS = dg.AssetSelection.groups("models")
REPORTS = dg.AssetSelection.groups("monitoring")
BATCH_TABLES = (
    dg.AssetSelection.groups("intermediate", "customers", "sales", "journeys", "features")
    - VIEWS
    - TRAINING_TABLES
)
SCORE_CHECKS = dg.AssetSelection.checks_for_assets(["marts", "customer_scores"])
WRITES = {"shoal/writes": "batch"}

main_job = dg.define_asset_job(
    "main_job",
    selection=dg.AssetSelection.all(),
    description="Everything once: ingestion, tables with their tests, models, scores, reports.",
    tags=WRITES,
    partitions_def=arrival_hours,
)

batch_job = dg.define_asset_job(
    "batch_job",
    selection=(
        (RAW | LEDGER | CLOCK | BATCH_TABLES | BATCH_SCORES).without_checks() | SCORE_CHECKS
    ),
    description="One fresh batch: ingestion, touched customers, their scores; then published.",
    tags=WRITES,
    partitions_def=arrival_hours,
)

daily_rescoring_job = dg.define_asset_job(
    "daily_rescoring_job",
    selection=(
        (
            CLOCK | dg.AssetSelection.assets(["marts", "customer_features"]) | BATCH_SCORES
        ).without_checks()
        | SCORE_CHECKS
        | REPORTS
    ),
    description="Every customer anew, as of now; then drift and quality reports.",
    config={"ops": {"dbt_tables": {"config": {"full_refresh": True}}}},
    tags=WRITES,
)

training_job = dg.define_asset_job(
    "training_job",
    selection=(
        (CLOCK | TRAINING_TABLES | BATCH_SCORES).without_checks() | SCORE_CHECKS | MODELS | REPORTS
    ),
    description="Models and segments anew, judged on later time; champions score everyone.",
    tags=WRITES,
)

rebuild_job = dg.define_asset_job(
    "rebuild_job",
    selection=(CLOCK | VIEWS | BATCH_TABLES | BATCH_SCORES) | SCORE_CHECKS,
    description="Every table from the whole of raw, after a change of a model.",
    config={
        "ops": {
            "ops__clock": {"config": {"whole_history": True}},
            "dbt_tables": {"config": {"full_refresh": True}},
        }
    },
    tags=WRITES,
)

daily_rescoring = dg.ScheduleDefinition(
    job=daily_rescoring_job,
    cron_schedule="15 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="At 03:15 UTC: recency moves on even for those who did nothing.",
)

weekly_training = dg.ScheduleDefinition(
    job=training_job,
    cron_schedule="45 3 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="On Sundays at 03:45 UTC.",
)
