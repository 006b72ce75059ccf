"""A lake that was filled the way a deployment is: files, ingestion, dbt, publication."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime

from orchestration.clock import set_clock
from orchestration.ingestion.files import LandedFile
from orchestration.ingestion.ingest import ingest_batch
from orchestration.publication import publish
from tests.dbt.dbt_lake import DbtLake, Row

HOUR = "2024-06-01T12"
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


def ingest(lake: DbtLake, rows: Iterable[Row], name: str) -> None:
    """Land rows as a file per entity, and take them as one batch."""
    lines: dict[str, list[str]] = {}
    for entity, values in rows:
        row = {key: value for key, value in values.items() if key != "batch_id"}
        lines.setdefault(entity, []).append(json.dumps(row, default=_iso))
    files = []
    for entity, written in sorted(lines.items()):
        path = lake.settings.landing / entity / f"arrived={HOUR}" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in written))
        files.append(LandedFile.at(path, entity, HOUR, f"{entity}/{path.parent.name}/{path.name}"))
    with lake.lake.writer("test: ingest") as connection:
        report = ingest_batch(connection, files, HOUR, "run", NOW, "test key")
    assert not report.left
    assert not report.skipped


def carry(lake: DbtLake) -> None:
    """Bring every table to the batches that wait."""
    with lake.lake.writer("test: clock") as connection:
        clock = set_clock(connection, lake.settings)
    lake.replay(clock.as_of, clock.first_batch_id, clock.last_batch_id)


def publish_all(lake: DbtLake) -> None:
    with lake.lake.writer("test: publish") as connection:
        assert publish(connection, datetime(2024, 6, 1, 13)) is not None


def _iso(value: object) -> str:
    assert isinstance(value, date)
    return value.isoformat()
