"""Claims about the scores of customers, asked of a connection."""

from collections.abc import Callable, Mapping

import dagster as dg
import duckdb

from ml.tasks import TASKS


def check_one_score_per_customer(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Count customers without, and with more than one, score, and scores without customer."""
    missing, repeated, orphans = _row(
        connection,
        """
        with counted as (
            select customer_key, count(*) as scores
            from marts.customer_scores
            group by 1
        )
        select
            count(*) filter (where counted.customer_key is null),
            count(*) filter (where counted.scores > 1),
            count(*) filter (where features.customer_key is null)
        from marts.customer_features as features
        full join counted on features.customer_key = counted.customer_key
        """,
    )
    return dg.AssetCheckResult(
        passed=missing == repeated == orphans == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"without_score": missing, "repeated": repeated, "without_features": orphans},
    )


def check_scores_are_probabilities(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Count rows with a probability outside 0 to 1, with an impossible value, or interval.

    An interval rises from at least 0. The expected value may lie outside it: it is a mean, which
    a few large purchases can lift above what nine customers in ten spend.
    """
    outside_any = " or ".join(
        f"not coalesce({task.score_column} between 0 and 1, true)"
        for task in TASKS.values()
        if task.is_binary
    )
    outside, impossible, crossed = _row(
        connection,
        f"""
        select
            count(*) filter (where {outside_any}),
            count(*) filter (
                where expected_value < 0 or isnan(expected_value) or isinf(expected_value)
            ),
            count(*) filter (
                where
                    expected_value_low < 0
                    or expected_value_high < expected_value_low
                    or isnan(expected_value_low) or isinf(expected_value_low)
                    or isnan(expected_value_high) or isinf(expected_value_high)
                    or (expected_value_low is null) <> (expected_value_high is null)
            )
        from marts.customer_scores
        """,
    )
    return dg.AssetCheckResult(
        passed=outside == impossible == crossed == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "outside_0_to_1": outside,
            "impossible_values": impossible,
            "impossible_intervals": crossed,
        },
    )


def check_scores_are_of_their_features(
    connection: duckdb.DuckDBPyConnection,
) -> dg.AssetCheckResult:
    """Count scores whose instant or batch differs from that of the customer's features."""
    (differing,) = _row(
        connection,
        """
        select count(*)
        from marts.customer_scores as scores
        inner join marts.customer_features as features
            on scores.customer_key = features.customer_key
        where scores.as_of <> features.as_of or scores.batch_id <> features.batch_id
        """,
    )
    return dg.AssetCheckResult(
        passed=differing == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"differing": differing},
    )


CLAIMS: Mapping[str, Callable[[duckdb.DuckDBPyConnection], dg.AssetCheckResult]] = {
    "one_score_per_customer": check_one_score_per_customer,
    "scores_are_probabilities": check_scores_are_probabilities,
    "scores_are_of_their_features": check_scores_are_of_their_features,
}
"""A broken one keeps a batch from being published."""


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row
