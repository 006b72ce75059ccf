"""Claims about what was taken: nothing is lost, and most of it is usable."""

import dagster as dg
import duckdb

from orchestration.ingestion.entities import ENTITIES
from orchestration.lake import Lake

LEDGER = dg.AssetKey(["ops", "landed_files"])
MAX_REJECTED_SHARE = 0.05


@dg.asset_check(asset=LEDGER)
def every_row_is_accounted_for(lake: Lake) -> dg.AssetCheckResult:
    """Per file received = accepted + duplicates + rejected, and raw holds what was accepted."""
    with lake.reader(latest=True) as connection:
        return check_every_row_is_accounted_for(connection)


@dg.asset_check(asset=LEDGER)
def few_rows_are_rejected(lake: Lake) -> dg.AssetCheckResult:
    """At most one row in twenty of the newest batch went to quarantine."""
    with lake.reader(latest=True) as connection:
        return check_few_rows_are_rejected(connection)


def check_every_row_is_accounted_for(
    connection: duckdb.DuckDBPyConnection,
) -> dg.AssetCheckResult:
    """Compare the ledger with itself and with the rows that raw holds of its files.

    Rows of a file that was replayed since stay in raw under their old batch and count no more.
    """
    unbalanced = connection.execute(
        "select count(*) from ops.landed_files where received <> accepted + duplicates + rejected"
    ).fetchone()
    assert unbalanced is not None
    accepted = dict(
        connection.execute(
            "select entity, sum(accepted) from ops.landed_files group by 1"
        ).fetchall()
    )
    held = {}
    for name in ENTITIES:
        row = connection.execute(
            f"""
            select count(*)
            from raw.{name} as rows
            semi join ops.landed_files as files
                on
                    files.entity = ?
                    and rows.batch_id = files.batch_id
                    and rows.file_hash = files.file_hash
            """,
            [name],
        ).fetchone()
        held[name] = 0 if row is None else int(row[0])
    differing = [name for name in ENTITIES if held[name] != int(accepted.get(name, 0))]
    return dg.AssetCheckResult(
        passed=unbalanced[0] == 0 and not differing,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"unbalanced_files": unbalanced[0], "differing_tables": ", ".join(differing)},
    )


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
