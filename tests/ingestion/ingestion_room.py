"""A landing folder and the lake behind it, with what tests ask of both."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from orchestration.ingestion.files import LandedFile
from orchestration.ingestion.ingest import ingest_batch
from orchestration.ingestion.landing import arrival_folder
from orchestration.ingestion.reports import BatchReport, FileReport
from orchestration.ingestion.sql import literal

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
KEY = "test key"
EVENTS = "event_id,occurred_at,event_type"


CONTROL_TABLES = ("ops.landed_files", "ops.rejected_rows", "ops.batches")


@dataclass
class Room:
    """A landing folder and a writer on the lake behind it."""

    connection: duckdb.DuckDBPyConnection
    landing: Path
    used: ClassVar[set[str]] = set()

    def file(self, name: str, content: str | bytes, entity: str = "events") -> LandedFile:
        """Land a file."""
        self.used.add(entity)
        path = arrival_folder(self.landing, entity, NOW) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return LandedFile.at(path, entity, "2024-06-01T12", f"{entity}/{name}")

    def parquet(self, name: str, query: str, entity: str = "events") -> LandedFile:
        """Land the rows of a query as Parquet."""
        file = self.file(name, b"", entity)
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"copy ({query}) to {literal(str(file.path))} (format parquet)")
        return LandedFile.at(file.path, entity, file.partition_key, file.name)

    def ingest(self, *files: LandedFile) -> BatchReport:
        report = ingest_batch(self.connection, files, "2024-06-01T12", "run", NOW, KEY)
        self.assert_conserved()
        return report

    def ingest_one(self, file: LandedFile) -> FileReport:
        report = self.ingest(file)
        assert len(report.files) == 1
        return report.files[0]

    def empty(self) -> None:
        """Take out of the lake what earlier tests put there."""
        self.connection.execute("begin")
        for table in [*(f"raw.{name}" for name in self.used), *CONTROL_TABLES]:
            self.connection.execute(f"delete from {table}")
        self.connection.execute("commit")
        self.used.clear()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, list(parameters)).fetchall()

    def ids(self) -> list[str]:
        return [key for (key,) in self.rows("select event_id from raw.events order by 1")]

    def reasons(self) -> list[tuple[int | None, list[str]]]:
        """Row number and reasons of all that is in quarantine."""
        return [
            (number, reasons)
            for number, reasons in self.rows(
                "select row_number, reasons from ops.rejected_rows order by file, row_number"
            )
        ]

    def assert_conserved(self) -> None:
        """Per file: received = accepted + duplicates + rejected, and each count is true."""
        parts = " union all ".join(
            f"select '{name}' as entity, file_hash from raw.{name}" for name in sorted(self.used)
        )
        held = Counter(self.rows(parts)) if parts else Counter()
        kept, whole = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
        for *key, number in self.rows(
            "select entity, file_hash, row_number from ops.rejected_rows"
        ):
            (whole if number is None else kept)[tuple(key)] += 1
        for entity, file_hash, received, accepted, duplicates, rejected in self.rows(
            "select entity, file_hash, received, accepted, duplicates, rejected "
            "from ops.landed_files"
        ):
            key = (entity, file_hash)
            assert received == accepted + duplicates + rejected
            assert held[key] == accepted
            assert (whole[key], kept[key]) in [(0, rejected), (1, 0)]
            assert rejected > 0 or not whole[key]
