"""Claims about who is in which segment."""

import dagster as dg

from orchestration.lake import Lake
from orchestration.registry import Registry


@dg.asset_check(asset=dg.AssetKey(["marts", "customer_segments"]), name="segments_are_fresh")
def fresh_segments(lake: Lake) -> dg.AssetCheckResult:
    """The segments still fit: centroids, silhouette, and the distance of new customers."""
    from ml.segment_store import UnknownFormat
    from orchestration.champions import load_segments
    from orchestration.segment_checks import measure_staleness, segments_are_fresh

    try:
        segments = load_segments(Registry())
    except UnknownFormat as problem:
        return dg.AssetCheckResult(
            passed=False, severity=dg.AssetCheckSeverity.WARN, description=str(problem)
        )
    return segments_are_fresh(None if segments is None else measure_staleness(lake, *segments))
