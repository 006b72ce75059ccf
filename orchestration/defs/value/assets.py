"""The value model."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.lake import Lake


@dg.asset(
    deps=[["marts", "customer_feature_history"], ["marts", "customer_labels"]],
    group_name="models",
    kinds={"lightgbm", "mlflow"},
    owners=["team:data-science"],
    check_specs=[
        dg.AssetCheckSpec("beats_baselines", asset="value_model"),
        dg.AssetCheckSpec("skill_is_plausible", asset="value_model"),
        dg.AssetCheckSpec("challenger_earns_promotion", asset="value_model", blocking=True),
    ],
)
def value_model(
    context: dg.AssetExecutionContext, lake: Lake
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Expected spend of an active customer over the churn horizon, judged on a later time."""
    from ml.value import train_value
    from orchestration.leak_alarm import skill_is_plausible
    from orchestration.models import beats_baselines, train_task
    from orchestration.promotion import challenger_earns_promotion

    trained, metadata = train_task("value", train_value, lake, context.log)
    yield dg.MaterializeResult(metadata=metadata)
    yield beats_baselines(trained)
    yield skill_is_plausible(trained)
    yield challenger_earns_promotion("value", lake, context.log, metadata)
