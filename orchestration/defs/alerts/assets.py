"""Alerts: what is unusual in the newest batch, and whether people were told."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.partitions import newest
from orchestration.settings import settings

ALERTS = dg.AssetKey(["ops", "alerts"])


@dg.asset(
    key=ALERTS,
    deps=[
        newest("raw", "events"),
        ["ops", "clock"],
        ["intermediate", "identity_map"],
        ["intermediate", "int_customer_days"],
        ["marts", "orders"],
        ["marts", "customers"],
        ["marts", "emerging_issues"],
    ],
    group_name="alerts",
    kinds={"ducklake"},
    owners=["team:data-science"],
)
def alerts(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per incident: an attack, an unusual customer, a metric or complaints out of habit."""
    from orchestration.alerts import run_alerts

    run = run_alerts(lake, settings(), datetime.now(UTC).replace(tzinfo=None), context.log.warning)
    return dg.MaterializeResult(
        metadata={
            "events_looked_at": run.events,
            "opened": run.recorded.opened,
            "grown": run.recorded.grown,
            "historic": run.recorded.historic,
            "delivered": run.delivered,
        }
    )


@dg.asset_check(asset=ALERTS)
def alerts_were_delivered(lake: Lake) -> dg.AssetCheckResult:
    """Every alert that should be told was told."""
    from orchestration.alert_delivery import MAX_ATTEMPTS, undelivered

    with lake.reader(latest=True) as connection:
        failed = undelivered(connection)
    given_up = sum(alert["delivery_attempts"] >= MAX_ATTEMPTS for alert in failed)
    reasons = sorted({str(alert["delivery_error"]) for alert in failed})
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"{len(failed)} alerts were not told ({'; '.join(reasons)}); {given_up} are given up, "
            "the others are tried again by the next run. Correct SHOAL_ALERT_URLS."
            if failed
            else "every alert that should be told was told"
        ),
        metadata={"not_told": len(failed), "given_up": given_up},
    )
