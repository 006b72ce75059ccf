"""The models in force, and whether they can score the features that there are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import dagster as dg
import pandas as pd

from ml.reasons import Phrase, as_lists, explain
from ml.scoring_model import ScoringModel
from ml.segment_model import SegmentModel
from ml.segment_store import UnknownFormat, load
from ml.task import Task
from ml.tasks import EVENT_TASKS, TASKS
from ml.trained import TrainedModel
from orchestration.event_frames import TABLES
from orchestration.lake import Lake
from orchestration.registry import NoSuchVersion, Registry, Version

SEGMENTS = "segments"
REASONS = 3


class FeaturesGone(RuntimeError):
    """A champion needs features that the lake no longer has."""


@dataclass(frozen=True)
class Champion:
    """The model that scores, with what is usual for its features."""

    version: Version
    model: ScoringModel
    typical: Mapping[str, float]

    def reasons(
        self, rows: pd.DataFrame, phrases: Mapping[str, Phrase], threads: int
    ) -> list[list[str]]:
        """What moves the score of each row most, strongest first, in plain sentences."""
        words = explain(
            self.model.model, rows, phrases, self.typical, count=REASONS, num_threads=threads
        )
        return as_lists(words)

    def trained(self) -> TrainedModel:
        """Read the model with the evidence for it, which scoring does without."""
        return TrainedModel.load(self.version.folder)


def load_champion(registry: Registry, task: str) -> Champion | None:
    """The scoring model of one task, or None while it has none."""
    version = registry.champion(task)
    return None if version is None else Champion(version, *_read_model(version.folder))


def load_champions(registry: Registry) -> dict[str, Champion]:
    """The scoring model of every task that has one of its own; see `Task.same_as`."""
    found: dict[str, Champion] = {}
    for name, task in TASKS.items():
        champion = None if answering(task, found) else load_champion(registry, name)
        if champion is not None:
            found[name] = champion
    return found


def load_event_champions(registry: Registry) -> dict[str, Champion]:
    """The scoring model of every task about events that has one."""
    found = {name: load_champion(registry, name) for name in EVENT_TASKS}
    return {name: champion for name, champion in found.items() if champion is not None}


def answering(task: Task, champions: Mapping[str, Champion]) -> Champion | None:
    """The champion of another task that answers this one too, if there is one."""
    other = champions.get(task.same_as)
    return other if other is not None and other.model.horizon_days == task.horizon else None


def load_segments(registry: Registry) -> tuple[Version, SegmentModel] | None:
    """The segmentation in force, or None before the first.

    Raises
    ------
    UnknownFormat
        It was kept by another version of Shoal.
    """
    version = registry.champion(SEGMENTS)
    return None if version is None else (version, _read_segments(version.folder))


@lru_cache(maxsize=32)
def _read_model(folder: Path) -> tuple[ScoringModel, Mapping[str, float]]:
    """The files of a version never change, so a process that stays reads them once."""
    typical = json.loads((folder / "typical.json").read_text())
    return ScoringModel.load(folder), typical


@lru_cache(maxsize=8)
def _read_segments(folder: Path) -> SegmentModel:
    return load(folder)


def segments_by_label(registry: Registry, labels: Iterable[str]) -> dict[str, SegmentModel]:
    """Earlier segmentations by the label of their version; those that are gone are left out."""
    found = {}
    for label in labels:
        task, _, number = label.partition(":")
        try:
            found[label] = _read_segments(registry.version(task, int(number)).folder)
        except (NoSuchVersion, UnknownFormat) as problem:
            dg.get_dagster_logger().warning(f"{label}: {problem}")
    return found


def lost_features(lake: Lake, model: ScoringModel) -> list[str]:
    """Features of a model that ``marts.customer_features`` (or what it scores) no longer has."""
    tables = TABLES[model.kind].scored if model.kind in TABLES else ("customer_features",)
    with lake.reader(latest=True) as connection:
        columns = {
            name
            for table in tables
            for name in connection.execute(f"describe marts.{table}").df()["column_name"]
        }
    return [name for name in model.features if name not in columns]


def require_features(lake: Lake, champions: Mapping[str, Champion]) -> None:
    """Raise `FeaturesGone` where a champion cannot score the features that there are."""
    for champion in champions.values():
        lost = lost_features(lake, champion.model)
        if lost:
            raise features_gone(champion, lost, ("customer_features",))


def features_gone(champion: Champion, lost: Sequence[str], tables: Sequence[str]) -> FeaturesGone:
    """What is to be done about features of `tables` that a champion needs and nobody has."""
    return FeaturesGone(
        f"{champion.version.label} cannot score: "
        f"{' and '.join(f'marts.{table}' for table in tables)} has no {', '.join(lost)} any more. "
        "Nothing was written, the last scores stay. Run training_job to learn from the features "
        f"there are, bring the columns back, or `shoal models rollback {champion.version.task}` to "
        "a version without them"
    )
