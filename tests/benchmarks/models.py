"""Training on a long history of many customers, scoring them, and saying why."""

import json
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.tasks import TASKS
from orchestration.champions import Champion, answering, load_champions
from orchestration.lake import Lake
from orchestration.phrases import feature_phrases
from orchestration.registry import Registry
from orchestration.score_tables import (
    BATCH_ROWS,
    explain_features,
    population,
    predict_features,
)
from tests.benchmarks.figures import Figure, load, median
from tests.benchmarks.home import BenchFailed, BenchHome, python, script
from tests.benchmarks.large_history import draw_rows, history

DATES = 26
TABLES = ("customer_feature_history", "customer_labels")
TRAINING_TARGET_SECONDS, TRAINING_TARGET_MB = 300.0, 6 * 1024.0
SCORED, EXPLAINED = 100_000, 10_000
ROUNDS = 3


def measure(bench: BenchHome, customers: int) -> list[Figure]:
    """Train on `customers` times `DATES` rows, and time the champions of the bench home."""
    return [*_training(bench, customers), *_scoring(bench)]


def _training(bench: BenchHome, customers: int) -> list[Figure]:
    large = BenchHome(bench.root / "models", bench.threads)
    large.clear()
    large.run("setup", script("shoal", "setup"))
    rows = _table(bench, "customer_feature_history")
    with Lake.from_settings(large.values()).writer("benchmark") as connection:
        for number, chunks in enumerate(history(rows, customers, DATES, bench.values().seed)):
            for name, chunk in zip(TABLES, chunks, strict=True):
                connection.register("chunk", chunk)
                if number == 0:
                    connection.execute(f"create or replace table marts.{name} as from chunk")
                else:
                    connection.execute(f"insert into marts.{name} by name from chunk")
    usage = large.run("train_value", python("-m", "tests.benchmarks.train_value"))
    trained = json.loads(large.log("train_value").read_text().splitlines()[-1])
    return [
        Figure("models.training.history", customers * DATES, "rows"),
        Figure("models.training.rows", trained["rows"], "rows"),
        Figure("models.training", usage.seconds, "s", TRAINING_TARGET_SECONDS),
        Figure("models.training.cpu", usage.cpu_seconds, "s"),
        Figure("models.training.memory", usage.peak_mb, "MB", TRAINING_TARGET_MB),
        Figure("models.training.load_before", usage.load, "processes"),
    ]


def _scoring(bench: BenchHome) -> list[Figure]:
    values = bench.values()
    champions = load_champions(Registry(values))
    missing = [
        name
        for name, task in TASKS.items()
        if name not in champions and answering(task, champions) is None
    ]
    if missing:
        raise BenchFailed(
            f"no champion of {', '.join(missing)} in {bench.deployment}: run without --skip-race"
        )
    everyone = _table(bench, "customer_features")
    rng = np.random.default_rng(values.seed)
    features = draw_rows(everyone[_spoken_of(everyone, champions)], 2 * SCORED, rng)
    features = features[_spoken_of(features, champions)].iloc[:SCORED]
    few = features.iloc[:EXPLAINED]
    predictions = predict_features(few, champions, bench.threads)
    phrases = feature_phrases()
    busy = load()
    scoring, scoring_cpu = _seconds(lambda: _score(features, champions, bench.threads))
    reasons, reasons_cpu = _seconds(
        lambda: explain_features(few, predictions, champions, phrases, bench.threads)
    )
    return [
        Figure(f"models.scoring.{SCORED // 1000}k_customers", scoring, "s", 1.0),
        Figure("models.scoring.cpu", scoring_cpu, "s"),
        Figure("models.scoring.rate", SCORED / scoring, "customers/s"),
        Figure(f"models.reasons.{EXPLAINED // 1000}k_customers", reasons, "s", 1.0),
        Figure("models.reasons.cpu", reasons_cpu, "s"),
        Figure("models.reasons.rate", EXPLAINED / reasons, "customers/s"),
        Figure("models.scoring.load_before", busy, "processes"),
    ]


def _spoken_of(features: pd.DataFrame, champions: dict[str, Champion]) -> npt.NDArray[np.bool_]:
    """Customers in the population of every task."""
    members = [population(features, TASKS[name], champions).to_numpy() for name in champions]
    return np.logical_and.reduce(members)


def _score(features: pd.DataFrame, champions: dict[str, Champion], threads: int) -> None:
    for start in range(0, len(features), BATCH_ROWS):
        found = predict_features(features.iloc[start : start + BATCH_ROWS], champions, threads)
        if found[[task.score_column for task in TASKS.values()]].isna().any(axis=None):
            raise BenchFailed("a customer whom every task speaks of has no score")


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Median of wall and of processor time, after a first run that only warms up."""
    work()
    wall, processor = [], []
    for _ in range(ROUNDS):
        started, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    return median(wall), median(processor)


def _table(bench: BenchHome, name: str) -> pd.DataFrame:
    with Lake.from_settings(bench.values()).reader(latest=True) as connection:
        frame = connection.execute(f"from marts.{name}").df()
    if frame.empty:
        raise BenchFailed(f"marts.{name} in {bench.deployment} is empty: run without --skip-race")
    return frame
