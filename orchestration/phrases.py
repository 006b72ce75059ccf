"""How to speak of each feature: the words stand beside its column in the dbt project."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ml.reasons import Phrase
from orchestration.dbt_runner import MANIFEST
from orchestration.event_frames import TABLES

FEATURE_MODEL = "model.shoal.customer_features"


@dataclass(frozen=True)
class FeatureColumn:
    """One feature in the words of the dbt project."""

    name: str
    description: str
    phrase: Phrase

    @property
    def unit(self) -> str:
        return self.phrase.unit


def feature_columns(model: str = FEATURE_MODEL) -> tuple[FeatureColumn, ...]:
    """Every column with a label in its metadata, in the order of the model's YAML."""
    return _labelled_columns()[model]


@lru_cache(maxsize=1)
def _labelled_columns() -> Mapping[str, tuple[FeatureColumn, ...]]:
    """Of every model; dbt's manifest is read once, for it is large."""
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text())
    return {
        model: tuple(_labelled(node["columns"]))
        for model, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }


def _labelled(columns: Mapping[str, Any]) -> Iterator[FeatureColumn]:
    for name, column in columns.items():
        meta = column.get("config", {}).get("meta") or column.get("meta") or {}
        if "label" in meta:
            phrase = Phrase(
                label=meta["label"],
                template=meta.get("template", ""),
                unit=meta.get("unit", ""),
                decimals=int(meta.get("decimals", 0)),
                missing=meta.get("missing", ""),
            )
            yield FeatureColumn(name, column["description"], phrase)


def feature_phrases(task: str = "") -> Mapping[str, Phrase]:
    """The phrase of every feature of customers and, for a task about events, of those."""
    models = [f"model.shoal.{name}" for name in TABLES[task].phrases] if task in TABLES else []
    return {
        column.name: column.phrase
        for model in (FEATURE_MODEL, *models)
        for column in feature_columns(model)
    }
