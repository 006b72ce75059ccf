"""The tables that ingestion writes: the control tables and one raw table per entity."""

from pathlib import Path

import duckdb

from orchestration.ingestion.entities import ENTITIES, Entity
from orchestration.ingestion.sql import columns, identifier, transaction

SCHEMA_FILE = Path(__file__).resolve().parents[1] / "schema.sql"
LINEAGE = (("batch_id", "bigint"), ("file_hash", "varchar"), ("row_number", "bigint"))
LATER_COLUMNS = (
    *(
        ("marts", table, name, "double")
        for table in ("customer_scores", "score_history")
        for name in (
            "expected_value_low",
            "expected_value_high",
            "purchase_7d_probability",
            "purchase_30d_probability",
            "inactivity_probability",
        )
    ),
    ("ops", "as_of_dates", "outcome", "varchar"),
    ("ops", "as_of_dates", "population", "varchar"),
    ("ops", "as_of_dates", "top_categories", "integer"),
    *(
        ("marts", table, "top_reasons", "varchar[]")
        for table in ("response_scores", "session_intent", "category_scores")
    ),
)
"""Columns of ``schema.sql`` that came after their table: schema, table, column, type."""


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every missing control and raw table, and columns newer than the lake."""
    if _missing_tables(connection):
        with transaction(connection):
            connection.execute(SCHEMA_FILE.read_text(encoding="utf-8"))
            for entity in ENTITIES.values():
                connection.execute(_definition(entity))
    missing = _missing_columns(connection)
    if missing:
        with transaction(connection):
            for schema, table, name, type_ in missing:
                connection.execute(
                    f"alter table {schema}.{identifier(table)} "
                    f"add column {identifier(name)} {type_}"
                )


def raw_table(entity: Entity) -> str:
    """The quoted name of the table that holds an entity's rows."""
    return f"raw.{identifier(entity.name)}"


def raw_columns(entity: Entity) -> str:
    """Every column of an entity's raw table, in the order of its definition."""
    lineage = tuple(name for name, _ in LINEAGE)
    return columns((*entity.column_names, *entity.pseudonyms, *entity.placeholders, *lineage))


def _definition(entity: Entity) -> str:
    definitions = [
        *(f"{identifier(column.name)} {column.type}" for column in entity.columns),
        *(f"{identifier(name)} varchar" for name in (*entity.pseudonyms, *entity.placeholders)),
        *(f"{identifier(name)} {type_}" for name, type_ in LINEAGE),
    ]
    return f"create table if not exists {raw_table(entity)} ({', '.join(definitions)})"


def _missing_columns(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, str]]:
    """Columns that a lake made by an older version does not have: schema, table, column, type."""
    rows = connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where database_name = current_database() and schema_name in ('raw', 'ops', 'marts')"
    ).fetchall()
    existing = set(rows)
    expected = [
        ("raw", entity.name, name, "varchar")
        for entity in ENTITIES.values()
        for name in (*entity.pseudonyms, *entity.placeholders)
    ]
    return [column for column in (*expected, *LATER_COLUMNS) if column[:3] not in existing]


def _missing_tables(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    expected = {("raw", name) for name in ENTITIES} | _control_tables()
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = current_database()"
    ).fetchall()
    return expected - {(schema, table) for schema, table in rows}


def _control_tables() -> set[tuple[str, str]]:
    tables = set()
    for line in SCHEMA_FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("create table if not exists "):
            schema, _, table = line.split()[5].partition(".")
            tables.add((schema, table))
    return tables
