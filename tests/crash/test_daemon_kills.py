"""A whole deployment, as ``make dev`` starts it: runs and the deployment itself are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.conservation import assert_conserved
from orchestration.lake import Lake, LakeNotFound
from orchestration.processes import is_alive
from orchestration.settings import PROJECT_ROOT
from tests.collector.collector_room import free_port
from tests.crash.homes import settings_of, write_history
from tests.crash.kills import Tally

SHOAL = Path(sys.executable).with_name("shoal")
PATIENCE_SECONDS = 400.0
POLL_SECONDS = 0.5


@dataclass
class Daemon:
    """UI, daemon and code server on a home, in one group of processes."""

    home: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SHOAL_", "DAGSTER_"))},
            "SHOAL_HOME": str(self.home),
            "SHOAL_SENSOR_SECONDS": "1",
            "SHOAL_LIVE": "false",  # the sensor path is what is killed
            "SHOAL_SETTLE_SECONDS": "0",
        }
        with (self.home / "dagster.log").open("ab") as output:
            self.process = subprocess.Popen(
                [str(SHOAL), "dev", "--port", str(self.port)],
                cwd=PROJECT_ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill_everything(self) -> None:
        """As a loss of power does: nothing of it says a last word."""
        if self.process is None:
            return
        group = self.process.pid
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                is_ours = f"SHOAL_HOME={self.home}\0".encode() in path.read_bytes()
                if is_ours:
                    os.kill(int(path.parent.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        self.process.wait(PATIENCE_SECONDS)
        assert not is_alive(group, time.time())

    def until(self, what: str, is_so: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if found := is_so():
                return found
            time.sleep(POLL_SECONDS)
        log = (self.home / "dagster.log").read_text()[-4_000:]
        return pytest.fail(f"not within {PATIENCE_SECONDS:.0f} s: {what}\n{log}")

    def under_way(self) -> tuple[str, int] | None:
        """The run that is under way, with its process."""
        with dg.DagsterInstance.from_config(str(self.home / "dagster")) as instance:
            for run in instance.get_runs(
                filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
            ):
                events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
                for entry in events:
                    event = entry.dagster_event
                    pid = event and event.engine_event_data.metadata.get("pid")
                    if pid and is_alive(int(str(pid.value)), entry.timestamp):
                        return run.run_id, int(str(pid.value))
        return None

    def published(self) -> int:
        try:
            with Lake.from_settings(settings_of(self.home)).reader(latest=True) as connection:
                row = connection.execute(
                    "select count(*) from ops.batches where snapshot_id is not null"
                ).fetchone()
        except LakeNotFound:
            return 0
        return 0 if row is None else int(row[0])


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "home")
    made.home.mkdir()
    try:
        yield made
    finally:
        made.kill_everything()


def drop(daemon: Daemon, number: int) -> None:
    """Land a batch as a whole, under names that are files only once they are written."""
    draft = daemon.home.parent / f"draft {number}"
    write_history(draft, number, 1_000 * number, 1_000, f"batch {number}")
    for path in sorted(draft.rglob("*.jsonl")):
        target = daemon.home / path.relative_to(draft)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)


@pytest.mark.slow
def test_it_goes_on_by_itself(daemon: Daemon, record_property: Any) -> None:
    """After the kill of a run's process, and of everything while a run was under way."""
    tally = Tally("deployment")
    drop(daemon, 0)
    daemon.start()
    daemon.until("the history is published", lambda: daemon.published() == 1)

    drop(daemon, 1)
    run_id, pid = daemon.until("a run is under way", daemon.under_way)
    os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    tally.places["the process of a run"] += 1
    again, _ = daemon.until("another run is under way", daemon.under_way)
    tally.resumed.append(time.monotonic() - killed_at)
    assert again != run_id
    daemon.until("the batch is published", lambda: daemon.published() == 2)

    drop(daemon, 2)
    daemon.until("a run is under way", daemon.under_way)
    daemon.kill_everything()
    tally.places["every process of the deployment"] += 1
    daemon.start()
    started_at = time.monotonic()
    daemon.until("a run is under way", daemon.under_way)
    tally.resumed.append(time.monotonic() - started_at)
    daemon.until("the batch is published", lambda: daemon.published() == 3)

    daemon.until("no run is under way", lambda: daemon.under_way() is None)
    values = settings_of(daemon.home)
    outcome = assert_conserved(Lake.from_settings(values), values.landing)
    assert outcome.with_tables
    assert outcome.totals["received"] > 3_000
    with dg.DagsterInstance.from_config(str(daemon.home / "dagster")) as instance:
        stuck = instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    assert stuck == []
    record_property("kills", tally.as_property())
