"""The dbt models as assets: tables that follow every batch, and tables that training needs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import Field

from orchestration.clock import read_clock
from orchestration.column_lineage import lineage_metadata, read_column_lineage
from orchestration.dbt_increment import batch_models, kept_increment, record_increment
from orchestration.dbt_runner import FAILED, DbtEvent, NodeResult, dagster_events, run_dbt
from orchestration.dbt_specs import dbt_specs
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.settings import settings

SPECS = dbt_specs()


class DbtConfig(dg.Config):
    """How a run treats its incremental models.

    Attributes
    ----------
    rebuild
        Models that are computed from their whole history after the others have taken in what is
        new; ``*`` is all of them.
    """

    rebuild: list[str] = Field(default=[])


def _op(name: str) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    specs = SPECS[name]
    return dg.multi_asset(name=name, specs=specs.assets, check_specs=specs.checks, can_subset=True)


def _build(
    context: dg.AssetExecutionContext, lake: Lake, rebuild: Sequence[str] = ()
) -> Iterator[DbtEvent]:
    models = {key.path[-1]: key for key in context.selected_asset_keys}
    checks = {key.name: key for key in context.selected_asset_check_keys}
    anew = [name for name in models if name in rebuild or "*" in rebuild]
    grown = [name for name in models if name not in anew]
    if grown and not checks and set(models) == set(batch_models()):
        made_again = {models[name] for name in anew}
        for event in _increment(context, lake, models):
            if event.asset_key not in made_again:
                yield event
        grown = []
    results: list[NodeResult] = []
    with lake.lease(f"dbt, run {context.run_id}"):
        if grown and anew:
            results = run_dbt("run", grown, log=context.log)
        if (grown or anew) and not any(result.status in FAILED for result in results):
            results += run_dbt(
                "build" if checks else "run",
                [*(anew or grown), *checks],
                full_refresh=bool(anew),
                log=context.log,
            )
    yield from _told(results, models, checks)


def _told(
    results: Sequence[NodeResult],
    models: dict[str, dg.AssetKey],
    checks: dict[str, dg.AssetCheckKey],
) -> Iterator[DbtEvent]:
    lineage = read_column_lineage()
    yield from dagster_events(
        results, models, checks, lambda model: lineage_metadata(lineage, model)
    )


def _increment(
    context: dg.AssetExecutionContext, lake: Lake, models: dict[str, dg.AssetKey]
) -> Iterator[DbtEvent]:
    """Bring the tables of a batch up to date: by what dbt ran for an earlier one, once kept."""
    increment = kept_increment(settings())
    with lake.reader(latest=True) as connection:
        is_whole_history = read_clock(connection).first_batch_id <= 1
    if increment is not None and not is_whole_history:
        with lake.writer(f"increment, run {context.run_id}") as connection, transaction(connection):
            seconds = increment.replay(connection)
        lineage = read_column_lineage()
        for model, took in seconds.items():  # in dbt's order, which is the graph's
            told = {"seconds": round(took, 3), **lineage_metadata(lineage, model)}
            yield dg.MaterializeResult(asset_key=models[model], metadata=told)
        return
    if is_whole_history:
        with lake.lease(f"dbt, run {context.run_id}"):
            results = run_dbt("run", list(models), log=context.log)
    else:
        _, results = record_increment(lake, settings(), context.log)
    yield from _told(results, models, {})


@_op("dbt_tables")
def dbt_tables(
    context: dg.AssetExecutionContext, config: DbtConfig, lake: Lake
) -> Iterator[DbtEvent]:
    """Customer, journey, sales and feature tables, brought up to the clock's batches."""
    yield from _build(context, lake, config.rebuild)


@_op("dbt_training_tables")
def dbt_training_tables(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[DbtEvent]:
    """Features at past instants and what came after them."""
    yield from _build(context, lake)


@_op("dbt_journey_tables")
def dbt_journey_tables(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[DbtEvent]:
    """Paths, funnels, cohorts, attribution, moves between segments: of everyone, so once a day.

    No batch touches them, so the live worker may carry one between any two of them.
    """
    if context.selected_asset_check_keys:  # they compare these tables with those of the batches
        yield from _build(context, lake)
        return
    models = {key.path[-1]: key for key in context.selected_asset_keys}

    @contextmanager
    def around_node() -> Iterator[None]:
        lake.give_way()
        with lake.lease(f"dbt, run {context.run_id}"):
            yield

    results = run_dbt("run", list(models), log=context.log, around_node=around_node)
    yield from _told(results, models, {})
