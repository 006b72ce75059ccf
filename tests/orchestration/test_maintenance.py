"""Upkeep takes nothing away that somebody reads, publishes or learnt from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.lake import Lake
from orchestration.maintenance import thin_scores
from orchestration.maintenance_catalog import measure_lake
from orchestration.maintenance_files import rotate
from orchestration.maintenance_lake import READER_GRACE, SPOILT_FILES, keep_lake
from orchestration.maintenance_models import versions_to_forget
from orchestration.maintenance_snapshots import Snapshot, to_expire
from orchestration.publication import publish
from orchestration.settings import Settings
from tests.orchestration.lake_history import (
    INCONSISTENT,
    NOW,
    TABLES,
    add_batch,
    attached,
    files_in_catalog,
    files_on_disk,
    fingerprints,
    next_month,
)

HOUR = timedelta(hours=1)


# which snapshots


def snapshots(*hours_ago: float) -> list[Snapshot]:
    return [Snapshot(number, NOW - ago * HOUR) for number, ago in enumerate(hours_ago)]


def expired(
    held: list[Snapshot], published: set[int] | None = None, pinned: set[int] | None = None
) -> list[int]:
    return to_expire(
        held,
        published=published or set(),
        pinned=pinned or set(),
        now=NOW,
        keep=48 * HOUR,
        grace=4 * HOUR,
    )


def test_snapshots_younger_than_the_grace_stay() -> None:
    assert expired(snapshots(5, 3.9, 1, 0)) == [0]


def test_the_newest_snapshot_stays_whatever_its_age() -> None:
    assert expired(snapshots(1000, 999)) == [0]


def test_a_pinned_snapshot_stays_whatever_its_age() -> None:
    assert expired(snapshots(1000, 999, 998), pinned={1}) == [0]


def test_of_older_publications_the_last_of_each_hour_stays() -> None:
    held = snapshots(10.9, 10.6, 10.2, 9.5, 0)
    assert expired(held, published={0, 1, 2, 3}) == [0, 1]
    assert expired(held, published={0, 1}) == [0, 2, 3]


def test_publications_older_than_kept_ones_go() -> None:
    assert expired(snapshots(50, 47, 0), published={0, 1}) == [0]


# the lake


def test_upkeep_changes_nothing_that_readers_see(lake: Lake, hasty: Settings) -> None:
    published = [add_batch(lake, number) for number in range(1, 5)]
    kept = {number: fingerprints(lake, number) for number in (published[1], published[-1])}
    before = measure_lake(lake)
    done = keep_lake(lake, hasty, {published[1]}, next_month())
    after = measure_lake(lake)
    assert {number: fingerprints(lake, number) for number in kept} == kept
    assert done.expired_snapshots > 20
    assert after.snapshots < before.snapshots
    with pytest.raises(duckdb.Error, match="snapshot"):
        attached(lake, published[2])
    with lake.reader() as connection:
        assert connection.execute("select count(*) from ops.batches").fetchone() == (4,)


@pytest.mark.slow
def test_batches_go_on_after_upkeep(lake: Lake, hasty: Settings) -> None:
    for number in (1, 2):
        add_batch(lake, number)
        keep_lake(lake, hasty, set(), next_month())
    assert add_batch(lake, 3) > 0
    with lake.reader() as connection:
        assert connection.execute(INCONSISTENT).fetchone() == (False,)


@pytest.mark.slow
def test_files_do_not_grow_with_batches(lake: Lake, hasty: Settings) -> None:
    for day in range(3):
        for number in (1, 2):
            add_batch(lake, 2 * day + number)
        for _ in range(2):  # what one round sets free the next one deletes
            keep_lake(lake, hasty, set(), next_month())
        size = measure_lake(lake)
        assert size.files <= 5 * len(TABLES)
        assert size.snapshots <= 5
    assert files_on_disk(lake) == files_in_catalog(lake)


def test_files_with_a_few_deleted_rows_become_one(lake: Lake, hasty: Settings) -> None:
    """Files are merged only without deleted rows, so many with a few would stay for ever."""
    add_batch(lake, 1)
    with lake.writer("files") as connection:
        for number in range(SPOILT_FILES + 1):
            connection.execute(
                "insert into marts.category_scores select range::varchar, ?, 0, 1, null, ?, '', ? "
                "from range(2500)",
                [str(number), NOW, NOW],
            )
        connection.execute("delete from marts.category_scores where customer_key = '7'")
    files = "select count(*) from ducklake_list_files('lake', 'category_scores', schema => 'marts')"
    rows = "select count(*), count(distinct category) from marts.category_scores"
    with lake.reader(latest=True) as connection:
        assert connection.execute(files).fetchone() == (SPOILT_FILES + 1,)
    keep_lake(lake, hasty, set(), next_month())
    with lake.reader(latest=True) as connection:
        assert connection.execute(files).fetchone() == (1,)
        assert connection.execute(rows).fetchone() == (2499 * (SPOILT_FILES + 1), SPOILT_FILES + 1)


def test_what_was_published_when_the_grace_began_stays(lake: Lake, hasty: Settings) -> None:
    """A reader may have attached then, although a later run published the same batch again."""
    old = add_batch(lake, 1)
    gone = fingerprints(lake, old)
    moment = datetime.now(UTC)
    with lake.writer("published again") as connection:
        again = publish(connection, NOW)
        named = connection.execute("select snapshot_id from ops.batches").fetchall()
    assert named == [(again,)]
    keep_lake(lake, hasty, set(), moment + READER_GRACE)
    assert fingerprints(lake, old) == gone
    keep_lake(lake, hasty, set(), next_month())
    with pytest.raises(duckdb.Error, match="snapshot"):
        fingerprints(lake, old)


def test_files_of_a_dead_writer_go_and_files_in_use_stay(lake: Lake, hasty: Settings) -> None:
    add_batch(lake, 1, rows=5_000)
    orphan = Path(lake.data_path) / "marts" / "customer_scores" / "ducklake-orphan.parquet"
    orphan.write_bytes(b"PAR1")
    done = keep_lake(lake, hasty, set(), next_month())
    assert (done.deleted_orphans, orphan.exists()) == (1, False)
    with lake.reader() as connection:
        assert connection.execute("select count(*) from marts.customer_scores").fetchone() == (
            5000,
        )


def test_young_orphans_stay(lake: Lake, values: Settings) -> None:
    add_batch(lake, 1, rows=5_000)
    orphan = Path(lake.data_path) / "ducklake-orphan.parquet"
    orphan.write_bytes(b"PAR1")
    assert keep_lake(lake, values, set(), datetime.now(UTC)).deleted_orphans == 0
    assert orphan.exists()


@pytest.mark.slow
def test_old_files_stay_for_readers_for_a_while(lake: Lake, hasty: Settings) -> None:
    for number in range(1, 4):
        add_batch(lake, number, rows=3_000)
    slow = hasty.model_copy(update={"reader_grace_hours": 24})
    before = set(Path(lake.data_path).rglob("*.parquet"))
    keep_lake(lake, slow, set(), datetime.now(UTC))
    assert before <= set(Path(lake.data_path).rglob("*.parquet"))
    keep_lake(lake, slow, set(), next_month())
    keep_lake(lake, slow, set(), next_month())
    assert not before <= set(Path(lake.data_path).rglob("*.parquet"))


# other things that grow


def test_scores_older_than_kept_ones_go(lake: Lake) -> None:
    add_batch(lake, 1)
    with lake.writer("older scores") as connection:
        connection.execute(
            "insert into marts.score_history (customer_key, as_of, model_versions, scored_at, "
            "batch_id) values ('old', ?, '', ?, 1), ('young', ?, '', ?, 1)",
            [NOW - 11 * 24 * HOUR, NOW, NOW - 9 * 24 * HOUR, NOW],
        )
    assert thin_scores(lake, 10) == 1
    with lake.reader(latest=True) as connection:
        kept = connection.execute(
            "select customer_key from marts.score_history where length(customer_key) < 10"
        ).fetchall()
    assert kept == [("young",)]


def test_versions_that_score_or_may_score_again_stay() -> None:
    numbers = range(1, 21)
    assert versions_to_forget(numbers, {}, [], 20) == []
    assert versions_to_forget(numbers, {}, [], 18) == [2, 1]
    assert versions_to_forget(numbers, {2: ("champion",)}, [], 18) == [1]
    assert versions_to_forget(range(1, 9), {}, [1, 2, 3, 4, 5], 2) == [6, 1]


def test_a_file_that_has_grown_is_rotated(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    assert not rotate(file, 3, 2)
    for content in ("one", "two", "three"):
        file.write_text(content)
        assert rotate(file, 3, 2)
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["three", "two"]
    file.write_text("xx")
    assert not rotate(file, 3, 2)
