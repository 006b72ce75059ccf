"""The landing sensor: a fresh file starts ingestion, increment and rescoring."""

import time
from datetime import UTC, datetime

import dagster as dg

from orchestration.dead_runs import report_dead_runs
from orchestration.defs.jobs import batch_job
from orchestration.ingestion.files import Fingerprint
from orchestration.lake import Lake, LakeNotFound
from orchestration.live.post import Post
from orchestration.settings import settings
from orchestration.waiting import waiting_work, work_to_request

POLL_SECONDS = 0.5
NOT_STARTED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
]

# content hashes of files seen by this process, so that an unchanged file is read once
_HASHES: dict[Fingerprint, str] = {}


@dg.sensor(
    job=batch_job,
    minimum_interval_seconds=settings().sensor_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts batch_job for every arrival hour with a file that is new by content.",
)
def landing_sensor(
    context: dg.SensorEvaluationContext, lake: Lake
) -> dg.SensorResult | dg.SkipReason:
    """Ask for one run per arrival hour with new content, or for what a dead run left undone.

    A tick watches until the next one is due: Dagster asks every 5 s at most, and a file that was
    still being written, or came just after a look, would wait as long. While a live worker is at
    work, a file is its own for ``SHOAL_LIVE_GRACE_SECONDS`` and for as long as anybody carries
    batches, who takes it next or gives way to the worker; one look a tick is enough. Where a run
    of the same hour still waits for its turn, that one takes what came since.
    """
    for run_id in report_dead_runs(context.instance):
        context.log.warning(f"run {run_id} was under way, and its process is gone: it is retried")
    values = settings()
    worker = Post(values.live_home)
    until = time.monotonic() + values.sensor_watch_seconds
    while True:
        try:
            with lake.reader(latest=True) as connection:
                waiting = waiting_work(connection, values, _HASHES)
        except LakeNotFound as missing:
            return dg.SkipReason(str(missing))
        is_worked_on = worker.is_held()
        if is_worked_on:
            waiting = waiting.since(datetime.now(UTC), values.live_grace_seconds)
        work = work_to_request(waiting)
        if work or is_worked_on or time.monotonic() >= until:
            break
        time.sleep(POLL_SECONDS)
    for problem in waiting.problems:
        context.log.warning(problem)
    if work and is_worked_on and lake.is_carried():
        return dg.SkipReason("batches are carried through: the live worker's turn comes")
    if work and (hours := _waiting_hours(context.instance)):
        work = [one for one in work if one.partition_key not in hours]
        if not work:
            return dg.SkipReason(f"runs wait for their turn already: {', '.join(sorted(hours))}")
    if not work:
        unsettled = f"; {waiting.unsettled} still being written" if waiting.unsettled else ""
        return dg.SkipReason(f"no file in {values.landing} is new by content{unsettled}")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=run.run_key,
                partition_key=run.partition_key,
                tags={"shoal/files": str(run.files)},
            )
            for run in work
        ]
    )


def _waiting_hours(instance: dg.DagsterInstance) -> set[str]:
    """Arrival hours of which a run was asked for and has not started."""
    filters = dg.RunsFilter(job_name=batch_job.name, statuses=NOT_STARTED)
    return {run.tags.get("dagster/partition", "") for run in instance.get_runs(filters)}
