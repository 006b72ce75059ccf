"""Dagster as ``make dev`` starts it, for as long as a block lasts."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.settings import PROJECT_ROOT
from tests.benchmarks.home import BenchFailed, BenchHome, end_group, script, tail

START_SECONDS = 300.0
LOG = "dagster_dev"


@contextmanager
def running(bench: BenchHome, *, live: bool) -> Iterator[float]:
    """Run UI, daemon and code server on the bench home; gives the seconds until the UI answered.

    However the block ends, the whole process group ends with it.

    Parameters
    ----------
    live
        With the live worker; without it the landing sensor takes everything.

    Raises
    ------
    BenchFailed
        When Dagster ends at once, or does not answer in time.
    """
    port = _free_port()
    started = time.perf_counter()
    with bench.log(LOG).open("wb") as output:
        process = subprocess.Popen(
            script("dagster", "dev", "-w", "workspace.yaml", "-p", str(port)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**bench.environment(), "SHOAL_LIVE": str(live).lower()},
            cwd=PROJECT_ROOT,
            start_new_session=True,
        )
        try:
            while not _answers(port):
                require_running(bench, process)
                if time.perf_counter() - started > START_SECONDS:
                    raise BenchFailed(f"dagster dev does not answer:\n{tail(bench.log(LOG))}")
                time.sleep(0.25)
            yield time.perf_counter() - started
            require_running(bench, process)
        finally:
            end_group(process)


def require_running(bench: BenchHome, process: "subprocess.Popen[bytes]") -> None:
    """Raise when Dagster has ended."""
    if process.poll() is not None:
        log = bench.log(LOG)
        raise BenchFailed(f"dagster dev ended with {process.returncode}, {log}:\n{tail(log)}")


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
