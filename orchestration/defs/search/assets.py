"""Parameters of the models, searched; minutes, so in a job of its own."""

from typing import Any

import dagster as dg

from ml.tasks import TASKS
from orchestration.lake import Lake
from orchestration.settings import settings


@dg.asset(
    deps=[["marts", "customer_feature_history"], ["marts", "customer_labels"]],
    group_name="search",
    kinds={"optuna", "lightgbm", "mlflow"},
    owners=["team:data-science"],
)
def model_parameters(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """Parameters of each task's model, and whether they are clearly better than the defaults."""
    from ml.search_result import Budget
    from ml.splits import NotEnoughHistory
    from orchestration.parameter_search import search_task

    values = settings()
    budget = Budget(values.search_trials, values.search_seconds)
    found = {}
    for task in TASKS.values():
        try:
            version, result = search_task(task, lake, values, budget, context.log.info)
            found[task.name] = f"{version.label}: {result}"
        except NotEnoughHistory as problem:
            context.log.warning(str(problem))
            found[task.name] = str(problem)
    return dg.MaterializeResult(metadata=found)
