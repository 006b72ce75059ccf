"""The search for parameters of one task, from the lake to a record in the registry."""

from collections.abc import Callable
from pathlib import Path

from ml.search import search
from ml.search_result import Budget, SearchResult
from ml.splits import NotEnoughHistory
from ml.task import Task
from orchestration.lake import Lake
from orchestration.parameter_records import RECORD, record_name
from orchestration.registry import (
    Registry,
    Version,
    code_version,
    library_versions,
    scratch_folder,
)
from orchestration.settings import Settings
from orchestration.training_frame import read_training_frame


def search_task(
    task: Task, lake: Lake, values: Settings, budget: Budget, log: Callable[[str], None]
) -> tuple[Version, SearchResult]:
    """Search the parameters of one task and keep the result.

    Raises
    ------
    NotEnoughHistory
        Nothing is kept.
    """
    frame, horizon_days, snapshot = read_training_frame(lake, task.name)
    if horizon_days is None:
        raise NotEnoughHistory(
            f"no search for {task.name}: there is no labelled customer yet (run main_job first)"
        )
    with lake.holding(snapshot):  # until the record names it
        found = search(
            frame,
            task,
            horizon_days=horizon_days,
            budget=budget,
            most_rows=values.search_rows,
            seed=values.seed,
            num_threads=values.threads,
            log=log,
        )
        with scratch_folder() as name:
            (Path(name) / RECORD).write_text(found.to_json(), encoding="utf-8")
            version = Registry(values).register(
                record_name(task.name),
                Path(name),
                metrics={
                    "loss_of_defaults": float(found.trials["loss"].iloc[0]),
                    "least_loss": float(found.trials["loss"].min()),
                    "gain": found.gain.value,
                    "gain_low": found.gain.low,
                    "gain_high": found.gain.high,
                },
                parameters={
                    "seed": found.seed,
                    "horizon_days": found.horizon_days,
                    "trials": len(found.trials),
                    "cutoff": found.cutoff,
                    **found.found.to_dict(),
                },
                tags={
                    "lake_snapshot": str(snapshot),
                    "code_version": code_version(),
                    "libraries": library_versions(),
                    "adopted": str(found.is_adopted),
                },
            )
    return version, found
