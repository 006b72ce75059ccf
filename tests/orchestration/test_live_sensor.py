"""One live worker is kept at work: asked for when there is none, when it leaves, and not more."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import dagster as dg
import pytest

from orchestration.defs.ingestion.sensors import landing_sensor
from orchestration.defs.live.jobs import live_rescoring
from orchestration.defs.live.sensors import live_sensor
from orchestration.lake import Lake
from orchestration.live.heartbeat import Heartbeat, write_heartbeat
from orchestration.live.post import Post
from orchestration.publication import publish
from orchestration.settings import Settings, settings
from tests.orchestration.empty_lakes import empty_lake
from tests.orchestration.test_lake import NOW, ingest


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOAL_HOME", str(tmp_path_factory.mktemp("sensor") / "home"))
        patch.setenv("SHOAL_SETTLE_SECONDS", "0")
        patch.setenv("SHOAL_SENSOR_WATCH_SECONDS", "0")
        settings.cache_clear()
        yield settings()
    settings.cache_clear()


@pytest.fixture(scope="module")
def published(at_home: Settings) -> Lake:
    """A lake in which a batch has been published."""
    lake = empty_lake(at_home)
    ingest(lake, 1)
    with lake.writer("test") as connection:
        publish(connection, NOW)
    return lake


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """One for the tests that make the newest run of it themselves."""
    with dg.instance_for_test() as made:
        yield made


def _asked(lake: Lake, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    with dg.build_sensor_context(instance=instance, resources={"lake": lake}) as context:
        answer = live_sensor(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def _beat(values: Settings, leaving: str) -> None:
    now = datetime.now(UTC).isoformat()
    write_heartbeat(values, Heartbeat("run", 1, now, None, 0, None, "code", leaving))


def test_nothing_is_asked_for_before_there_is_something_to_bring_up_to_date(
    at_home: Settings, lake: Lake, instance: dg.DagsterInstance
) -> None:
    answer = _asked(lake, instance)
    assert isinstance(answer, dg.SkipReason)
    assert "nothing has been published yet" in str(answer.skip_message)


def test_a_worker_is_asked_for_where_none_is_and_a_successor_where_one_leaves(
    at_home: Settings, published: Lake
) -> None:
    post = Post(at_home.live_home)
    with dg.instance_for_test() as instance:  # without any run
        assert isinstance(_asked(published, instance), dg.RunRequest)
        with post.coming():
            assert isinstance(_asked(published, instance), dg.SkipReason)
        with post.held(1):
            _beat(at_home, leaving="")
            assert isinstance(_asked(published, instance), dg.SkipReason)
            _beat(at_home, leaving="the code has changed")
            assert isinstance(_asked(published, instance), dg.RunRequest)
        _beat(at_home, leaving="")  # it died without a word: the lock tells
        assert isinstance(_asked(published, instance), dg.RunRequest)


@pytest.mark.parametrize(
    ("status", "is_asked"),
    [
        (dg.DagsterRunStatus.NOT_STARTED, False),
        (dg.DagsterRunStatus.STARTING, False),
        (dg.DagsterRunStatus.STARTED, False),
        (dg.DagsterRunStatus.FAILURE, False),
        (dg.DagsterRunStatus.SUCCESS, True),
        (dg.DagsterRunStatus.CANCELED, True),
    ],
)
def test_a_run_on_its_way_or_just_failed_is_not_asked_for_again(
    published: Lake, instance: dg.DagsterInstance, status: dg.DagsterRunStatus, is_asked: bool
) -> None:
    run = instance.create_run_for_job(live_rescoring)
    events = {
        dg.DagsterRunStatus.STARTED: [dg.DagsterEventType.RUN_START],
        dg.DagsterRunStatus.FAILURE: [
            dg.DagsterEventType.RUN_START,
            dg.DagsterEventType.RUN_FAILURE,
        ],
        dg.DagsterRunStatus.SUCCESS: [
            dg.DagsterEventType.RUN_START,
            dg.DagsterEventType.RUN_SUCCESS,
        ],
        dg.DagsterRunStatus.CANCELED: [dg.DagsterEventType.RUN_CANCELED],
        dg.DagsterRunStatus.NOT_STARTED: [],
        dg.DagsterRunStatus.STARTING: [dg.DagsterEventType.RUN_STARTING],
    }
    for kind in events[status]:
        event = dg.DagsterEvent(kind.value, live_rescoring.name, message="test")
        instance.report_dagster_event(event, run.run_id)
    stored = instance.get_run_by_id(run.run_id)
    assert stored is not None
    assert stored.status == status
    assert isinstance(_asked(published, instance), dg.RunRequest) == is_asked


def test_a_file_is_the_workers_until_it_is_old_and_nobody_carries_batches(
    at_home: Settings, published: Lake, instance: dg.DagsterInstance
) -> None:
    folder = at_home.landing / "events"
    folder.mkdir(parents=True)
    row = '{"event_id": "1", "occurred_at": "2026-01-01T00:00:00", "event_type": "login"}\n'
    (folder / "fresh.jsonl").write_text(row)
    with ExitStack() as stack:
        stack.enter_context(Post(at_home.live_home).held(1))
        with dg.build_sensor_context(instance=instance, resources={"lake": published}) as context:
            assert isinstance(landing_sensor(context), dg.SkipReason)
        old = datetime.now(UTC).timestamp() - at_home.live_grace_seconds - 1
        os.utime(folder / "fresh.jsonl", (old, old))
        with (
            published.turn("a long batch"),
            dg.build_sensor_context(instance=instance, resources={"lake": published}) as context,
        ):
            assert isinstance(landing_sensor(context), dg.SkipReason)
        with dg.build_sensor_context(instance=instance, resources={"lake": published}) as context:
            missed = landing_sensor(context)
    assert isinstance(missed, dg.SensorResult)
    assert missed.run_requests is not None
    assert len(missed.run_requests) == 1
