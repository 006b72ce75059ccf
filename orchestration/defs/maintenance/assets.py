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


@dg.asset(
    key=["ops", "backups"],
    deps=[["ops", "maintenance"]],
    group_name="maintenance",
    kinds={"file"},
    owners=["team:data"],
)
def backup(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One backup a day in SHOAL_BACKUPS, and as many older ones as the settings keep."""
    from orchestration.backup import delete_old_backups, make_backup

    values = settings()
    if values.backups is None:
        context.log.info("no backup: SHOAL_BACKUPS is empty")
        return dg.MaterializeResult(metadata={"made": False})
    now = datetime.now(UTC)
    path, manifest = make_backup(lake, values, values.backups, now)
    return dg.MaterializeResult(
        metadata={
            "made": True,
            "path": dg.MetadataValue.path(path),
            "files": len(manifest.files),
            "megabytes": manifest.size / 1e6,
            "not_covered": ", ".join(manifest.not_covered) or "nothing",
            "deleted": delete_old_backups(values.backups, values.keep_backups, now),
        }
    )
