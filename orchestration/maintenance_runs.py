"""Upkeep of Dagster's own records: old runs go, with their events and logs.

Ticks of sensors and schedules are purged by Dagster itself (``retention`` in dagster.yaml).
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg

from orchestration.settings import Settings

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dataclass(frozen=True)
class RunsUpkeep:
    """What one round did.

    Attributes
    ----------
    leftovers
        Databases and log folders of runs that Dagster does not know any more.
    """

    deleted_runs: int
    leftovers: int


def keep_runs(instance: dg.DagsterInstance, values: Settings, now: datetime) -> RunsUpkeep:
    """Delete finished runs that are too old or too many, and what deleted runs left on disk.

    A run's materializations go with it: an arrival hour whose runs are deleted shows as missing
    in the UI, while the ledger still has its files. The newest run of each job stays.

    Parameters
    ----------
    now
        With its time zone.
    """
    records = instance.get_run_records(dg.RunsFilter(statuses=FINISHED))
    oldest = now - timedelta(days=values.keep_run_days)
    doomed = list(runs_to_delete(records, oldest, values.keep_runs))
    for run_id in doomed:
        instance.delete_run(run_id)
    # a run has its row before it has files, so they are listed first
    files = list(_files_of_runs(values.dagster_home))
    known = {record.dagster_run.run_id for record in instance.get_run_records()}
    leftovers = [path for path in files if path.name.partition(".")[0] not in known]
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return RunsUpkeep(len(doomed), len(leftovers))


def runs_to_delete(
    newest_first: Sequence[dg.RunRecord], oldest: datetime, most: int
) -> Iterator[str]:
    """Runs that ended before an instant or come after so many others, but no job's newest."""
    jobs: set[str] = set()
    for place, record in enumerate(newest_first):
        run = record.dagster_run
        ended = record.end_time or record.create_timestamp.timestamp()
        if run.job_name in jobs and (place >= most or ended < oldest.timestamp()):
            yield run.run_id
        jobs.add(run.job_name)


def _files_of_runs(home: Path) -> Iterator[Path]:
    """Event databases and log folders in Dagster's home that are named after a run."""
    for path in (*(home / "history" / "runs").glob("*.db*"), *(home / "storage").glob("*")):
        try:
            UUID(path.name.partition(".")[0])
        except ValueError:
            continue  # such as the index of all runs
        yield path
