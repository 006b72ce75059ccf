"""What somebody reads stays, and only for as long as they read it."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.lake import Lake
from orchestration.maintenance_catalog import CATALOG, one_row
from orchestration.maintenance_lake import expire_snapshots, snapshots_in_use
from orchestration.registry import Registry
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.snapshot_holds import held, hold
from tests.orchestration.lake_history import add_batch, attached, fingerprints, next_month

HOLDER = """
import sys
from pathlib import Path
from orchestration.snapshot_holds import hold
with hold(Path(sys.argv[1]), 7):
    print("held", flush=True)
    sys.stdin.read()
"""
ENDED = f"select count(*) from {CATALOG}.ducklake_data_file where end_snapshot is not null"


def expire(lake: Lake, values: Settings, now: datetime) -> int:
    return expire_snapshots(lake, values, snapshots_in_use(lake, Registry(values)), now)


def test_a_snapshot_is_held_until_the_last_reader_ends(tmp_path: Path) -> None:
    with hold(tmp_path, 3):
        with hold(tmp_path, 3), hold(tmp_path, 12):
            assert held(tmp_path) == {3, 12}
        assert held(tmp_path) == {3}
    assert held(tmp_path) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_dies_holds_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT_ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert held(tmp_path) == {7}
    process.kill()
    process.wait()
    assert held(tmp_path) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_keeps_what_it_sees_while_batches_go_on(lake: Lake, hasty: Settings) -> None:
    old = add_batch(lake, 1)
    seen = fingerprints(lake, old)
    scores = "select count(*), max(batch_id) from marts.customer_scores"
    with lake.reader() as connection:
        before = connection.execute(scores).fetchone()
        for number in (2, 3):
            add_batch(lake, number)
        assert expire(lake, hasty, next_month()) > 0
        assert connection.execute(scores).fetchone() == before
        assert fingerprints(lake, old) == seen
    assert expire(lake, hasty, next_month()) == 1
    with pytest.raises(duckdb.Error, match="snapshot"):
        attached(lake, old)


def test_what_batches_replaced_leaves_the_catalog(lake: Lake, hasty: Settings) -> None:
    for number in range(1, 5):
        add_batch(lake, number)
    with lake.reader(latest=True) as connection:
        assert one_row(connection, ENDED)[0] > 5
    expire(lake, hasty, next_month())
    with lake.reader(latest=True) as connection:
        assert one_row(connection, ENDED)[0] <= 1
