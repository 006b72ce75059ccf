"""The model of high intent, and what it says of the sessions that are open now."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from ml.intent import INTENT
from orchestration.lake import Lake
from orchestration.model_asset import model_asset
from orchestration.settings import settings

intent_model = model_asset(INTENT, ("session_feature_history",))


@dg.asset(
    key=["marts", "session_intent"],
    # the tables beneath the view, too: a batch does not run views
    deps=[
        "intent_model",
        ["marts", "session_features"],
        ["intermediate", "int_sessions"],
        ["intermediate", "int_customer_days"],
    ],
    group_name="scores",
    kinds={"lightgbm", "ducklake"},
    owners=["team:data-science"],
)
def session_intent(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per session that is open at the clock: the chance that an order follows in it."""
    from orchestration.event_scores import write_session_intent

    scored = write_session_intent(lake, datetime.now(UTC).replace(tzinfo=None), settings().threads)
    if scored is None:
        context.log.info("no intent model yet: see the checks of intent_model")
    return dg.MaterializeResult(metadata={"scored": scored or 0})
