"""Upkeep as an asset, so that its figures have a history in the UI."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.settings import settings


@dg.asset(
    key=["ops", "maintenance"],
    group_name="maintenance",
    kinds={"ducklake"},
    owners=["team:data"],
)
def maintenance(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One round of upkeep: files compacted, old snapshots, models, runs and logs deleted."""
    from orchestration.maintenance import maintain

    done = maintain(lake, settings(), context.instance, datetime.now(UTC), context.log.info)
    return dg.MaterializeResult(metadata=done.metadata())
