"""A trained model with its record: what it learnt from, how it was judged, how to keep it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml.hurdle import Scorer, scorer_from_dict
from ml.intervals import Difference
from ml.parameters import DEFAULTS, Parameters
from ml.scoring_model import ScoringModel, read_scoring_files, scoring_parts
from ml.words import measure_words, model_words

EVIDENCE = "evidence.json"


@dataclass(frozen=True)
class Verdict:
    """The model against one baseline on the untouched test cutoff, same customers."""

    baseline: str
    metric: str
    difference: Difference

    def __str__(self) -> str:
        """Say it in one line."""
        d = self.difference
        return (
            f"{d.verdict} than {model_words(self.baseline)} on {measure_words(self.metric)}: "
            f"{d.value:+.4f} ({d.low:+.4f} to {d.high:+.4f})"
        ).replace("no different than", "no different from")


@dataclass(frozen=True, kw_only=True)
class TrainedModel(ScoringModel):
    """A production model and the evidence for it.

    Attributes
    ----------
    judged : BlendModel, HurdleModel or None
        The same recipe fitted on `judged_dates` only: the model that
        `test_predictions` are of. None in records from before it was kept.
    seed, rounds, rows : int
        Seed, LightGBM rounds, training rows of the production model.
    fit_dates, trained_on : tuple of str
        ISO dates of the fit part and of everything in the production model.
    validation_date, calibration_date, test_date : str
        ISO dates. The calibration date is empty where the validation date calibrates too.
    metrics : DataFrame
        ``model``, ``metric``, ``value``, ``low``, ``high`` on the test cutoff.
    test_predictions : DataFrame
        ``customer_key``, ``as_of``, ``label``, ``model`` and one column per baseline, by the
        model that had not seen the test cutoff.
    verdicts : tuple of Verdict
        Paired comparisons with every baseline.
    feature_power : mapping of str to float
        AUC (value: absolute Spearman) of each feature alone on the test cutoff.
    parameters : Parameters
        What was free in how it was fitted.
    """

    seed: int
    rounds: int
    fit_dates: tuple[str, ...]
    validation_date: str
    test_date: str
    trained_on: tuple[str, ...]
    rows: int
    metrics: pd.DataFrame
    test_predictions: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    feature_power: Mapping[str, float] = field(default_factory=dict)
    judged: Scorer | None = None
    parameters: Parameters = DEFAULTS
    calibration_date: str = ""

    @property
    def judged_dates(self) -> tuple[str, ...]:
        """Every date whose label was known at the test cutoff."""
        dates = (*self.fit_dates, self.validation_date, self.calibration_date)
        return tuple(date for date in dates if date)

    def metric(self, name: str, model: str = "model") -> float:
        """Return one figure of the metrics table."""
        row = (self.metrics["model"] == model) & (self.metrics["metric"] == name)
        if not row.any():
            raise KeyError(f"no metric {name!r} of {model!r}")
        return float(self.metrics.loc[row, "value"].iloc[0])

    def to_json(self) -> str:
        """Return everything as one JSON text, the trees in LightGBM's text format."""
        record = {**self.scoring_record(), **self._evidence(), "trees": self.model.trees}
        if self.judged is not None:
            record["judged_trees"] = self.judged.trees
        return json.dumps(record, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> TrainedModel:
        """Rebuild what `to_json` returned."""
        record = json.loads(text)
        return cls._from_record(record, record["trees"], record.get("judged_trees"))

    def save(self, folder: Path) -> None:
        """Write the scoring part, ``evidence.json`` and the trees of the judged model.

        `ScoringModel.load` reads the scoring part alone, without the predictions and the judged
        twin that make up most of the record.
        """
        super().save(folder)
        if self.judged is not None:
            (folder / "judged.txt").write_text(self.judged.trees, encoding="utf-8")
        evidence = json.dumps(self._evidence(), allow_nan=False)
        (folder / EVIDENCE).write_text(evidence, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> TrainedModel:
        """Read what `save` wrote, now or when model and evidence were one file."""
        record, trees = read_scoring_files(folder)
        evidence, judged = folder / EVIDENCE, folder / "judged.txt"
        if evidence.exists():
            record |= json.loads(evidence.read_text(encoding="utf-8"))
        return cls._from_record(
            record, trees, judged.read_text(encoding="utf-8") if judged.exists() else None
        )

    def _evidence(self) -> dict[str, Any]:
        predictions = self.test_predictions.copy()
        predictions["as_of"] = predictions["as_of"].map(pd.Timestamp.isoformat)
        return {
            "seed": self.seed,
            "parameters": self.parameters.to_dict(),
            "rounds": self.rounds,
            "fit_dates": list(self.fit_dates),
            "validation_date": self.validation_date,
            "calibration_date": self.calibration_date,
            "test_date": self.test_date,
            "trained_on": list(self.trained_on),
            "rows": self.rows,
            "judged": None if self.judged is None else self.judged.to_dict(),
            "metrics": _columns(self.metrics),
            "feature_power": dict(self.feature_power),
            "test_predictions": _columns(predictions),
            "verdicts": [
                {**asdict(v), "difference": _finite(asdict(v.difference))} for v in self.verdicts
            ],
        }

    @classmethod
    def _from_record(
        cls, record: dict[str, Any], trees: str, judged_trees: str | None
    ) -> TrainedModel:
        parts = scoring_parts(record, trees)
        predictions = pd.DataFrame(record["test_predictions"])
        predictions["as_of"] = pd.to_datetime(predictions["as_of"]).astype("datetime64[us]")
        metrics = pd.DataFrame(record["metrics"])
        numbers = ["value", "low", "high"]
        metrics[numbers] = metrics[numbers].astype(float)
        return cls(
            **parts,
            seed=record["seed"],
            parameters=Parameters.from_dict(record.get("parameters")),
            rounds=record["rounds"],
            fit_dates=tuple(record["fit_dates"]),
            validation_date=record["validation_date"],
            calibration_date=record.get("calibration_date", ""),
            test_date=record["test_date"],
            trained_on=tuple(record["trained_on"]),
            rows=record["rows"],
            metrics=metrics,
            test_predictions=predictions,
            verdicts=tuple(
                Verdict(v["baseline"], v["metric"], Difference(**_numbers(v["difference"])))
                for v in record["verdicts"]
            ),
            feature_power=record.get("feature_power", {}),
            judged=(
                None if judged_trees is None else scorer_from_dict(record["judged"], judged_trees)
            ),
        )


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return columns as lists, NaN as None."""
    return {str(c): [None if pd.isna(v) else v for v in table[c].tolist()] for c in table.columns}


def _finite(record: dict[str, float]) -> dict[str, float | None]:
    return {key: value if np.isfinite(value) else None for key, value in record.items()}


def _numbers(record: dict[str, float | None]) -> dict[str, float]:
    return {key: float("nan") if value is None else value for key, value in record.items()}
