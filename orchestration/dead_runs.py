"""Runs whose process is gone: without a word they would count as under way for ever.

Dagster's code server reports a run whose process dies, but only while the server itself lives.
After a loss of power, or of the whole deployment, a run stays `STARTED`, and the queue, which lets
one run write at a time, waits for it: nothing is ever ingested again.
"""

import os
import time
from pathlib import Path

import dagster as dg

UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
CLOCK_TOLERANCE_SECONDS = 60.0


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


def is_alive(pid: int, seen_at: float) -> bool:
    """Whether the process that had a number at an instant still runs.

    A process with that number that began later is another one.

    Parameters
    ----------
    seen_at
        Wall clock, seconds since 1970.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and somebody else's
    began_at = _began_at(pid)
    return began_at is None or began_at <= seen_at + CLOCK_TOLERANCE_SECONDS


def _began_at(pid: int) -> float | None:
    """Wall clock at which a process began; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return None
    ticks = int(status.rpartition(")")[2].split()[19])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def _process_of(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """The number of a run's process, and when it was noted; None before the run has said."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = None if event is None else event.engine_event_data.metadata.get("pid")
        if pid is not None:
            return int(str(pid.value)), entry.timestamp
    return None
