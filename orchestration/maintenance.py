"""Upkeep of a home, so that it neither grows without end nor slows down."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.maintenance_catalog import LakeSize, measure_lake
from orchestration.maintenance_files import FilesUpkeep, keep_files
from orchestration.maintenance_lake import LakeUpkeep, keep_lake, snapshots_in_use
from orchestration.maintenance_models import keep_models
from orchestration.maintenance_runs import RunsUpkeep, keep_runs
from orchestration.registry import Registry
from orchestration.settings import Settings


@dataclass(frozen=True)
class Upkeep:
    """One round of maintenance: the lake before and after, and what was done."""

    before: LakeSize
    after: LakeSize
    deleted_scores: int
    lake: LakeUpkeep
    forgotten_versions: int
    snapshots_in_use: int
    runs: RunsUpkeep
    files: FilesUpkeep

    def metadata(self) -> dict[str, Any]:
        """Figures by name, for people."""
        figures: dict[str, Any] = {}
        for name, value in asdict(self.before).items():
            figures[f"{name}_before"] = value
            figures[f"{name}_after"] = asdict(self.after)[name]
        for part in (self.lake, self.runs, self.files):
            figures |= asdict(part)
        return {
            **figures,
            "deleted_scores": self.deleted_scores,
            "forgotten_versions": self.forgotten_versions,
            "snapshots_in_use": self.snapshots_in_use,
        }


def maintain(
    lake: Lake,
    values: Settings,
    instance: dg.DagsterInstance,
    now: datetime,
    log: Callable[[str], None] = lambda message: None,
) -> Upkeep:
    """Do one round; a round that died is simply done again.

    Models go first: a version that is gone pins no snapshot.

    Parameters
    ----------
    now
        With its time zone.
    """
    before = measure_lake(lake)
    with lake.lease("maintenance: old models"):  # a backup copies record and files under it
        forgotten = keep_models(values, Registry(values))
    deleted_scores = thin_scores(lake, values.keep_score_days)
    in_use = snapshots_in_use(lake, Registry(values))
    done = keep_lake(lake, values, in_use, now, log)
    runs = keep_runs(instance, values, now)
    files = keep_files(values, now - timedelta(hours=max(values.reader_grace_hours, 1)))
    after = measure_lake(lake)
    log(
        f"{before.files:,} files became {after.files:,}, {before.snapshots:,} snapshots "
        f"{after.snapshots:,}; {forgotten} model versions and {runs.deleted_runs} "
        "runs deleted"
    )
    return Upkeep(before, after, deleted_scores, done, forgotten, len(in_use), runs, files)


def thin_scores(lake: Lake, days: float) -> int:
    """Delete scores that were made so long before the clock; returns how many."""
    with lake.writer("maintenance: old scores") as connection:
        row = connection.execute(
            "delete from marts.score_history "
            "where as_of < (select max(as_of) from ops.clock) - to_microseconds(?)",
            [round(days * 86_400e6)],
        ).fetchone()
    return 0 if row is None else int(row[0])
