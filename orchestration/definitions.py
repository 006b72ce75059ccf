"""The code location: everything under ``defs/``, and what all of it shares."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import dagster as dg

from orchestration.defs.jobs import batch_job
from orchestration.lake import Lake
from orchestration.settings import PROJECT_ROOT, settings

FOLDER = Path(__file__).with_name("defs")
ASSET_JOB = type(batch_job)
"""What `dg.define_asset_job` gives, which has no public name."""
Found = TypeVar("Found")

settings().export()


@dg.definitions
def defs() -> dg.Definitions:
    """Not by `dg.load_from_defs_folder`: it imports dagster_dbt, and that dbt, see `dbt_specs`."""
    modules = list(_modules())
    return dg.Definitions(
        assets=[*dg.load_assets_from_modules(modules), *_found(modules, dg.AssetSpec)],
        asset_checks=dg.load_asset_checks_from_modules(modules),
        jobs=_found(modules, dg.JobDefinition) + _found(modules, ASSET_JOB),
        schedules=_found(modules, dg.ScheduleDefinition),
        sensors=_found(modules, dg.SensorDefinition),
        resources={"lake": Lake.from_settings()},
        executor=dg.in_process_executor,
    )


def _modules() -> Iterator[ModuleType]:
    for path in sorted(FOLDER.rglob("[!_]*.py")):
        yield import_module(".".join(path.relative_to(PROJECT_ROOT).with_suffix("").parts))


def _found(modules: list[ModuleType], kind: type[Found]) -> list[Found]:
    """Objects of a kind, each once, however many modules name it."""
    named = [value for module in modules for value in vars(module).values()]
    return list({id(value): value for value in named if isinstance(value, kind)}.values())
