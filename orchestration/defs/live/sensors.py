"""Keeps one live worker at work."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.live.jobs import live_rescoring
from orchestration.lake import Lake, LakeNotFound
from orchestration.live.heartbeat import read_heartbeat
from orchestration.live.post import Post
from orchestration.settings import settings

START_SECONDS = 20.0
PAUSE_SECONDS = 60.0
COMING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
]


@dg.sensor(
    job=live_rescoring,
    minimum_interval_seconds=settings().sensor_seconds,
    default_status=(
        dg.DefaultSensorStatus.RUNNING if settings().live else dg.DefaultSensorStatus.STOPPED
    ),
    description="Starts the live worker where none is at work, and the successor of one that ends.",
)
def live_sensor(context: dg.SensorEvaluationContext, lake: Lake) -> dg.RunRequest | dg.SkipReason:
    """Ask for a worker unless one is at work, on its way, or has just failed."""
    values = settings()
    post = Post(values.live_home)
    beat = read_heartbeat(values)
    if post.is_coming() or post.is_wanted():
        return dg.SkipReason("a live worker is about to start")
    if post.is_held() and (beat is None or not beat.leaving):
        return dg.SkipReason("the live worker is at work")
    waiting = _on_its_way(context.instance)
    if waiting:
        return dg.SkipReason(waiting)
    try:
        with lake.reader():
            return dg.RunRequest()
    except LakeNotFound as missing:
        return dg.SkipReason(f"no live worker yet: {missing}")


def _on_its_way(instance: dg.DagsterInstance) -> str:
    """Why no other run is asked for now, from what became of the last ones; or nothing."""
    newest = instance.get_run_records(dg.RunsFilter(job_name=live_rescoring.name), limit=1)
    if not newest:
        return ""
    record, run = newest[0], newest[0].dagster_run
    if run.status in COMING:
        return f"run {run.run_id} is on its way"
    now = datetime.now(UTC).timestamp()
    started = now - (record.start_time or 0)
    if run.status == dg.DagsterRunStatus.STARTED and started < START_SECONDS:
        return f"run {run.run_id} is starting"
    ended, lasted = now - (record.end_time or 0), (record.end_time or 0) - (record.start_time or 0)
    if run.status == dg.DagsterRunStatus.FAILURE and ended < PAUSE_SECONDS > lasted:
        return f"run {run.run_id} failed soon; the next try is in a minute at most"
    return ""
