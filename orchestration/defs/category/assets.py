"""The model of category propensity, and what it says of each customer now."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from ml.category import CATEGORY
from orchestration.lake import Lake
from orchestration.model_asset import model_asset
from orchestration.settings import settings

category_model = model_asset(CATEGORY, ("category_feature_history", "customer_feature_history"))


@dg.asset(
    key=["marts", "category_scores"],
    deps=["category_model", ["marts", "category_features"], ["marts", "customer_features"]],
    group_name="scores",
    kinds={"lightgbm", "ducklake"},
    owners=["team:data-science"],
)
def category_scores(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per customer who bought lately and category: the chance of a purchase in 30 days."""
    from orchestration.category_scores import write_category_scores

    scored = write_category_scores(lake, datetime.now(UTC).replace(tzinfo=None), settings().threads)
    if scored is None:
        context.log.info("no category model yet: see the checks of category_model")
    return dg.MaterializeResult(metadata={"scored": scored or 0})
