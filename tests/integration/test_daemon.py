"""A file dropped into landing is scored without a further command, by the real daemon."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration.backup import make_backup
from orchestration.health_facts import gather
from orchestration.lake import Lake
from orchestration.restore import RestoreRefused, restore_backup
from orchestration.settings import PROJECT_ROOT, Settings
from simulation import MarketConfig, simulate

SHOAL = Path(sys.executable).with_name("shoal")
PATIENCE_SECONDS = 300.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, is_so: Callable[[], bool], log: Path) -> None:
    """Wait for a condition; on time-out fail with the end of the daemon's log."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = Pause(0.25)
    while time.monotonic() < deadline:
        if is_so():
            return
        pause()
    pytest.fail(f"not within {PATIENCE_SECONDS:.0f} s: {what}\n{log.read_text()[-4000:]}")


class Pause:
    """A wait between two looks at another process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._reader, self._writer = socket.socketpair()
        self._reader.settimeout(seconds)

    def __call__(self) -> None:
        try:
            self._reader.recv(1)
        except TimeoutError:
            return


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Path]]:
    """UI, daemon and code server on an empty home, as ``make dev`` starts them."""
    home = tmp_path_factory.mktemp("deployment")
    values = Settings(home=home, sensor_seconds=1, _env_file=None)  # type: ignore[call-arg]
    log = home / "dagster.log"
    port = free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("SHOAL_", "DAGSTER_"))},
        "SHOAL_HOME": str(home),
        "SHOAL_SENSOR_SECONDS": "1",
        "SHOAL_LIVE": "false",  # the sensor path is what is looked at
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(SHOAL), "dev", "--port", str(port)],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until("the UI answers", lambda: _answers(port), log)
        yield values, log
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=2) as answer:
            return "dagster_version" in json.load(answer)
    except OSError:
        return False


def _scores(values: Settings) -> int:
    lake = Lake.from_settings(values)
    with lake.reader(latest=True) as connection:
        published = connection.execute("select max(snapshot_id) from ops.batches").fetchone()
    if published is None or published[0] is None:
        return 0
    with lake.reader() as connection:
        row = connection.execute("select count(*) from marts.customer_scores").fetchone()
    return 0 if row is None else int(row[0])


def _published_batches(values: Settings) -> int:
    with Lake.from_settings(values).reader(latest=True) as connection:
        row = connection.execute(
            "select count(*) from ops.batches where snapshot_id is not null"
        ).fetchone()
    return 0 if row is None else int(row[0])


@pytest.mark.slow
def test_dropped_files_are_scored_without_a_command(
    deployment: tuple[Settings, Path], tmp_path: Path
) -> None:
    values, log = deployment
    simulate(
        MarketConfig(customers=300, events=10_000, seed=3),
        values.landing,
        tmp_path / "truth",
        datetime.now(UTC),
    )
    until("the market is scored", lambda: _scores(values) > 0, log)
    first = _published_batches(values)

    late = values.landing / "events" / "late.jsonl"
    event = {
        "event_id": "late-1",
        "occurred_at": "2026-09-30T12:00:00Z",
        "event_type": "page_view",
        "customer_ref": "somebody-new",
    }
    draft = late.with_name(".late.jsonl")
    draft.write_text(
        json.dumps(event)
        + "\n"
        + json.dumps({**event, "event_id": "late-2", "occurred_at": "not a time"})
        + "\n"
    )
    draft.rename(late)
    until("the late file is scored", lambda: _published_batches(values) > first, log)
    with Lake.from_settings(values).reader() as connection:
        ledger = connection.execute(
            "select received, accepted, duplicates, rejected from ops.landed_files "
            "where file = 'events/late.jsonl'"
        ).fetchall()
        scored = connection.execute(
            "select count(*) from marts.customer_scores as scores "
            "inner join ops.batches as batches on scores.batch_id = batches.batch_id "
            "where batches.batch_id = (select max(batch_id) from ops.batches)"
        ).fetchone()
    assert ledger == [(2, 1, 0, 1)]
    assert scored == (1,)

    # the same content under another name changes nothing
    again = values.landing / "events" / "again.jsonl"
    draft.write_bytes(late.read_bytes())
    draft.rename(again)
    batches = _published_batches(values)
    with Lake.from_settings(values).reader(latest=True) as connection:
        before = connection.execute(
            "select max(snapshot_id) from ducklake_snapshots('lake')"
        ).fetchone()
    marker = values.landing / "events" / "marker.jsonl"
    draft.write_text(json.dumps({**event, "event_id": "marker"}) + "\n")
    draft.rename(marker)
    until("the marker is scored", lambda: _published_batches(values) > batches, log)
    with Lake.from_settings(values).reader() as connection:
        files = connection.execute("select file from ops.landed_files").fetchall()
    assert ("events/again.jsonl",) not in files
    assert before is not None


@pytest.mark.slow
def test_nothing_is_restored_under_a_daemon(
    deployment: tuple[Settings, Path], tmp_path: Path
) -> None:
    values, log = deployment
    until("the lake is there", lambda: (values.root / "lake" / "catalog.sqlite").exists(), log)
    lake = Lake.from_settings(values)
    backup, _ = make_backup(lake, values, tmp_path, datetime.now(UTC))
    until(
        "the daemon gives a sign of life",
        lambda: gather(lake, values, datetime.now(UTC)).daemon_seconds is not None,
        log,
    )
    with pytest.raises(RestoreRefused, match="Dagster daemon"):
        restore_backup(lake, values, backup, datetime.now(UTC))
    assert not list(values.root.parent.glob(f"{values.root.name}.*"))
