"""The home of the benchmark: a deployment of its own, and child processes that work on it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from orchestration.settings import PROJECT_ROOT, Settings, settings
from tests.benchmarks.figures import load

TAIL = 30
THREAD_VARIABLES = ("SHOAL_THREADS", "OMP_NUM_THREADS")


class BenchFailed(RuntimeError):
    """Something that is measured did not work; the message says what, and where its log is."""


@dataclass(frozen=True)
class Usage:
    """What one process took, its children included, and how busy the machine was before it."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    load: float


@dataclass(frozen=True)
class BenchHome:
    """Folders of the benchmark below ``$SHOAL_HOME/bench``; the deployment's own stay untouched."""

    root: Path
    threads: int

    @classmethod
    def of_deployment(cls, threads: int | None = None) -> "BenchHome":
        """Give the bench home of this deployment; every contestant gets as many threads.

        Raises
        ------
        BenchFailed
            When a setting would let the benchmark write to something shared.
        """
        values = settings()
        if values.mlflow_tracking_uri:
            raise BenchFailed(
                "MLFLOW_TRACKING_URI is set: unset it, or the benchmark's models go there"
            )
        if values.as_of is not None:
            raise BenchFailed("SHOAL_AS_OF is set: unset it, the benchmark needs its own clock")
        return cls(values.root / "bench", threads or values.threads)

    @property
    def deployment(self) -> Path:
        """``SHOAL_HOME`` of the measured processes."""
        return self.root / "home"

    @property
    def market(self) -> Path:
        """Landing folder of the simulated market."""
        return self.root / "market"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def dagster(self) -> Path:
        return self.deployment / "dagster"

    def values(self) -> Settings:
        """Settings of the benchmark's deployment, for use in this process."""
        own = {"home": self.deployment, "catalog": None, "data_path": None, "clock": "history"}
        return settings().model_copy(update=own)

    def environment(self) -> dict[str, str]:
        """Give the environment of the measured processes.

        dbt keeps its parse results in the bench home, so that neither deployment makes the other
        one parse again.
        """
        values = self.values()
        return {
            **os.environ,
            "SHOAL_HOME": str(self.deployment),
            "SHOAL_CATALOG": values.lake_catalog,
            "SHOAL_DATA_PATH": values.lake_data_path,
            "SHOAL_CLOCK": values.clock,
            **{name: str(self.threads) for name in THREAD_VARIABLES},
            "DAGSTER_HOME": str(self.dagster),
            "DBT_TARGET_PATH": str(self.root / "dbt_target"),
        }

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no second benchmark run in this home meanwhile."""
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.root / "bench.lock", timeout=0):
                yield
        except Timeout:
            raise BenchFailed(f"another benchmark is running in {self.root}") from None

    def clear(self) -> None:
        """Empty the bench home, but for the results of the last benchmark."""
        for folder in (self.deployment, self.market, self.logs, self.root / "dbt_target"):
            shutil.rmtree(folder, ignore_errors=True)
        self.logs.mkdir(parents=True)

    def log(self, name: str) -> Path:
        """Where a child process writes what it prints."""
        self.logs.mkdir(parents=True, exist_ok=True)
        return self.logs / f"{name}.log"

    def run(self, name: str, arguments: Sequence[str]) -> Usage:
        """Run a process to its end.

        Raises
        ------
        BenchFailed
            When it fails; the message ends with what it printed last.
        """
        log = self.log(name)
        busy, started = load(), time.perf_counter()
        with log.open("wb") as output:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=PROJECT_ROOT,
                start_new_session=True,
            )
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                end_group(process)
                raise
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise BenchFailed(f"{name} ended with {process.returncode}, {log}:\n{tail(log)}")
        return Usage(
            seconds=time.perf_counter() - started,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mb=usage.ru_maxrss / 1024,
            load=busy,
        )


def python(*arguments: str) -> list[str]:
    """Arguments that start this Python."""
    return [sys.executable, *arguments]


def script(name: str, *arguments: str) -> list[str]:
    """Arguments that start a console script of this environment, such as ``shoal``."""
    return [str(Path(sys.executable).with_name(name)), *arguments]


def tail(log: Path) -> str:
    """Give the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])


def end_group(process: "subprocess.Popen[bytes]", patience: float = 20.0) -> None:
    """End a process that leads a group, and the whole group: politely, then by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
