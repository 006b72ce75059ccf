"""Jobs and schedules: what runs together, and when.

Every job that sets the clock also builds the tables of the batches that it finds waiting: it
publishes them, so it has to carry them through.
"""

import dagster as dg

from orchestration.lake import BACKGROUND, CARRIES
from orchestration.partitions import arrival_hours

RAW = dg.AssetSelection.key_prefixes(["raw"])
LEDGER = dg.AssetSelection.assets(["ops", "landed_files"], ["ops", "rejected_rows"])
TEXTS = dg.AssetSelection.assets(
    ["ops", "masked_texts"],
    ["ops", "text_embeddings"],
    ["ops", "text_readings"],
    ["ops", "text_mentions"],
    ["ops", "listening_terms"],
)
ISSUES = dg.AssetSelection.assets(["marts", "emerging_issues"])
TEXT_MODELS = dg.AssetSelection.groups("text") - TEXTS - ISSUES
MATCHES = dg.AssetSelection.assets(["intermediate", "identity_matches"])
CLOCK = dg.AssetSelection.assets(["ops", "clock"])
VIEWS = dg.AssetSelection.tag("shoal/materialized", "view")
SEEDS = dg.AssetSelection.tag("shoal/materialized", "seed")
TRAINING_TABLES = dg.AssetSelection.assets(
    ["ops", "as_of_dates"],
    ["marts", "customer_feature_history"],
    ["marts", "customer_labels"],
    ["marts", "message_feature_history"],
    ["marts", "message_customer_history"],
    ["marts", "session_feature_history"],
    ["marts", "category_feature_history"],
)
TABLES = (
    dg.AssetSelection.groups(
        "intermediate", "customers", "sales", "journeys", "segments", "features", "feedback"
    )
    - TRAINING_TABLES
    - SEEDS
)
DAILY_TABLES = dg.AssetSelection.tag("shoal/runs", "daily")
BATCH_TABLES = TABLES - VIEWS - DAILY_TABLES
BATCH_SCORES = dg.AssetSelection.assets(
    ["marts", "customer_segments"],
    ["marts", "segment_moves"],
    ["marts", "segments"],
    ["marts", "customer_scores"],
    ["marts", "score_history"],
    ["marts", "response_scores"],
    ["marts", "session_intent"],
    ["marts", "rule_segments"],
    ["marts", "rule_segment_history"],
    ["marts", "emerging_issues"],
    ["ops", "alerts"],
    ["ops", "batches"],
)
CATEGORY_SCORES = dg.AssetSelection.assets(["marts", "category_scores"])
MODELS = dg.AssetSelection.groups("models")
EVALUATION = dg.AssetSelection.groups("evaluation")
SEARCH = dg.AssetSelection.groups("search")
MAINTENANCE = dg.AssetSelection.groups("maintenance")
REPORTS = dg.AssetSelection.groups("monitoring")
SCORE_CHECKS = dg.AssetSelection.checks_for_assets(
    ["marts", "customer_scores"],
    ["marts", "response_scores"],
    ["marts", "session_intent"],
    ["marts", "rule_segments"],
    ["ops", "alerts"],
)
TEXT_CHECKS = dg.AssetSelection.checks_for_assets(
    ["ops", "masked_texts"],
    ["ops", "text_readings"],
    ["ops", "listening_terms"],
    ["marts", "emerging_issues"],
)
HISTORY_CHECKS = dg.AssetSelection.checks_for_assets(["ops", "batches"])
SEGMENT_CHECKS = dg.AssetSelection.checks_for_assets(["marts", "customer_segments"])
CATEGORY_CHECKS = dg.AssetSelection.checks_for_assets(["marts", "category_scores"])
WRITES = {CARRIES: "batch"}
UNHURRIED = {BACKGROUND: "true"}


@dg.success_hook(required_resource_keys={"lake"})
def give_way(context: dg.HookContext) -> None:
    """Between two steps of a run the live worker may carry a batch."""
    context.resources.lake.give_way()


