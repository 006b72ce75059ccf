"""How good the models are over several past instants; minutes, so in a job of its own."""

from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.settings import settings


@dg.asset(
    deps=[
        ["marts", "customer_feature_history"],
        ["marts", "customer_labels"],
        ["marts", "message_feature_history"],
        ["marts", "message_customer_history"],
        ["marts", "session_feature_history"],
        ["marts", "category_feature_history"],
        ["marts", "orders"],
        ["intermediate", "int_customer_days"],
        ["marts", "customers"],
        "segment_model",
    ],
    group_name="evaluation",
    kinds={"lightgbm", "matplotlib"},
    owners=["team:data-science"],
)
def model_evaluation(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """Every task judged at past instants beside its baselines and what others reach, as a page."""
    from orchestration.evaluation_report import write_evaluation

    return dg.MaterializeResult(metadata=write_evaluation(lake, settings(), context.log))
