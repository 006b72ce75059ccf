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
    """Count rows that are no probability, of a wrong rank, or of a category that comes twice."""
    rows = connection.execute(
        """
        with placed as (
            select
                *,
                row_number() over (partition by customer_key order by rank) as place,
                lag(probability) over (partition by customer_key order by rank) as likelier,
                count(*) over (partition by customer_key, category) as times
            from marts.category_scores
        )
        select
            count(*) filter (where not probability between 0 and 1),
            count(*) filter (where rank <> place or probability > likelier),
            count(*) filter (where times > 1)
        from placed
        """
    ).fetchall()
    outside, misplaced, repeated = rows[0]
    return dg.AssetCheckResult(
        passed=outside == misplaced == repeated == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"outside_0_to_1": outside, "misplaced": misplaced, "repeated": repeated},
    )
