"""Claims about a model that has just been trained."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ml.tasks import QUESTIONS
from ml.trained import TrainedModel


def beats_baselines(
    trained: TrainedModel | None, training: Mapping[str, Any]
) -> dg.AssetCheckResult:
    """Pass when the model is not worse than any baseline on the untouched test cutoff."""
    if trained is None:
        return not_trained("beats_baselines", training)
    worse = [str(v) for v in trained.verdicts if v.difference.verdict == "worse"]
    return dg.AssetCheckResult(
        check_name="beats_baselines",
        passed=not worse,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(worse or [str(v) for v in trained.verdicts]),
    )


def not_trained(check_name: str, training: Mapping[str, Any]) -> dg.AssetCheckResult:
    """Result of a check on a model that is not there: passed where none is to be expected."""
    return dg.AssetCheckResult(
        check_name=check_name,
        passed=bool(training["skipped_as_expected"]),
        severity=dg.AssetCheckSeverity.WARN,
        description=f"not trained: {training['reason']}",
    )


def earns_promotion(trained: TrainedModel) -> bool:
    """A challenger may score unless it is clearly worse than the simplest baseline."""
    task = QUESTIONS[trained.kind]
    return not any(
        verdict.difference.verdict == "worse"
        for verdict in trained.verdicts
        if verdict.baseline == task.simplest and verdict.metric == task.headline
    )
