"""Old runs of Dagster go with all they left; the newest of each job stays."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.maintenance_runs import RunsUpkeep, keep_runs
from orchestration.settings import Settings


@dg.op
def speak(context: dg.OpExecutionContext) -> None:
    context.log.info("said")


@dg.job
def hourly() -> None:
    speak()


@dg.job
def yearly() -> None:
    speak()


@pytest.fixture
def instance(values: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(values.root / "dagster"))  # another test may have set it
    values.dagster_home.mkdir(parents=True)
    with dg.DagsterInstance.get() as instance:
        yield instance


def run(instance: dg.DagsterInstance, job: dg.JobDefinition) -> str:
    return job.execute_in_process(instance=instance).run_id


def files_of(values: Settings, run_id: str) -> list[Path]:
    return list(values.dagster_home.rglob(f"{run_id}*"))


def test_old_runs_go_with_their_events_and_logs(
    values: Settings, instance: dg.DagsterInstance
) -> None:
    rare, *old, young = [run(instance, job) for job in (yearly, hourly, hourly, hourly)]
    logs = values.dagster_home / "storage" / old[0] / "compute_logs"
    assert logs.is_dir()
    now = datetime.now(UTC)
    assert keep_runs(instance, values, now) == RunsUpkeep(0, 0)
    assert files_of(values, old[0])

    done = keep_runs(instance, values, now + timedelta(days=15))
    assert done.deleted_runs == 2
    assert {record.dagster_run.run_id for record in instance.get_run_records()} == {rare, young}
    assert [files_of(values, run_id) for run_id in old] == [[], []]
    assert instance.all_logs(young)
    assert files_of(values, rare)
    again = keep_runs(instance, values, now + timedelta(days=15))
    assert again.deleted_runs == 0


def test_runs_beyond_a_number_go_whatever_their_age(
    values: Settings, instance: dg.DagsterInstance
) -> None:
    first, second, third = [run(instance, hourly) for _ in range(3)]
    few = values.model_copy(update={"keep_runs": 2})
    assert keep_runs(instance, few, datetime.now(UTC)).deleted_runs == 1
    assert {record.dagster_run.run_id for record in instance.get_run_records()} == {second, third}
    assert not files_of(values, first)


def test_a_run_under_way_stays(values: Settings, instance: dg.DagsterInstance) -> None:
    started = instance.create_run_for_job(hourly, status=dg.DagsterRunStatus.STARTED)
    run(instance, hourly)
    keep_runs(instance, values, datetime.now(UTC) + timedelta(days=99))
    assert instance.get_run_by_id(started.run_id) is not None