main_job = dg.define_asset_job(
    "main_job",
    selection=dg.AssetSelection.all() - EVALUATION - SEARCH - MAINTENANCE,
    description="Everything once: ingestion, tables with their tests, models, scores, reports.",
    tags=WRITES,
    hooks={give_way},
    partitions_def=arrival_hours,
)

batch_job = dg.define_asset_job(
    "batch_job",
    selection=(
        (RAW | LEDGER | TEXTS | CLOCK | BATCH_TABLES | BATCH_SCORES).without_checks() | SCORE_CHECKS
    ),
    description="One fresh batch: ingestion, touched customers, their scores; then published.",
    tags=WRITES,
    hooks={give_way},
    partitions_def=arrival_hours,
)

daily_job = dg.define_asset_job(
    "daily_job",
    selection=(
        (
            MATCHES | TEXTS | CLOCK | BATCH_TABLES | DAILY_TABLES | BATCH_SCORES | CATEGORY_SCORES
        ).without_checks()
        | SCORE_CHECKS
        | TEXT_CHECKS
        | HISTORY_CHECKS
        | SEGMENT_CHECKS
        | CATEGORY_CHECKS
        | REPORTS
    ),
    description=(
        "Identity matches, texts, journeys, attribution, migrations; every customer anew, as of "
        "now; then drift and quality reports."
    ),
    config={"ops": {"dbt_tables": {"config": {"rebuild": ["customer_features"]}}}},
    tags=WRITES | UNHURRIED,
    hooks={give_way},
)

training_job = dg.define_asset_job(
    "training_job",
    selection=(
        (
            TEXTS | CLOCK | BATCH_TABLES | TRAINING_TABLES | BATCH_SCORES | CATEGORY_SCORES
        ).without_checks()
        | TEXT_MODELS
        | SCORE_CHECKS
        | SEGMENT_CHECKS
        | CATEGORY_CHECKS
        | MODELS
        | REPORTS
    ),
    description="Models and segments anew, judged on later time; champions score everyone.",
    # texts that a new model reads otherwise change features of customers whom no batch touches
    config={"ops": {"dbt_tables": {"config": {"rebuild": ["customer_features"]}}}},
    tags=WRITES | UNHURRIED,
    hooks={give_way},
)

evaluation_job = dg.define_asset_job(
    "evaluation_job",
    selection=EVALUATION,
    description="Every model trained and judged at several past instants, beside its baselines.",
    tags=UNHURRIED,
)

search_job = dg.define_asset_job(
    "search_job",
    selection=SEARCH,
    description="Parameters of the models searched on past instants; the next training takes them.",
    tags=UNHURRIED,
)

# without the tag of those that write batches: it takes the lease for one table at a time, so it
# need not wait for them, nor they for it
maintenance_job = dg.define_asset_job(
    "maintenance_job",
    selection=MAINTENANCE,
    description="Upkeep: fewer files; old snapshots, model versions, runs and logs deleted.",
    tags=UNHURRIED,
)

rebuild_job = dg.define_asset_job(
    "rebuild_job",
    selection=(
        TEXTS
        | CLOCK
        | SEEDS
        | dg.AssetSelection.groups("staging")
        | TABLES
        | BATCH_SCORES
        | SCORE_CHECKS
        | HISTORY_CHECKS
    ),
    description="Every table from the whole of raw, after a change of a model.",
    config={
        "ops": {
            "ops__clock": {"config": {"whole_history": True}},
            "dbt_tables": {"config": {"rebuild": ["*"]}},
        }
    },
    tags=WRITES,
    hooks={give_way},
)

daily = dg.ScheduleDefinition(
    job=daily_job,
    cron_schedule="15 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="At 03:15 UTC: recency moves on even for those who did nothing.",
)

daily_maintenance = dg.ScheduleDefinition(
    job=maintenance_job,
    cron_schedule="15 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="At 02:15 UTC, an hour before every customer is scored anew.",
)

weekly_training = dg.ScheduleDefinition(
    job=training_job,
    cron_schedule="45 3 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="On Sundays at 03:45 UTC.",
)

monthly_search = dg.ScheduleDefinition(
    job=search_job,
    cron_schedule="30 4 1 * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="On the first of the month at 04:30 UTC; off until somebody switches it on.",
)
