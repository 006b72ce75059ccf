"""Scores that follow a batch later leave a batch that is half done alone."""

from datetime import datetime

from orchestration.lake import Lake, current_snapshot, published_snapshot
from orchestration.live.catch_up import catch_up, is_time
from orchestration.settings import Settings


def test_a_batch_that_is_half_done_is_neither_scored_nor_published(
    lake: Lake, values: Settings
) -> None:
    with lake.writer("a run that carried batch 2 halfway") as connection:
        connection.execute(
            "insert into ops.batches (batch_id, partition_key, run_id, received, accepted, "
            "duplicates, rejected, ingested_at, snapshot_id) "
            "select batch, '2026-01-01T00', 'run', 0, 0, 0, 0, ?, if(batch = 1, 1, null) "
            "from unnest([1, 2]) as batches(batch)",
            [datetime(2026, 1, 1)],
        )
        connection.execute(
            "insert into ops.clock values (timestamp '2026-01-01 00:00:00', 'history', 2, 2)"
        )
        before = current_snapshot(connection)
    assert catch_up(lake, values, "test") == (2, {})
    with lake.reader(latest=True) as connection:
        assert published_snapshot(connection) == 1
        assert current_snapshot(connection) == before


def test_files_that_wait_go_first_for_an_hour() -> None:
    assert not is_time(599, files_wait=False)
    assert is_time(600, files_wait=False)
    assert not is_time(3599, files_wait=True)
    assert is_time(3600, files_wait=True)
