"""What waits to be done: files in landing that are new by content, batches not carried through."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from orchestration.ingestion.files import Fingerprint, LandedFile
from orchestration.ingestion.landing import pending, scan
from orchestration.partitions import known_hour
from orchestration.settings import Settings

RETRY_SECONDS = 600
STALLED_SECONDS = 120


@dataclass(frozen=True)
class Stalled:
    """The newest batch that was ingested a while ago and not carried through to the scores."""

    batch_id: int
    partition_key: str
    seconds: float


@dataclass(frozen=True)
class Waiting:
    """Files to take now, how many are still being written, what lies in the wrong place."""

    files: tuple[LandedFile, ...]
    unsettled: int
    problems: tuple[str, ...]
    stalled: Stalled | None

    def since(self, now: datetime, seconds: float) -> "Waiting":
        """The same without files that have waited for less than so long."""
        old = tuple(file for file in self.files if now.timestamp() - file.mtime_ns / 1e9 >= seconds)
        return replace(self, files=old, unsettled=self.unsettled + len(self.files) - len(old))


@dataclass(frozen=True)
class Work:
    """One run to ask for; asking again with the same key starts nothing."""

    partition_key: str
    run_key: str
    files: int


def waiting_work(
    connection: duckdb.DuckDBPyConnection,
    values: Settings,
    hashes: dict[Fingerprint, str],
    now: datetime | None = None,
) -> Waiting:
    """Compare landing with the ledger; ``hashes`` remembers file contents between calls."""
    now = now or datetime.now(UTC)
    files, problems = scan(values.landing)
    ledger = connection.execute(
        "select file, bytes, modified_ns, file_hash from ops.landed_files"
    ).fetchall()
    new, unsettled = pending(files, ledger, now, values.settle_seconds, hashes)
    new = [replace(file, partition_key=known_hour(file.partition_key, now)) for file in new]
    row = connection.execute(
        "select batch_id, partition_key, ingested_at from ops.batches "
        "where snapshot_id is null order by batch_id desc limit 1"
    ).fetchone()
    stalled = None
    if row is not None:
        seconds = (now.replace(tzinfo=None) - row[2]).total_seconds()
        # below 0: the clock went back since, and would leave it lying until it is there again
        if not 0 <= seconds < STALLED_SECONDS:
            stalled = Stalled(row[0], row[1], seconds)
    return Waiting(tuple(new), unsettled, tuple(problems), stalled)


def work_to_request(waiting: Waiting, now: datetime | None = None) -> list[Work]:
    """One run per arrival hour with new files, or one for a stalled batch.

    The key names the very files and their state, so that asking again while the run is under way
    starts nothing, and a file that came since starts another. It changes every ten minutes of a
    file's age: a file that could not be taken because the disk was full is tried again.
    """
    now = now or datetime.now(UTC)
    by_hour: dict[str, list[LandedFile]] = {}
    for file in waiting.files:
        by_hour.setdefault(file.partition_key, []).append(file)
    if not by_hour and waiting.stalled is not None:
        batch = waiting.stalled
        attempt = int(batch.seconds // RETRY_SECONDS)
        return [Work(batch.partition_key, f"stalled:{batch.batch_id}:{attempt}", 0)]
    work = []
    for hour, files in sorted(by_hour.items()):
        state = repr(sorted(file.fingerprint for file in files)).encode()
        age = now.timestamp() - max(file.mtime_ns for file in files) / 1e9
        attempt = int(max(age, 0) // RETRY_SECONDS)
        digest = hashlib.sha256(state).hexdigest()[:16]
        work.append(Work(hour, f"{hour}:{digest}:{attempt}", len(files)))
    return work
