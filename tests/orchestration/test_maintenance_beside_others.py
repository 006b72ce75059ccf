"""Upkeep beside readers in other processes, and upkeep that is killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from orchestration.lake import Lake
from orchestration.maintenance_lake import keep_lake
from orchestration.settings import PROJECT_ROOT, Settings
from tests.orchestration.lake_history import (
    add_batch,
    files_in_catalog,
    files_on_disk,
    fingerprints,
    next_month,
)

SEED = 20261122
KILLS = 12

READER = """
import sys
from orchestration.lake import Lake
from orchestration.settings import Settings
from tests.orchestration.lake_history import INCONSISTENT
lake = Lake.from_settings(Settings(home=sys.argv[1], _env_file=None))
reads = 0
print("reading", flush=True)
while True:
    with lake.reader() as connection:
        assert connection.execute(INCONSISTENT).fetchone() == (False,)
    reads += 1
    print(reads, flush=True)
"""


@contextmanager
def another_reader(home: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that reads what is published again and again."""
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT_ROOT,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        yield process
    finally:
        process.kill()
        process.wait()


def check_readers(lake: Lake, values: Settings, batches: int) -> None:
    """Published reads of another process go on, and are whole, through all steps of upkeep."""
    add_batch(lake, 1)
    merged = 0
    with another_reader(values.root) as process:
        assert process.stdout is not None
        reads = int(process.stdout.readline())
        for number in range(2, 2 + batches):
            add_batch(lake, number)
            merged += keep_lake(lake, values, set(), datetime.now(UTC)).merged_files
        for _ in range(reads, reads + batches + 2):
            line = process.stdout.readline()
            assert line, f"the reader failed:\n{process.communicate()[1][-3000:]}"
        process.kill()
        rest = process.stdout.read().split()
    assert int(rest[-1] if rest else line) > reads
    assert merged > 10


@pytest.mark.slow
def test_readers_go_on_through_upkeep(lake: Lake, values: Settings) -> None:
    check_readers(lake, values, batches=2)


@pytest.mark.slow
def test_readers_go_on_through_many_rounds(lake: Lake, values: Settings) -> None:
    check_readers(lake, values, batches=20)


# a round that is killed

UPKEEP = """
import sys
from datetime import UTC, datetime, timedelta
from orchestration.lake import Lake
from orchestration.maintenance_lake import keep_lake
from orchestration.settings import Settings
values = Settings(
    home=sys.argv[1], keep_snapshot_days=0, reader_grace_hours=0, _env_file=None
)
lake = Lake.from_settings(values)
print("begins", flush=True)
keep_lake(lake, values, {int(sys.argv[2])}, datetime.now(UTC) + timedelta(days=31))
print("ends", flush=True)
"""


def killed_upkeep(home: Path, pinned: int, after: float) -> bool:
    """Start a round in a process of its own and kill it; whether it was still at work."""
    process = subprocess.Popen(
        [sys.executable, "-c", UPKEEP, str(home), str(pinned)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT_ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    deadline = time.monotonic() + after
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return "ends" not in process.stdout.read()


@pytest.mark.slow
def test_killed_rounds_leave_a_good_lake(lake: Lake, hasty: Settings) -> None:
    draws = Random(SEED)
    at_work = 0
    pinned = add_batch(lake, 1, rows=3_000)
    known = fingerprints(lake, pinned)
    for number in range(2, 2 + KILLS):
        published = add_batch(lake, number, rows=3_000)
        expected = fingerprints(lake, published)
        at_work += killed_upkeep(hasty.root, pinned, draws.uniform(0.05, 1.2))
        assert fingerprints(lake, published) == expected
        assert fingerprints(lake, pinned) == known
    assert at_work > 0
    for _ in range(2):
        keep_lake(lake, hasty, {pinned}, next_month())
    assert fingerprints(lake, published) == expected
    assert files_on_disk(lake) == files_in_catalog(lake)
