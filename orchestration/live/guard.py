"""What keeps a batch from being published: the blocking checks of the scores, without Dagster."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import dagster as dg
import duckdb

from orchestration.conservation import REMEDY, NotConserved, look_at_run
from orchestration.event_score_tables import ScoreTable
from orchestration.score_checks import check_scores
from orchestration.score_claims import CLAIMS


class UnsoundScores(RuntimeError):
    """A claim about the scores does not hold; the message says which, and by how many rows."""


def require_sound_scores(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[ScoreTable]
) -> None:
    """Raise `UnsoundScores` unless every blocking claim holds of customers and some tables."""
    results = [("customer_scores", name, claim(connection)) for name, claim in CLAIMS.items()]
    results += [
        (table.name, str(result.check_name), result)
        for table in tables
        for result in check_scores(connection, table)
    ]
    require_sound(results)


def require_sound(results: Iterable[tuple[str, str, dg.AssetCheckResult]]) -> None:
    """Raise `UnsoundScores` unless every check passed; each comes with its table and its name."""
    broken = [
        f"marts.{table}: {name} ("
        + ", ".join(f"{key}: {value.value}" for key, value in result.metadata.items())
        + ")"
        for table, name, result in results
        if not result.passed
    ]
    if broken:
        raise UnsoundScores("not published: " + "; ".join(broken))


def require_conserved(connection: duckdb.DuckDBPyConnection, landing: Path) -> None:
    """Raise `NotConserved` unless every row of the batch is in every table, and once."""
    outcome = look_at_run(connection, landing)
    if outcome.breaks:
        raise NotConserved("; ".join(map(str, outcome.breaks)) + f". {REMEDY}")
