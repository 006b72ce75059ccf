"""Scores: what each customer is likely to do next, why, and when readers see it."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from ml.tasks import TASKS
from orchestration.lake import Lake
from orchestration.maintenance_lake import expire_snapshots, snapshots_in_use
from orchestration.model_asset import model_name
from orchestration.publication import publish
from orchestration.registry import Registry
from orchestration.settings import settings
from orchestration.small_files import fold_small_files

OWNERS = ["team:data-science"]
MODELS = list(map(model_name, TASKS))
SCORES = dg.AssetKey(["marts", "customer_scores"])
HISTORY = dg.AssetKey(["marts", "score_history"])


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            SCORES,
            deps=[*MODELS, ["marts", "customer_features"], ["marts", "customer_segments"]],
            kinds={"lightgbm", "ducklake"},
            owners=OWNERS,
            description="One row per customer: newest scores, segment and top reasons.",
        ),
        dg.AssetSpec(
            HISTORY,
            deps=[*MODELS, ["marts", "customer_features"], ["marts", "customer_segments"]],
            kinds={"ducklake"},
            owners=OWNERS,
            description="One row per customer and scoring.",
        ),
    ],
    group_name="scores",
    name="customer_scores",
)
def customer_scores(
    context: dg.AssetExecutionContext, lake: Lake
) -> tuple[dg.MaterializeResult[Any], dg.MaterializeResult[Any]]:
    """One row per customer: newest scores, segment and top reasons; the history keeps them all."""
    from orchestration.champions import load_champions
    from orchestration.phrases import feature_phrases
    from orchestration.score_tables import model_versions, write_scores

    champions = load_champions(Registry())
    if not champions:
        context.log.warning("no model yet: scores are null until training_job has promoted one")
    values = settings()
    scored = write_scores(
        lake,
        champions,
        feature_phrases(),
        now=datetime.now(UTC).replace(tzinfo=None),
        threads=values.threads,
    )
    metadata: dict[str, Any] = {"scored": scored, "models": model_versions(champions)}
    return (
        dg.MaterializeResult(asset_key=SCORES, metadata=metadata),
        dg.MaterializeResult(asset_key=HISTORY, metadata=metadata),
    )


@dg.asset(
    key=["ops", "batches"],
    deps=[
        SCORES,
        HISTORY,
        ["marts", "response_scores"],
        ["marts", "session_intent"],
        ["ops", "alerts"],
        ["marts", "category_scores"],
        ["marts", "rule_segments"],
        ["marts", "rule_segment_history"],
        ["marts", "kpi_daily"],
        ["marts", "kpi_daily_by"],
        ["marts", "journey_steps"],
        ["marts", "funnels"],
        ["marts", "retention_cohorts"],
        ["marts", "journey_bottlenecks"],
        ["marts", "journey_paths"],
        ["marts", "paths_around_event"],
        ["marts", "attribution_models"],
        ["marts", "segment_migrations"],
        ["marts", "segment_flicker"],
    ],
    group_name="scores",
    kinds={"ducklake"},
    owners=OWNERS,
)
def published_batches(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per batch, with the lake snapshot from which on readers see it whole."""
    with lake.writer("publish") as connection:
        snapshot = publish(connection, datetime.now(UTC).replace(tzinfo=None))
    fewer = fold_small_files(lake)
    lake.end_turn()
    in_use = snapshots_in_use(lake, Registry())
    expired = expire_snapshots(lake, settings(), in_use, datetime.now(UTC))
    if snapshot is None:
        context.log.info("nothing published: a newer batch is under way and will publish both")
    return dg.MaterializeResult(
        metadata={
            "snapshot_id": -1 if snapshot is None else snapshot,
            "files_fewer": fewer,
            "snapshots_expired": expired,
        }
    )
