"""Evidently: has what the models see moved since training, and is it sound?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from ml.tasks import TASKS
from orchestration.lake import Lake
from orchestration.model_asset import model_name
from orchestration.registry import Registry, Version
from orchestration.settings import settings

if TYPE_CHECKING:
    import pandas as pd

OWNERS = ["team:data-science"]
NOT_FEATURES = ("customer_key", "as_of", "batch_id")


@dg.asset(
    deps=[["marts", "customer_features"], *map(model_name, TASKS)],
    group_name="monitoring",
    kinds={"evidently"},
    owners=OWNERS,
    check_specs=[dg.AssetCheckSpec("features_have_not_drifted", asset="feature_drift_report")],
)
def feature_drift_report(
    context: dg.AssetExecutionContext, lake: Lake
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Features of active customers now against those that the first champion learnt from."""
    from ml.drift import drift_report

    values = settings()
    registry = Registry(values)
    champion = next(filter(None, map(registry.champion, TASKS)), None)
    if champion is None:
        yield dg.MaterializeResult(metadata={"compared": False, "reason": "no model yet"})
        yield drift_within(None, values.drift_threshold)
        return
    with lake.reader(latest=True) as connection:
        reference = _training_features(connection, champion)
        current = _active_features(connection)
    lake.give_way()
    names = [name for name in reference.columns if name not in NOT_FEATURES]
    result = drift_report(reference, current, names, seed=values.seed)
    path = values.reports / "feature_drift.html"
    result.save_html(path)
    context.log.info(f"{len(result.drifted)} of {len(result.columns)} features drifted")
    yield dg.MaterializeResult(
        metadata={
            "compared": True,
            "share_drifted": result.share_drifted,
            "drifted": ", ".join(result.drifted) or "none",
            "left_out": len(result.left_out),
            "reference": champion.label,
            "reference_rows": result.reference_rows,
            "current_rows": result.current_rows,
            "report": dg.MetadataValue.path(path),
        }
    )
    yield drift_within(result.share_drifted, values.drift_threshold)


@dg.asset(
    deps=[["marts", "customer_features"]],
    group_name="monitoring",
    kinds={"evidently"},
    owners=OWNERS,
    check_specs=[dg.AssetCheckSpec("features_are_sound", asset="data_quality_report")],
)
def data_quality_report(
    lake: Lake,
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Nulls, constants and repeated rows of the features that are scored now."""
    from ml.quality import quality_report

    values = settings()
    with lake.reader(latest=True) as connection:
        current = connection.execute("select * from marts.customer_features").df()
    lake.give_way()
    if current.empty:
        yield dg.MaterializeResult(metadata={"rows": 0})
        yield quality_is_sound(rows=0, repeated_customers=0)
        return
    names = [name for name in current.columns if name not in NOT_FEATURES]
    result = quality_report(current, columns=names, seed=values.seed)
    path = values.reports / "data_quality.html"
    result.save_html(path)
    yield dg.MaterializeResult(
        metadata={
            "rows": result.rows,
            "null_share": result.null_share,
            "constant_columns": ", ".join(result.constant_columns) or "none",
            "empty_columns": ", ".join(result.empty_columns) or "none",
            "null_shares": dg.MetadataValue.md(result.null_shares_markdown()),
            "report": dg.MetadataValue.path(path),
        }
    )
    yield quality_is_sound(result.rows, int(current["customer_key"].duplicated().sum()))


def drift_within(share_drifted: float | None, threshold: float) -> dg.AssetCheckResult:
    """Pass while at most ``threshold`` of the compared features have drifted."""
    if share_drifted is None:
        return dg.AssetCheckResult(
            check_name="features_have_not_drifted",
            passed=True,
            severity=dg.AssetCheckSeverity.WARN,
            description="nothing to compare with: no model has been trained yet",
        )
    return dg.AssetCheckResult(
        check_name="features_have_not_drifted",
        passed=share_drifted <= threshold,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{share_drifted:.0%} of the features drifted; at most {threshold:.0%} may",
        metadata={"share_drifted": share_drifted, "threshold": threshold},
    )


def quality_is_sound(rows: int, repeated_customers: int) -> dg.AssetCheckResult:
    """Pass when there are features, with one row per customer."""
    return dg.AssetCheckResult(
        check_name="features_are_sound",
        passed=rows > 0 and repeated_customers == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"rows": rows, "repeated_customers": repeated_customers},
    )


def _training_features(connection: duckdb.DuckDBPyConnection, champion: Version) -> "pd.DataFrame":
    """The newest instant of the feature history in the snapshot that the champion learnt from."""
    snapshot = int(champion.tags["lake_snapshot"])
    return connection.execute(
        f"""
        select * from marts.customer_feature_history at (version => {snapshot})
        where as_of = (
            select max(as_of) from marts.customer_feature_history at (version => {snapshot})
        )
        """
    ).df()


def _active_features(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    """Features of those who belong to the population that models learn from."""
    return connection.execute(
        """
        select *
        from marts.customer_features
        where least(days_since_last_order, days_since_last_event) < (
            select max(population_days) from ops.as_of_dates
        )
        """
    ).df()
