"""Training of one task: from the lake by ``ml`` to the registry, as the challenger."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from ml.classifier import train
from ml.reasons import typical_values
from ml.splits import NotEnoughHistory, NothingToLearnFrom
from ml.task import Question
from ml.tasks import QUESTIONS
from ml.trained import TrainedModel
from ml.words import measure_words, model_words
from orchestration.lake import Lake
from orchestration.parameter_records import parameters_for
from orchestration.pictures import picture, save_file
from orchestration.registry import (
    Registry,
    code_version,
    library_versions,
    scratch_folder,
)
from orchestration.settings import settings
from orchestration.training_dates import read_skipped_tasks
from orchestration.training_frame import read_training_frame

KEYS = ("customer_key", "as_of")


def train_task(
    task: Question, lake: Lake, log: Any, features: Sequence[str] | None = None
) -> tuple[TrainedModel | None, dict[str, Any]]:
    """Train one task and keep the result in the registry as the challenger.

    Whether it is promoted is decided by `orchestration.promotion`. By default it learns from
    every feature.

    Returns
    -------
    trained : TrainedModel or None
        None when the history does not suffice.
    metadata : dict
        For the asset: figures with intervals, baselines, pictures, version; or why there is no
        model.
    """
    values = settings()
    registry = Registry(values)
    with lake.reader(latest=True) as connection:
        skipped = read_skipped_tasks(connection).get(task.name)
    if skipped is not None:
        return None, {
            "trained": False,
            "reason": skipped.reason,
            "skipped_as_expected": skipped.is_expected,
        }
    try:
        frame, horizon_days, snapshot = read_training_frame(
            lake, task.name, most_rows=values.training_rows, seed=values.seed
        )
        if horizon_days is None:
            raise NotEnoughHistory("there is no labelled customer yet")
        lake.give_way()
        with lake.holding(snapshot):  # until its record names it
            return _train(task, frame, horizon_days, snapshot, features, registry, log)
    except NotEnoughHistory as problem:
        log.warning(f"{task.name}: not trained, whatever champion there is stays: {problem}")
        return None, {
            "trained": False,
            "reason": str(problem),
            "skipped_as_expected": isinstance(problem, NothingToLearnFrom),
        }


def _train(
    task: Question,
    frame: pd.DataFrame,
    horizon_days: int,
    snapshot: int,
    features: Sequence[str] | None,
    registry: Registry,
    log: Any,
) -> tuple[TrainedModel, dict[str, Any]]:
    values = settings()
    parameters, source = parameters_for(task, frame, horizon_days, registry, log)
    if values.monotone is not None:
        parameters = replace(parameters, is_monotone=values.monotone)
    trained = train(
        frame,
        task,
        horizon_days=horizon_days,
        features=features,
        parameters=parameters,
        seed=values.seed,
        num_threads=values.threads,
    )
    pictures = draw(trained)
    with scratch_folder() as name:
        folder = Path(name)
        save_model(trained, frame, folder)
        for title, image in pictures.items():
            (folder / f"{title}.png").write_bytes(image)
        version = registry.register(
            task.name,
            folder,
            metrics={
                f"{model}.{metric}": value
                for model, metric, value in _figures(trained)
                if math.isfinite(value)
            },
            parameters={
                "seed": trained.seed,
                "horizon_days": trained.horizon_days,
                "rounds": trained.rounds,
                "rows": trained.rows,
                "features": len(trained.features),
                "test_date": trained.test_date,
                **parameters.to_dict(),
            },
            tags={
                "lake_snapshot": str(snapshot),
                "code_version": code_version(),
                "libraries": library_versions(),
                "parameters_from": source,
                "features": json.dumps(trained.features)[:5_000],
            },
        )
    registry.challenge(version)
    for title, image in pictures.items():
        save_file(values.reports / "models" / f"{task.name}_{title}.png", image)
    return trained, {
        "trained": True,
        "version": version.label,
        "lake_snapshot": snapshot,
        "rows": trained.rows,
        "horizon_days": trained.horizon_days,
        "test_date": trained.test_date,
        "parameters_from": source,
        "metrics": dg.MetadataValue.md(metrics_markdown(trained)),
        "verdicts": dg.MetadataValue.md("\n".join(f"- {verdict}" for verdict in trained.verdicts)),
        **{title: picture(title, image) for title, image in pictures.items()},
    }


def save_model(trained: TrainedModel, frame: pd.DataFrame, folder: Path) -> None:
    """Write a model, and what is usual at the newest date that it learnt from, into a folder."""
    trained.save(folder)
    typical = typical_values(frame[frame["as_of"] == frame["as_of"].max()], trained.features)
    (folder / "typical.json").write_text(json.dumps(typical))


def _figures(trained: TrainedModel) -> Iterator[tuple[str, str, float]]:
    table = trained.metrics
    yield from zip(
        table["model"].astype(str),
        table["metric"].astype(str),
        table["value"].astype(float),
        strict=True,
    )


def metrics_markdown(trained: TrainedModel) -> str:
    """The metrics table with intervals, one row per model."""
    table = trained.metrics.assign(
        figure=[
            f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"
            for row in trained.metrics.itertuples()
        ]
    )
    table = table.pivot(index="model", columns="metric", values="figure").fillna("")
    columns = [name for name in trained.metrics["metric"].unique() if name in table]
    titles = " | ".join(map(measure_words, columns))
    lines = [f"| model | {titles} |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {model_words(str(name))} | " + " | ".join(str(row[column]) for column in columns) + " |"
        for name, row in table.iterrows()
    ]
    return "\n".join(lines)


def draw(trained: TrainedModel) -> dict[str, bytes]:
    """Pictures of how the model did on the test cutoff, as PNG."""
    from ml.plots import lift_png, reliability_png, roc_png

    tested = trained.test_predictions
    scores = {
        model_words(name): tested[name].to_numpy()
        for name in tested.columns
        if name not in {*KEYS, "label"}
    }
    when = f"{trained.kind} in {trained.horizon_days} days, as of {trained.test_date[:10]}"
    label = tested["label"].to_numpy()
    pictures = {"lift": lift_png(label, scores, f"Lift: {when}")}
    if QUESTIONS[trained.kind].is_binary:
        pictures["roc"] = roc_png(label, scores, f"ROC: {when}")
        pictures["reliability"] = reliability_png(label, scores, f"Calibration: {when}")
    return pictures
