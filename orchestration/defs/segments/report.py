"""The segments as one page with pictures."""

from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.settings import settings


@dg.asset(
    deps=[
        "segment_model",
        ["marts", "customer_segments"],
        ["marts", "customer_scores"],
        ["marts", "score_history"],
        ["marts", "rule_segments"],
        ["marts", "orders"],
    ],
    group_name="monitoring",
    kinds={"matplotlib"},
    owners=["team:data-science"],
)
def segment_report(lake: Lake) -> dg.MaterializeResult[Any]:
    """Segments with names, profiles, maps, clearness and moves: one page and its pictures."""
    from orchestration.segment_report import write_segment_report

    return dg.MaterializeResult(metadata=write_segment_report(lake, settings()))
