"""What is claimed of segments: that there are some, that they stayed themselves, and still fit."""

import math
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.lake import Lake
from orchestration.registry import Version

if TYPE_CHECKING:
    from ml.segment_model import SegmentModel
    from ml.segment_staleness import Staleness
    from orchestration.segment_training import Found

MOST_CUSTOMERS = 100_000


def segments_were_found(count: int | None, description: str) -> dg.AssetCheckResult:
    """Pass when customers fall into groups; otherwise the last segmentation stays."""
    return dg.AssetCheckResult(
        check_name="segments_were_found",
        passed=count is not None,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
    )


def segments_kept_identity(found: "Found | None") -> dg.AssetCheckResult:
    """Pass when no segment was born or retired since the segmentation before."""
    described = "the last segmentation stays" if found is None else "there were none before"
    passed = True
    if found is not None and found.before is not None:
        identity = found.identity
        passed = not identity.born and not identity.retired
        described = "; ".join(
            (f"{len(identity.kept)} kept since {found.before.label}", *identity.notices())
        )
    return dg.AssetCheckResult(
        check_name="segments_kept_identity",
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=described,
    )


def measure_staleness(lake: Lake, version: Version, model: "SegmentModel") -> "Staleness":
    """How well the segments in force fit the customers there are, a sample where they are many."""
    import pandas as pd

    from ml.segment_staleness import staleness
    from orchestration.segment_training import AS_OF

    with lake.reader(latest=True) as connection:
        frame = connection.execute(
            """
            select features.*, segments.first_as_of
            from marts.customer_features as features
            inner join marts.customer_segments as segments
                on features.customer_key = segments.customer_key
            order by md5(features.customer_key)
            limit ?
            """,
            [MOST_CUSTOMERS],
        ).df()
    fitted_at = pd.Timestamp(version.tags.get(AS_OF, "2262-01-01"))  # unknown: nobody is new
    return staleness(model, frame, new=(frame["first_as_of"] > fitted_at).to_numpy())


def segments_are_fresh(found: "Staleness | None") -> dg.AssetCheckResult:
    """Pass while the segments still fit the customers; otherwise ask for training."""
    if found is None:
        return dg.AssetCheckResult(
            passed=True,
            severity=dg.AssetCheckSeverity.WARN,
            description="there is no segmentation yet",
        )
    return dg.AssetCheckResult(
        passed=not found.stale,
        severity=dg.AssetCheckSeverity.WARN,
        description=found.verdict + ("; run training_job" if found.stale else ""),
        metadata={
            "drift": found.drift,
            "silhouette": found.silhouette,
            "silhouette_at_fit": found.silhouette_at_fit,
            "far_share_of_new_customers": (
                None if math.isnan(found.far_share) else found.far_share
            ),
        },
    )
