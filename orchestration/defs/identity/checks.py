"""Claims about the pairs of customers that are taken for one person."""

import dagster as dg
import duckdb

from orchestration.ingestion.sql import scalar
from orchestration.lake import Lake

MATCHES = dg.AssetKey(["intermediate", "identity_matches"])
MOST_REVIEWED = 0.5


@dg.asset_check(asset=MATCHES)
def pairs_are_listed_once(lake: Lake) -> dg.AssetCheckResult:
    """No pair stands twice, in either order, and no customer is paired with itself."""
    with lake.reader(latest=True) as connection:
        return check_pairs_are_listed_once(connection)


@dg.asset_check(asset=MATCHES)
def most_matches_are_clear(lake: Lake) -> dg.AssetCheckResult:
    """At most half of the pairs that stand wait for people."""
    with lake.reader(latest=True) as connection:
        return check_most_matches_are_clear(connection)


def check_pairs_are_listed_once(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Count pairs out of order and pairs that are there again."""
    disordered = scalar(
        connection,
        "select count(*) from intermediate.identity_matches where left_key >= right_key",
    )
    repeated = scalar(
        connection,
        "select count(*) - count(distinct (left_key, right_key)) "
        "from intermediate.identity_matches",
    )
    return dg.AssetCheckResult(
        passed=disordered + repeated == 0,
        metadata={"disordered": disordered, "repeated": repeated},
    )


def check_most_matches_are_clear(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Compare the pairs to review with all that stand."""
    standing, review = (
        scalar(
            connection,
            "select count(*) from intermediate.identity_matches "
            f"where decision in ({', '.join('?' * len(decisions))})",
            list(decisions),
        )
        for decisions in (("same", "review"), ("review",))
    )
    return dg.AssetCheckResult(
        passed=review <= MOST_REVIEWED * standing,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{review} of {standing} pairs wait for review",
        metadata={"standing": standing, "review": review},
    )
