"""Every claim about scores of events holds on sound tables, and fails on what it is there for."""

from __future__ import annotations

from datetime import datetime

import dagster as dg
import duckdb
import pytest

from orchestration.definitions import defs
from orchestration.event_score_tables import (
    CATEGORY_SCORES,
    RESPONSE_SCORES,
    SCORE_TABLES,
    SESSION_INTENT,
    ScoreTable,
)
from orchestration.score_checks import CHECKS, check_scores

NOW = datetime(2026, 6, 1)
ROWS = {
    RESPONSE_SCORES.name: {"channel": "email", "batch_id": 1},
    SESSION_INTENT.name: {"session_id": "s1", "visitor_key": "ann", "events": 3, "started_at": NOW},
    CATEGORY_SCORES.name: {"category": "tea", "rank": 1},
}
TABLES = pytest.mark.parametrize("table", SCORE_TABLES.values(), ids=SCORE_TABLES)


@pytest.fixture
def known(scratch: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Ann is a customer who may have any score, and two sessions are open."""
    for table in SCORE_TABLES.values():
        names = "['s1', 's2']" if table is SESSION_INTENT else "['ann']"
        scratch.execute(
            f"create or replace table {table.holders} as select unnest({names}) as {table.holder}"
        )
    return scratch


def add(connection: duckdb.DuckDBPyConnection, table: ScoreTable, **changed: object) -> None:
    row = {
        "customer_key": "ann",
        "as_of": NOW,
        "probability": 0.5,
        "top_reasons": ["because"],
        "model_version": "some:1",
        "scored_at": NOW,
        **ROWS[table.name],
        **changed,
    }
    names = ", ".join(f"? as {name}" for name in row)
    connection.execute(f"insert into marts.{table.name} by name select {names}", list(row.values()))


def failed(connection: duckdb.DuckDBPyConnection, table: ScoreTable) -> dict[str | None, object]:
    """The checks that fail, with the rows that they count."""
    return {
        result.check_name: result.metadata["rows"].value
        for result in check_scores(connection, table)
        if not result.passed
    }


@TABLES
def test_sound_and_empty_tables_pass(known: duckdb.DuckDBPyConnection, table: ScoreTable) -> None:
    assert failed(known, table) == {}
    add(known, table, probability=0.0)
    other = {"session_id": "s2"} if table is SESSION_INTENT else {table.grain[1]: "other"}
    add(known, table, probability=1.0, **other)
    assert failed(known, table) == {}
    assert len(check_scores(known, table)) == len(CHECKS) == 3


@TABLES
def test_each_claim_fails_on_its_own_fault(
    known: duckdb.DuckDBPyConnection, table: ScoreTable
) -> None:
    name = f"marts.{table.name}"
    known.execute(f"alter table {name} alter probability drop not null")
    for wrong in (1.01, -0.01, float("nan"), float("inf"), None):
        known.execute(f"delete from {name}")
        add(known, table, probability=wrong)
        assert failed(known, table) == {"scores_are_probabilities": 1}, wrong
    known.execute(f"delete from {name}")
    add(known, table)
    add(known, table, probability=0.1)
    assert failed(known, table) == {"nothing_is_scored_twice": 1}
    known.execute(f"delete from {name} where probability = 0.1")
    known.execute(f"delete from {table.holders}")
    assert failed(known, table) == {"nobody_is_scored_who_is_gone": 1}


def test_a_broken_claim_keeps_a_batch_from_being_published() -> None:
    batches = dg.AssetKey(["ops", "batches"])
    published = defs().resolve_assets_def(batches).asset_deps[batches]
    for table in SCORE_TABLES.values():
        key = dg.AssetKey(["marts", table.name])
        specs = list(defs().resolve_assets_def(key).check_specs)
        assert {spec.name for spec in specs} == set(CHECKS)
        assert all(spec.blocking and spec.description for spec in specs)
        assert key in published
        with_batches = () if table is CATEGORY_SCORES else ("batch_job",)
        for name in ("main_job", "training_job", "daily_job", *with_batches):
            checks = defs().resolve_job_def(name).asset_layer.asset_graph.asset_check_keys
            assert {check.name for check in checks if check.asset_key == key} >= set(CHECKS)
