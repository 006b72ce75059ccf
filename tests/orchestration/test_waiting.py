"""What waits is asked for once, again after a while, and never for the same content."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.defs.ingestion.sensors import landing_sensor
from orchestration.ingestion.files import Fingerprint
from orchestration.ingestion.ingest import ingest_batch
from orchestration.lake import Lake
from orchestration.partitions import arrival_hours
from orchestration.settings import Settings, settings
from orchestration.waiting import RETRY_SECONDS, STALLED_SECONDS, waiting_work, work_to_request

LATER = timedelta(seconds=10)


def drop(values: Settings, name: str, content: str, entity: str = "events") -> Path:
    path = values.landing / entity / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


EVENT = '{"event_id": "1", "occurred_at": "2026-01-01T00:00:00", "event_type": "login"}\n'


def take_all(connection: duckdb.DuckDBPyConnection, values: Settings, now: datetime) -> None:
    waiting = waiting_work(connection, values, {}, now)
    ingest_batch(connection, waiting.files, waiting.files[0].partition_key, "run", now, "key")


def test_a_new_file_is_asked_for_once(scratch: duckdb.DuckDBPyConnection, values: Settings) -> None:
    drop(values, "a.jsonl", EVENT)
    now = datetime.now(UTC) + LATER
    (work,) = work_to_request(waiting_work(scratch, values, {}, now), now)
    assert work.files == 1
    assert work_to_request(waiting_work(scratch, values, {}, now), now) == [work]
    drop(values, "b.jsonl", EVENT.replace('"1"', '"2"'))
    (both,) = work_to_request(waiting_work(scratch, values, {}, now), now)
    assert both.files == 2
    assert both.run_key != work.run_key


def test_what_could_not_be_taken_is_asked_for_again(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    drop(values, "a.jsonl", EVENT)
    now = datetime.now(UTC) + LATER
    later = now + timedelta(seconds=RETRY_SECONDS)
    (first,) = work_to_request(waiting_work(scratch, values, {}, now), now)
    (second,) = work_to_request(waiting_work(scratch, values, {}, later), later)
    assert first.run_key != second.run_key


def test_a_file_that_is_being_written_waits(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    drop(values, "a.jsonl", EVENT)
    slow = values.model_copy(update={"settle_seconds": 3600})
    waiting = waiting_work(scratch, slow, {}, datetime.now(UTC))
    assert (waiting.files, waiting.unsettled) == ((), 1)


def test_known_content_is_not_asked_for_under_any_name(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    path = drop(values, "a.jsonl", EVENT)
    now = datetime.now(UTC) + LATER
    take_all(scratch, values, now)
    drop(values, "copy.jsonl", EVENT)
    os.utime(path)
    assert waiting_work(scratch, values, {}, now).files == ()


def test_an_unchanged_copy_is_read_once(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    drop(values, "a.jsonl", EVENT)
    now = datetime.now(UTC) + LATER
    take_all(scratch, values, now)
    copy = drop(values, "copy.jsonl", EVENT)
    hashes: dict[Fingerprint, str] = {}
    waiting_work(scratch, values, hashes, now)
    assert [name for name, *_ in hashes] == [f"events/{copy.name}"]
    copy.chmod(0o000)
    assert waiting_work(scratch, values, hashes, now).files == ()


def test_a_batch_that_a_dead_run_left_is_carried_on(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    drop(values, "a.jsonl", EVENT)
    now = datetime.now(UTC) + LATER
    take_all(scratch, values, now)
    assert work_to_request(waiting_work(scratch, values, {}, now), now) == []
    later = now + timedelta(seconds=STALLED_SECONDS + 1)
    (work,) = work_to_request(waiting_work(scratch, values, {}, later), later)
    assert work.run_key.startswith("stalled:1:")
    before = now - timedelta(days=2)  # the clock went back
    (work,) = work_to_request(waiting_work(scratch, values, {}, before), before)
    assert work.run_key.startswith("stalled:1:")
    scratch.execute("update ops.batches set snapshot_id = 1")
    assert work_to_request(waiting_work(scratch, values, {}, later), later) == []


def test_a_file_from_the_future_is_not_one_that_is_being_written(
    scratch: duckdb.DuckDBPyConnection, values: Settings
) -> None:
    """The clock went back after it was written."""
    drop(values, "a.jsonl", EVENT)
    before = datetime.now(UTC) - timedelta(days=2)
    slow = values.model_copy(update={"settle_seconds": 3600})
    (work,) = work_to_request(waiting_work(scratch, slow, {}, before), before)
    assert work.files == 1
    assert work_to_request(waiting_work(scratch, slow, {}, before), before) == [work]


@pytest.mark.parametrize("hour", ["2019-12-31T23", "2199-01-01T00"])
def test_an_hour_that_cannot_be_holds_nothing_up(
    scratch: duckdb.DuckDBPyConnection, values: Settings, hour: str
) -> None:
    """A clock was ahead, or a file is from long ago: Dagster knows no partition of that hour."""
    drop(values, f"arrived={hour}/a.jsonl", EVENT)
    now = datetime.now(UTC) + LATER
    (work,) = work_to_request(waiting_work(scratch, values, {}, now), now)
    assert arrival_hours.has_partition_key(work.partition_key)
    take_all(scratch, values, now)
    assert waiting_work(scratch, values, {}, now).files == ()


def test_an_unknown_folder_is_named(scratch: duckdb.DuckDBPyConnection, values: Settings) -> None:
    drop(values, "a.csv", "x", entity="evnets")
    waiting = waiting_work(scratch, values, {})
    assert len(waiting.problems) == 1
    assert "evnets" in waiting.problems[0]
    assert "events" in waiting.problems[0]


@pytest.fixture
def own_settings(values: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process's settings be those of the test's deployment."""
    monkeypatch.setenv("SHOAL_HOME", str(values.root))
    monkeypatch.setenv("SHOAL_SENSOR_WATCH_SECONDS", "0")
    monkeypatch.setenv("SHOAL_SETTLE_SECONDS", "0")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("own_settings")
