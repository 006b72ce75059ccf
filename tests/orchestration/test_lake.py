"""One writer at a time, readers at any time, and readers see whole batches only."""

import gc
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.ingestion.sql import transaction
from orchestration.lake import (
    Lake,
    LakeNotFound,
    current_snapshot,
    open_engine,
    set_file_format,
)
from orchestration.maintenance_catalog import CATALOG
from orchestration.publication import publish
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.turn import LeaseTimeout

NOW = datetime(2026, 1, 1)


OPEN_TWO = """
import sys
from pathlib import Path
from orchestration.lake import open_engine
for folder in (sys.argv[1], sys.argv[1], sys.argv[2]):
    engine = open_engine(":memory:", Path(folder))
    print(*engine.execute("select current_setting('allow_unsigned_extensions')").fetchone())
"""


def ingest(lake: Lake, batch_id: int) -> None:
    """A batch as ingestion leaves it: rows in, nothing derived, not published."""
    with lake.writer("test") as connection:
        connection.execute(
            "insert into ops.batches values (?, '2026-01-01T00', 'run', 1, 1, 0, 0, ?, null, null)",
            [batch_id, NOW],
        )
        connection.execute("delete from ops.clock")
        connection.execute("insert into ops.clock values (?, 'history', 1, ?)", [NOW, batch_id])


def test_the_first_engine_of_a_process_checks_what_it_loads(tmp_path: Path) -> None:
    open_engine(":memory:", tmp_path / "whole").close()
    (link,) = (tmp_path / "whole").rglob("ducklake.duckdb_extension")
    broken = tmp_path / "broken" / link.relative_to(tmp_path / "whole")
    broken.parent.mkdir(parents=True)
    content = bytearray(link.read_bytes())
    content[-1] ^= 1  # the signature stands at the end
    broken.write_bytes(content)
    # in a process of its own: in this one no test pays for signatures, see conftest
    opened = subprocess.run(
        [sys.executable, "-c", OPEN_TWO, str(tmp_path / "whole"), str(tmp_path / "broken")],
        capture_output=True,
        text=True,
    )
    assert opened.stdout.split() == ["False", "False"]
    assert "signature is either missing or invalid" in opened.stderr


def test_reading_before_there_is_a_lake_says_what_to_run(values: Settings) -> None:
    with (
        pytest.raises(LakeNotFound, match="make demo"),
        Lake.from_settings(values).reader(latest=True),
    ):
        pass


def test_reading_before_the_first_publication_points_to_latest(lake: Lake) -> None:
    with pytest.raises(LakeNotFound, match="--latest"), lake.reader():
        pass


def test_readers_see_a_batch_only_once_it_is_published(lake: Lake) -> None:
    ingest(lake, 1)
    with lake.writer("test") as connection:
        publish(connection, NOW)
    ingest(lake, 2)
    count = "select count(*) from ops.batches"
    with lake.reader() as published, lake.reader(latest=True) as edge:
        assert published.execute(count).fetchone() == (1,)
        assert edge.execute(count).fetchone() == (2,)
    with lake.writer("test") as connection:
        publish(connection, NOW)
    with lake.reader() as published:
        assert published.execute(count).fetchone() == (2,)


def test_a_reader_goes_on_while_others_read_what_was_published_since(lake: Lake) -> None:
    count = "select count(*) from ops.batches"
    ingest(lake, 1)
    with lake.writer("test") as connection:
        publish(connection, NOW)
    with lake.reader() as before:
        assert before.execute(count).fetchone() == (1,)
        ingest(lake, 2)
        with lake.writer("test") as connection:
            publish(connection, NOW)
        for _ in range(2):
            with lake.reader() as after:
                assert after.execute(count).fetchone() == (2,)
        gc.collect()
        assert before.execute(count).fetchone() == (1,)


def test_readers_share_nothing_but_the_lake(lake: Lake) -> None:
    ingest(lake, 1)
    with lake.writer("test") as connection:
        publish(connection, NOW)
    with lake.reader() as one, lake.reader() as other:
        one.execute("create temporary table mine as select 1")
        one.execute("set variable mine = 1")
        with pytest.raises(duckdb.CatalogException):
            other.execute("from mine")
        assert other.execute("select getvariable('mine')").fetchone() == (None,)


def test_a_published_snapshot_shows_its_own_publication(lake: Lake) -> None:
    ingest(lake, 1)
    with lake.writer("test") as connection:
        snapshot = publish(connection, NOW)
    with lake.reader() as connection:
        row = connection.execute("select snapshot_id, published_at from ops.batches").fetchone()
    assert row == (snapshot, NOW)


def test_nothing_is_published_while_a_newer_batch_is_half_done(lake: Lake) -> None:
    ingest(lake, 1)
    with lake.writer("test") as connection:
        connection.execute(
            "insert into ops.batches values (2, '2026-01-01T00', 'r', 1, 1, 0, 0, ?, null, null)",
            [NOW],
        )
        assert publish(connection, NOW) is None


def test_readers_cannot_write(lake: Lake) -> None:
    with lake.reader(latest=True) as connection, pytest.raises(Exception, match="read-only"):
        connection.execute("delete from ops.batches")


def test_readers_work_while_a_writer_is_in_a_transaction(lake: Lake) -> None:
    ingest(lake, 1)
    with lake.writer("test") as connection:
        publish(connection, NOW)
        connection.execute("begin")
        connection.execute("delete from ops.batches")
        with lake.reader() as reader:
            assert reader.execute("select count(*) from ops.batches").fetchone() == (1,)
        connection.execute("rollback")


