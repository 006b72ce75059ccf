"""The lake behind a collector's landing folder, filled the way the landing sensor's run does it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingestion.ingest import ingest_batch
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import Settings
from orchestration.waiting import waiting_work


@dataclass
class LakeRoom:
    """A writer on the lake of a home."""

    connection: duckdb.DuckDBPyConnection
    values: Settings

    def ingest(self) -> None:
        """Take every file that is new by content, hour by hour."""
        waiting = waiting_work(self.connection, self.values, {})
        assert not waiting.problems
        for hour in sorted({file.partition_key for file in waiting.files}):
            files = [file for file in waiting.files if file.partition_key == hour]
            report = ingest_batch(
                self.connection, files, hour, "test", datetime.now(UTC), "test key"
            )
            assert not report.left
            assert not report.skipped

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def ledger(self) -> dict[str, Counter[str]]:
        """Rows received, accepted, duplicate and rejected, by entity; each file adds up."""
        totals: dict[str, Counter[str]] = {}
        for entity, *counts in self.rows(
            "select entity, received, accepted, duplicates, rejected from ops.landed_files"
        ):
            received, accepted, duplicates, rejected = counts
            assert received == accepted + duplicates + rejected
            names = ("received", "accepted", "duplicates", "rejected")
            totals.setdefault(entity, Counter()).update(dict(zip(names, counts, strict=True)))
        return totals


@contextmanager
def lake_of(home: Path) -> Iterator[LakeRoom]:
    values = Settings(home=home, settle_seconds=0, _env_file=None)  # type: ignore[call-arg]
    with Lake.from_settings(values).writer("tests of the collector") as connection:
        create_tables(connection)
        yield LakeRoom(connection, values)
