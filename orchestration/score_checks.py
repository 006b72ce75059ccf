"""Claims about the scores of messages, sessions and categories."""

from collections.abc import Callable, Mapping

import dagster as dg
import duckdb

from orchestration.event_score_tables import ScoreTable

Check = Callable[[duckdb.DuckDBPyConnection, ScoreTable], int]


def impossible_probabilities(connection: duckdb.DuckDBPyConnection, table: ScoreTable) -> int:
    """Every row has a probability, from 0 to 1."""
    return _count(
        connection,
        f"select count(*) from marts.{table.name} "
        "where probability is null or not probability between 0 and 1",
    )


def repeated_rows(connection: duckdb.DuckDBPyConnection, table: ScoreTable) -> int:
    """Nothing is scored twice: one row per grain of the table."""
    grain = ", ".join(table.grain)
    return _count(
        connection,
        f"select count(*) - count(distinct row({grain})) from marts.{table.name}",
    )


def rows_of_the_gone(connection: duckdb.DuckDBPyConnection, table: ScoreTable) -> int:
    """No row is of a customer who is gone, or may not be scored any more."""
    return _count(connection, f"select count(*) from marts.{table.name} where {table.gone}")


CHECKS: Mapping[str, Check] = {
    "scores_are_probabilities": impossible_probabilities,
    "nothing_is_scored_twice": repeated_rows,
    "nobody_is_scored_who_is_gone": rows_of_the_gone,
}
"""Each counts the rows that break its claim."""


def check_specs(table: ScoreTable) -> list[dg.AssetCheckSpec]:
    """The claims about one table; a broken one keeps a batch from being published."""
    return [
        dg.AssetCheckSpec(
            name, asset=["marts", table.name], description=check.__doc__, blocking=True
        )
        for name, check in CHECKS.items()
    ]


def check_scores(
    connection: duckdb.DuckDBPyConnection, table: ScoreTable
) -> list[dg.AssetCheckResult]:
    """Look at every claim about one table."""
    results = []
    for name, check in CHECKS.items():
        broken = check(connection, table)
        results.append(
            dg.AssetCheckResult(
                check_name=name,
                passed=broken == 0,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"rows": broken},
            )
        )
    return results


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
