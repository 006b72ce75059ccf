"""The dbt models as assets: tables that follow every batch, and tables that training needs."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets

from orchestration.dbt_runner import DBT_PROJECT_DIR, MANIFEST, DbtEvent, dagster_events, run_dbt
from orchestration.lake import Lake

OWNERS = ["team:data"]


class ShoalTranslator(DagsterDbtTranslator):
    """Groups by the folder under ``models/`` and adds owners and kinds."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        if not unique_id.startswith("model."):
            return spec
        folder = manifest["nodes"][unique_id]["fqn"][-2]
        return spec.replace_attributes(group_name=folder, owners=OWNERS, kinds={"dbt", "ducklake"})


class DbtConfig(dg.Config):
    """How a run treats its incremental models."""

    full_refresh: bool = False


def _manifest() -> Mapping[str, Any]:
    import json

    if not MANIFEST.exists():
        raise FileNotFoundError(
            f"{MANIFEST.relative_to(DBT_PROJECT_DIR.parent)} is missing: run `make setup`, "
            "which lets dbt parse the project"
        )
    content: Mapping[str, Any] = json.loads(MANIFEST.read_text())
    return content


MANIFEST_CONTENT = _manifest()


def _build(
    context: dg.AssetExecutionContext, lake: Lake, *, full_refresh: bool
) -> Iterator[DbtEvent]:
    models = {key.path[-1]: key for key in context.selected_asset_keys}
    checks = {key.name: key for key in context.selected_asset_check_keys}
    command = "build" if checks else "run"
    with lake.lease(f"dbt {command}, run {context.run_id}"):
        results = run_dbt(command, [*models, *checks], full_refresh=full_refresh, log=context.log)
    yield from dagster_events(results, models, checks)


@dbt_assets(
    manifest=MANIFEST_CONTENT,
    exclude="tag:training resource_type:seed",
    dagster_dbt_translator=ShoalTranslator(),
    name="dbt_tables",
)
def dbt_tables(
    context: dg.AssetExecutionContext, config: DbtConfig, lake: Lake
) -> Iterator[DbtEvent]:
    """Customer, journey, sales and feature tables, brought up to the clock's batches."""
    yield from _build(context, lake, full_refresh=config.full_refresh)


@dbt_assets(
    manifest=MANIFEST_CONTENT,
    select="tag:training",
    dagster_dbt_translator=ShoalTranslator(),
    name="dbt_training_tables",
)
def dbt_training_tables(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[DbtEvent]:
    """Features at past instants and what came after them."""
    yield from _build(context, lake, full_refresh=False)