def test_a_transaction_asks_one_state_of_the_catalog(values: Settings, lake: Lake) -> None:
    several = values.model_copy(update={"threads": 4})
    rows = f"select count(*) from {CATALOG}.ducklake_data_file"
    for batch_id in (1, 2, 3):
        ingest(lake, batch_id)
    with Lake.from_settings(several).reader(latest=True) as connection:
        connection.execute("begin")
        before = connection.execute(rows).fetchone()
        with lake.writer("test") as writer:
            writer.execute("call ducklake_merge_adjacent_files('lake', 'batches', schema => 'ops')")
        assert connection.execute(rows).fetchone() == before
        connection.execute("commit")
        assert connection.execute(rows).fetchone() != before


def test_files_of_this_machine_are_cached_once(lake: Lake) -> None:
    """By the system: DuckDB would keep what it read of files that are long gone."""
    ingest(lake, 1)
    with lake.writer("test") as writer, lake.reader(latest=True) as reader:
        for connection in (writer, reader):
            assert connection.execute("select batch_id from ops.batches").fetchone() == (1,)
            cached = connection.execute("from duckdb_memory() where tag = 'EXTERNAL_FILE_CACHE'")
            assert [row[1] for row in cached.fetchall()] == [0]


def test_threads_change_for_readers_and_writers_that_are_attached(
    values: Settings, lake: Lake
) -> None:
    def threads(connection: duckdb.DuckDBPyConnection) -> object:
        return connection.execute("select current_setting('threads')").fetchone()

    ingest(lake, 1)
    with lake.writer("test") as writer, lake.reader(latest=True) as reader:
        for count in (3, 1):
            lake.use_threads(count)
            assert threads(writer) == threads(reader) == (count,)


def test_dbt_asks_the_catalog_as_the_lake_does(lake: Lake) -> None:
    profile = yaml.safe_load((PROJECT_ROOT / "dbt_project" / "profiles.yml").read_text())
    options = profile["shoal"]["outputs"]["lake"]["config_options"]
    with lake.reader(latest=True) as connection:
        for name in ("asof_loop_join_threshold", "sqlite_disable_multithreaded_scans"):
            shown = connection.execute("select current_setting(?)", [name]).fetchone()
            assert shown == (options[name],)


def test_a_second_writer_gives_up_by_name_of_the_holder(values: Settings, lake: Lake) -> None:
    hasty = Lake.from_settings(values.model_copy(update={"lease_timeout_seconds": 0.2}))
    with (
        lake.lease("long work"),
        pytest.raises(LeaseTimeout, match=r"long work.*gave up on: short work"),
        hasty.lease("short work"),
    ):
        pass


def test_the_lease_of_a_killed_process_is_free_at_once(values: Settings, lake: Lake) -> None:
    script = (
        "import os, signal, sys\n"
        "from orchestration.lake import Lake\n"
        "from orchestration.settings import Settings\n"
        "lake = Lake.from_settings(Settings(home=sys.argv[1]))\n"
        "with lake.writer('doomed') as connection:\n"
        "    connection.execute('begin')\n"
        "    connection.execute(\"insert into ops.clock values (now()::timestamp, 'x', 1, 1)\")\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run([sys.executable, "-c", script, str(values.home)], check=False)
    assert died.returncode == -9
    hasty = Lake.from_settings(values.model_copy(update={"lease_timeout_seconds": 0.5}))
    with hasty.writer("heir") as connection:
        assert connection.execute("select count(*) from ops.clock").fetchone() == (0,)


def test_files_are_kept_in_the_chosen_format(lake: Lake) -> None:
    with lake.writer("test") as connection:
        set_file_format(connection)
        set_file_format(connection)
        connection.execute(
            "create table ops.many as select md5(range::varchar) as key from range(5000)"
        )
        ((path,),) = connection.execute(
            "select data_file from ducklake_list_files('lake', 'many', schema => 'ops')"
        ).fetchall()
        kept = connection.execute(
            "select compression, encodings from parquet_metadata(?)", [path]
        ).fetchall()
    assert kept == [("LZ4_RAW", "DELTA_LENGTH_BYTE_ARRAY")]


def test_what_is_written_together_is_one_commit_or_nothing(lake: Lake) -> None:
    ingest(lake, 1)
    with lake.reader(latest=True) as edge:
        before = current_snapshot(edge)
    with lake.together("test") as one:
        with one.writer("first") as connection, transaction(connection):
            connection.execute("update ops.clock set last_batch_id = 7")
        with one.reader(latest=True) as inside:
            assert inside.execute("select last_batch_id from ops.clock").fetchone() == (7,)
        with lake.reader(latest=True) as outside:
            assert outside.execute("select last_batch_id from ops.clock").fetchone() == (1,)
    with lake.reader(latest=True) as edge:
        assert current_snapshot(edge) == before + 1
    with (
        pytest.raises(ZeroDivisionError),
        lake.together("test") as one,
        one.writer("first") as connection,
        transaction(connection),
    ):
        _ = connection.execute("delete from ops.clock"), 1 / 0
    with lake.reader(latest=True) as edge:
        assert edge.execute("select last_batch_id from ops.clock").fetchone() == (7,)
