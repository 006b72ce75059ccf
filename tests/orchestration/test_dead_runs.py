"""A run whose process is gone is marked, whoever killed it; one that works is left alone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from orchestration.dead_runs import report_dead_runs
from orchestration.processes import is_alive
from orchestration.settings import PROJECT_ROOT

SCRIPT = """
import sys
import dagster as dg

@dg.op
def waits():
    print("under way", flush=True)
    sys.stdin.read()

@dg.job
def job():
    waits()

with dg.DagsterInstance.get() as instance:
    job.execute_in_process(instance=instance)
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


def statuses(instance: dg.DagsterInstance) -> list[dg.DagsterRunStatus]:
    return [run.status for run in instance.get_runs()]


def test_a_run_is_reported_once_its_process_is_gone(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DAGSTER_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "under way\n"
            assert report_dead_runs(instance) == []
            assert statuses(instance) == [dg.DagsterRunStatus.STARTED]
        finally:
            process.kill()
    (run_id,) = report_dead_runs(instance)
    assert statuses(instance) == [dg.DagsterRunStatus.FAILURE]
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert report_dead_runs(instance) == []


def test_a_number_that_another_process_has_by_now_is_no_life() -> None:
    assert is_alive(os.getpid(), time.time())
    assert not is_alive(os.getpid(), time.time() - 86_400)
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()  # it has ended, and nobody has asked how: a zombie
        until = time.monotonic() + 10
        while is_alive(process.pid, time.time()):
            assert time.monotonic() < until
        assert os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT) is not None
    assert not is_alive(process.pid, time.time())
