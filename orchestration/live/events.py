"""What the live worker did, as materializations of the assets that a run would have made."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.live.batch import Carried


def materializations(carried: Carried, models: dict[str, dg.AssetKey]) -> Iterator[Any]:
    """One event per asset that a published batch changed; ``models`` are dbt's tables by name."""
    assert carried.clock is not None
    report, batch = carried.report, {"batch_id": carried.clock.last_batch_id}
    hours = sorted({file.partition_key for file in report.files})
    for hour in hours:
        files = [file for file in report.files if file.partition_key == hour]
        for entity in sorted({file.entity for file in files}):
            rows = sum(file.accepted for file in files if file.entity == entity)
            yield _event(["raw", entity], {**batch, "dagster/partition_row_count": rows}, hour)
        yield _event(
            ["ops", "landed_files"],
            {
                **batch,
                "files": len(files),
                "received": sum(file.received for file in files),
                "accepted": sum(file.accepted for file in files),
                "duplicates": sum(file.duplicates for file in files),
                "rejected": sum(file.rejected for file in files),
            },
            hour,
        )
    yield _event(["ops", "clock"], {**batch, "as_of": carried.clock.as_of.isoformat(sep=" ")})
    if carried.texts.masked:
        yield _event(["ops", "masked_texts"], {**batch, "masked": carried.texts.masked})
        yield _event(["ops", "text_embeddings"], {**batch, "embedded": carried.texts.embedded})
        yield _event(["ops", "text_readings"], {**batch, "read": carried.texts.read})
        yield _event(["ops", "text_mentions"], {**batch, "mentions": carried.mentions})
    for key in models.values():
        yield _event(key.path, batch)
    yield _event(["marts", "customer_segments"], {**batch, "assigned": carried.assigned.customers})
    yield _event(["marts", "segment_moves"], {**batch, "moves": carried.assigned.moves})
    for name in ("customer_scores", "score_history"):
        yield _event(["marts", name], {**batch, "scored": carried.scored, "models": carried.models})
    for name, scored in carried.event_scores.items():
        yield _event(["marts", name], {**batch, "scored": scored})
    if carried.rules is not None:
        for name in ("rule_segments", "rule_segment_history"):
            yield _event(
                ["marts", name],
                {**batch, "entered": carried.rules.entered, "left": carried.rules.left},
            )
    if carried.heard.texts:
        found = {"new_texts": carried.heard.texts, "issues_found": len(carried.heard.issues)}
        yield _event(["marts", "emerging_issues"], {**batch, **found})
    if carried.alerts is not None:
        yield _event(["ops", "alerts"], {**batch, "opened": carried.alerts.recorded.opened})
    yield _event(
        ["ops", "batches"],
        {
            **batch,
            "snapshot_id": -1 if carried.snapshot is None else carried.snapshot,
            **{f"seconds/{stage}": seconds for stage, seconds in carried.seconds.items()},
        },
    )


def caught_up(batch_id: int, scored: dict[str, int]) -> Iterator[Any]:
    """One event per table of scores that has caught up with a batch."""
    for name, rows in scored.items():
        yield _event(["marts", name], {"batch_id": batch_id, "scored": rows})


def _event(
    path: Any, metadata: dict[str, Any], partition: str | None = None
) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=dg.AssetKey(list(path)), metadata=metadata, partition=partition
    )
