"""Runs whose process is gone: without a word they would count as under way for ever.

Dagster's code server reports a run whose process dies, but only while the server itself lives.
After a loss of power, or of the whole deployment, a run stays `STARTED`, and the queue, which lets
one run write at a time, waits for it: nothing is ever ingested again.
"""

import dagster as dg

from orchestration.processes import is_alive

UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def report_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs of dead processes of this machine as failed, so that Dagster retries them.

    Returns
    -------
    list of str
        Ids of the runs that were marked.
    """
    if not isinstance(instance.run_launcher, dg.DefaultRunLauncher):
        return []  # its runs are not processes of this machine
    dead = []
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=UNDER_WAY)):
        process = _process_of(instance, run.run_id)
        if process is not None and not is_alive(*process):
            instance.report_run_failed(run, f"its process {process[0]} is gone")
            dead.append(run.run_id)
    return dead


def _process_of(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """The number of a run's process, and when it was noted; None before the run has said."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = None if event is None else event.engine_event_data.metadata.get("pid")
        if pid is not None:
            return int(str(pid.value)), entry.timestamp
    return None
