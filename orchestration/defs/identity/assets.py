"""Identity: who may be one person although no identifier says so."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.partitions import newest
from orchestration.settings import settings

OWNERS = ["team:data-science"]


@dg.asset(
    key=["intermediate", "identity_matches"],
    deps=[newest("raw", "customers")],
    group_name="identity",
    kinds={"splink", "ducklake"},
    owners=OWNERS,
)
def identity_matches(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per pair of customers that are, may be or were taken to be one person.

    Compared by name, birth date, address and contacts are those who share no identifier with
    anyone. ``same`` is merged, ``review`` waits for people, ``different`` was withdrawn.
    """
    from orchestration.identity_matches import match_customers

    now = datetime.now(UTC).replace(tzinfo=None)
    report = match_customers(lake, context.run_id, now, seed=settings().seed)
    context.log.info(
        f"{report.profiles} profiles compared: {report.same} pairs same, "
        f"{report.review} to review, {report.withdrawn} withdrawn"
    )
    return dg.MaterializeResult(
        metadata={
            "profiles_compared": report.profiles,
            "pairs_same": report.same,
            "pairs_to_review": report.review,
            "pairs_withdrawn": report.withdrawn,
            "batch": report.batch_id or "none: no decision changed",
        }
    )


decisions = dg.AssetSpec(
    ["ops", "identity_decisions"],
    group_name="identity",
    kinds={"ducklake"},
    owners=["team:data"],
    description="One row per decision of a person on a customer ref, by `shoal identity`.",
)
