"""A lake with a history of small batches: rows come, change and go, each batch is published."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from orchestration.lake import Lake, attach_lake, load_extensions
from orchestration.maintenance_catalog import files_of_catalog
from orchestration.publication import publish

NOW = datetime(2026, 1, 1)
TABLES = ("marts.customer_scores", "marts.score_history", "ops.batches", "ops.clock")
INCONSISTENT = (
    "select (select count(*) from marts.customer_scores) <> 50 * (select count(*) from ops.batches)"
)
"""Every batch adds 50 customers, so readers that see part of one find out."""


def add_batch(lake: Lake, batch_id: int, *, rows: int = 50) -> int:
    """Ingest, change earlier rows, score and publish; returns the published snapshot."""
    with lake.writer(f"batch {batch_id}") as connection:
        connection.execute(
            "insert into ops.batches values (?, '2026-01-01T00', 'run', 1, 1, 0, 0, ?, null, null)",
            [batch_id, NOW],
        )
        connection.execute("delete from ops.clock")
        connection.execute("insert into ops.clock values (?, 'history', 1, ?)", [NOW, batch_id])
        connection.execute(
            "delete from marts.customer_scores where customer_key like ?", [f"%{batch_id % 10}"]
        )
        for table in ("customer_scores", "score_history"):
            connection.execute(
                f"insert into marts.{table} (customer_key, as_of, model_versions, scored_at, "
                f"batch_id, churn_probability) select md5((? * 1000 + range)::varchar) "
                f"|| '-' || (range % 10), ?, '', ?, ?, range / 1000 from range(?)",
                [batch_id, NOW, NOW, batch_id, rows],
            )
        # the rows that were deleted come back, so that 50 a batch are there
        connection.execute(
            "insert into marts.customer_scores select * from marts.score_history "
            "where customer_key not in (select customer_key from marts.customer_scores)"
        )
        snapshot = publish(connection, NOW)
    assert snapshot is not None
    return snapshot


def fingerprints(lake: Lake, snapshot: int) -> dict[str, object]:
    """One hash per table over all rows that a snapshot shows, whatever their order."""
    with attached(lake, snapshot) as connection:
        return {
            table: connection.execute(
                f"select count(*), bit_xor(hash(t)) from {table} as t"
            ).fetchone()
            for table in TABLES
        }


def attached(lake: Lake, snapshot: int) -> duckdb.DuckDBPyConnection:
    """A reader on one snapshot."""
    connection = duckdb.connect()
    load_extensions(connection, Path(lake.root) / "extensions")
    attach_lake(connection, lake.catalog, None, read_only=True, snapshot=snapshot)
    return connection


def next_month() -> datetime:
    """Past every age that the settings allow, by the lake's own clock."""
    return datetime.now(UTC) + timedelta(days=31)


def files_on_disk(lake: Lake) -> set[str]:
    return {str(path) for path in Path(lake.data_path).rglob("*.parquet")}


def files_in_catalog(lake: Lake) -> set[str]:
    with lake.reader(latest=True) as connection:
        return files_of_catalog(connection)
