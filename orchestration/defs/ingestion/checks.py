"""Claims about what was taken: most of it is usable."""

import dagster as dg
import duckdb

from orchestration.lake import Lake

LEDGER = dg.AssetKey(["ops", "landed_files"])
MAX_REJECTED_SHARE = 0.05


@dg.asset_check(asset=LEDGER)
def few_rows_are_rejected(lake: Lake) -> dg.AssetCheckResult:
    """At most one row in twenty of the newest batch went to quarantine."""
    with lake.reader(latest=True) as connection:
        return check_few_rows_are_rejected(connection)


def check_few_rows_are_rejected(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Compare the newest batch's rejected share with ``MAX_REJECTED_SHARE``."""
    row = connection.execute(
        "select received, rejected from ops.batches order by batch_id desc limit 1"
    ).fetchone()
    received, rejected = row or (0, 0)
    share = rejected / received if received else 0.0
    return dg.AssetCheckResult(
        passed=share <= MAX_REJECTED_SHARE,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{rejected:,} of {received:,} rows were rejected: see ops.rejected_rows",
        metadata={"rejected_share": share},
    )
