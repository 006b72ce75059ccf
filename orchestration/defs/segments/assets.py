"""Segments: the groups that customers move in, and who is in which now."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.lake import Lake, current_snapshot
from orchestration.pictures import picture, save_file
from orchestration.registry import Registry, code_version, scratch_folder
from orchestration.settings import settings

OWNERS = ["team:data-science"]


@dg.asset(
    deps=[["marts", "customer_features"]],
    group_name="models",
    kinds={"scikitlearn", "mlflow"},
    owners=OWNERS,
    check_specs=[dg.AssetCheckSpec("segments_were_found", asset="segment_model")],
)
def segment_model(
    context: dg.AssetExecutionContext, lake: Lake
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Groups of customers, chosen among several families of clusterings, with plain names."""
    from ml.plots import segments_png
    from ml.segment_store import save
    from ml.segments import NoSegments, fit_segments
    from orchestration.champions import SEGMENTS

    values = settings()
    with lake.reader(latest=True) as connection:
        snapshot = current_snapshot(connection)
        features = connection.execute("from marts.customer_features order by customer_key").df()
    try:
        model = fit_segments(features, seed=values.seed)
    except NoSegments as problem:
        context.log.warning(f"no segments, the last ones stay: {problem}")
        yield dg.MaterializeResult(metadata={"trained": False, "reason": str(problem)})
        yield segments_were_found(None, str(problem))
        return

    profile = model.profile(features)
    image = segments_png(profile, f"Segments as of {features['as_of'].max():%Y-%m-%d}")
    silhouette = model.at_fit.silhouette
    registry = Registry(values)
    with scratch_folder() as name:
        folder = Path(name)
        save(model, folder)
        (folder / "segments.png").write_bytes(image)
        version = registry.register(
            SEGMENTS,
            folder,
            metrics={"silhouette": silhouette, "segments": model.k},
            parameters={
                "seed": values.seed,
                "customers": len(features),
                "family": model.family,
                "space": model.space.spec.name,
            },
            tags={"lake_snapshot": str(snapshot), "code_version": code_version()},
        )
    registry.promote(version)
    save_file(values.reports / "models" / "segments.png", image)
    yield dg.MaterializeResult(
        metadata={
            "trained": True,
            "version": version.label,
            "silhouette": silhouette,
            "selection": dg.MetadataValue.md(_markdown(model.selection)),
            "profile": dg.MetadataValue.md(_markdown(profile)),
            "sizes": picture("segments", image),
        }
    )
    yield segments_were_found(model.k, f"{model.k} segments, silhouette {silhouette:.3f}")


def segments_were_found(count: int | None, description: str) -> dg.AssetCheckResult:
    """Pass when customers fall into groups; otherwise the last segmentation stays."""
    return dg.AssetCheckResult(
        check_name="segments_were_found",
        passed=count is not None,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
    )


@dg.asset(
    key=["marts", "customer_segments"],
    deps=["segment_model", ["marts", "customer_features"]],
    group_name="scores",
    kinds={"ducklake"},
    owners=OWNERS,
)
def customer_segments(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One segment per customer, as of the features; only what changed is assigned anew."""
    from orchestration.champions import load_segments
    from orchestration.score_tables import assign_segments

    segments = load_segments(Registry())
    if segments is None:
        context.log.warning("no segmentation yet: materialize segment_model")
        return dg.MaterializeResult(metadata={"assigned": 0})
    version, model = segments
    assigned = assign_segments(lake, version, model, now=datetime.now(UTC).replace(tzinfo=None))
    return dg.MaterializeResult(metadata={"assigned": assigned, "version": version.label})


def _markdown(table: Any) -> str:
    columns = [str(column) for column in table.columns]
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for row in table.itertuples(index=False):
        cells = [f"{cell:,.3f}" if isinstance(cell, float) else str(cell) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
