"""Every check passes on sound tables and fails on the fault that it is there for."""

from datetime import datetime

import duckdb
import pytest

from ml.tasks import TASKS
from orchestration.defs.ingestion.checks import check_few_rows_are_rejected
from orchestration.defs.monitoring.assets import drift_within, quality_is_sound
from orchestration.score_claims import (
    check_one_score_per_customer,
    check_scores_are_of_their_features,
    check_scores_are_probabilities,
)
from orchestration.segment_checks import segments_were_found

NOW = datetime(2026, 6, 1)


@pytest.fixture
def scored(scratch: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Two customers with features and scores of the same instant and batch."""
    scratch.execute(
        "create table marts.customer_features as "
        "select key as customer_key, ?::timestamp as as_of, 1::bigint as batch_id "
        "from unnest(['a', 'b']) as keys(key)",
        [NOW],
    )
    add_score(scratch, "a")
    add_score(scratch, "b")
    return scratch


def add_score(
    connection: duckdb.DuckDBPyConnection,
    key: str,
    churn: float | None = 0.5,
    value: float | None = 10.0,
    batch: int = 1,
) -> None:
    connection.execute(
        "insert into marts.customer_scores by name select "
        "? as customer_key, ? as as_of, ? as churn_probability, 0.2 as purchase_probability, "
        "? as expected_value, 0 as expected_value_low, 30 as expected_value_high, "
        "0.1 as inactivity_probability, 1 as segment_id, 'loyal' as segment_name, "
        "['because'] as top_reasons, 'churn:1' as model_versions, ? as scored_at, ? as batch_id",
        [key, NOW, churn, value, NOW, batch],
    )


def test_sound_scores_pass_every_check(scored: duckdb.DuckDBPyConnection) -> None:
    assert check_one_score_per_customer(scored).passed
    assert check_scores_are_probabilities(scored).passed
    assert check_scores_are_of_their_features(scored).passed


def test_null_scores_are_allowed(scored: duckdb.DuckDBPyConnection) -> None:
    scored.execute("update marts.customer_scores set churn_probability = null")
    assert check_scores_are_probabilities(scored).passed


def test_a_second_score_fails(scored: duckdb.DuckDBPyConnection) -> None:
    add_score(scored, "a")
    result = check_one_score_per_customer(scored)
    assert not result.passed
    assert result.metadata["repeated"].value == 1


def test_a_missing_score_fails(scored: duckdb.DuckDBPyConnection) -> None:
    scored.execute("delete from marts.customer_scores where customer_key = 'a'")
    result = check_one_score_per_customer(scored)
    assert not result.passed
    assert result.metadata["without_score"].value == 1


def test_a_score_of_nobody_fails(scored: duckdb.DuckDBPyConnection) -> None:
    add_score(scored, "stranger")
    assert not check_one_score_per_customer(scored).passed


@pytest.mark.parametrize("column", [t.score_column for t in TASKS.values() if t.is_binary])
@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan"), float("inf")])
def test_what_is_no_probability_fails(
    scored: duckdb.DuckDBPyConnection, column: str, wrong: float
) -> None:
    scored.execute(f"update marts.customer_scores set {column} = ?", [wrong])
    assert not check_scores_are_probabilities(scored).passed


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_an_impossible_value_fails(scored: duckdb.DuckDBPyConnection, value: float) -> None:
    scored.execute("update marts.customer_scores set expected_value = ?", [value])
    assert not check_scores_are_probabilities(scored).passed


@pytest.mark.parametrize(
    ("low", "high", "passed"),
    [
        (0.0, 0.0, True),
        (12.0, 30.0, True),
        (None, None, True),
        (30.0, 12.0, False),
        (-1.0, 30.0, False),
        (None, 30.0, False),
        (0.0, float("inf"), False),
        (float("nan"), float("nan"), False),
    ],
)
def test_an_interval_rises_from_zero_and_may_miss_the_mean(
    scored: duckdb.DuckDBPyConnection, low: float | None, high: float | None, passed: bool
) -> None:
    scored.execute(
        "update marts.customer_scores set expected_value_low = ?, expected_value_high = ?",
        [low, high],
    )
    assert check_scores_are_probabilities(scored).passed is passed


@pytest.mark.parametrize("change", ["as_of = as_of + interval 1 second", "batch_id = 2"])
def test_a_score_of_other_features_fails(scored: duckdb.DuckDBPyConnection, change: str) -> None:
    scored.execute(f"update marts.customer_features set {change} where customer_key = 'a'")
    result = check_scores_are_of_their_features(scored)
    assert not result.passed
    assert result.metadata["differing"].value == 1


@pytest.mark.parametrize(("rejected", "passed"), [(0, True), (5, True), (6, False)])
def test_many_rejected_rows_are_noticed(
    scratch: duckdb.DuckDBPyConnection, rejected: int, passed: bool
) -> None:
    scratch.execute(
        "insert into ops.batches values (1, 'h', 'r', 100, ?, 0, ?, ?, null, null)",
        [100 - rejected, rejected, NOW],
    )
    assert check_few_rows_are_rejected(scratch).passed is passed


@pytest.mark.parametrize(
    ("share", "passed"), [(None, True), (0.0, True), (0.5, True), (0.51, False)]
)
def test_drift_above_the_threshold_fails(share: float | None, passed: bool) -> None:
    assert drift_within(share, 0.5).passed is passed


@pytest.mark.parametrize(
    ("rows", "repeated", "passed"), [(1, 0, True), (0, 0, False), (2, 1, False)]
)
def test_unsound_features_fail(rows: int, repeated: int, passed: bool) -> None:
    assert quality_is_sound(rows, repeated).passed is passed


@pytest.mark.parametrize(("count", "passed"), [(4, True), (None, False)])
def test_missing_segments_are_noticed(count: int | None, passed: bool) -> None:
    assert segments_were_found(count, "…").passed is passed
