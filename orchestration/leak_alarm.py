"""The check that a trained model is not too good to be true."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ml.plausibility import suspicions
from ml.trained import TrainedModel
from orchestration.model_checks import not_trained
from orchestration.settings import settings

CHECK = "skill_is_plausible"
ADVICE = (
    "Look whether the feature sees the label period. If the figure is right for your customers, "
    "raise SHOAL_PLAUSIBLE_SKILL."
)


def leak_suspicions(trained: TrainedModel) -> tuple[str, ...]:
    """Why this model is not believed, and so not promoted; empty if it is."""
    return suspicions(trained, settings().plausible_skill)


def skill_is_plausible(
    trained: TrainedModel | None, training: Mapping[str, Any]
) -> dg.AssetCheckResult:
    """Pass when neither the model nor one feature alone knows the labels nearly perfectly."""
    if trained is None:
        return not_trained(CHECK, training)
    found = leak_suspicions(trained)
    strongest = sorted(trained.feature_power.items(), key=lambda item: -item[1])[:3]
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"{'; '.join(found)}. {ADVICE}"
            if found
            else "no feature alone, nor the model, is implausibly good"
        ),
        metadata={f"alone_{name}": round(power, 4) for name, power in strongest},
    )
