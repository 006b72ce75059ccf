"""The asset that scores messages, sessions or categories: the same for all of them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration.event_score_tables import ScoreTable
from orchestration.lake import Lake
from orchestration.model_asset import model_name
from orchestration.score_checks import check_scores, check_specs
from orchestration.settings import settings


def score_asset(
    table: ScoreTable, *, beneath: Sequence[tuple[str, str]], description: str
) -> dg.AssetsDefinition:
    """Build the asset that writes one score table with the champion of its task, and its checks.

    Parameters
    ----------
    table : ScoreTable
    beneath : sequence of (schema, table)
        What the scored rows come from; where they come from a view also the tables beneath it,
        since a batch does not run views.
    description : str
        Grain and meaning, in a line.
    """
    model = model_name(table.task.name)

    @dg.asset(
        key=["marts", table.name],
        deps=[model, *(dg.AssetKey(list(key)) for key in beneath)],
        description=description,
        group_name="scores",
        kinds={"lightgbm", "ducklake"},
        owners=["team:data-science"],
        check_specs=check_specs(table),
    )
    def scores(
        context: dg.AssetExecutionContext, lake: Lake
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        from orchestration.event_scores import write_event_scores
        from orchestration.phrases import feature_phrases
        from orchestration.registry import Registry

        scored = write_event_scores(
            lake,
            Registry(),
            table,
            feature_phrases(table.task.name),
            now=datetime.now(UTC).replace(tzinfo=None),
            threads=settings().threads,
        )
        if scored is None:
            context.log.info(f"no {table.task.name} model yet: see the checks of {model}")
        yield dg.MaterializeResult(metadata={"scored": scored or 0})
        with lake.reader(latest=True) as connection:
            yield from check_scores(connection, table)

    return scores
