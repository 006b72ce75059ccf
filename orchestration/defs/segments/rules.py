"""Rule segments: groups that people define in YAML, and who is in which of them now."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb

from orchestration.lake import Lake
from orchestration.settings import settings

OWNERS = ["team:data-science"]
MEMBERS = dg.AssetKey(["marts", "rule_segments"])
HISTORY = dg.AssetKey(["marts", "rule_segment_history"])
# the tables beneath the view of events, too: a batch does not run views
DEPS = [
    dg.AssetKey(["marts", "customer_features"]),
    dg.AssetKey(["marts", "customer_scores"]),
    dg.AssetKey(["marts", "customers"]),
    dg.AssetKey(["marts", "orders"]),
    dg.AssetKey(["intermediate", "identity_map"]),
    dg.AssetKey(["intermediate", "int_events"]),
    dg.AssetKey(["marts", "feedback_signals"]),
    dg.AssetKey(["intermediate", "int_messages"]),
]


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            MEMBERS,
            deps=DEPS,
            kinds={"duckdb", "ducklake"},
            owners=OWNERS,
            description="One row per customer and rule segment that they are in now.",
        ),
        dg.AssetSpec(
            HISTORY,
            deps=DEPS,
            kinds={"ducklake"},
            owners=OWNERS,
            description="One row per stay of a customer in a rule segment, from when to when.",
        ),
    ],
    group_name="scores",
    name="rule_segments",
)
def rule_segments(
    context: dg.AssetExecutionContext, lake: Lake
) -> tuple[dg.MaterializeResult[Any], dg.MaterializeResult[Any]]:
    """One row per customer and rule that holds for them now; the history keeps every stay."""
    from orchestration.rules.evaluation import evaluate_rules
    from orchestration.rules.report import read_report, report_markdown

    found = evaluate_rules(lake, settings().segments, datetime.now(UTC).replace(tzinfo=None))
    for error in found.errors.values():
        context.log.warning(f"disabled: {error}")
    with lake.reader(latest=True) as connection:
        report = read_report(connection)
    metadata: dict[str, Any] = {
        "dagster/row_count": sum(rule.members for rule in report),
        "entered": found.entered,
        "left": found.left,
        "disabled": len(found.errors),
        "rules": dg.MetadataValue.md(report_markdown(report)),
    }
    return (
        dg.MaterializeResult(asset_key=MEMBERS, metadata=metadata),
        dg.MaterializeResult(
            asset_key=HISTORY, metadata={"began": found.entered, "ended": found.left}
        ),
    )


@dg.asset_check(asset=MEMBERS)
def rules_are_valid(lake: Lake) -> dg.AssetCheckResult:
    """No rule is disabled by an error in its file or by what it does with a row."""
    with lake.reader(latest=True) as connection:
        return check_rules_are_valid(connection)


def check_rules_are_valid(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Say of each disabled rule why it is."""
    from orchestration.rules.records import read_records

    records = read_records(connection)
    errors = {name: each.error for name, each in records.items() if each.error is not None}
    return dg.AssetCheckResult(
        passed=not errors,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(errors.values()) or f"{len(records)} rules, none disabled",
        metadata={"rules": len(records), **errors},
    )