def test_the_sensor_says_why_it_is_silent(lake: Lake) -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, resources={"lake": lake}) as context,
    ):
        result = landing_sensor(context)
    assert isinstance(result, dg.SkipReason)
    assert "new by content" in str(result.skip_message)


@pytest.mark.usefixtures("own_settings")
def test_the_sensor_asks_for_the_hour_of_a_new_file(lake: Lake, values: Settings) -> None:
    drop(values, "a.csv", "event_id\n1\n")
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, resources={"lake": lake}) as context,
    ):
        result = landing_sensor(context)
    assert isinstance(result, dg.SensorResult)
    assert result.run_requests is not None
    assert [request.tags for request in result.run_requests] == [{"shoal/files": "1"}]


@pytest.mark.usefixtures("own_settings")
@pytest.mark.parametrize(
    ("status", "hours_ago", "is_asked"),
    [
        (dg.DagsterRunStatus.NOT_STARTED, 0, False),
        (dg.DagsterRunStatus.STARTED, 0, True),  # it may have looked before the file came
        (dg.DagsterRunStatus.NOT_STARTED, 1, True),
    ],
)
def test_a_run_that_waits_for_its_turn_takes_what_came_since(
    lake: Lake, values: Settings, status: dg.DagsterRunStatus, hours_ago: int, is_asked: bool
) -> None:
    file = drop(values, "a.csv", "event_id\n1\n")
    came = datetime.fromtimestamp(file.stat().st_mtime, UTC) - timedelta(hours=hours_ago)
    run = dg.DagsterRun(
        job_name="batch_job",
        run_id=dg.DagsterRun(job_name="batch_job").run_id,
        status=status,
        tags={"dagster/partition": came.strftime("%Y-%m-%dT%H")},
    )
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, resources={"lake": lake}) as context,
    ):
        instance.add_run(run)
        result = landing_sensor(context)
    assert isinstance(result, dg.SensorResult if is_asked else dg.SkipReason)
