"""Publishing: from which moment on readers see a batch."""

from datetime import datetime

import duckdb

from orchestration.clock import read_clock
from orchestration.file_statistics import forget_small_files
from orchestration.lake import current_snapshot


def publish(connection: duckdb.DuckDBPyConnection, now: datetime) -> int | None:
    """Mark every batch up to the clock's last one as carried through, in one commit.

    Then the catalog forgets the statistics of the small files that batches write.

    Returns
    -------
    int or None
        The lake snapshot that readers see from now on; None when a newer batch has been ingested
        meanwhile, so that this moment of the lake shows it half done. The run of that batch
        publishes both.
    """
    clock = read_clock(connection)
    row = connection.execute("select coalesce(max(batch_id), 0) from ops.batches").fetchone()
    assert row is not None
    if row[0] > clock.last_batch_id:
        return None
    snapshot = current_snapshot(connection) + 1  # this commit's own: the lease keeps others out
    connection.execute("begin")
    connection.execute(
        """
        update ops.batches
        set snapshot_id = ?, published_at = coalesce(published_at, ?)
        where batch_id <= ? and (snapshot_id is null or batch_id = ?)
        """,
        [snapshot, now, clock.last_batch_id, clock.last_batch_id],
    )
    connection.execute("commit")
    made = current_snapshot(connection)
    if made != snapshot:
        raise RuntimeError(
            f"published snapshot {snapshot}, but the commit became {made}: "
            "something wrote to the lake without the writer lease"
        )
    forget_small_files(connection)
    return snapshot
