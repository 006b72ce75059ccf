"""How to speak of each feature: the words stand beside its column in the dbt project."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ml.reasons import Phrase
from orchestration.dbt_runner import MANIFEST

FEATURE_MODEL = "model.shoal.customer_features"


@lru_cache(maxsize=1)
def feature_phrases() -> Mapping[str, Phrase]:
    """The phrase of every feature that has a label in the metadata of its column."""
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text())
    columns = manifest["nodes"][FEATURE_MODEL]["columns"]
    phrases = {}
    for name, column in columns.items():
        meta = column.get("config", {}).get("meta") or column.get("meta") or {}
        if "label" in meta:
            phrases[name] = Phrase(
                label=meta["label"],
                template=meta.get("template", ""),
                unit=meta.get("unit", ""),
                decimals=int(meta.get("decimals", 0)),
                missing=meta.get("missing", ""),
            )
    return phrases
