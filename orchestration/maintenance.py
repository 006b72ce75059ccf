"""Upkeep of a home, so that it neither grows without end nor slows down."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.maintenance_catalog import LakeSize, measure_lake
from orchestration.maintenance_files import FilesUpkeep, keep_files
from orchestration.maintenance_lake import LakeUpkeep, keep_lake
from orchestration.maintenance_models import ModelsUpkeep, keep_models
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
    models: ModelsUpkeep
    runs: RunsUpkeep
    files: FilesUpkeep

    def metadata(self) -> dict[str, Any]:
        """Figures by name, for people."""
        figures: dict[str, Any] = {}
        for name, value in asdict(self.before).items():
            figures[f"{name}_before"] = value
            figures[f"{name}_after"] = asdict(self.after)[name]
        for part in (self.lake, self.models, self.runs, self.files):
            figures |= asdict(part)
        figures["pinned_snapshots"] = len(self.models.pinned_snapshots)
        return {**figures, "deleted_scores": self.deleted_scores}


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
        models = keep_models(values, Registry(values))
    deleted_scores = thin_scores(lake, values.keep_score_days)
    done = keep_lake(lake, values, models.pinned_snapshots, now, log)
    runs = keep_runs(instance, values, now)
    files = keep_files(values, now - timedelta(hours=max(values.reader_grace_hours, 1)))
    after = measure_lake(lake)
    log(
        f"{before.files:,} files became {after.files:,}, {before.snapshots:,} snapshots "
        f"{after.snapshots:,}; {models.forgotten_versions} model versions and {runs.deleted_runs} "
        "runs deleted"
    )
    return Upkeep(before, after, deleted_scores, done, models, runs, files)


def thin_scores(lake: Lake, days: float) -> int:
    """Delete scores that were made so long before the clock; returns how many."""
    with lake.writer("maintenance: old scores") as connection:
        row = connection.execute(
            "delete from marts.score_history "
            "where as_of < (select max(as_of) from ops.clock) - to_microseconds(?)",
            [round(days * 86_400e6)],
        ).fetchone()
    return 0 if row is None else int(row[0])
