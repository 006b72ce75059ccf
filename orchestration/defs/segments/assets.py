"""Segments: the groups that customers move in, who is in which now, and who moved."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.pictures import picture, save_file
from orchestration.registry import Registry
from orchestration.segment_checks import segments_kept_identity, segments_were_found
from orchestration.settings import settings

OWNERS = ["team:data-science"]
SEGMENTS = dg.AssetKey(["marts", "customer_segments"])
MOVES = dg.AssetKey(["marts", "segment_moves"])
LIST = dg.AssetKey(["marts", "segments"])


@dg.asset(
    deps=[
        ["marts", "customer_features"],
        ["marts", "customer_feature_history"],
        ["marts", "customer_labels"],
    ],
    group_name="models",
    kinds={"scikitlearn", "mlflow"},
    owners=OWNERS,
    check_specs=[
        dg.AssetCheckSpec("segments_were_found", asset="segment_model"),
        dg.AssetCheckSpec("segments_kept_identity", asset="segment_model"),
    ],
)
def segment_model(
    context: dg.AssetExecutionContext, lake: Lake
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Segments of customers, chosen among several families, under the ids of those before."""
    from ml.plots import segments_png
    from ml.segments import NoSegments
    from orchestration.documents import frame_markdown
    from orchestration.segment_material import read_material
    from orchestration.segment_training import find_segments, register_segments

    values = settings()
    registry = Registry(values)
    material = read_material(lake)
    lake.give_way()
    try:
        with lake.holding(material.snapshot):  # until the record names it
            found = find_segments(material, registry, values, context.log)
            profile = found.model.profile(material.features)
            image = segments_png(profile, f"Segments as of {material.as_of:%Y-%m-%d}")
            version = register_segments(registry, found, material, values, {"segments": image})
    except NoSegments as problem:
        context.log.warning(f"no segments, the last ones stay: {problem}")
        yield dg.MaterializeResult(metadata={"trained": False, "reason": str(problem)})
        yield segments_were_found(None, str(problem))
        yield segments_kept_identity(None)
        return
    model = found.model
    save_file(values.reports / "models" / "segments.png", image)
    notices = found.identity.notices() if found.before else ()
    for notice in notices:
        context.log.warning(notice)
    yield dg.MaterializeResult(
        metadata={
            "trained": True,
            "version": version.label,
            "description": model.description,
            "silhouette": model.at_fit.silhouette,
            "selection": dg.MetadataValue.md(frame_markdown(model.selection)),
            "profile": dg.MetadataValue.md(frame_markdown(profile)),
            "matched_to": found.before.label if found.before else "none: the first segments",
            "matches": dg.MetadataValue.md(frame_markdown(found.identity.table())),
            "notices": dg.MetadataValue.md(
                "\n".join(f"- {notice}" for notice in notices) or "none"
            ),
            "sizes": picture("segments", image),
        }
    )
    yield segments_were_found(model.k, model.description)
    yield segments_kept_identity(found)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key,
            deps=["segment_model", ["marts", "customer_features"]],
            kinds={"ducklake"},
            owners=OWNERS,
            description=description,
        )
        for key, description in (
            (SEGMENTS, "One row per customer: the segment they move with now, and how clearly."),
            (MOVES, "One row per customer and change of segment: when, and why."),
            (LIST, "One row per segment that there ever was: name, colour, birth, retirement."),
        )
    ],
    group_name="scores",
    name="customer_segments",
)
def customer_segments(
    context: dg.AssetExecutionContext, lake: Lake
) -> Iterator[dg.MaterializeResult[Any]]:
    """One segment per customer, as of the features; only what changed is assigned anew."""
    from ml.segment_store import UnknownFormat
    from orchestration.champions import load_segments
    from orchestration.phrases import feature_phrases
    from orchestration.segment_tables import Assigned, assign_segments

    registry = Registry()
    try:
        segments = load_segments(registry)
    except UnknownFormat as problem:
        context.log.warning(f"everyone stays where they are: {problem}")
        segments = None
    assigned, label = Assigned(), ""
    if segments is None:
        context.log.warning("no segmentation in force: materialize segment_model")
    else:
        version, model = segments
        label = version.label
        now = datetime.now(UTC).replace(tzinfo=None)
        assigned = assign_segments(lake, registry, version, model, feature_phrases(), now)
    yield dg.MaterializeResult(
        asset_key=SEGMENTS, metadata={"assigned": assigned.customers, "version": label}
    )
    yield dg.MaterializeResult(
        asset_key=MOVES,
        metadata={"moves": assigned.moves, "by_their_behaviour": assigned.moves_of_behaviour},
    )
    yield dg.MaterializeResult(asset_key=LIST)
