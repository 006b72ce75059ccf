"""Raw tables: what lies in landing becomes typed rows, one batch per run."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.ingestion.arrivals import take_files
from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.reports import BatchReport
from orchestration.lake import Lake
from orchestration.partitions import arrival_hours
from orchestration.settings import settings
from orchestration.waiting import waiting_work

OWNERS = ["team:data"]
LEDGER = dg.AssetKey(["ops", "landed_files"])
QUARANTINE = dg.AssetKey(["ops", "rejected_rows"])
DESCRIPTIONS = {
    "events": "One row per behavioural event as it arrived.",
    "customers": "One row per profile as of an update, as it arrived.",
    "orders": "One row per order or return and status, as it arrived.",
    "order_lines": "One row per product on an order, as it arrived.",
    "products": "One row per product as of an update, as it arrived.",
    "messages": "One row per message to a customer, held-back control included.",
    "feedback": "One row per review, ticket, chat, post or answer, as it arrived.",
    "consents": "One row per decision on one purpose, as it arrived.",
}
TABLES = {
    **{dg.AssetKey(["raw", name]): text for name, text in DESCRIPTIONS.items()},
    LEDGER: "One row per file taken, by content: received = accepted + duplicates + rejected.",
    QUARANTINE: "One row per row, or whole file, that could not be taken, with every reason.",
}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key,
            description=description,
            group_name="ingestion",
            kinds={"ducklake"},
            owners=OWNERS,
        )
        for key, description in TABLES.items()
    ],
    partitions_def=arrival_hours,
    name="landed_batch",
)
def landed_batch(
    context: dg.AssetExecutionContext, lake: Lake
) -> Iterator[dg.MaterializeResult[Any]]:
    """The files of one arrival hour that are new by content: batches, a transaction each."""
    values = settings()
    hour = context.partition_key
    with lake.writer(f"ingest {hour}, run {context.run_id}") as connection:
        waiting = waiting_work(connection, values, {})
        files = [file for file in waiting.files if file.partition_key == hour]
        report = take_files(
            connection, files, hour, context.run_id, values.pseudonym_key(), context.log.info
        )
    for name, reason in report.left.items():
        context.log.warning(f"{name}: left for later: {reason}")
    for key in TABLES:
        yield dg.MaterializeResult(asset_key=key, metadata=_metadata(key, report))


def _metadata(key: dg.AssetKey, report: BatchReport) -> dict[str, Any]:
    if key == LEDGER:
        return {
            "files": len(report.files),
            "received": report.received,
            "accepted": report.accepted,
            "duplicates": report.duplicates,
            "rejected": report.rejected,
            "batch_id": report.batch_id or 0,
        }
    if key == QUARANTINE:
        notes = [f"- {file.file}: {note}" for file in report.files for note in file.notes]
        return {
            "dagster/partition_row_count": report.rejected,
            "notes": dg.MetadataValue.md("\n".join(notes[:50]) or "none"),
        }
    entity = key.path[-1]
    assert entity in ENTITIES
    return {"dagster/partition_row_count": report.accepted_by_entity.get(entity, 0)}
