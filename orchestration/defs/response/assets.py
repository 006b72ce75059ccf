"""The response model, and what it says of a message sent now."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from ml.response import RESPONSE
from orchestration.lake import Lake
from orchestration.model_asset import model_asset
from orchestration.settings import settings

response_model = model_asset(RESPONSE, ("message_feature_history", "message_customer_history"))


@dg.asset(
    key=["marts", "response_scores"],
    # the tables beneath the view, too: a batch does not run views
    deps=[
        "response_model",
        ["marts", "message_features"],
        ["marts", "customer_features"],
        ["marts", "customers"],
    ],
    group_name="scores",
    kinds={"lightgbm", "ducklake"},
    owners=["team:data-science"],
)
def response_scores(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per customer who may be written to and channel: the chance of a reaction now."""
    from orchestration.event_scores import write_response_scores

    scored = write_response_scores(lake, datetime.now(UTC).replace(tzinfo=None), settings().threads)
    if scored is None:
        context.log.info("no response model yet: see the checks of response_model")
    return dg.MaterializeResult(metadata={"scored": scored or 0})
