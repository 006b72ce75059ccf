"""``make demo``: land a data set, run the main job on it, print what came out."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from rich.console import Console

from orchestration.ingestion.land import LandError, land_source
from orchestration.ingestion.landing import ARRIVAL_FORMAT
from orchestration.ingestion.mappings import MappingError
from orchestration.lake import Lake
from orchestration.settings import Settings, settings
from orchestration.setup_home import prepare
from orchestration.summary import print_summary
from orchestration.waiting import waiting_work

SIMULATED = "simulated"
COMPLETE_JOURNEY = "complete-journey"


class DemoFailed(RuntimeError):
    """The demo cannot start, or its job failed."""


def run_demo(
    values: Settings, dataset: str, data: Path | None, *, customers: int, events: int
) -> None:
    """Land the data set, run ``main_job`` over all that waits, print the summary.

    Raises
    ------
    DemoFailed
        With what went wrong and what to do.
    """
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    prepare(values)
    with _step(console, f"landing {dataset}"):
        land_dataset(values, dataset, data, customers=customers, events=events)
    lake = Lake.from_settings(values)
    with lake.reader(latest=True) as connection:
        waiting = waiting_work(connection, values.model_copy(update={"settle_seconds": 0}), {})
    for problem in waiting.problems:
        console.print(problem, style="yellow", markup=False)
    hours = sorted({file.partition_key for file in waiting.files})
    hours = hours or [datetime.now(UTC).strftime(ARRIVAL_FORMAT)]
    for hour in hours[:-1]:
        with _step(console, f"ingesting {hour}"):
            run_job("batch_job", hour)
    with _step(console, "running main_job"):
        checks = run_job("main_job", hours[-1])
    print_summary(console, lake, values, checks, seconds=time.monotonic() - started)


def land_dataset(
    values: Settings, dataset: str, data: Path | None, *, customers: int, events: int
) -> None:
    """Bring a data set into landing: simulated, packaged, or files by a mapping."""
    now = datetime.now(UTC)
    if dataset == SIMULATED:
        from simulation import MarketConfig, simulate

        if any((values.landing / "events").glob("*/simulated-*")):
            return  # landed by an earlier demo; the ledger knows it
        simulate(
            MarketConfig(customers=customers, events=events, seed=values.seed),
            values.landing,
            values.root / "truth",
            now,
        )
        return
    mapping = dataset.replace("-", "_")
    if data is None and dataset != COMPLETE_JOURNEY:
        raise DemoFailed(
            f"DATASET={dataset} needs files of yours: make demo DATASET={dataset} DATA=<folder>"
        )
    try:
        if data is not None:
            files = [data]
        else:
            from orchestration.ingestion.packaged import complete_journey_files

            files = complete_journey_files(values.root / "packaged" / mapping)
        land_source(mapping, files, values.sources, values.landing, now)
    except (LandError, MappingError) as problem:
        raise DemoFailed(str(problem)) from problem


def run_job(name: str, hour: str | None = None) -> Sequence[dg.AssetCheckEvaluation]:
    """Run a job in this process, on the deployment's Dagster instance.

    Returns
    -------
    sequence of AssetCheckEvaluation
        Every check that the run evaluated.

    Raises
    ------
    DemoFailed
        Naming the failed steps.
    """
    from orchestration.definitions import defs

    job = defs().resolve_job_def(name)
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            partition_key=hour,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "WARNING"}}}},
        )
        if not result.success:
            failures = [
                f"{event.step_key}: {event.step_failure_data.error_display_string}"
                for event in result.get_step_failure_events()
            ]
            raise DemoFailed(
                f"{name} failed (run {result.run_id} in {settings().dagster_home}):\n"
                + "\n".join(failures)
            )
        return result.get_asset_check_evaluations()


@contextmanager
def _step(console: Console, title: str) -> Iterator[None]:
    console.print(f"… {title}")
    started = time.monotonic()
    yield
    console.print(f"  {title}: {time.monotonic() - started:.1f} s")
