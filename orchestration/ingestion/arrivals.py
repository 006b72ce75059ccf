"""Taking files of one arrival hour: in batches that fit into memory, a transaction each."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import duckdb

from orchestration.ingestion.files import LandedFile, batches_of
from orchestration.ingestion.ingest import ingest_batch
from orchestration.ingestion.reports import BatchReport

BATCH_BYTES = 64 << 20  # what a batch holds in memory is some ten times its files


def take_files(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    hour: str,
    run_id: str,
    pseudonym_key: str,
    progress: Callable[[str], None] = lambda message: None,
) -> BatchReport:
    """Take every file of an hour that is new by content, on a writer's connection."""
    report = BatchReport(None)
    for batch in batches_of(files, BATCH_BYTES):
        now = datetime.now(UTC)
        report = report.and_then(
            ingest_batch(connection, batch, hour, run_id, now, pseudonym_key, progress)
        )
    return report
