"""The part of a trained model that scoring needs, and nothing of how it was judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.blend import inverse_link
from ml.hurdle import Scorer, scorer_from_dict
from ml.value_interval import ValueInterval

Array = npt.NDArray[np.float64]
FORMAT = 2
READABLE_FORMATS = (1, FORMAT)
"""Format 1 kept model and evidence in one file."""


@dataclass(frozen=True, kw_only=True)
class ScoringModel:
    """A production model.

    Attributes
    ----------
    kind : str
        Name of the task.
    model : BlendModel or HurdleModel
        Refitted on every labelled date.
    horizon_days : int
        Days that the predictions look ahead.
    spread : ValueInterval or None
        The 80 % interval about a predicted value; None for probabilities, and for value models
        that were trained before there was one.
    """

    kind: str
    model: Scorer
    horizon_days: int
    spread: ValueInterval | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in the order of the model."""
        return self.model.features

    def predict(self, frame: pd.DataFrame, num_threads: int = 2) -> Array:
        """Score a frame: probabilities in [0, 1] or values of at least 0, shape (n,)."""
        return self.model.predict(frame, num_threads)

    def score(self, matrix: Array, num_threads: int = 2) -> Array:
        """Score a matrix whose columns are `features`: shape (n, k) to (n,); see `predict`."""
        return inverse_link(self.model.raw(matrix, num_threads), self.model.link)

    def interval(self, frame: pd.DataFrame, num_threads: int = 2) -> tuple[Array, Array]:
        """Low and high end of the 80 % interval of each value, two float arrays of shape (n,).

        Raises
        ------
        ValueError
            The model has none; see `spread`.
        """
        if self.spread is None:
            raise ValueError(f"this {self.kind} model has no interval: train a value model again")
        return self.spread.ends(self.predict(frame, num_threads))

    def importance(self) -> pd.DataFrame:
        """Gain of each feature in the trees and its coefficient: one row per feature."""
        table = pd.DataFrame(
            {
                "feature": self.features,
                "gain": self.model.gain(),
                "coefficient": self.model.coefficients(),
            }
        )
        return table.sort_values("gain", ascending=False, ignore_index=True)

    def save(self, folder: Path) -> None:
        """Write ``model.txt`` (trees) and ``model.json`` (all else) to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.txt").write_text(self.model.trees, encoding="utf-8")
        record = json.dumps(self.scoring_record(), allow_nan=False)
        (folder / "model.json").write_text(record, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ScoringModel:
        """Read the scoring part of what `save` wrote, of this class or of `TrainedModel`.

        Raises
        ------
        ValueError
            The files have a format that this code does not know.
        """
        return ScoringModel(**scoring_parts(*read_scoring_files(folder)))

    def scoring_record(self) -> dict[str, Any]:
        """Return all but the text of the trees as plain lists and numbers."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "horizon_days": self.horizon_days,
            "model": self.model.to_dict(),
            "spread": None if self.spread is None else self.spread.to_dict(),
        }


def read_scoring_files(folder: Path) -> tuple[dict[str, Any], str]:
    """The record and the trees that a folder holds."""
    record = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return record, (folder / "model.txt").read_text(encoding="utf-8")


def scoring_parts(record: dict[str, Any], trees: str) -> dict[str, Any]:
    """Return the arguments of a `ScoringModel` from its record and its trees.

    Raises
    ------
    ValueError
        The record has a format that this code does not know.
    """
    if record.get("format") not in READABLE_FORMATS:
        raise ValueError(
            f"model record has format {record.get('format')}, not one of {READABLE_FORMATS}"
        )
    return {
        "kind": record["kind"],
        "model": scorer_from_dict(record["model"], trees),
        "horizon_days": record["horizon_days"],
        "spread": ValueInterval.from_dict(record["spread"]) if record.get("spread") else None,
    }
