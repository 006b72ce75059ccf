"""What searches for parameters left in the registry, and what a training takes from it.

A search with a budget in seconds finds something else each time, so it is apart from training. Its
result is kept as a version of its own; a training takes the newest one and writes into its version
what it used, from which it can be repeated.
"""

from typing import Any

import pandas as pd

from ml.parameters import Parameters, default_parameters
from ml.search_result import SearchResult
from ml.task import Question
from orchestration.registry import Registry

RECORD = "search.json"


def record_name(task: str) -> str:
    """Name in the registry of what was found for a task."""
    return f"{task}_parameters"


def parameters_for(
    task: Question, frame: pd.DataFrame, horizon_days: int, registry: Registry, log: Any
) -> tuple[Parameters, str]:
    """What to train with, and where it is from: the newest search, or the defaults.

    A search is passed over, with a word in the log, where it was for another horizon, or knew
    labels after the test cutoff of this training.
    """
    version = registry.newest(record_name(task.name))
    if version is None:
        return default_parameters(task), "defaults"
    found = SearchResult.from_json((version.folder / RECORD).read_text(encoding="utf-8"))
    if found.horizon_days != horizon_days:
        log.warning(
            f"{version.label} is passed over: it searched for a horizon of {found.horizon_days} "
            f"days, not {horizon_days}; run search_job again"
        )
        return default_parameters(task), "defaults"
    if pd.Timestamp(found.cutoff) > frame["as_of"].max():
        log.warning(
            f"{version.label} is passed over: it knew labels until {found.cutoff}, after the test "
            f"cutoff {frame['as_of'].max():%Y-%m-%d}"
        )
        return default_parameters(task), "defaults"
    return found.parameters, version.label if found.is_adopted else f"defaults ({version.label})"
