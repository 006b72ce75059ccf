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


def test_later_columns_are_added_to_an_older_lake(writer: duckdb.DuckDBPyConnection) -> None:
    for schema, table, name, _ in LATER_COLUMNS:
        writer.execute(f"alter table {schema}.{table} drop column {name}")
    writer.execute("alter table raw.customers drop column email_key")
    writer.execute("drop table ops.identity_decisions")
    writer.execute(OLD_SCORE)
    create_tables(writer)
    assert "email_key" in columns_of(writer, "raw.customers")
    assert columns_of(writer, "ops.identity_decisions")
    row = writer.execute(
        "select expected_value, expected_value_low, expected_value_high from marts.customer_scores"
    ).fetchone()
    assert row == (42.0, None, None)
    assert {"expected_value_low", "expected_value_high"} <= columns_of(
        writer, "marts.score_history"
    )


def test_a_new_lake_has_every_later_column(writer: duckdb.DuckDBPyConnection) -> None:
    for schema, table, name, _ in LATER_COLUMNS:
        assert name in columns_of(writer, f"{schema}.{table}")
