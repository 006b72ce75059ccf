"""A claim about the scores of categories; a blocked claim keeps a batch from being published."""

import dagster as dg
import duckdb

from orchestration.lake import Lake

SCORES = dg.AssetKey(["marts", "category_scores"])


@dg.asset_check(asset=SCORES, blocking=True)
def categories_are_ranked_by_probability(lake: Lake) -> dg.AssetCheckResult:
    """Every customer's categories are ranked from 1 on, by probabilities that do not rise."""
    with lake.reader(latest=True) as connection:
        return check_categories_are_ranked(connection)


def check_categories_are_ranked(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Count rows of a wrong rank."""
    rows = connection.execute(
        """
        with placed as (
            select
                *,
                row_number() over (partition by customer_key order by rank) as place,
                lag(probability) over (partition by customer_key order by rank) as likelier
            from marts.category_scores
        )
        select count(*)
        from placed
        where rank <> place or probability > likelier
        """
    ).fetchall()
    misplaced = rows[0][0]
    return dg.AssetCheckResult(
        passed=misplaced == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"misplaced": misplaced},
    )
