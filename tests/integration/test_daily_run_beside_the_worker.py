"""A daily run lets the live worker carry batches between its steps, and readers see them whole."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration.conservation import assert_conserved
from orchestration.lake import Lake
from orchestration.settings import PROJECT_ROOT
from tests.benchmarks.reader import LOOK
from tests.integration.deployment import Deployment
from tests.live.live_process import live_worker

DAILY = "from orchestration.demo import run_job; run_job('daily_job')"
PUBLISHED = "select published_at from ops.batches where snapshot_id is not null"


def _event(number: int, ref: str) -> dict[str, object]:
    return {
        "event_id": f"beside-{number}",
        "occurred_at": "2026-09-29T13:00:00Z",
        "event_type": "page_view",
        "customer_ref": ref,
        "channel": "web",
        "page": "/",
    }


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_batches_are_carried_between_the_steps_of_a_daily_run(
    demo: tuple[Deployment, str], tmp_path: Path
) -> None:
    deployment, _ = demo
    ((ref,),) = deployment.query("select min(customer_ref) from raw.orders")
    log = tmp_path / "daily.log"
    number, half = 0, []
    with live_worker(deployment.environment, tmp_path, "beside") as worker:
        worker.wait_for("log")
        with log.open("wb") as output:
            daily = subprocess.Popen(
                [sys.executable, "-c", DAILY],
                cwd=PROJECT_ROOT,
                env=deployment.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            while daily.poll() is None:
                deployment.drop(f"beside_{number}.jsonl", [_event(number, str(ref))])
                number += 1
                ((_, *wrong),) = deployment.query(LOOK)
                if any(wrong):
                    half.append(wrong)
                time.sleep(0.5)
        finally:
            daily.kill()
        assert daily.returncode == 0, log.read_text()[-3000:]
        events = "select count(*) from raw.events where event_id like 'beside-%'"
        until = time.monotonic() + 240
        while deployment.query(events) != [(number,)]:
            assert time.monotonic() < until, worker.said.read_text()[-3000:]
            time.sleep(0.1)
    began, ended = _between_tables_and_publication(deployment)
    within = [at for (at,) in deployment.query(PUBLISHED) if began < at < ended]  # type: ignore[operator]
    assert within, f"no batch between {began} and {ended}"
    assert half == []
    assert_conserved(Lake.from_settings(deployment.values), deployment.values.landing)


def _between_tables_and_publication(deployment: Deployment) -> tuple[datetime, datetime]:
    """When the daily run had made its tables, and when it began to publish."""
    with dg.DagsterInstance.from_config(str(deployment.values.root / "dagster")) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name="daily_job"), limit=1)
        steps = {step.step_key: step for step in instance.get_run_step_stats(run.run_id)}
    began, ended = steps["dbt_tables"].end_time, steps["ops__batches"].start_time
    assert began is not None
    assert ended is not None
    return _utc(began), _utc(ended)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
