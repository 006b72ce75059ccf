"""Training, judging and loading of the models, between the lake, ``ml`` and the registry."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from ml.classifier import train
from ml.reasons import typical_values
from ml.scoring_model import ScoringModel
from ml.segment_store import load as load_segment_model
from ml.segments import SegmentModel
from ml.splits import NotEnoughHistory, NothingToLearnFrom
from ml.task import Question, Task
from ml.tasks import EVENT_TASKS, QUESTIONS, TASKS
from ml.trained import TrainedModel
from orchestration.event_frames import TABLES, read_event_frame
from orchestration.lake import Lake, current_snapshot, require_snapshot
from orchestration.parameter_records import parameters_for
from orchestration.pictures import picture, save_file
from orchestration.registry import (
    Registry,
    Version,
    code_version,
    library_versions,
    scratch_folder,
)
from orchestration.settings import settings
from orchestration.training_dates import read_skipped_tasks

KEYS = ("customer_key", "as_of")
SEGMENTS = "segments"


class FeaturesGone(RuntimeError):
    """A champion needs features that the lake no longer has."""


@dataclass(frozen=True)
class Champion:
    """The model that scores, with what is usual for its features."""

    version: Version
    model: ScoringModel
    typical: Mapping[str, float]

    def trained(self) -> TrainedModel:
        """Read the model with the evidence for it, which scoring does without."""
        return TrainedModel.load(self.version.folder)


def read_training_frame(
    lake: Lake,
    task: str,
    snapshot: int | None = None,
    *,
    most_rows: int | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, int | None, int]:
    """Labelled features of one task, at the live edge or at a snapshot of the lake.

    Of a task about events there is a row per event, see `read_event_frame`.

    Parameters
    ----------
    snapshot : int, optional
        Default: the live edge.
    most_rows : int, optional
        Above it customers are drawn, each with all rows or none. They are taken in an order that
        the seed gives, so the same cap, or the number of rows that it left, draws the same ones.
    seed : int
        Of the draw.

    Returns
    -------
    frame : DataFrame
        ``customer_key``, ``as_of``, ``label`` and every feature.
    horizon_days : int or None
        None when there are no rows.
    snapshot : int
        The lake snapshot that was read.

    Raises
    ------
    SnapshotGone
        The snapshot named has been expired.
    NotEnoughHistory
        The source has no such events, or too few.
    """
    with lake.reader(latest=True) as connection:
        if snapshot is None:
            snapshot = current_snapshot(connection)
        require_snapshot(connection, snapshot)
        if task in EVENT_TASKS:
            frame, horizon_days = read_event_frame(connection, EVENT_TASKS[task], snapshot)
            return frame, horizon_days, snapshot
        frame = connection.execute(
            f"""
            with labels as (
                select *
                from marts.customer_labels at (version => {snapshot:d})
                where task = $task
            ),
            customers as (
                select
                    customer_key,
                    sum(count(*)) over (
                        order by md5(concat(customer_key, ':', $seed)), customer_key
                        rows unbounded preceding
                    ) as rows_so_far
                from labels
                group by customer_key
            ),
            drawn as (
                select customer_key
                from customers
                where $most_rows is null or rows_so_far <= $most_rows
            )
            select features.*, labels.label, labels.horizon_days
            from labels
            semi join drawn on labels.customer_key = drawn.customer_key
            inner join marts.customer_feature_history as features at (version => {snapshot:d})
                on
                    labels.customer_key = features.customer_key
                    and labels.as_of = features.as_of
            order by labels.as_of, labels.customer_key
            """,
            {"task": task, "most_rows": most_rows, "seed": seed},
        ).df()
    horizons = frame.pop("horizon_days")
    return frame, None if frame.empty else int(horizons.iloc[0]), snapshot


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
    except NotEnoughHistory as problem:
        log.warning(f"{task.name}: not trained, whatever champion there is stays: {problem}")
        return None, {
            "trained": False,
            "reason": str(problem),
            "skipped_as_expected": isinstance(problem, NothingToLearnFrom),
        }
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


def earns_promotion(trained: TrainedModel) -> bool:
    """A challenger may score unless it is clearly worse than the simplest baseline."""
    task = QUESTIONS[trained.kind]
    return not any(
        verdict.difference.verdict == "worse"
        for verdict in trained.verdicts
        if verdict.baseline == task.simplest and verdict.metric == task.headline
    )


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
    lines = ["| model | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(str(row[column]) for column in columns) + " |"
        for name, row in table.iterrows()
    ]
    return "\n".join(lines)


def draw(trained: TrainedModel) -> dict[str, bytes]:
    """Pictures of how the model did on the test cutoff, as PNG."""
    from ml.plots import lift_png, reliability_png, roc_png

    tested = trained.test_predictions
    scores = {
        name: tested[name].to_numpy() for name in tested.columns if name not in {*KEYS, "label"}
    }
    when = f"{trained.kind} in {trained.horizon_days} days, as of {trained.test_date[:10]}"
    label = tested["label"].to_numpy()
    pictures = {"lift": lift_png(label, scores, f"Lift: {when}")}
    if QUESTIONS[trained.kind].is_binary:
        pictures["roc"] = roc_png(label, scores, f"ROC: {when}")
        pictures["reliability"] = reliability_png(label, scores, f"Calibration: {when}")
    return pictures


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


def load_champion(registry: Registry, task: str) -> Champion | None:
    """The scoring model of one task, or None while it has none."""
    version = registry.champion(task)
    if version is None:
        return None
    typical = json.loads((version.folder / "typical.json").read_text())
    return Champion(version, ScoringModel.load(version.folder), typical)


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


def load_segments(registry: Registry) -> tuple[Version, SegmentModel] | None:
    """The segmentation in force, or None before the first."""
    version = registry.champion(SEGMENTS)
    if version is None:
        return None
    return version, load_segment_model(version.folder)
