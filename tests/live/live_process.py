"""A live worker in a process of its own, as a run of Dagster would hold it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from orchestration.settings import PROJECT_ROOT

CHILD = """
import json, sys
from orchestration.lake import Lake
from orchestration.live.worker import LiveWorker
from orchestration.settings import settings

values = settings()
values.export()

def say(**told):
    print(json.dumps(told), flush=True)

def report(carried):
    say(batch=carried.clock.last_batch_id, received=carried.report.received, scored=carried.scored,
        snapshot=carried.snapshot, seconds=carried.seconds)

def report_caught_up(batch_id, scored):
    say(caught_up=batch_id, **scored)

worker = LiveWorker(
    Lake.from_settings(values), values, sys.argv[1], report, report_caught_up,
    lambda text: say(log=text),
)
say(ended=worker.run())
"""


@dataclass
class WorkerProcess:
    """A running worker and the file of what it says, a JSON object per line."""

    process: "subprocess.Popen[bytes]"
    said: Path

    def told(self) -> list[dict[str, object]]:
        """Everything it has said in whole lines."""
        lines = self.said.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def wait_for(self, key: str, count: int = 1, seconds: float = 240) -> list[dict[str, object]]:
        """Wait until it has said something so many times."""
        return wait_until(
            lambda: [told for told in self.told() if key in told],
            lambda found: len(found) >= count,
            seconds,
            self,
        )

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def live_worker(environment: dict[str, str], folder: Path, name: str) -> Iterator[WorkerProcess]:
    """Run a worker on a home; however the block ends, the process ends with it."""
    said = folder / f"{name}.jsonl"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, name],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield WorkerProcess(process, said)
    finally:
        process.kill()
        process.wait()


Found = TypeVar("Found")


def wait_until(
    look: Callable[[], Found],
    is_enough: Callable[[Found], bool],
    seconds: float,
    worker: WorkerProcess,
) -> Found:
    """Look again and again until it is enough."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if is_enough(found):
            return found
        assert worker.process.poll() is None, worker.said.read_text()[-3000:]
        assert time.monotonic() < until, worker.said.read_text()[-3000:]
        time.sleep(0.05)
