"""Claims about the scores; a blocked claim keeps a batch from being published."""

import dagster as dg

from orchestration.lake import Lake
from orchestration.score_claims import (
    check_one_score_per_customer,
    check_scores_are_of_their_features,
    check_scores_are_probabilities,
)

SCORES = dg.AssetKey(["marts", "customer_scores"])


@dg.asset_check(asset=SCORES, blocking=True)
def one_score_per_customer(lake: Lake) -> dg.AssetCheckResult:
    """Every customer with features has exactly one score, and nobody else has one."""
    with lake.reader(latest=True) as connection:
        return check_one_score_per_customer(connection)


@dg.asset_check(asset=SCORES, blocking=True)
def scores_are_probabilities(lake: Lake) -> dg.AssetCheckResult:
    """Probabilities lie within 0 and 1; values and their intervals are possible."""
    with lake.reader(latest=True) as connection:
        return check_scores_are_probabilities(connection)


@dg.asset_check(asset=SCORES, blocking=True)
def scores_are_of_their_features(lake: Lake) -> dg.AssetCheckResult:
    """No score comes from the features of another instant or batch."""
    with lake.reader(latest=True) as connection:
        return check_scores_are_of_their_features(connection)
