"""The asset that trains one task: the same for all of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from ml.task import Question
from orchestration.lake import Lake


def model_name(task: str) -> str:
    """Name of the asset that trains a task."""
    return f"{task}_model"


def model_asset(
    task: Question, tables: Sequence[str] = ("customer_feature_history", "customer_labels")
) -> dg.AssetsDefinition:
    """Build the asset that trains, judges and registers a task, with its three checks.

    It learns from `tables` of the schema marts.

    A refused promotion is a warning of the blocking check; see
    `orchestration.promotion.challenger_earns_promotion` for when it is an error.
    """
    name = model_name(task.name)

    @dg.asset(
        name=name,
        deps=[["marts", table] for table in tables],
        description=f"{task.description} Judged on a later time.",
        group_name="models",
        kinds={"lightgbm", "mlflow"},
        owners=["team:data-science"],
        check_specs=[
            dg.AssetCheckSpec("beats_baselines", asset=name),
            dg.AssetCheckSpec("skill_is_plausible", asset=name),
            dg.AssetCheckSpec("challenger_earns_promotion", asset=name, blocking=True),
        ],
    )
    def model(
        context: dg.AssetExecutionContext, lake: Lake
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        from orchestration.leak_alarm import skill_is_plausible
        from orchestration.model_checks import beats_baselines
        from orchestration.promotion import challenger_earns_promotion
        from orchestration.training import train_task

        trained, metadata = train_task(task, lake, context.log)
        yield dg.MaterializeResult(metadata=metadata)
        yield beats_baselines(trained, metadata)
        yield skill_is_plausible(trained, metadata)
        yield challenger_earns_promotion(task, lake, context.log, metadata)

    return model
