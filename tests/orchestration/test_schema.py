"""A lake made by an older version gets what came later, and keeps its rows."""

import duckdb

from orchestration.ingestion.schema import LATER_COLUMNS, create_tables

OLD_SCORE = (
    "insert into marts.customer_scores by name select 'a' as customer_key, "
    "timestamp '2026-06-01' as as_of, 'value:1' as model_versions, "
    "timestamp '2026-06-01' as scored_at, 1 as batch_id, 42.0 as expected_value"
)


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    return {row[0] for row in connection.execute(f"describe {table}").fetchall()}


def test_later_columns_are_added_to_an_older_lake(scratch: duckdb.DuckDBPyConnection) -> None:
    for schema, table, name, _ in LATER_COLUMNS:
        scratch.execute(f"alter table {schema}.{table} drop column {name}")
    scratch.execute("alter table raw.customers drop column email_key")
    scratch.execute("drop table ops.identity_decisions")
    scratch.execute(OLD_SCORE)
    create_tables(scratch)
    assert "email_key" in columns_of(scratch, "raw.customers")
    assert columns_of(scratch, "ops.identity_decisions")
    row = scratch.execute(
        "select expected_value, expected_value_low, expected_value_high from marts.customer_scores"
    ).fetchone()
    assert row == (42.0, None, None)
    assert {"expected_value_low", "expected_value_high"} <= columns_of(
        scratch, "marts.score_history"
    )


def test_a_new_lake_has_every_later_column(scratch: duckdb.DuckDBPyConnection) -> None:
    for schema, table, name, _ in LATER_COLUMNS:
        assert name in columns_of(scratch, f"{schema}.{table}")
